import type { Ip } from '../../base/ip.ts'
import type { LimitStanding } from '../apis/api.ts'
import type { Price } from '../llm/prices.ts'
import type { Gcra } from './gcra.ts'
import type { CurrentPeriod } from './period.ts'
import type { QuotaCounts } from './quota-counts.ts'
import type { BudgetRule, LimitRule, QuotaRule } from './rules.ts'

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
  /** Null: it runs no language model. */
  readonly llm: LlmCharge | null
}

/** What a request to a language model may take, reserved before it is sent and settled when it has ended. */
export interface LlmCharge {
  readonly reservations: readonly Reservation[]
  /** At the time of the request; null where none is declared for its model. */
  readonly price: Price | null
  /** How its budgets stood once they were reserved, for the headers of the answer. */
  readonly standings: LimitStanding[]
}

/** A part of one budget. The subject is named, because its number may be another's by the time of the settlement. */
export interface Reservation {
  readonly rule: BudgetRule
  readonly counts: QuotaCounts
  readonly subject: number
  readonly name: string
  /** Of the period in which it is made, epoch ms. */
  readonly start: number
  readonly end: number
  /** In the unit of the budget. */
  readonly amount: number
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
  readonly kind: 'rate' | 'quota' | 'budget'
  readonly standing: LimitStanding
}
