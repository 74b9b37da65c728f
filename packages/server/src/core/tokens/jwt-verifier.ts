import type { RequestFacts } from '../decision/facts.ts'

/**
 * Verifies presented JWTs: our own, and those of issuers that the operator declared. Everything is done at once, in
 * memory; only keys of an issuer may have to be fetched first.
 */
export interface JwtVerifier {
  /** Of a JWT that was found good before, by the digest of its whole text; null: it has to be verified. */
  known(digest: Int32Array, at: Instant): GoodJwt | null
  /** Costs a signature check: for whom the budget of failed attempts is not spent. What is good is known from then on. */
  verify(text: string, digest: Int32Array, at: Instant): JwtVerdict
}

export type Instant = Pick<RequestFacts, 'now' | 'monotonic'>

export type JwtVerdict = GoodJwt | RefusedJwt | PendingJwt | UnavailableJwt

export type GoodJwt =
  /** The signature is ours: what the token is, its row says, which is found by its digest. */
  { readonly kind: 'own' } | { readonly kind: 'foreign'; readonly token: ForeignToken }

export interface RefusedJwt {
  readonly kind: 'refused'
  readonly code: 'credential_malformed' | 'credential_unknown'
  /** For the trace alone: no caller hears it. Names nothing that was sent. */
  readonly reason: string
}

/** Keys of its issuer are being fetched: to be verified again once `fetched` resolves, which it does in any case. */
interface PendingJwt {
  readonly kind: 'pending'
  readonly fetched: Promise<void>
}

/** The issuer's keys cannot be had: 503, never 401. */
interface UnavailableJwt {
  readonly kind: 'unavailable'
  readonly reason: string
  readonly retryAfterMs: number
}

/**
 * A JWT of a foreign issuer whose signature, type and issuer are right. Its times and its audience are for the checks
 * of `decide`, which tell its holder about them; so is the state of its credential, each time it is used.
 */
export interface ForeignToken {
  /** Name of the issuer in postern.yaml. */
  readonly issuer: string
  /** The credential of ours that its bearer acts as. It may do no more than that one. */
  readonly credential: string
  /** `{issuer}:{sub}`, visible ASCII: no subject of ours has a colon. */
  readonly subject: string
  /** For each API that its audience names, the scopes that it carries there, every one by its name. */
  readonly scopesByApi: ReadonlyMap<string, readonly string[]>
  /** Epoch ms, the issuer's tolerated clock skew counted in: valid from the first and before the second. */
  readonly notBefore: number
  readonly expiresAt: number
}
