import type { IpRanges } from '../../base/ip.ts'
import type { JwsAlgorithm } from '../jose/algorithms.ts'

/** An issuer of JWTs that is not ours, as the operator declares it (CRC-4). */
export interface Issuer {
  /** Its name in postern.yaml. */
  readonly id: string
  /** Compared with `iss` byte for byte (RFC 8725, section 3.8). */
  readonly issuer: string
  /** Where its keys are. No token names another place. */
  readonly jwksUri: URL
  readonly algorithms: ReadonlySet<JwsAlgorithm>
  readonly types: ReadonlySet<TokenType>
  /** The credential of ours that its tokens act as. */
  readonly credential: string
  /** By API: whom a token for it has to be for, and what its claims stand for there. */
  readonly apis: ReadonlyMap<string, IssuerApi>
  readonly subject: ClaimPath
  readonly scopesClaim: ClaimPath | null
  readonly rolesClaim: ClaimPath | null
  readonly requiredClaims: readonly RequiredClaim[]
  readonly clockSkewMs: number
  /** Tokens that were issued longer ago are expired, whatever they say. Null: their own expiry is enough. */
  readonly maxAgeMs: number | null
  /** Addresses that are not public and that its keys may be fetched from. */
  readonly allowedPrivate: IpRanges
}

export interface IssuerApi {
  readonly audience: ReadonlySet<string>
  /** What each value of the claim stands for: scopes of the API, every one by its name. */
  readonly scopes: ReadonlyMap<string, readonly string[]>
  readonly roles: ReadonlyMap<string, readonly string[]>
}

interface RequiredClaim {
  readonly claim: ClaimPath
  readonly values: ReadonlySet<string>
}

/** From the outermost object inwards. */
export type ClaimPath = readonly string[]

/** `typ` of the header; `absent`: it has none (RFC 9068, section 2.1). */
export type TokenType = 'at+jwt' | 'JWT' | 'absent'
