import { sha256 } from '../../base/digest.ts'
import { ok, type Result } from '../../base/result.ts'
import type { Client } from '../../core/decision/clients.ts'
import type { PresentedRefresh } from '../../core/tokens/token-store.ts'
import type { Call } from '../call.ts'
import { mintAccess, mintRefresh, type MintTerms } from '../mint.ts'
import type { Parameters } from '../parameters.ts'
import type { OAuthParts } from '../parts.ts'
import { shapeOf } from '../presented-token.ts'
import { provenanceOf } from '../provenance.ts'
import { oauthRefusal, type OAuthRefusal } from '../refusal.ts'
import { apiOfResource } from '../resource.ts'
import { requestedScopes } from '../scopes.ts'
import { committed } from '../written.ts'
import { consentOf } from './consent.ts'
import type { Grant } from './grant.ts'
import { issuedTokens } from './issued.ts'

/** A client that repeats itself within this time has lost an answer, or has two tabs open; later it is a theft. */
const graceMs = 10_000

/** RFC 6749, section 6: each use rotates the token. Scope and resource may be narrowed and never widened. */
export const refreshToken: Grant = {
  type: 'refresh_token',
  issue: async (parts, call, client, parameters) => {
    const { clients, clock, minted, tokens } = parts
    const text = parameters.get('refresh_token')
    if (text === undefined) return call.missing('refresh_token')
    const digest = shapeOf(parts, text) === 'refresh' ? sha256(text) : null
    const presented = digest === null ? null : await tokens.findRefresh({ digest })
    if (digest === null || presented === null) {
      clients.chargeFailure(call.facts, call.at)
      return call.fail('refresh_token', oauthRefusal('refresh_unknown'), 'no such token')
    }
    if (presented.token.credential !== client.credential)
      return call.fail('refresh_token', oauthRefusal('refresh_unknown'), 'issued to another client')

    const now = clock.now()
    const by = provenanceOf(call, client, now)
    // One that was used before is told so, whatever is asked for with it.
    const terms = presented.token.spentAt === null ? await fitting(parts, call, client, parameters, presented) : null
    if (terms?.ok === false) return terms
    const access = terms === null ? null : mintAccess(parts, terms.value, now)
    const whole = terms === null ? null : { ...terms.value, scopes: presented.token.scopes }
    const refresh = whole === null ? null : mintRefresh(parts, whole, presented.familyEndsAt, now)
    const successors = [access, refresh].flatMap((made) => made?.token ?? [])
    const answer = await tokens.rotateRefresh({ digest, successors, graceMs, by })
    const rotated = committed(parts, answer, 'refresh_unknown')
    if (!rotated.ok) return call.fail('refresh_token', rotated.error, 'rotating the token')
    switch (rotated.value) {
      case 'raced':
        return call.fail('refresh_token', oauthRefusal('refresh_raced'), 'used a moment ago')
      case 'reused':
        return call.fail('refresh_token', oauthRefusal('refresh_reused'), 'used before')
      case 'expired':
        return call.fail('refresh_token', oauthRefusal('refresh_expired'), 'past its end')
      case 'revoked':
        return call.fail('refresh_token', oauthRefusal('refresh_revoked'), 'revoked')
      case 'rotated':
        if (access === null) throw new Error('a refresh token that was spent before cannot be rotated')
        minted([access.token])
        return ok(issuedTokens(client, access, refresh))
    }
  },
}

async function fitting(
  parts: OAuthParts,
  call: Call,
  client: Client,
  parameters: Parameters,
  { token }: PresentedRefresh,
): Promise<Result<MintTerms, OAuthRefusal>> {
  const declaration = parts.declaration()
  const api = declaration.apis.get(token.api)
  const resource = parameters.get('resource')
  const sameApi =
    (call.here === null || call.here === api) &&
    (resource === undefined || apiOfResource(declaration, resource) === api)
  if (api === undefined || !sameApi)
    return call.fail('resource', oauthRefusal('resource_invalid'), 'that of the consent')
  const scope = parameters.get('scope')
  const scopes = requestedScopes(scope, token.scopes, (name) => token.scopes.includes(name))
  if (!scopes.ok) return call.fail('scope_request', scopes.error, `asked for ${scope ?? 'all'}`)
  const refusal = parts.clients.mayAct(call.facts, call.at, client, api, call.trail)
  if (refusal !== null) return call.failBy(refusal)
  const consent = await consentOf(parts, token)
  if (consent === null) return call.fail('consent', oauthRefusal('refresh_revoked'), 'withdrawn, or of nobody any more')
  return ok({ client, api, scopes: scopes.value, label: null, consent })
}
