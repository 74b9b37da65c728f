export type TokenKind = 'access' | 'refresh' | 'code'
export type TokenFormat = 'opaque' | 'jwt'

/**
 * What was minted for a credential, and where somebody consented for a grant. It is bound to both and to no secret:
 * it lives through a rotation, sleeps while its credential is blocked, and dies with it (design, section 2).
 */
export interface Token {
  /** `tok_` and a UUIDv7; also the `jti` of a JWT. */
  readonly id: string
  readonly kind: TokenKind
  readonly format: TokenFormat
  readonly credential: string
  /** Null: minted by the credential for itself. */
  readonly grant: string | null
  /**
   * Id of the authorization code that all of a family come from, its own where it is one; null where there is no
   * grant. What ends a family is written to its code, which is kept as long as any of them.
   */
  readonly family: string | null
  /** Of the grant's project where there is a grant, else of the credential's. */
  readonly account: string
  readonly project: string
  /** The API that it is for: its audience. */
  readonly api: string
  /** What was granted, every scope by its name. What it may do now is derived when it is used. */
  readonly scopes: readonly string[]
  /** What a broker calls whom it minted it for (VCH-11). */
  readonly label: string | null
  readonly createdAt: number
  readonly expiresAt: number
  /** A code that was redeemed, a refresh token that was rotated. */
  readonly spentAt: number | null
  /** By itself, with its family or with its grant. */
  readonly revokedAt: number | null
}

/** A token on its way into the store, which keeps its digest alone. */
export interface NewToken extends Omit<Token, 'spentAt' | 'revokedAt'> {
  /** SHA-256 of the whole token as it is presented, 32 bytes. */
  readonly digest: Uint8Array
  /** Of a refresh token: no successor of it lives longer. Null for all others. */
  readonly familyEndsAt: number | null
  /** Of a code alone. */
  readonly code: CodeBinding | null
}

/** What an authorization code is bound to: whoever redeems it has to fit (RFC 6749, section 4.1.3; RFC 7636). */
export interface CodeBinding {
  /** As it stood in the authorization request; null where that named none. */
  readonly redirectUri: string | null
  /** S256, 43 characters of base64url. */
  readonly challenge: string
}

/** An access token as a node holds it once it was presented. */
export interface TokenRecord {
  readonly id: string
  readonly digest: Uint8Array
  readonly credential: string
  readonly grant: string | null
  readonly family: string | null
  readonly api: string
  readonly scopes: readonly string[]
  readonly label: string | null
  readonly expiresAt: number
  /** Revoked by itself or with its family. Of its grant, ask the grant's record. */
  readonly revoked: boolean
}

/**
 * What the change feed tells of tokens: they are not to be taken any more. However large a family is, its end is one
 * of these.
 */
export type TokenRevocation =
  | { readonly of: 'token'; readonly digest: Uint8Array }
  | { readonly of: 'family'; readonly family: string }
