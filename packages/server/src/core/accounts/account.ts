import type { BudgetRule, LimitRule, QuotaRule } from '../limits/rules.ts'
import type { Environment, Metadata } from '../vocabulary.ts'

export type { Metadata } from '../vocabulary.ts'

/** The reserved account of the operator: management credentials in it see everything. */
export const operatorAccountId = 'postern'
/** The reserved API that management credentials belong to. */
export const managementApiId = 'postern'

export interface Account {
  readonly id: string
  readonly name: string
  readonly plan: string
  readonly state: 'active' | 'suspended'
  readonly suspendedReason: string | null
  readonly overrides: Overrides | null
  readonly metadata: Metadata
  readonly createdAt: number
  readonly version: number
}

/** Replaces the plan's limits, quotas and budgets of the same name until `until` (null: without end). */
export interface Overrides {
  readonly limits: readonly LimitRule[]
  readonly quotas: readonly QuotaRule[]
  readonly budgets: readonly BudgetRule[]
  readonly until: number | null
}

export interface Project {
  readonly id: string
  readonly account: string
  readonly name: string
  readonly environment: Environment
  /** Where its requests are served, one of those that postern.yaml declares; null: the APIs have no regions. */
  readonly region: string | null
  /** Addresses from which alone the project's credentials may be used; empty: from everywhere (WCT-9). */
  readonly ipAllow: readonly string[]
  readonly metadata: Metadata
  readonly createdAt: number
  readonly version: number
}
