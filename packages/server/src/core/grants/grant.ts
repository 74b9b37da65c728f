import type { MemberRole } from '../people/member.ts'

/** A member's consent: what a client may do with the member's project, until it is withdrawn. */
export interface Grant {
  /** `grt_{id12}`: twelve base62 characters, as a credential has them. */
  readonly id: string
  /** Credential id of the client. */
  readonly client: string
  readonly user: string
  /** Of the project that it is about; plan, environment, limits and usage are this project's. */
  readonly account: string
  readonly project: string
  readonly apis: readonly string[]
  readonly scopes: readonly string[]
  readonly state: 'active' | 'withdrawn'
  readonly createdAt: number
  readonly updatedAt: number
  readonly withdrawnAt: number | null
  readonly version: number
}

/** A grant as a node holds it in memory, with what has to be true of its user now. */
export interface GrantRecord {
  readonly id: string
  readonly client: string
  readonly user: string
  readonly account: string
  readonly project: string
  readonly apis: readonly string[]
  readonly scopes: readonly string[]
  readonly active: boolean
  readonly stateAt: number | null
  /** The user's role in the account now; null: no member of it any more, or not allowed to sign in. */
  readonly role: MemberRole | null
  /**
   * Sum of the versions of grant, member and user, none of which ever falls: an older image never replaces a newer
   * one.
   */
  readonly version: number
  readonly createdAt: number
}
