import { fail, ok, type Result } from '../../base/result.ts'
import { isObject, type JsonObject, memberOf } from '../jose/strict-json.ts'
import type { ForeignToken } from '../tokens/jwt-verifier.ts'
import type { ClaimPath, Issuer, IssuerApi } from './issuer.ts'

/**
 * What the claims of a token say whose signature is right (RFC 9068, section 4; RFC 7519, section 4.1). A claim that
 * is not of its type is never overlooked. The error says for the trace which rule they break.
 */
export function readClaims(issuer: Issuer, claims: JsonObject): Result<ForeignToken, string> {
  if (notOfAccessTokens.some((name) => Object.hasOwn(claims, name)))
    return fail('another kind of token, such as an ID token')
  const expires = instantOf(claims, 'exp')
  const notBefore = instantOf(claims, 'nbf')
  const issued = instantOf(claims, 'iat')
  if (expires === null || expires === 'wrong') return fail('no expiry')
  if (notBefore === 'wrong' || issued === 'wrong') return fail('a time that is no number')
  if (issued === null && issuer.maxAgeMs !== null) return fail('no time of issue')
  const audience = textsOf(memberOf(claims, 'aud'))
  const subject = valueAt(claims, issuer.subject)
  if (audience === null) return fail('an audience that is no text')
  if (typeof subject !== 'string' || !/^[!-~]{1,255}$/.test(subject))
    return fail('no subject of up to 255 visible characters')
  const scopes = scopeValues(claims, issuer.scopesClaim)
  const roles = issuer.rolesClaim === null ? [] : textsOf(valueAt(claims, issuer.rolesClaim))
  if (scopes === null || roles === null) return fail('scopes or roles that are no texts')
  const missing = issuer.requiredClaims.find(
    ({ claim, values }) => !(textsOf(valueAt(claims, claim)) ?? []).some((value) => values.has(value)),
  )
  if (missing !== undefined) return fail(`the claim ${missing.claim.join('.')} is not as required`)
  return ok({
    issuer: issuer.id,
    credential: issuer.credential,
    subject: `${issuer.id}:${subject}`,
    scopesByApi: scopesByApi(issuer, audience, scopes, roles),
    notBefore: Math.max(notBefore ?? -Infinity, issued ?? -Infinity) - issuer.clockSkewMs,
    expiresAt: Math.min(expires, (issued ?? Infinity) + (issuer.maxAgeMs ?? Infinity)) + issuer.clockSkewMs,
  })
}

/** OpenID Connect Core, section 3.3.2.11; Back-Channel Logout, section 2.4. */
const notOfAccessTokens = ['nonce', 'at_hash', 'c_hash', 's_hash', 'events'] as const

/** A NumericDate in epoch ms; null where it is absent. Infinity is what a number too large is read as. */
function instantOf(claims: JsonObject, name: string): number | 'wrong' | null {
  const value = memberOf(claims, name)
  if (value === undefined) return null
  return typeof value === 'number' && Number.isFinite(value) ? value * 1_000 : 'wrong'
}

function valueAt(claims: JsonObject, path: ClaimPath): unknown {
  return path.reduce<unknown>((value, name) => (isObject(value) ? memberOf(value, name) : undefined), claims)
}

/** One text or a list of texts; absent is none. Null: something else. */
function textsOf(value: unknown): readonly string[] | null {
  if (value === undefined) return []
  if (typeof value === 'string') return [value]
  return Array.isArray(value) && value.every((each) => typeof each === 'string') ? value : null
}

/** Also as one text with spaces between them (RFC 9068, section 2.2.3). */
function scopeValues(claims: JsonObject, path: ClaimPath | null): readonly string[] | null {
  const value = path === null ? undefined : valueAt(claims, path)
  return typeof value === 'string' ? value.split(' ') : textsOf(value)
}

function scopesByApi(
  { apis }: Issuer,
  audience: readonly string[],
  scopes: readonly string[],
  roles: readonly string[],
): ForeignToken['scopesByApi'] {
  const named = [...apis].filter(([, api]) => audience.some((each) => api.audience.has(each)))
  return new Map(named.map(([id, api]) => [id, scopesAt(api, scopes, roles)]))
}

function scopesAt(api: IssuerApi, scopes: readonly string[], roles: readonly string[]): readonly string[] {
  const ofScopes = scopes.flatMap((scope) => api.scopes.get(scope) ?? [])
  const ofRoles = roles.flatMap((role) => api.roles.get(role) ?? [])
  return [...new Set([...ofScopes, ...ofRoles])]
}
