import { ipBucket, type Ip } from '../../base/ip.ts'
import type { LimitStanding, Plan, Route } from '../apis/api.ts'
import type { Own, Spent } from '../records/table.ts'
import type { Charge, ChargedTats, LimitRefusal, RateLimit } from './charge.ts'
import { charged, gcraOf, remaining, resetMs, waitMs } from './gcra.ts'
import type { LimitRule } from './rules.ts'
import { BoundedTats, NumberedTats } from './tats.ts'

const subjectsMax = 200_000

/**
 * The state of a limit is named by what it is (a plan's, a route's, an override's or a credential's own, its name,
 * its subject), not by its numbers: a reload or a change of plan resets nothing. What one account or credential has
 * been given of its own is counted for it alone, even per route or address.
 */
export class RateLimits {
  readonly #declared = new Map<string, ChargedTats>()
  readonly #byRow: NumberedTats[] = []
  /** Names of given limits are their holders' choice, so that all of them share one bounded table. */
  readonly #given = new BoundedTats<string>(subjectsMax)
  readonly #ofRoute = new WeakMap<Route, readonly RateLimit[]>()
  readonly #ofOwn = new WeakMap<Own, readonly RateLimit[]>()

  ofPlan(plan: Plan, rule: LimitRule): RateLimit {
    const apart = rule.per === 'ip' || rule.per === 'route'
    return this.#limit(rule, this.#tatsOf(apart ? `plan ${plan.id}` : 'plan', rule))
  }

  /** Replaces the plan's limit of that name, and goes on where that one stood. */
  ofOverride(account: string, rule: LimitRule): RateLimit {
    const apart = rule.per === 'ip' || rule.per === 'route'
    return this.#limit(rule, apart ? new GivenTats(this.#given, account, rule) : this.#tatsOf('plan', rule))
  }

  ofRoute(route: Route): readonly RateLimit[] {
    const known = this.#ofRoute.get(route)
    if (known !== undefined) return known
    const made = route.limits.map((rule) => this.#limit(rule, this.#tatsOf(`route ${route.index}`, rule)))
    this.#ofRoute.set(route, made)
    return made
  }

  ofOwn(
    own: Own,
    holder: { readonly credential: string; readonly account: number; readonly project: number },
  ): readonly RateLimit[] {
    const known = this.#ofOwn.get(own)
    if (known !== undefined) return known
    const made = own.limits.map((rule) =>
      this.#limit(
        rule,
        rule.per === 'credential' ? spentOf(own, rule) : new GivenTats(this.#given, holderOf(rule, holder), rule),
      ),
    )
    this.#ofOwn.set(own, made)
    return made
  }

  /** The limit that refuses and would do so longest; null where all pass. Charges nothing. */
  test(charge: Charge): LimitRefusal | null {
    let worst: RateLimit | null = null
    let worstWait = 0
    for (const list of charge.limits) {
      for (const limit of list) {
        const wait = waitMs(limit.tats.get(charge), charge.monotonic, charge.cost, limit.gcra)
        if (wait > worstWait) {
          worst = limit
          worstWait = wait
        }
      }
    }
    return worst === null ? null : { kind: 'rate', standing: standingOf(worst, charge, worstWait) }
  }

  /** Takes the charge; answers the limit with the least left, null where there is none. */
  take(charge: Charge): LimitStanding | null {
    let tightest: RateLimit | null = null
    let least = Number.POSITIVE_INFINITY
    for (const list of charge.limits) {
      for (const limit of list) {
        const tat = charged(limit.tats.get(charge), charge.monotonic, charge.cost, limit.gcra)
        limit.tats.set(charge, tat)
        const left = remaining(tat, charge.monotonic, limit.gcra)
        if (left < least) {
          tightest = limit
          least = left
        }
      }
    }
    return tightest === null ? null : standingOf(tightest, charge, 0)
  }

  /** The row is about to be given to another credential. */
  forget(row: number): void {
    for (const tats of this.#byRow) tats.set(row, 0)
  }

  #limit(rule: LimitRule, tats: ChargedTats): RateLimit {
    return { rule, gcra: gcraOf(rule), tats }
  }

  #tatsOf(origin: string, rule: LimitRule): ChargedTats {
    const key = `${origin}|${rule.name}|${rule.per}`
    const known = this.#declared.get(key)
    if (known !== undefined) return known
    const made = rule.per === 'ip' ? new AddressTats() : this.#numbered(rule.per)
    this.#declared.set(key, made)
    return made
  }

  #numbered(per: Exclude<LimitRule['per'], 'ip'>): ChargedTats {
    const tats = new NumberedTats()
    if (per === 'credential') this.#byRow.push(tats)
    return new SubjectTats(tats, per)
  }
}

class SubjectTats implements ChargedTats {
  readonly #tats: NumberedTats
  readonly #per: Exclude<LimitRule['per'], 'ip'>

  constructor(tats: NumberedTats, per: Exclude<LimitRule['per'], 'ip'>) {
    this.#tats = tats
    this.#per = per
  }

  get(charge: Charge): number {
    return this.#tats.get(this.#subject(charge))
  }

  set(charge: Charge, tat: number): void {
    this.#tats.set(this.#subject(charge), tat)
  }

  #subject(charge: Charge): number {
    switch (this.#per) {
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
}

class AddressTats implements ChargedTats {
  readonly #tats = new BoundedTats<Ip>(subjectsMax)

  get(charge: Charge): number {
    return this.#tats.get(ipBucket(charge.ip))
  }

  set(charge: Charge, tat: number): void {
    this.#tats.set(ipBucket(charge.ip), tat)
  }
}

/** The state of a credential's own limit lies with the credential. */
class OwnTats implements ChargedTats {
  readonly #spent: Spent

  constructor(spent: Spent) {
    this.#spent = spent
  }

  get(): number {
    return this.#spent.tat
  }

  set(_charge: Charge, tat: number): void {
    this.#spent.tat = tat
  }
}

function spentOf(own: Own, rule: LimitRule): OwnTats {
  const spent = own.spent.get(rule.name) ?? { tat: 0 }
  own.spent.set(rule.name, spent)
  return new OwnTats(spent)
}

/** The state of a limit that an account or a credential was given for more than itself. */
class GivenTats implements ChargedTats {
  readonly #tats: BoundedTats<string>
  readonly #name: string
  readonly #per: LimitRule['per']

  constructor(tats: BoundedTats<string>, holder: string, rule: LimitRule) {
    this.#tats = tats
    this.#name = `${holder} ${rule.name} ${rule.per}`
    this.#per = rule.per
  }

  get(charge: Charge): number {
    return this.#tats.get(this.#key(charge))
  }

  set(charge: Charge, tat: number): void {
    this.#tats.set(this.#key(charge), tat)
  }

  #key(charge: Charge): string {
    switch (this.#per) {
      case 'ip':
        return `${this.#name} ${ipBucket(charge.ip)}`
      case 'route':
        return `${this.#name} ${charge.route}`
      case 'credential':
      case 'account':
      case 'project':
        return this.#name
    }
  }
}

/** Own limits per account or project are one for all its credentials that have them. */
function holderOf(
  rule: LimitRule,
  holder: { readonly credential: string; readonly account: number; readonly project: number },
): string {
  if (rule.per === 'account') return `account ${holder.account}`
  return rule.per === 'project' ? `project ${holder.project}` : holder.credential
}

function standingOf(limit: RateLimit, charge: Charge, retryAfterMs: number): LimitStanding {
  const tat = limit.tats.get(charge)
  return {
    name: limit.rule.name,
    requests: limit.rule.requests,
    windowMs: limit.rule.windowMs,
    remaining: remaining(tat, charge.monotonic, limit.gcra),
    retryAfterMs,
    resetAfterMs: resetMs(tat, charge.monotonic),
    kind: 'rate',
  }
}
