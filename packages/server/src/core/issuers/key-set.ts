import { fail, ok, type Result } from '../../base/result.ts'
import type { JwsAlgorithm } from '../jose/algorithms.ts'
import { readVerifyingKey, type VerifyingKey } from '../jose/jwk.ts'
import { memberOf, readStrictObject } from '../jose/strict-json.ts'

/** The keys of an issuer that its tokens may be signed with, by their id. More than one may have the same. */
export type KeySet = ReadonlyMap<string, readonly VerifyingKey[]>

/** More keys than any issuer has in use. */
export const keysMax = 100

/**
 * Reads a JWK Set (RFC 7517, section 5). Keys that are not for us are passed over. The ones that `held` has too are
 * the same values, so that what they have verified can be told by them. The error says what it is instead.
 */
export function readKeySet(body: string, allowed: ReadonlySet<JwsAlgorithm>, held: KeySet): Result<KeySet, string> {
  const document = readStrictObject(Buffer.from(body))
  const keys = document === null ? undefined : memberOf(document, 'keys')
  if (!Array.isArray(keys)) return fail('not a JWK Set')
  if (keys.length > keysMax) return fail(`more than ${keysMax} keys`)
  const set = new Map<string, readonly VerifyingKey[]>()
  for (const jwk of keys) {
    const key = readVerifyingKey(jwk, allowed)
    if (key === null) continue
    const known = (held.get(key.kid) ?? []).find((other) => isSame(other, key))
    set.set(key.kid, [...(set.get(key.kid) ?? []), known ?? key])
  }
  return ok(set)
}

function isSame(a: VerifyingKey, b: VerifyingKey): boolean {
  return a.thumbprint === b.thumbprint && String([...a.algorithms]) === String([...b.algorithms])
}
