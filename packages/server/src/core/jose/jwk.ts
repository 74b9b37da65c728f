import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'

import { sha256 } from '../../base/digest.ts'
import { curveOf, isJwsAlgorithm, type JwsAlgorithm, keyTypeOf } from './algorithms.ts'
import { decodeBase64url } from './base64url.ts'
import { isObject, type JsonObject, memberOf } from './strict-json.ts'

/** A public key with what it may be used for. */
export interface VerifyingKey {
  readonly kid: string
  /** Never empty; all of one type of key. */
  readonly algorithms: ReadonlySet<JwsAlgorithm>
  readonly key: KeyObject
  /** RFC 7638. */
  readonly thumbprint: string
}

/** Longest `kid` that is looked at. */
const kidLengthMax = 256
const rsaBits = { min: 2_048, max: 8_192 } as const

/**
 * A public key of a set for signatures by one of `allowed` (RFC 7517, section 4). Null: it is none, has no id, is for
 * something else, is too weak, or has private parts in it, which everybody knows by now.
 */
export function readVerifyingKey(jwk: unknown, allowed: ReadonlySet<JwsAlgorithm>): VerifyingKey | null {
  if (!isObject(jwk) || privateMembers.some((name) => Object.hasOwn(jwk, name))) return null
  const kid = memberOf(jwk, 'kid')
  const bare = publicMembers(jwk)
  if (typeof kid !== 'string' || kid === '' || kid.length > kidLengthMax || bare === null || !isForSignatures(jwk)) {
    return null
  }
  const algorithms = new Set([...allowed].filter((algorithm) => fits(jwk, bare, algorithm)))
  const key = algorithms.size === 0 ? null : importKey(bare)
  return key === null ? null : { kid, algorithms, key, thumbprint: thumbprintOf(bare) }
}

const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const

/** The members that are the key itself, in the order that its thumbprint needs (RFC 7638, section 3.2). */
type BareKey = Readonly<Record<string, string>>

const membersOf: Readonly<Record<string, readonly string[]>> = {
  RSA: ['e', 'kty', 'n'],
  EC: ['crv', 'kty', 'x', 'y'],
  OKP: ['crv', 'kty', 'x'],
}

function publicMembers(jwk: JsonObject): BareKey | null {
  const kty = memberOf(jwk, 'kty')
  const names = typeof kty === 'string' && Object.hasOwn(membersOf, kty) ? membersOf[kty] : undefined
  if (names === undefined) return null
  const bare: Record<string, string> = {}
  for (const name of names) {
    const value = memberOf(jwk, name)
    if (typeof value !== 'string') return null
    if (name !== 'kty' && name !== 'crv' && decodeBase64url(value) === null) return null
    bare[name] = value
  }
  return bare
}

function isForSignatures(jwk: JsonObject): boolean {
  const use = memberOf(jwk, 'use')
  const operations = memberOf(jwk, 'key_ops')
  return (
    (use === undefined || use === 'sig') &&
    (operations === undefined || (Array.isArray(operations) && operations.includes('verify')))
  )
}

function fits(jwk: JsonObject, bare: BareKey, algorithm: JwsAlgorithm): boolean {
  const named = memberOf(jwk, 'alg')
  if (keyTypeOf(algorithm) !== bare['kty'] || curveOf(algorithm) !== (bare['crv'] ?? null)) return false
  return named === undefined || named === algorithm || (isEdwards(named) && isEdwards(algorithm))
}

/** One algorithm, two names (RFC 9864, section 2.2). */
function isEdwards(name: unknown): boolean {
  return isJwsAlgorithm(name) && keyTypeOf(name) === 'OKP'
}

function importKey(bare: BareKey): KeyObject | null {
  try {
    const key = createPublicKey({ format: 'jwk', key: bare satisfies JsonWebKey })
    const { modulusLength, publicExponent } = key.asymmetricKeyDetails ?? {}
    if (key.asymmetricKeyType !== 'rsa') return key
    if (modulusLength === undefined || modulusLength < rsaBits.min || modulusLength > rsaBits.max) return null
    return publicExponent !== undefined && publicExponent > 2n && publicExponent % 2n === 1n ? key : null
  } catch {
    return null
  }
}

function thumbprintOf(bare: BareKey): string {
  return Buffer.from(sha256(JSON.stringify(bare))).toString('base64url')
}
