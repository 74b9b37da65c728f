import type { Ip } from '../../base/ip.ts'
import type { LimitStanding, Plan, Route } from '../apis/api.ts'
import type { Tokens } from '../llm/tokens.ts'
import type { AccountRecord } from '../records/record.ts'
import type { Own, RecordTable } from '../records/table.ts'
import { Budgets, type Budget, type Estimate } from './budgets.ts'
import type { Charge, LimitRefusal, LlmCharge, Quota, RateLimit } from './charge.ts'
import { type QuotaDelta, Quotas } from './quotas.ts'
import { RateLimits } from './rate-limits.ts'

export type { Charge, LimitRefusal } from './charge.ts'

/** What plan and overrides together make. */
interface Allowance {
  readonly limits: readonly RateLimit[]
  readonly quotas: readonly Quota[]
  readonly budgets: readonly Budget[]
}

/** All limits and quotas of the process: every one is tested before any is charged. */
export class Limiter {
  readonly #table: RecordTable
  readonly #rates = new RateLimits()
  readonly #quotas: Quotas
  readonly #budgets: Budgets
  readonly #ofPlan = new WeakMap<Plan, Allowance>()
  /** The plan that was asked for last: mostly the next request is of the same. */
  #last: { readonly plan: Plan; readonly allowance: Allowance } | null = null
  readonly #ofAccount = new WeakMap<AccountRecord, WeakMap<Plan, Allowance>>()

  constructor(table: RecordTable) {
    this.#table = table
    this.#quotas = new Quotas(table)
    this.#budgets = new Budgets(this.#quotas)
    table.onFreed((row) => {
      this.#rates.forget(row)
      this.#quotas.forget(row)
    })
  }

  /** What a request would be charged: the plan's limits (or the account's overrides), the route's, its own. */
  chargeOf(input: {
    readonly row: number
    readonly account: AccountRecord
    readonly accountNumber: number
    readonly projectNumber: number
    readonly plan: Plan
    readonly route: Route
    readonly own: Own | undefined
    readonly ip: Ip
    readonly now: number
    readonly monotonic: number
    /** What a request to a language model may take; null where it runs none. */
    readonly llm: Estimate | null
  }): Charge {
    const { route, own, row, accountNumber: account, projectNumber: project } = input
    const allowance = this.#allowance(input.account, input.plan, input.now)
    const limits: (readonly RateLimit[])[] = []
    if (allowance.limits.length > 0) limits.push(allowance.limits)
    if (route.limits.length > 0) limits.push(this.#rates.ofRoute(route))
    if (own !== undefined && own.limits.length > 0) {
      limits.push(this.#rates.ofOwn(own, { credential: this.#table.credentialId(row), account, project }))
    }
    return {
      limits,
      quotas: allowance.quotas,
      row,
      account,
      project,
      route: route.index,
      ip: input.ip,
      cost: route.cost,
      monotonic: input.monotonic,
      now: input.now,
      llm:
        input.llm === null
          ? null
          : this.#llmCharge(input.llm, allowance, own, { row, account, project, now: input.now }),
    }
  }

  #llmCharge(
    estimate: Estimate,
    { budgets }: Allowance,
    own: Own | undefined,
    by: { readonly row: number; readonly account: number; readonly project: number; readonly now: number },
  ): LlmCharge {
    const all = own === undefined || own.budgets.length === 0 ? budgets : [...budgets, ...this.#budgets.ofOwn(own)]
    return {
      reservations: all.map((budget) => this.#budgets.reservation(budget, estimate, by)),
      price: estimate.price,
      standings: [],
    }
  }

  /** The rate limit that refuses and would do so longest; null where all pass. Charges nothing. */
  testRates(charge: Charge): LimitRefusal | null {
    return this.#rates.test(charge)
  }

  testQuotas(charge: Charge): LimitRefusal | null {
    return this.#quotas.test(charge)
  }

  testBudgets(charge: Charge): LimitRefusal | null {
    return charge.llm === null ? null : this.#budgets.test(charge.llm, charge.now)
  }

  /** What was reserved becomes what was taken, once for each charge. */
  settle(charge: Charge, taken: Tokens): void {
    if (charge.llm !== null) this.#budgets.settle(charge.llm, taken)
  }

  /** Takes the charge and answers the limit with the least left, for the headers; null where there is none. */
  charge(charge: Charge): LimitStanding | null {
    if (charge.llm !== null) this.#budgets.take(charge.llm, charge.now)
    const tightest = this.#rates.take(charge)
    return this.#quotas.take(charge, tightest?.remaining ?? Number.POSITIVE_INFINITY) ?? tightest
  }

  /** Totals of the current periods as the store knows them: read once at start. */
  seed(rows: readonly { readonly key: string; readonly period: number; readonly used: number }[]): void {
    this.#quotas.seed(rows)
  }

  /** Tells the store what was counted since the last call and takes over its totals. One call at a time. */
  flush(add: (deltas: readonly QuotaDelta[]) => Promise<readonly number[]>): Promise<void> {
    return this.#quotas.flush(add)
  }

  #allowance(account: AccountRecord, plan: Plan, now: number): Allowance {
    const { overrides } = account
    if (overrides === null || (overrides.until !== null && now >= overrides.until)) return this.#planAllowance(plan)
    const byPlan = this.#ofAccount.get(account) ?? new WeakMap<Plan, Allowance>()
    this.#ofAccount.set(account, byPlan)
    const known = byPlan.get(plan)
    if (known !== undefined) return known
    const made = {
      limits: replaceByName(plan.limits, overrides.limits).map((rule) =>
        overrides.limits.includes(rule) ? this.#rates.ofOverride(account.id, rule) : this.#rates.ofPlan(plan, rule),
      ),
      quotas: replaceByName(plan.quotas, overrides.quotas).map((rule) => this.#quotas.of(rule)),
      budgets: replaceByName(plan.budgets, overrides.budgets).map((rule) => this.#budgets.of(rule)),
    }
    byPlan.set(plan, made)
    return made
  }

  #planAllowance(plan: Plan): Allowance {
    if (plan === this.#last?.plan) return this.#last.allowance
    const known = this.#ofPlan.get(plan)
    if (known !== undefined) {
      this.#last = { plan, allowance: known }
      return known
    }
    const made = {
      limits: plan.limits.map((rule) => this.#rates.ofPlan(plan, rule)),
      quotas: plan.quotas.map((rule) => this.#quotas.of(rule)),
      budgets: plan.budgets.map((rule) => this.#budgets.of(rule)),
    }
    this.#ofPlan.set(plan, made)
    return made
  }
}

function replaceByName<Rule extends { readonly name: string }>(
  base: readonly Rule[],
  overrides: readonly Rule[],
): Rule[] {
  const byName = new Map(overrides.map((rule) => [rule.name, rule]))
  const replaced = base.map((rule) => byName.get(rule.name) ?? rule)
  const added = overrides.filter((rule) => !base.some(({ name }) => name === rule.name))
  return [...replaced, ...added]
}
