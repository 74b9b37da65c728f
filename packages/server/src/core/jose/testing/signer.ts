import { constants, generateKeyPairSync, sign, type JsonWebKey, type KeyObject } from 'node:crypto'

import { curveOf, type JwsAlgorithm, keyTypeOf } from '../algorithms.ts'

/** Signs JWTs as an issuer does. */
export interface Signer {
  readonly kid: string
  readonly algorithm: JwsAlgorithm
  readonly privateKey: KeyObject
  /** As it stands in the issuer's set. */
  readonly jwk: JsonWebKey & { readonly kid: string }
  /** Members of `header` go before `alg`, `kid` and `typ: at+jwt`; undefined takes one away. */
  sign(claims: Readonly<Record<string, unknown>>, header?: Readonly<Record<string, unknown>>): string
  /** Whatever stands in the two parts, under a good signature. */
  signTexts(header: string, payload: string): string
}

export function aSigner(kid = 'k1', algorithm: JwsAlgorithm = 'ES256', modulusLength = 2_048): Signer {
  const { publicKey, privateKey } = keyPair(algorithm, modulusLength)
  const signTexts = (header: string, payload: string): string => {
    const signed = `${encoded(header)}.${encoded(payload)}`
    return `${signed}.${signatureOf(algorithm, signed, privateKey).toString('base64url')}`
  }
  return {
    kid,
    algorithm,
    privateKey,
    jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg: algorithm, use: 'sig' },
    sign: (claims, header = {}) =>
      signTexts(JSON.stringify({ alg: algorithm, kid, typ: 'at+jwt', ...header }), JSON.stringify(claims)),
    signTexts,
  }
}

export const encoded = (text: string): string => Buffer.from(text).toString('base64url')

function keyPair(algorithm: JwsAlgorithm, modulusLength: number) {
  switch (keyTypeOf(algorithm)) {
    case 'RSA':
      return generateKeyPairSync('rsa', { modulusLength })
    case 'EC':
      return generateKeyPairSync('ec', { namedCurve: curveOf(algorithm) ?? '' })
    case 'OKP':
      return generateKeyPairSync('ed25519')
  }
}

export function signatureOf(algorithm: JwsAlgorithm, signed: string, key: KeyObject): Buffer {
  const hash = algorithm.startsWith('Ed') ? null : `sha${algorithm.slice(2)}`
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
  return sign(hash, Buffer.from(signed), {
    key,
    ...(algorithm.startsWith('ES') && { dsaEncoding: 'ieee-p1363' as const }),
    ...(algorithm.startsWith('PS') && pss),
  })
}
