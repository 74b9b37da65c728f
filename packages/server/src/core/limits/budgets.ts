import type { LimitStanding } from '../apis/api.ts'
import { costOf, highestCostOf, type Price } from '../llm/prices.ts'
import type { Tokens } from '../llm/tokens.ts'
import type { Own } from '../records/table.ts'
import type { LimitRefusal, LlmCharge, Reservation } from './charge.ts'
import { CurrentPeriod } from './period.ts'
import type { QuotaCounts } from './quota-counts.ts'
import { type Quotas, subjectOf } from './quotas.ts'
import type { BudgetRule } from './rules.ts'

/** A rule and where it is counted. */
export interface Budget {
  readonly rule: BudgetRule
  readonly counts: QuotaCounts
  readonly period: CurrentPeriod
}

/** The most that a request may take. */
export interface Estimate {
  readonly price: Price | null
  readonly input: number
  readonly output: number
  /** The body has not been read yet: all that is asked is whether anything is left. */
  readonly pending: boolean
}

/** Who a budget is counted for. */
interface Subjects {
  readonly row: number
  readonly account: number
  readonly project: number
  readonly now: number
}

/**
 * Budgets of tokens and of money, counted as quotas are and stored among them. A request reserves the most that it
 * may take, so that requests that run at once cannot together take more than is left; when it has ended the
 * reservation is corrected to what it took. What a crash leaves unsettled stays reserved.
 */
export class Budgets {
  readonly #quotas: Quotas
  readonly #ofOwn = new WeakMap<Own, readonly Budget[]>()

  constructor(quotas: Quotas) {
    this.#quotas = quotas
  }

  of(rule: BudgetRule, holder = ''): Budget {
    const unit = rule.unit.kind === 'tokens' ? 'tokens' : rule.unit.currency
    // No quota is named so: what is counted in another unit is counted elsewhere.
    const name = `$${unit}${holder}:${rule.name}`
    const counts = this.#quotas.countsOf({ name, per: rule.per, period: rule.period })
    return { rule, counts, period: new CurrentPeriod(rule.period) }
  }

  /** A credential's own stand beside those of its plan, whatever their names. */
  ofOwn(own: Own): readonly Budget[] {
    const known = this.#ofOwn.get(own)
    if (known !== undefined) return known
    const made = own.budgets.map((rule) => this.of(rule, '/own'))
    this.#ofOwn.set(own, made)
    return made
  }

  reservation({ rule, counts, period }: Budget, estimate: Estimate, by: Subjects): Reservation {
    const subject = subjectOf(rule.per, by)
    return {
      rule,
      counts,
      subject,
      name: this.#quotas.nameOf(rule.per, subject),
      start: period.startAt(by.now),
      end: period.endAt(by.now),
      amount: amountOf(rule, estimate),
    }
  }

  /** The budget that refuses and would do so longest; null where all have enough left. Reserves nothing. */
  test({ reservations }: LlmCharge, now: number): LimitRefusal | null {
    let worst: LimitRefusal | null = null
    for (const reservation of reservations) {
      if (usedOf(reservation) + reservation.amount <= reservation.rule.amount) continue
      const standing = { ...budgetStanding(reservation, now), retryAfterMs: reservation.end - now }
      if (worst === null || standing.retryAfterMs > worst.standing.retryAfterMs) worst = { kind: 'budget', standing }
    }
    return worst
  }

  take({ reservations, standings }: LlmCharge, now: number): void {
    for (const reservation of reservations) {
      const { counts, subject, start, amount, name } = reservation
      counts.add(subject, start, amount, () => name)
      standings.push(budgetStanding(reservation, now))
    }
  }

  settle({ reservations, price }: LlmCharge, taken: Tokens): void {
    for (const { rule, counts, name, start, amount } of reservations) {
      const spent = rule.unit.kind === 'tokens' ? taken.input + taken.output : price === null ? 0 : costOf(price, taken)
      counts.adjust(this.#quotas.numberOf(rule.per, name), { name, period: start, delta: spent - amount })
    }
  }
}

/** At least one: where nothing is left nothing passes. Without a price money cannot be counted, and nothing is enough. */
function amountOf({ unit }: BudgetRule, { price, input, output, pending }: Estimate): number {
  if (pending) return 1
  if (unit.kind === 'tokens') return Math.max(1, input + output)
  if (price === null || price.currency !== unit.currency) return Number.POSITIVE_INFINITY
  return Math.max(1, highestCostOf(price, input, output))
}

function usedOf({ counts, subject, start, name }: Reservation): number {
  return counts.used(subject, start, () => name)
}

/** How a budget stands. Only while its reservation's period is the current one and its number its own. */
function budgetStanding(reservation: Reservation, now: number): LimitStanding {
  const { rule, start, end } = reservation
  return {
    name: rule.name,
    requests: rule.amount,
    windowMs: end - start,
    remaining: Math.max(0, rule.amount - usedOf(reservation)),
    retryAfterMs: 0,
    resetAfterMs: Math.max(0, end - now),
    kind: 'budget',
    unit: rule.unit.kind === 'tokens' ? 'tokens' : `micro-${rule.unit.currency}`,
  }
}
