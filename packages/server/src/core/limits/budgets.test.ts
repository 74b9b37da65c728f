import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import type { Price } from '../llm/prices.ts'
import type { ModelTerms } from '../llm/terms.ts'
import { noTokens } from '../llm/tokens.ts'
import type { AccountRecord } from '../records/record.ts'
import { RecordTable } from '../records/table.ts'
import { aPlan, aRoute } from '../testing/declaration.ts'
import { aCredential, anAccount, aProject, changes } from '../testing/records.ts'
import { noon } from '../testing/world.ts'
import type { Charge } from './charge.ts'
import { Limiter } from './limiter.ts'
import type { QuotaDelta } from './quotas.ts'
import type { BudgetRule } from './rules.ts'

const hourMs = 3_600_000
const price: Price = {
  model: '*',
  from: 0,
  currency: 'USD',
  input: 1_000_000,
  cachedInput: 500_000,
  cacheWrite: 1_000_000,
  output: 2_000_000,
}

function tokens(amount: number, fields: Partial<BudgetRule> = {}): BudgetRule {
  return { name: 'tokens', per: 'credential', unit: { kind: 'tokens' }, amount, period: 'hour', ...fields }
}

function money(amount: number, fields: Partial<BudgetRule> = {}): BudgetRule {
  return { ...tokens(amount), name: 'money', unit: { kind: 'money', currency: 'USD' }, ...fields }
}

interface Asked {
  readonly input?: number
  readonly output?: number
  readonly at?: number
  readonly id?: string
  readonly price?: Price | null
  readonly pending?: boolean
}

/** The store as far as it counts: what was added to each key and period. */
function aStore() {
  const totals = new Map<string, number>()
  return {
    totals,
    add: async (deltas: readonly QuotaDelta[]) =>
      deltas.map(({ key, period, delta }) => {
        const total = (totals.get(`${key} ${period}`) ?? 0) + delta
        totals.set(`${key} ${period}`, total)
        return total
      }),
    seeds: () =>
      [...totals].map(([name, used]) => {
        const mark = name.lastIndexOf(' ')
        return { key: name.slice(0, mark), period: Number(name.slice(mark + 1)), used }
      }),
  }
}

const ids = ['cred_000000000001', 'cred_000000000002', 'cred_000000000003']

function aLimiter(budgets: readonly BudgetRule[], own: ModelTerms | null = null, account: Partial<AccountRecord> = {}) {
  const table = new RecordTable()
  const limiter = new Limiter(table)
  const plan = aPlan({ budgets })
  table.apply(
    changes({
      accounts: [anAccount(account)],
      projects: [aProject()],
      credentials: ids.map((id) => aCredential({ id, secrets: [], llm: own })),
    }),
  )
  const chargeOf = ({ input = 0, output = 0, at = 0, id = ids[0] ?? '', ...more }: Asked): Charge => {
    const row = table.findCredential(id)
    const { record } = table.account(row)
    if (record === null) throw new Error('no account')
    return limiter.chargeOf({
      row,
      account: record,
      accountNumber: table.account(row).number,
      projectNumber: table.project(row).number,
      plan,
      route: aRoute(),
      own: table.own(row),
      ip: 0,
      now: noon + at,
      monotonic: 1_000 + at,
      llm: { price: more.price === undefined ? price : more.price, input, output, pending: more.pending ?? false },
    })
  }
  /** As a request does: tested, and reserved where it passes. */
  const reserve = (asked: Asked): Charge | string => {
    const charge = chargeOf(asked)
    const refusal = limiter.testBudgets(charge)
    if (refusal !== null) return refusal.standing.name
    limiter.charge(charge)
    return charge
  }
  const settle = (charge: Charge | string, input: number, output: number) => {
    if (typeof charge === 'string') throw new Error(`refused by ${charge}`)
    limiter.settle(charge, { ...noTokens, input, output })
  }
  return { table, limiter, chargeOf, reserve, settle }
}

describe('a budget (APK-4)', () => {
  it('lets pass what fits to the last token, and refuses one more', () => {
    const { reserve } = aLimiter([tokens(100)])
    expect(reserve({ input: 60, output: 41 })).toBe('tokens')
    expect(reserve({ input: 60, output: 40 })).not.toBe('tokens')
    expect(reserve({ input: 1 })).toBe('tokens')
  })

  it('gives back what was reserved and not taken, and takes what was more', () => {
    const { reserve, settle } = aLimiter([tokens(100)])
    const first = reserve({ input: 50, output: 50 })
    expect(reserve({ input: 1 })).toBe('tokens')
    settle(first, 10, 5)
    const second = reserve({ input: 85 })
    expect(second).not.toBe('tokens')
    settle(second, 200, 0)
    expect(reserve({ input: 1 })).toBe('tokens')
  })

  it('counts money in micro-units at the price of the request', () => {
    const { reserve, settle } = aLimiter([money(1_000)])
    const first = reserve({ input: 600, output: 200 })
    expect(first).not.toBe('money')
    expect(reserve({ input: 1 })).toBe('money')
    settle(first, 100, 50)
    expect(reserve({ input: 801 })).toBe('money')
    expect(reserve({ input: 800 })).not.toBe('money')
  })

  it('of money refuses what has no price, or one in another currency', () => {
    const { reserve } = aLimiter([money(1_000_000_000)])
    expect(reserve({ input: 1, price: null })).toBe('money')
    expect(reserve({ input: 1, price: { ...price, currency: 'EUR' } })).toBe('money')
  })

  it('refuses before the body is read only where nothing is left', () => {
    const { reserve, chargeOf, limiter } = aLimiter([tokens(10)])
    expect(limiter.testBudgets(chargeOf({ pending: true, output: 4_096, price: null }))).toBeNull()
    reserve({ input: 10 })
    expect(limiter.testBudgets(chargeOf({ pending: true }))?.standing.name).toBe('tokens')
  })

  it('is whole again with the next period, says when, and says what is left', () => {
    const { reserve, limiter, chargeOf } = aLimiter([tokens(100)])
    const held = reserve({ input: 100, at: 1_000 })
    if (typeof held === 'string') throw new Error(held)
    expect(held.llm?.standings).toEqual([
      {
        name: 'tokens',
        requests: 100,
        windowMs: hourMs,
        remaining: 0,
        retryAfterMs: 0,
        resetAfterMs: hourMs - 1_000,
        kind: 'budget',
        unit: 'tokens',
      },
    ])
    const refusal = limiter.testBudgets(chargeOf({ input: 1, at: hourMs - 1 }))
    expect(refusal?.standing).toMatchObject({ kind: 'budget', remaining: 0, retryAfterMs: 1 })
    expect(reserve({ input: 1, at: hourMs })).not.toBe('tokens')
  })

  it('is settled in the period in which it was reserved', async () => {
    const { reserve, settle, limiter } = aLimiter([tokens(100)])
    const store = aStore()
    const late = reserve({ input: 100, at: hourMs - 1 })
    reserve({ input: 90, at: hourMs })
    settle(late, 30, 0)
    expect(reserve({ input: 11, at: hourMs })).toBe('tokens')
    await limiter.flush(store.add)
    expect([...store.totals]).toEqual([
      [`$tokens:tokens|credential|hour|${ids[0]} ${noon}`, 30],
      [`$tokens:tokens|credential|hour|${ids[0]} ${noon + hourMs}`, 90],
    ])
    expect(reserve({ input: 10, at: hourMs })).not.toBe('tokens')
  })

  it('counts for credential, project and account, and every one must have enough', () => {
    const [one, two] = [ids[0] ?? '', ids[1] ?? '']
    const { reserve } = aLimiter([tokens(100), tokens(150, { name: 'all', per: 'account' })])
    expect(reserve({ input: 100, id: one })).not.toBe('tokens')
    expect(reserve({ input: 51, id: two })).toBe('all')
    expect(reserve({ input: 50, id: two })).not.toBe('all')
  })

  it('is the credential’s own beside the plan’s, under the same name as well', () => {
    const [one, two] = [ids[0] ?? '', ids[1] ?? '']
    const { reserve } = aLimiter([tokens(1_000, { per: 'account' })], { models: null, budgets: [tokens(10)] })
    expect(reserve({ input: 11, id: one })).toBe('tokens')
    expect(reserve({ input: 10, id: one })).not.toBe('tokens')
    expect(reserve({ input: 10, id: two })).not.toBe('tokens')
    expect(reserve({ input: 1, id: two })).toBe('tokens')
  })

  it('gives way to an override of the account, and goes on where it stood', () => {
    const more = { limits: [], quotas: [], budgets: [tokens(200)], until: noon + 1_000 }
    const { reserve } = aLimiter([tokens(100)], null, { overrides: more })
    expect(reserve({ input: 200 })).not.toBe('tokens')
    expect(reserve({ input: 1, at: 1_000 })).toBe('tokens')
  })

  it('survives a restart as the store knows it', async () => {
    const before = aLimiter([tokens(100), money(1_000)])
    const store = aStore()
    before.settle(before.reserve({ input: 90, output: 10 }), 40, 20)
    await before.limiter.flush(store.add)
    const after = aLimiter([tokens(100), money(1_000)])
    after.limiter.seed(store.seeds())
    expect(after.reserve({ input: 41 })).toBe('tokens')
    expect(after.reserve({ input: 40 })).not.toBe('tokens')
  })

  it('neither loses nor counts anything twice, whatever happens between a reservation and its end', async () => {
    const step = fc.oneof(
      fc.record({
        do: fc.constant('reserve' as const),
        id: fc.constantFrom(...ids),
        input: fc.nat({ max: 50 }),
        output: fc.nat({ max: 50 }),
        // Time goes on; what is settled later belongs to its own period.
        later: fc.nat({ max: hourMs }),
      }),
      fc.record({
        do: fc.constant('settle' as const),
        which: fc.nat(),
        input: fc.nat({ max: 80 }),
        output: fc.nat({ max: 80 }),
      }),
      fc.record({
        do: fc.constantFrom('flush' as const, 'fail' as const, 'forget' as const, 'restore' as const),
        id: fc.constantFrom(...ids),
      }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { table, limiter, reserve, settle } = aLimiter([tokens(200), money(400, { per: 'account' })])
        const store = aStore()
        let open: { readonly charge: Charge; readonly id: string; readonly period: number }[] = []
        let at = 0
        const expected = new Map<string, number>()
        const add = (key: string, amount: number) => expected.set(key, (expected.get(key) ?? 0) + amount)
        const keysOf = (id: string, period: number) =>
          [`$tokens:tokens|credential|hour|${id} ${period}`, `$USD:money|account|hour|acc_1 ${period}`] as const
        for (const each of steps) {
          if (each.do === 'reserve') {
            at += each.later
            const period = noon + Math.floor(at / hourMs) * hourMs
            const charge = table.findCredential(each.id) === -1 ? 'gone' : reserve({ ...each, at })
            if (typeof charge === 'string') continue
            open.push({ charge, id: each.id, period })
            for (const { amount, rule } of charge.llm?.reservations ?? []) {
              add(keysOf(each.id, period)[rule.unit.kind === 'tokens' ? 0 : 1], amount)
            }
          } else if (each.do === 'settle') {
            const chosen = open[each.which % Math.max(1, open.length)]
            if (chosen === undefined) continue
            open = open.filter((one) => one !== chosen)
            for (const { amount, rule } of chosen.charge.llm?.reservations ?? []) {
              const spent = rule.unit.kind === 'tokens' ? each.input + each.output : each.input + 2 * each.output
              add(keysOf(chosen.id, chosen.period)[rule.unit.kind === 'tokens' ? 0 : 1], spent - amount)
            }
            settle(chosen.charge, each.input, each.output)
          } else if (each.do === 'flush') await limiter.flush(store.add)
          else if (each.do === 'fail') {
            await limiter.flush(() => Promise.reject(new Error('the store is away'))).catch(() => undefined)
          } else if (each.do === 'forget') {
            const row = table.findCredential(each.id)
            if (row !== -1) table.remove(row)
            table.releaseFreed()
            table.releaseFreed()
          } else if (table.findCredential(each.id) === -1) {
            table.apply(changes({ credentials: [aCredential({ id: each.id, secrets: [] })] }))
          }
        }
        await limiter.flush(store.add)
        const nonZero = (totals: ReadonlyMap<string, number>) =>
          [...totals].filter(([, total]) => total !== 0).toSorted(([a], [b]) => (a < b ? -1 : 1))
        expect(nonZero(store.totals)).toEqual(nonZero(expected))
      }),
      { numRuns: 500 },
    )
  })

  it('is never overdrawn by reservations, however many run at once', () => {
    const { reserve } = aLimiter([tokens(1_000)])
    let passed = 0
    for (let i = 0; i < 500; i++) if (typeof reserve({ input: 3, output: 4 }) !== 'string') passed++
    expect(passed).toBe(Math.floor(1_000 / 7))
  })
})
