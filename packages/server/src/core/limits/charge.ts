import type { Ip } from '../../base/ip.ts'
import type { LimitStanding } from '../apis/api.ts'
import type { Gcra } from './gcra.ts'
import type { CurrentPeriod } from './period.ts'
import type { QuotaCounts } from './quota-counts.ts'
import type { LimitRule, QuotaRule } from './rules.ts'

/** Everything that one request is counted against, and by whom. */
export interface Charge {
  readonly limits: readonly (readonly RateLimit[])[]
  readonly quotas: readonly Quota[]
  readonly row: number
  readonly account: number
  readonly project: number
  readonly route: number
  readonly ip: Ip
  readonly cost: number
  /** Monotonic ms, for rates. */
  readonly monotonic: number
  /** Wall time, for calendar periods. */
  readonly now: number
}

/** A rule and where its state is. */
export interface RateLimit {
  readonly rule: LimitRule
  readonly gcra: Gcra
  readonly tats: ChargedTats
}

/** The TATs of one limit, each found by what the request is charged to. */
export interface ChargedTats {
  get(charge: Charge): number
  set(charge: Charge, tat: number): void
}

/** A rule and where it is counted. */
export interface Quota {
  readonly rule: QuotaRule
  readonly counts: QuotaCounts
  readonly period: CurrentPeriod
}

export interface LimitRefusal {
  readonly kind: 'rate' | 'quota'
  readonly standing: LimitStanding
}
