import { RecentMap } from '../../base/recent-map.ts'
import { fail, ok, type Result } from '../../base/result.ts'
import { isJwsAlgorithm, isSignatureOf, type JwsAlgorithm } from '../jose/algorithms.ts'
import type { VerifyingKey } from '../jose/jwk.ts'
import { type Jwt, readJwt } from '../jose/jws.ts'
import { type JsonObject, memberOf } from '../jose/strict-json.ts'
import type { SigningKeys } from '../oauth/signing-keys.ts'
import type { GoodJwt, Instant, JwtVerdict, JwtVerifier, RefusedJwt } from '../tokens/jwt-verifier.ts'
import { readClaims } from './claims.ts'
import { IssuerKeys, type IssuerKeysParts, type IssuerStatus } from './issuer-keys.ts'
import type { Issuer, TokenType } from './issuer.ts'

/** Our own issuer: its tokens are access tokens by RFC 9068, signed with ES256. */
export interface OwnIssuer {
  readonly issuer: () => string
  readonly keys: Pick<SigningKeys, 'verifier'>
}

export interface Issuers extends JwtVerifier {
  /** Takes these into force and no others; what was verified by other rules is forgotten. */
  use(issuers: readonly Issuer[]): void
  status(): readonly (IssuerStatus & { readonly credential: string })[]
  stop(): void
}

/** Good tokens that are remembered. */
const rememberedMax = 20_000

interface Remembered {
  readonly verdict: GoodJwt
  /** Whether the key that verified it still counts. */
  holds(at: Instant): boolean
}

interface Declared {
  readonly issuer: Issuer
  readonly keys: IssuerKeys
}

/**
 * Verifies JWTs of the declared issuers, and our own (CRC-4; statements 40, 41, 43 and 47).
 *
 * What is remembered is that a signature was right, which stays so, and not that a token may be used: its times, its
 * audience and its credential are looked at each time. It is forgotten with the key that verified it, so it lives no
 * longer than its issuer vouches for that key.
 */
export function createIssuers(parts: IssuerKeysParts & { readonly own: OwnIssuer | null }): Issuers {
  const { own } = parts
  const remembered = new RecentMap<string, Remembered>(rememberedMax)
  let declared: ReadonlyMap<string, Declared> = new Map()

  const verifyOwn = (keys: OwnIssuer['keys'], jwt: Jwt, head: Head, digest: Int32Array, at: Instant): JwtVerdict => {
    if (head.type !== 'at+jwt') return unknown('type')
    if (head.algorithm !== 'ES256') return unknown('algorithm')
    const key = keys.verifier(head.kid, at.now)
    if (key === null) return unknown('key id not known')
    if (!isSignatureOf('ES256', jwt.signed, jwt.signature, key)) return unknown('signature')
    const verdict: GoodJwt = { kind: 'own' }
    // The id is the thumbprint of the key: while there is one of that id, it is this one.
    remembered.set(keyOf(digest), { verdict, holds: ({ now }) => keys.verifier(head.kid, now) !== null })
    return verdict
  }
  const verifyForeign = (
    { issuer, keys }: Declared,
    jwt: Jwt,
    head: Head,
    digest: Int32Array,
    at: Instant,
  ): JwtVerdict => {
    if (!issuer.algorithms.has(head.algorithm)) return unknown('algorithm')
    if (!issuer.types.has(head.type)) return unknown('type')
    const found = keys.find(head.kid, at)
    switch (found.kind) {
      case 'pending':
        return found
      case 'unavailable':
        return { ...found, reason: 'keys of the issuer' }
      case 'unknown':
        return unknown('key id not known')
      case 'found':
    }
    const key = signerOf(jwt, head, found.keys)
    if (key === null) return unknown('signature')
    const token = readClaims(issuer, jwt.claims)
    if (!token.ok) return unknown(token.error)
    const verdict: GoodJwt = { kind: 'foreign', token: token.value }
    remembered.set(keyOf(digest), { verdict, holds: (later) => keys.holds(key, later) })
    return verdict
  }

  return {
    known: (digest, at) => {
      const key = keyOf(digest)
      const found = remembered.get(key)
      if (found === undefined) return null
      if (found.holds(at)) return found.verdict
      remembered.delete(key)
      return null
    },
    verify: (text, digest, at) => {
      const jwt = readJwt(text)
      if (!jwt.ok) return { kind: 'refused', code: 'credential_malformed', reason: jwt.error }
      const head = readHead(jwt.value.header)
      if (!head.ok) return unknown(head.error)
      const issuer = memberOf(jwt.value.claims, 'iss')
      if (typeof issuer !== 'string') return unknown('no issuer')
      if (issuer === own?.issuer()) return verifyOwn(own.keys, jwt.value, head.value, digest, at)
      const found = declared.get(issuer)
      return found === undefined
        ? unknown('issuer not declared')
        : verifyForeign(found, jwt.value, head.value, digest, at)
    },
    use: (issuers) => {
      const before = declared
      declared = new Map(issuers.map((issuer) => [issuer.issuer, { issuer, keys: keysOf(issuer, before, parts) }]))
      const kept = new Set([...declared.values()].map(({ keys }) => keys))
      for (const { keys } of before.values()) if (!kept.has(keys)) keys.stop()
      remembered.clear()
    },
    status: () =>
      [...declared.values()].map(({ issuer, keys }) => ({ ...keys.status(), credential: issuer.credential })),
    stop: () => {
      for (const { keys } of declared.values()) keys.stop()
    },
  }
}

/** The ones that are held already, where they are fetched and read in the same way. */
function keysOf(issuer: Issuer, before: ReadonlyMap<string, Declared>, parts: IssuerKeysParts): IssuerKeys {
  const held = before.get(issuer.issuer)
  if (held !== undefined && held.issuer.id === issuer.id && held.keys.areOf(issuer)) return held.keys
  const keys = new IssuerKeys(issuer, parts)
  keys.start()
  return keys
}

interface Head {
  readonly algorithm: JwsAlgorithm
  readonly kid: string
  readonly type: TokenType
}

/** No key, and no place of one, is taken from a token (RFC 8725, section 3.10); and nothing is skipped that it calls critical. */
function readHead(header: JsonObject): Result<Head, string> {
  if (carriesKey.some((name) => Object.hasOwn(header, name))) return fail('a key of its own, or where to find one')
  if (notUnderstood.some((name) => Object.hasOwn(header, name))) return fail('an extension that is not understood')
  const algorithm = memberOf(header, 'alg')
  const kid = memberOf(header, 'kid')
  const type = typeOf(header)
  if (!isJwsAlgorithm(algorithm)) return fail('algorithm')
  if (typeof kid !== 'string' || kid === '') return fail('no key id')
  return type === null ? fail('type') : ok({ algorithm, kid, type })
}

const carriesKey = ['jwk', 'jku', 'x5u', 'x5c'] as const
/** Of these the first says that there are more; the others change what the parts are. */
const notUnderstood = ['crit', 'b64', 'enc', 'zip'] as const

/** A media type in any case, its `application/` left out or not (RFC 7515, section 4.1.9). */
function typeOf(header: JsonObject): TokenType | null {
  if (!Object.hasOwn(header, 'typ')) return 'absent'
  const typ = memberOf(header, 'typ')
  const name = typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : ''
  if (name === 'at+jwt') return 'at+jwt'
  return name === 'jwt' ? 'JWT' : null
}

function signerOf({ signed, signature }: Jwt, { algorithm }: Head, keys: readonly VerifyingKey[]): VerifyingKey | null {
  const signer = keys.find(
    ({ algorithms, key }) => algorithms.has(algorithm) && isSignatureOf(algorithm, signed, signature, key),
  )
  return signer ?? null
}

function unknown(reason: string): RefusedJwt {
  return { kind: 'refused', code: 'credential_unknown', reason }
}

/** The whole digest as a text of sixteen characters. */
function keyOf(digest: Int32Array): string {
  return String.fromCharCode(...new Uint16Array(digest.buffer, digest.byteOffset, 16))
}
