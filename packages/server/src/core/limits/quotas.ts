import type { LimitStanding } from '../apis/api.ts'
import type { RecordTable } from '../records/table.ts'
import type { Charge, LimitRefusal, Quota } from './charge.ts'
import { CurrentPeriod, quotaPeriods } from './period.ts'
import { QuotaCounts } from './quota-counts.ts'
import { quotaSubjects, type QuotaRule } from './rules.ts'

/** What is added to a quota in the store, of all nodes. */
export interface QuotaDelta {
  /** `{name}|{per}|{period}|{id of the subject}` */
  readonly key: string
  readonly period: number
  readonly delta: number
}

/** Quotas of plans and overrides by calendar period; counted in memory, summed in the store. */
export class Quotas {
  readonly #table: RecordTable
  readonly #counts = new Map<string, { readonly kind: QuotaKind; readonly counts: QuotaCounts }>()

  constructor(table: RecordTable) {
    this.#table = table
  }

  of(rule: QuotaRule): Quota {
    return { rule, counts: this.countsOf(rule), period: new CurrentPeriod(rule.period) }
  }

  /** The quota that refuses and would do so longest; null where all pass. Charges nothing. */
  test(charge: Charge): LimitRefusal | null {
    let worst: LimitRefusal | null = null
    for (const quota of charge.quotas) {
      const used = this.#used(quota, charge)
      if (used + charge.cost <= quota.rule.requests) continue
      const standing = standingOf(quota, used, charge.now, true)
      if (worst === null || standing.retryAfterMs > worst.standing.retryAfterMs) worst = { kind: 'quota', standing }
    }
    return worst
  }

  /** Takes the charge; answers the quota with the least left where that is less than `least`. */
  take(charge: Charge, least: number): LimitStanding | null {
    let scarce: Quota | null = null
    let usedOfScarce = 0
    let left = least
    for (const quota of charge.quotas) {
      const { rule, counts, period } = quota
      const subject = subjectOf(rule.per, charge)
      const start = period.startAt(charge.now)
      const used = counts.add(subject, start, charge.cost, () => this.nameOf(rule.per, subject))
      if (rule.requests - used >= left) continue
      left = rule.requests - used
      scarce = quota
      usedOfScarce = used
    }
    return scarce === null ? null : standingOf(scarce, usedOfScarce, charge.now, false)
  }

  /** Totals of the current periods as the store knows them: read once at start. */
  seed(rows: readonly { readonly key: string; readonly period: number; readonly used: number }[]): void {
    for (const row of rows) {
      const [name = '', perText, periodText, subject] = row.key.split('|')
      const per = quotaSubjects.find((known) => known === perText)
      const period = quotaPeriods.find((known) => known === periodText)
      if (per === undefined || period === undefined || subject === undefined) continue
      this.countsOf({ name, per, period }).seed(subject, row.period, row.used)
    }
  }

  /** Tells the store what was counted since the last call and takes over its totals. One call at a time. */
  async flush(add: (deltas: readonly QuotaDelta[]) => Promise<readonly number[]>): Promise<void> {
    const taken = [...this.#counts.values()].map(({ kind, counts }) => ({
      kind,
      counts,
      deltas: counts.takePending((subject) => this.nameOf(kind.per, subject)),
    }))
    const rows = taken.flatMap(({ kind, counts, deltas }) =>
      deltas.map((delta) => ({ kind, counts, delta, key: `${kind.name}|${kind.per}|${kind.period}|${delta.name}` })),
    )
    if (rows.length === 0) return
    try {
      const totals = await add(rows.map(({ key, delta }) => ({ key, period: delta.period, delta: delta.delta })))
      rows.forEach(({ kind, counts, delta }, i) => {
        counts.settle(this.numberOf(kind.per, delta.name), delta, totals[i] ?? delta.delta)
      })
    } catch (cause) {
      for (const { counts, deltas } of taken) counts.restore(deltas)
      throw cause
    }
  }

  /** The row is about to be given to another credential: what it has used stays under its name. */
  forget(row: number): void {
    for (const { kind, counts } of this.#counts.values()) {
      if (kind.per === 'credential') counts.park(row, this.#table.credentialId(row))
    }
  }

  /** Where something of that kind is counted: quotas, and budgets under names of their own. */
  countsOf({ name, per, period }: QuotaKind): QuotaCounts {
    const key = `${name}|${per}|${period}`
    const known = this.#counts.get(key)
    if (known !== undefined) return known.counts
    const counts = new QuotaCounts()
    this.#counts.set(key, { kind: { name, per, period }, counts })
    return counts
  }

  #used({ rule, counts, period }: Quota, charge: Charge): number {
    const subject = subjectOf(rule.per, charge)
    return counts.used(subject, period.startAt(charge.now), () => this.nameOf(rule.per, subject))
  }

  nameOf(per: QuotaRule['per'], subject: number): string {
    switch (per) {
      case 'credential':
        return this.#table.credentialId(subject)
      case 'account':
        return this.#table.accountName(subject)
      case 'project':
        return this.#table.projectName(subject)
    }
  }

  /** -1 where memory does not hold it. */
  numberOf(per: QuotaRule['per'], name: string): number {
    switch (per) {
      case 'credential':
        return this.#table.findCredential(name)
      case 'account':
        return this.#table.accountById(name)?.number ?? -1
      case 'project':
        return this.#table.projectById(name)?.number ?? -1
    }
  }
}

export type QuotaKind = Pick<QuotaRule, 'name' | 'per' | 'period'>

export function subjectOf(
  per: QuotaRule['per'],
  charge: { readonly row: number; readonly account: number; readonly project: number },
): number {
  switch (per) {
    case 'credential':
      return charge.row
    case 'account':
      return charge.account
    case 'project':
      return charge.project
  }
}

function standingOf({ rule, period }: Quota, used: number, now: number, refused: boolean): LimitStanding {
  const end = period.endAt(now)
  return {
    name: rule.name,
    requests: rule.requests,
    windowMs: end - period.startAt(now),
    remaining: Math.max(0, rule.requests - used),
    retryAfterMs: refused ? end - now : 0,
    resetAfterMs: end - now,
    kind: 'quota',
  }
}
