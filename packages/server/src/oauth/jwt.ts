import type { TokenSigner } from '../core/oauth/signing-keys.ts'

/** What an access token says of itself as a JWT (RFC 9068, section 2.2); times in seconds. */
export interface AccessTokenClaims {
  readonly iss: string
  /** User id, or the credential id of a client that acts for itself: neither can be chosen by anybody. */
  readonly sub: string
  readonly aud: string
  readonly exp: number
  readonly iat: number
  readonly jti: string
  readonly client_id: string
  readonly scope: string
}

/** Signed in the compact form (RFC 7515, section 7.1), with the type of section 2.1. */
export function accessTokenJwt(claims: AccessTokenClaims, signer: TokenSigner): string {
  const input = `${encoded({ alg: 'ES256', typ: 'at+jwt', kid: signer.kid })}.${encoded(claims)}`
  return `${input}.${signer.sign(input)}`
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
