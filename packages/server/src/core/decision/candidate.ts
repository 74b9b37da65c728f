import type { Ip } from '../../base/ip.ts'
import type { Accept, Api, Environment, Plan, Route } from '../apis/api.ts'
import type { GrantRecord } from '../grants/grant.ts'
import type { Charge, Limiter } from '../limits/limiter.ts'
import type { Own, RecordTable } from '../records/table.ts'
import type { HeldToken } from '../tokens/held-token.ts'
import type { Presented, Refusal } from './evaluation.ts'
import type { RequestFacts } from './facts.ts'
import type { Rights } from './held-rights.ts'
import type { RightsCache } from './rights.ts'

/** A request whose credential was found: all that the checks of `decide` compare. */
export interface Candidate {
  readonly facts: RequestFacts
  readonly api: Api
  readonly route: Route
  readonly unmatched: Refusal | null
  /** Of the raw target: what the address takes off its front, and its query with the `?`. */
  readonly prefixLength: number
  readonly query: string
  /** Fixed by the address, or null. */
  readonly environment: Environment | null
  /** Fixed by the address, or null. */
  readonly region: string | null
  readonly ip: Ip
  readonly presented: Pick<Presented, 'place'>
  readonly origin: string | null
  /** How it was presented, in the words of a place's `accept`. */
  readonly form: Accept
  /** Whom it is for: of this row are account, plan, environment, region, limits and usage. */
  readonly row: number
  /** Who presents it: the same, but for a token under a grant, whose client this is. */
  readonly holder: number
  /** -1 for a token: it is bound to its credential and to no secret. */
  readonly secretRow: number
  /** Lists and limits of their own, of row and holder. */
  readonly own: Own | undefined
  readonly holderOwn: Own | undefined
  readonly plan: Plan | null
  readonly holderPlan: Plan | null
  readonly token: HeldToken | null
  readonly grant: GrantRecord | null
  /** Row of the pair that was presented beside the token, -1 where it is not known; null where there was none. */
  readonly beside: number | null
  readonly table: RecordTable
  readonly limiter: Limiter
  readonly rights: RightsCache
  /** Filled by the first check that asks what it may do. */
  held: Rights | null
  /** Filled by the first check of limits, so that it is made once. */
  charge: Charge | null
}
