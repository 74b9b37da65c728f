type LimitSubject = 'credential' | 'account' | 'project' | 'route' | 'ip'

/** A rate limit as declared: `requests` per `windowMs`, of which `burst` may come at once (GCRA). */
export interface LimitRule {
  readonly name: string
  readonly per: LimitSubject
  readonly requests: number
  readonly windowMs: number
  readonly burst: number
}

export type QuotaPeriod = 'hour' | 'day' | 'week' | 'month' | 'year'

export const quotaSubjects = ['credential', 'account', 'project'] as const

/** A quota as declared: `requests` per calendar period in UTC (weeks begin on Monday, ISO 8601). */
export interface QuotaRule {
  readonly name: string
  readonly per: (typeof quotaSubjects)[number]
  readonly requests: number
  readonly period: QuotaPeriod
}

/** A budget as declared: tokens, or money in micro-units of a currency, per calendar period in UTC. */
export interface BudgetRule {
  readonly name: string
  readonly per: (typeof quotaSubjects)[number]
  readonly unit: BudgetUnit
  /** Tokens, or micro-units. */
  readonly amount: number
  readonly period: QuotaPeriod
}

type BudgetUnit = { readonly kind: 'tokens' } | { readonly kind: 'money'; readonly currency: string }
