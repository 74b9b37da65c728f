import type { KeyObject } from 'node:crypto'

/**
 * The keys that sign access tokens (ES256, RFC 7518, section 3.4), made at the first use. `next` is published and
 * signs nothing yet; `current` signs; `retired` is published until the last token that it signed has expired.
 */
export interface SigningKeys {
  /** Newest first; what is gone is not among them. */
  list(now: number): readonly SigningKey[]
  current(now: number): TokenSigner
  /** Null: there is no such key, or no longer. */
  verifier(kid: string, now: number): KeyObject | null
  /**
   * Makes the key that takes over once everybody can have seen it (`publishedMs`). Where there is one already, that
   * one is answered.
   */
  rotate(now: number): SigningKey
  /**
   * At once and for good, for a key that somebody else may have: nothing that it signed is good any longer, on no node.
   * Where it was the current one, another signs from this moment. False: there is no such key.
   */
  remove(kid: string, now: number): boolean
  /** Rotates by age and deletes what is over; for housekeeping. */
  keep(now: number): void
}

export interface SigningKey {
  /** Thumbprint of the public key (RFC 7638). */
  readonly kid: string
  readonly state: 'next' | 'current' | 'retired'
  readonly createdAt: number
  readonly usedFrom: number
  /** Null: nothing takes over from it yet. */
  readonly usedUntil: number | null
  readonly jwk: PublicJwk
}

/** RFC 7517, section 4, and RFC 7518, section 6.2.1. */
export interface PublicJwk {
  readonly kty: 'EC'
  readonly crv: 'P-256'
  readonly x: string
  readonly y: string
  readonly alg: 'ES256'
  readonly use: 'sig'
  readonly kid: string
}

export interface TokenSigner {
  readonly kid: string
  /** JWS signature of the input (RFC 7515, section 5.1): base64url of r and s. */
  sign(input: string): string
}
