import type { Ip } from '../../base/ip.ts'
import type { Api, Environment, Plan, Route } from '../apis/api.ts'
import type { Charge, Limiter } from '../limits/limiter.ts'
import type { Own, RecordTable } from '../records/table.ts'
import type { Presented, Refusal } from './evaluation.ts'
import type { RequestFacts } from './facts.ts'
import type { Rights, RightsCache } from './rights.ts'

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
  readonly row: number
  readonly secretRow: number
  readonly own: Own | undefined
  readonly plan: Plan | null
  readonly table: RecordTable
  readonly limiter: Limiter
  readonly rights: RightsCache
  /** Filled by the first check that asks what it may do. */
  held: Rights | null
  /** Filled by the first check of limits, so that it is made once. */
  charge: Charge | null
}
