import { createHash, timingSafeEqual } from 'node:crypto'

import { sha256 } from '../../base/digest.ts'
import { ok, type Result } from '../../base/result.ts'
import type { Api } from '../../core/apis/api.ts'
import type { Client } from '../../core/decision/clients.ts'
import type { PresentedCode } from '../../core/tokens/token-store.ts'
import type { Call } from '../call.ts'
import { mintAccess, mintRefresh, type MintTerms } from '../mint.ts'
import type { Parameters } from '../parameters.ts'
import type { OAuthParts } from '../parts.ts'
import { shapeOf } from '../presented-token.ts'
import { provenanceOf } from '../provenance.ts'
import { oauthRefusal, type OAuthRefusal } from '../refusal.ts'
import { apiOfResource } from '../resource.ts'
import { committed } from '../written.ts'
import { consentOf } from './consent.ts'
import type { Grant } from './grant.ts'
import { issuedTokens } from './issued.ts'

/**
 * RFC 6749, section 4.1.3, always with PKCE (RFC 7636). Whoever presents a code and does not fit it spends it, because
 * it is in hands that it was not meant for; a second use revokes what the first one issued, whoever makes it.
 */
export const authorizationCode: Grant = {
  type: 'authorization_code',
  issue: async (parts, call, client, parameters) => {
    const { clients, clock, minted, tokens } = parts
    const text = parameters.get('code')
    if (text === undefined) return call.missing('code')
    const digest = shapeOf(parts, text) === 'code' ? sha256(text) : null
    const presented = digest === null ? null : await tokens.findCode({ digest })
    if (digest === null || presented === null) {
      clients.chargeFailure(call.facts, call.at)
      return call.fail('code', oauthRefusal('code_unknown'), 'no such code')
    }

    const now = clock.now()
    const by = provenanceOf(call, client, now)
    const terms = await fitting(parts, call, client, parameters, presented)
    const access = terms.ok ? mintAccess(parts, terms.value, now) : null
    const refresh = terms.ok && mayRefresh(client) ? mintRefresh(parts, terms.value, null, now) : null
    const successors = [access, refresh].flatMap((made) => made?.token ?? [])
    const spent = committed(parts, await tokens.spendCode({ digest, successors, by }), 'code_unknown')
    if (!spent.ok) return call.fail('code', spent.error, 'spending the code')
    switch (spent.value) {
      case 'reused':
        return call.fail('code', oauthRefusal('code_reused'), 'used before')
      case 'expired':
        return call.fail('code', oauthRefusal('code_expired'), 'past its end')
      case 'revoked':
        return call.fail('code', oauthRefusal('code_revoked'), 'revoked, or its consent withdrawn')
      case 'spent':
        if (!terms.ok) return terms
        if (access === null) throw new Error('a code that fits yields an access token')
        minted([access.token])
        return ok(issuedTokens(client, access, refresh))
    }
  },
}

/** What is to be issued, where the client, its redirect URI, its verifier and its resource are those of the code. */
async function fitting(
  parts: OAuthParts,
  call: Call,
  client: Client,
  parameters: Parameters,
  { token, binding }: PresentedCode,
): Promise<Result<MintTerms, OAuthRefusal>> {
  const mismatch = (what: string) => call.fail('code', oauthRefusal('code_mismatch'), what)
  if (token.credential !== client.credential) return mismatch('issued to another client')
  if (!sameRedirect(client, binding.redirectUri, parameters.get('redirect_uri')))
    return mismatch('redirect_uri is not that of the authorization request')
  if (!isVerifierOf(binding.challenge, parameters.get('code_verifier')))
    return call.fail('verifier', oauthRefusal('verifier_mismatch'), 'code_verifier against the challenge')
  const api = parts.declaration().apis.get(token.api)
  if (api === undefined || !isFor(parts, call, api, parameters.get('resource')))
    return mismatch('issued for another API')
  const refusal = parts.clients.mayAct(call.facts, call.at, client, api, call.trail)
  if (refusal !== null) return call.failBy(refusal)
  const consent = await consentOf(parts, token)
  if (consent === null) return call.fail('consent', oauthRefusal('code_revoked'), 'withdrawn, or of nobody any more')
  call.trail.add('code', true, 'fits', 'code_unknown')
  return ok({ client, api, scopes: token.scopes, label: null, consent })
}

/** The request for the token repeats the URI of the authorization request, and where that had none, none but a registered one. */
function sameRedirect({ oauth }: Client, bound: string | null, sent: string | undefined): boolean {
  if (bound !== null) return sent === bound
  return sent === undefined || oauth?.redirectUris.includes(sent) === true
}

/** S256 (RFC 7636, section 4.6). What is compared is a digest, and in constant time all the same. */
function isVerifierOf(challenge: string, verifier: string | undefined): boolean {
  if (verifier === undefined || !/^[A-Za-z0-9._~-]{43,128}$/.test(verifier)) return false
  const made = createHash('sha256').update(verifier).digest()
  const bound = Buffer.from(challenge, 'base64url')
  return made.length === bound.length && timingSafeEqual(made, bound)
}

function isFor({ declaration }: OAuthParts, { here }: Call, api: Api, resource: string | undefined): boolean {
  return (here === null || here === api) && (resource === undefined || apiOfResource(declaration(), resource) === api)
}

function mayRefresh({ oauth }: Client): boolean {
  return oauth?.grantTypes.includes('refresh_token') === true
}
