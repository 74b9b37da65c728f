import { ipBucket, type Ip } from '../../base/ip.ts'
import type { AccountRecord } from '../records/record.ts'
import type { Own, RecordTable } from '../records/table.ts'
import type { LimitStanding, Plan, Route } from '../apis/api.ts'
import { charged, gcraOf, remaining, resetMs, waitMs, type Gcra } from './gcra.ts'
import { CurrentPeriod, periodEnd, periodStart } from './period.ts'
import { QuotaCounts } from './quota-counts.ts'
import type { LimitRule, LimitSubject, QuotaRule } from './rules.ts'
import { AddressTats, NumberedTats } from './tats.ts'

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

interface RateLimit {
  readonly rule: LimitRule
  readonly gcra: Gcra
  readonly numbered: NumberedTats
  readonly addresses: AddressTats
}

interface Quota {
  readonly rule: QuotaRule
  readonly counts: QuotaCounts
  readonly period: CurrentPeriod
}

export interface LimitRefusal {
  readonly kind: 'rate' | 'quota'
  readonly standing: LimitStanding
}

const addressesMax = 200_000

/**
 * All limits of the process. The state of a limit is named by what it is (a plan's, a route's, an override's or a
 * credential's own, its name, its subject), not by its numbers: a reload or a change of plan resets nothing.
 */
export class Limiter {
  readonly #table: RecordTable
  readonly #states = new Map<string, { numbered: NumberedTats; addresses: AddressTats }>()
  readonly #counts = new Map<string, { rule: Pick<QuotaRule, 'name' | 'per' | 'period'>; counts: QuotaCounts }>()
  readonly #ofPlan = new WeakMap<Plan, { limits: readonly RateLimit[]; quotas: readonly Quota[] }>()
  readonly #ofAccount = new WeakMap<AccountRecord, WeakMap<Plan, { limits: readonly RateLimit[]; quotas: readonly Quota[] }>>()
  readonly #ofRoute = new WeakMap<Route, readonly RateLimit[]>()
  readonly #ofOwn = new WeakMap<Own, readonly RateLimit[]>()

  constructor(table: RecordTable) {
    this.#table = table
    table.onFreed((row) => this.#forget(row))
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
  }): Charge {
    const { route, own } = input
    const ofAccount = this.#forAccount(input.account, input.plan, input.now)
    const limits: (readonly RateLimit[])[] = []
    if (ofAccount.limits.length > 0) limits.push(ofAccount.limits)
    if (route.limits.length > 0) limits.push(this.#forRoute(route))
    if (own !== undefined && own.limits.length > 0) limits.push(this.#forOwn(own))
    return {
      limits,
      quotas: ofAccount.quotas,
      row: input.row,
      account: input.accountNumber,
      project: input.projectNumber,
      route: route.index,
      ip: input.ip,
      cost: route.cost,
      monotonic: input.monotonic,
      now: input.now,
    }
  }

  /** The rate limit that refuses and would do so longest; null where all pass. Charges nothing. */
  testRates(charge: Charge): LimitRefusal | null {
    let worst: RateLimit | null = null
    let worstWait = 0
    for (const list of charge.limits) {
      for (const limit of list) {
        const wait = waitMs(tatOf(limit, charge), charge.monotonic, charge.cost, limit.gcra)
        if (wait > worstWait) {
          worst = limit
          worstWait = wait
        }
      }
    }
    return worst === null ? null : { kind: 'rate', standing: standingOf(worst, charge, worstWait) }
  }

  testQuotas(charge: Charge): LimitRefusal | null {
    let worst: LimitRefusal | null = null
    for (const quota of charge.quotas) {
      const used = this.#used(quota, charge)
      if (used + charge.cost <= quota.rule.requests) continue
      const standing = quotaStanding(quota.rule, used, charge.now, true)
      if (worst === null || standing.retryAfterMs > worst.standing.retryAfterMs) worst = { kind: 'quota', standing }
    }
    return worst
  }

  /** Takes the charge and answers the limit with the least left, for the headers; null where there is none. */
  charge(charge: Charge): LimitStanding | null {
    let tightest: RateLimit | null = null
    let least = Number.POSITIVE_INFINITY
    for (const list of charge.limits) {
      for (const limit of list) {
        const tat = charged(tatOf(limit, charge), charge.monotonic, charge.cost, limit.gcra)
        setTat(limit, charge, tat)
        const left = remaining(tat, charge.monotonic, limit.gcra)
        if (left < least) {
          tightest = limit
          least = left
        }
      }
    }
    let scarce: LimitStanding | null = null
    for (const quota of charge.quotas) {
      const period = quota.period.startAt(charge.now)
      quota.counts.add(quotaSubject(quota.rule.per, charge), period, charge.cost, () => this.#subjectName(quota.rule.per, charge))
      const used = this.#used(quota, charge)
      const left = quota.rule.requests - used
      if (left < least) {
        least = left
        scarce = quotaStanding(quota.rule, used, charge.now, false)
      }
    }
    return scarce ?? (tightest === null ? null : standingOf(tightest, charge, 0))
  }

  // ---- the store's side of quotas ----------------------------------------------------------------------

  /** Totals of the current periods as the store knows them: read once at start. */
  seed(rows: readonly { readonly key: string; readonly period: number; readonly used: number }[]): void {
    for (const row of rows) {
      const [name, per, period, subject] = row.key.split('|')
      if (name === undefined || per === undefined || period === undefined || subject === undefined) continue
      this.#quotaCounts({ name, per: per as QuotaRule['per'], period: period as QuotaRule['period'] }).seed(subject, row.period, row.used)
    }
  }

  /** Tells the store what was counted since the last call and takes over its totals. */
  async flush(
    add: (deltas: readonly { key: string; period: number; delta: number }[]) => Promise<readonly number[]>,
  ): Promise<void> {
    const taken = [...this.#counts.values()].map(({ rule, counts }) => ({ rule, counts, pending: counts.takePending() }))
    const rows = taken.flatMap(({ rule, counts, pending }) =>
      [...pending].map(([subject, { period, delta }]) => ({
        counts,
        subject,
        row: { key: `${rule.name}|${rule.per}|${rule.period}|${this.#nameOf(rule.per, subject)}`, period, delta },
      })),
    )
    if (rows.length === 0) return
    try {
      const totals = await add(rows.map(({ row }) => row))
      rows.forEach(({ counts, subject, row }, i) => counts.settle(subject, row.period, totals[i] ?? row.delta))
    } catch (cause) {
      for (const { counts, pending } of taken) counts.restore(pending)
      throw cause
    }
  }

  // ---- compiled lists ----------------------------------------------------------------------------------

  #forAccount(account: AccountRecord, plan: Plan, now: number): { limits: readonly RateLimit[]; quotas: readonly Quota[] } {
    const { overrides } = account
    if (overrides === null || (overrides.until !== null && now >= overrides.until)) return this.#forPlan(plan)
    const ofPlan = this.#ofAccount.get(account) ?? new WeakMap<Plan, { limits: readonly RateLimit[]; quotas: readonly Quota[] }>()
    this.#ofAccount.set(account, ofPlan)
    const known = ofPlan.get(plan)
    if (known !== undefined) return known
    const made = {
      limits: replaceByName(plan.limits, overrides.limits).map((rule) => this.#limit('plan', rule)),
      quotas: replaceByName(plan.quotas, overrides.quotas).map((rule) => this.#quota(rule)),
    }
    ofPlan.set(plan, made)
    return made
  }

  #forPlan(plan: Plan): { limits: readonly RateLimit[]; quotas: readonly Quota[] } {
    const known = this.#ofPlan.get(plan)
    if (known !== undefined) return known
    const made = {
      limits: plan.limits.map((rule) => this.#limit('plan', rule)),
      quotas: plan.quotas.map((rule) => this.#quota(rule)),
    }
    this.#ofPlan.set(plan, made)
    return made
  }

  #forRoute(route: Route): readonly RateLimit[] {
    const known = this.#ofRoute.get(route)
    if (known !== undefined) return known
    const made = route.limits.map((rule) => this.#limit(`route ${route.index}`, rule))
    this.#ofRoute.set(route, made)
    return made
  }

  #forOwn(own: Own): readonly RateLimit[] {
    const known = this.#ofOwn.get(own)
    if (known !== undefined) return known
    const made = own.limits.map((rule) => this.#limit('own', rule))
    this.#ofOwn.set(own, made)
    return made
  }

  #limit(origin: string, rule: LimitRule): RateLimit {
    const key = `${origin}|${rule.name}|${rule.per}`
    const state = this.#states.get(key) ?? { numbered: new NumberedTats(), addresses: new AddressTats(addressesMax) }
    this.#states.set(key, state)
    return { rule, gcra: gcraOf(rule), ...state }
  }

  #quota(rule: QuotaRule): Quota {
    return { rule, counts: this.#quotaCounts(rule), period: new CurrentPeriod(rule.period) }
  }

  #quotaCounts(rule: Pick<QuotaRule, 'name' | 'per' | 'period'>): QuotaCounts {
    const key = `${rule.name}|${rule.per}|${rule.period}`
    const known = this.#counts.get(key)
    if (known !== undefined) return known.counts
    const counts = new QuotaCounts()
    this.#counts.set(key, { rule: { name: rule.name, per: rule.per, period: rule.period }, counts })
    return counts
  }

  #used(quota: Quota, charge: Charge): number {
    return quota.counts.used(quotaSubject(quota.rule.per, charge), quota.period.startAt(charge.now), () =>
      this.#subjectName(quota.rule.per, charge),
    )
  }

  #subjectName(per: QuotaRule['per'], charge: Charge): string {
    return this.#nameOf(per, quotaSubject(per, charge))
  }

  #nameOf(per: QuotaRule['per'], subject: number): string {
    switch (per) {
      case 'credential':
        return this.#table.credentialId(subject)
      case 'account':
        return this.#table.accountName(subject)
      case 'project':
        return this.#table.projectName(subject)
    }
  }

  #forget(row: number): void {
    for (const { numbered } of this.#credentialStates()) numbered.set(row, 0)
    for (const { rule, counts } of this.#counts.values()) {
      if (rule.per === 'credential') counts.park(row, this.#table.credentialId(row))
    }
  }

  *#credentialStates(): Generator<{ numbered: NumberedTats }> {
    for (const [key, state] of this.#states) if (key.endsWith('|credential')) yield state
  }
}

function replaceByName<Rule extends { readonly name: string }>(base: readonly Rule[], overrides: readonly Rule[]): Rule[] {
  const byName = new Map(overrides.map((rule) => [rule.name, rule]))
  const replaced = base.map((rule) => byName.get(rule.name) ?? rule)
  const added = overrides.filter((rule) => !base.some(({ name }) => name === rule.name))
  return [...replaced, ...added]
}

function subjectOf(per: Exclude<LimitSubject, 'ip'>, charge: Charge): number {
  switch (per) {
    case 'credential':
      return charge.row
    case 'account':
      return charge.account
    case 'project':
      return charge.project
    case 'route':
      return charge.route
  }
}

const quotaSubject: (per: QuotaRule['per'], charge: Charge) => number = subjectOf

function tatOf(limit: RateLimit, charge: Charge): number {
  const { per } = limit.rule
  return per === 'ip' ? limit.addresses.get(ipBucket(charge.ip)) : limit.numbered.get(subjectOf(per, charge))
}

function setTat(limit: RateLimit, charge: Charge, tat: number): void {
  const { per } = limit.rule
  if (per === 'ip') limit.addresses.set(ipBucket(charge.ip), tat)
  else limit.numbered.set(subjectOf(per, charge), tat)
}

function standingOf(limit: RateLimit, charge: Charge, waitMs: number): LimitStanding {
  const tat = tatOf(limit, charge)
  return {
    name: limit.rule.name,
    requests: limit.rule.requests,
    windowMs: limit.rule.windowMs,
    remaining: remaining(tat, charge.monotonic, limit.gcra),
    retryAfterMs: waitMs,
    resetAfterMs: resetMs(tat, charge.monotonic),
    kind: 'rate',
  }
}

function quotaStanding(rule: QuotaRule, used: number, now: number, refused: boolean): LimitStanding {
  const end = periodEnd(rule.period, now)
  return {
    name: rule.name,
    requests: rule.requests,
    windowMs: end - periodStart(rule.period, now),
    remaining: Math.max(0, rule.requests - used),
    retryAfterMs: refused ? end - now : 0,
    resetAfterMs: end - now,
    kind: 'quota',
  }
}
