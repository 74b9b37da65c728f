import { ok, type Result } from '../../base/result.ts'
import type { Client } from '../../core/decision/clients.ts'
import { registeredRedirect } from '../../core/oauth/redirect-uri.ts'
import type { Call } from '../call.ts'
import type { EachParameter } from '../parameters.ts'
import type { OAuthParts } from '../parts.ts'
import { oauthRefusal, type OAuthRefusal } from '../refusal.ts'

/** A client that is known and alive, and an address that it has registered: now errors may be sent there. */
export interface Trusted {
  readonly client: Client
  readonly redirectUri: string
  readonly redirectUriSent: boolean
}

export async function trustedClient(
  { clients }: OAuthParts,
  call: Call,
  { found, faults }: EachParameter,
): Promise<Result<Trusted, OAuthRefusal>> {
  const clientId = found.get('client_id')
  const unknown = (compared: string) => call.fail('client', oauthRefusal('authorization_client_unknown'), compared)
  if (clientId === undefined)
    return unknown(faults.has('client_id') ? 'client_id doubled or malformed' : 'no client_id')
  const named = await clients.named(call.facts, call.at, clientId, call.trail)
  if (named === null) return unknown(`client ${clientId}`)
  if (!named.ok) {
    // What became of it is in the trace: the person who was sent here is told no more of it.
    const { code, retryAfterMs } = named.error
    const unavailable = code === 'decision_unavailable'
    return call.failAs(oauthRefusal(unavailable ? code : 'authorization_client_unknown', { retryAfterMs }))
  }
  const client = named.value
  call.client = client
  call.principal = client.principal
  const registered = client.oauth?.redirectUris ?? []
  const sent = found.get('redirect_uri')
  const mismatch = (compared: string) => call.fail('redirect_uri', oauthRefusal('redirect_uri_mismatch'), compared)
  if (faults.has('redirect_uri')) return mismatch('doubled or malformed')
  if (sent === undefined) {
    const [only, another] = registered
    if (only === undefined || another !== undefined) return mismatch('absent, and the client has not exactly one')
    return ok({ client, redirectUri: only, redirectUriSent: false })
  }
  const redirectUri = registeredRedirect(registered, sent)
  return redirectUri === null ? mismatch(sent) : ok({ client, redirectUri, redirectUriSent: true })
}
