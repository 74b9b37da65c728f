import { constants, verify, type KeyObject, type VerifyKeyObjectInput } from 'node:crypto'

/** Digital signatures alone (RFC 7518, section 3.1; RFC 8037; RFC 9864): no `none`, and no shared secret. */
export const jwsAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const
export type JwsAlgorithm = (typeof jwsAlgorithms)[number]

export function isJwsAlgorithm(value: unknown): value is JwsAlgorithm {
  return jwsAlgorithms.some((algorithm) => algorithm === value)
}

/** The one type of key that an algorithm is for: a key of another type never verifies (RFC 8725, section 3.1). */
export function keyTypeOf(algorithm: JwsAlgorithm): 'RSA' | 'EC' | 'OKP' {
  if (algorithm.startsWith('ES')) return 'EC'
  return algorithm.startsWith('Ed') ? 'OKP' : 'RSA'
}

/** The curve that an algorithm is for; null for RSA. */
export function curveOf(algorithm: JwsAlgorithm): string | null {
  return curves[algorithm] ?? null
}

const curves: Readonly<Partial<Record<JwsAlgorithm, string>>> = {
  ES256: 'P-256',
  ES384: 'P-384',
  ES512: 'P-521',
  EdDSA: 'Ed25519',
  Ed25519: 'Ed25519',
}

/** The key has to be one for the algorithm. */
export function isSignatureOf(algorithm: JwsAlgorithm, signed: string, signature: Buffer, key: KeyObject): boolean {
  // A base64url text and a dot: a byte for each character.
  return verify(hashOf(algorithm), Buffer.from(signed, 'latin1'), inputOf(algorithm, key), signature)
}

/** Ed25519 hashes by itself. */
function hashOf(algorithm: JwsAlgorithm): string | null {
  return algorithm.startsWith('Ed') ? null : `sha${algorithm.slice(2)}`
}

function inputOf(algorithm: JwsAlgorithm, key: KeyObject): VerifyKeyObjectInput {
  if (algorithm.startsWith('ES')) return { key, dsaEncoding: 'ieee-p1363' }
  if (!algorithm.startsWith('PS')) return { key }
  return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
}
