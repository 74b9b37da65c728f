import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { parseIp } from '../../base/ip.ts'
import type { LimitStanding, Plan, Route } from '../apis/api.ts'
import type { AccountRecord, CredentialRecord } from '../records/record.ts'
import { RecordTable } from '../records/table.ts'
import { aPlan, aRoute } from '../testing/declaration.ts'
import { aCredential, anAccount, aProject, changes, credentialIdOf } from '../testing/records.ts'
import { Limiter } from './limiter.ts'
import type { LimitRule, QuotaRule } from './rules.ts'

const noon = Date.parse('2026-11-23T12:00:00Z')

function aLimit(fields: Partial<LimitRule> = {}): LimitRule {
  return { name: 'default', per: 'credential', requests: 3, windowMs: 3000, burst: 3, ...fields }
}

function aQuota(fields: Partial<QuotaRule> = {}): QuotaRule {
  return { name: 'day', per: 'credential', requests: 3, period: 'day', ...fields }
}

interface Asked {
  readonly plan?: Plan
  readonly route?: Route
  readonly account?: AccountRecord
  readonly from?: string
  /** Milliseconds since noon, wall and monotonic. */
  readonly at?: number
}

/** Two credentials in each of two projects of each of two accounts: `0` to `7`. */
function aLimiter(records: (number: number) => Partial<CredentialRecord> = () => ({})) {
  const table = new RecordTable()
  const limiter = new Limiter(table)
  const credentials = [0, 1, 2, 3, 4, 5, 6, 7].map((number) =>
    aCredential({
      id: credentialIdOf(number),
      account: `acc_${number >> 2}`,
      project: `prj_${number >> 1}`,
      secrets: [],
      ...records(number),
    }),
  )
  table.apply(
    changes({
      accounts: [0, 1].map((number) => anAccount({ id: `acc_${number}` })),
      projects: [0, 1, 2, 3].map((number) => aProject({ id: `prj_${number}`, account: `acc_${number >> 1}` })),
      credentials,
    }),
  )
  const chargeOf = (number: number, asked: Asked = {}) => {
    const row = table.findCredential(credentialIdOf(number))
    const account = asked.account ?? table.account(row).record
    if (account === null) throw new Error('no such account')
    return limiter.chargeOf({
      row,
      account,
      accountNumber: table.account(row).number,
      projectNumber: table.project(row).number,
      plan: asked.plan ?? aPlan(),
      route: asked.route ?? aRoute(),
      own: table.own(row),
      ip: parseIp(asked.from ?? '192.0.2.1') ?? 0,
      now: noon + (asked.at ?? 0),
      monotonic: 1000 + (asked.at ?? 0),
      llm: null,
    })
  }
  /** As a request does: tests everything, charges only where all pass; answers the name that refused. */
  const request = (number: number, asked: Asked = {}): string | null => {
    const charge = chargeOf(number, asked)
    const refusal = limiter.testRates(charge) ?? limiter.testQuotas(charge)
    if (refusal !== null) return refusal.standing.name
    limiter.charge(charge)
    return null
  }
  const passed = (number: number, times: number, asked: Asked = {}): number =>
    Array.from({ length: times }, () => request(number, asked)).filter((refused) => refused === null).length
  return { table, limiter, chargeOf, request, passed }
}

describe('who shares a limit', () => {
  it.each([
    ['credential', [3, 3, 3, 3, 3, 3, 3, 3]],
    ['project', [3, 0, 3, 0, 3, 0, 3, 0]],
    ['account', [3, 0, 0, 0, 3, 0, 0, 0]],
    ['route', [3, 0, 0, 0, 0, 0, 0, 0]],
    ['ip', [3, 0, 0, 0, 0, 0, 0, 0]],
  ] as const)('per %s: three requests for each', (per, expected) => {
    const { passed } = aLimiter()
    const plan = aPlan({ limits: [aLimit({ per })] })
    expect(expected.map((_, number) => passed(number, 5, { plan }))).toEqual(expected)
  })

  it('per route: another route has its own', () => {
    const { passed } = aLimiter()
    const plan = aPlan({ limits: [aLimit({ per: 'route' })] })
    expect([0, 1].map((index) => passed(0, 5, { plan, route: aRoute({ index }) }))).toEqual([3, 3])
  })

  it('per address: another IPv4 address has its own, another address of the /64 has not', () => {
    const { passed } = aLimiter()
    const plan = aPlan({ limits: [aLimit({ per: 'ip' })] })
    const from = ['192.0.2.1', '192.0.2.2', '2001:db8::1', '2001:db8::ffff', '2001:db8:0:1::1', '::ffff:192.0.2.1']
    expect(from.map((address) => passed(0, 5, { plan, from: address }))).toEqual([3, 3, 3, 0, 3, 0])
  })

  it('a limit of a route is counted apart from one of the same name in the plan', () => {
    const { passed } = aLimiter()
    const plan = aPlan({ limits: [aLimit({ requests: 5, burst: 5 })] })
    const route = aRoute({ limits: [aLimit()] })
    expect(passed(0, 9, { plan, route })).toBe(3)
    expect(passed(0, 9, { plan })).toBe(2)
  })

  it('plans do not share what they count per route or address', () => {
    const { passed } = aLimiter()
    for (const per of ['route', 'ip'] as const) {
      const plans = ['pro', 'free'].map((id) => aPlan({ id, limits: [aLimit({ name: per, per })] }))
      expect(plans.map((plan) => passed(0, 5, { plan }))).toEqual([3, 3])
    }
  })

  it.each([
    ['credential', [3, 3, 3, 3, 3]],
    ['route', [3, 3, 3, 3, 3]],
    ['ip', [3, 3, 3, 3, 3]],
    ['project', [3, 0, 3, 0, 3]],
    ['account', [3, 0, 0, 0, 3]],
  ] as const)("a credential's own limit per %s is nobody else's outside its account", (per, expected) => {
    const { passed } = aLimiter(() => ({ limits: [aLimit({ per })] }))
    expect([0, 1, 2, 3, 4].map((number) => passed(number, 5))).toEqual(expected)
  })

  it("what is spent of a credential's own limit outlives a change of the credential, and leaves with the limit", () => {
    const limits = [aLimit({ requests: 3, windowMs: 3_600_000 })]
    const { table, passed } = aLimiter(() => ({ limits }))
    const change = (version: number, of: Partial<CredentialRecord>) =>
      table.put(aCredential({ id: credentialIdOf(0), account: 'acc_0', project: 'prj_0', secrets: [], version, ...of }))
    expect(passed(0, 5)).toBe(3)
    change(2, { limits, ipAllow: ['192.0.2.0/24'] })
    expect(passed(0, 5)).toBe(0)
    change(3, { limits: [aLimit({ name: 'other' })] })
    expect(passed(0, 5)).toBe(3)
    change(4, { limits })
    expect(passed(0, 5)).toBe(3)
  })

  it("an account's override per route or address is nobody else's", () => {
    for (const per of ['route', 'ip'] as const) {
      const { passed } = aLimiter()
      const plan = aPlan({ limits: [aLimit({ per })] })
      const account = (number: number) =>
        anAccount({
          id: `acc_${number}`,
          overrides: { limits: [aLimit({ per, requests: 6, burst: 6 })], quotas: [], budgets: [], until: null },
        })
      const [first, second] = [account(0), account(1)]
      expect([
        passed(0, 9, { plan, account: first }),
        passed(4, 9, { plan, account: second }),
        passed(4, 9, { plan }),
      ]).toEqual([6, 6, 3])
    }
  })
})

describe('several limits', () => {
  const plan = aPlan({
    limits: [
      aLimit({ name: 'second', requests: 2, windowMs: 1000, burst: 2 }),
      aLimit({ name: 'hour', requests: 5, windowMs: 3_600_000, burst: 5 }),
    ],
  })

  it('are all tested before any is charged: what one refuses, no other counts', () => {
    const { passed, limiter, chargeOf } = aLimiter()
    expect(passed(0, 100, { plan })).toBe(2)
    expect(passed(0, 100, { plan, at: 1000 })).toBe(2)
    expect(passed(0, 100, { plan, at: 2000 })).toBe(1)
    expect(limiter.testRates(chargeOf(0, { plan, at: 3000 }))?.standing.name).toBe('hour')
  })

  it('the one that refuses longest is told', () => {
    const { passed, limiter, chargeOf } = aLimiter()
    const both = aPlan({
      limits: [
        aLimit({ name: 'short', requests: 1, windowMs: 1000, burst: 1 }),
        aLimit({ name: 'long', requests: 1, windowMs: 60_000, burst: 1 }),
      ],
    })
    passed(0, 1, { plan: both })
    expect(limiter.testRates(chargeOf(0, { plan: both }))).toEqual({
      kind: 'rate',
      standing: {
        name: 'long',
        requests: 1,
        windowMs: 60_000,
        remaining: 0,
        retryAfterMs: expect.closeTo(60_000, -1),
        resetAfterMs: 60_000,
        kind: 'rate',
      },
    })
  })

  it('the one with the least left is told to those who pass', () => {
    const { limiter, chargeOf } = aLimiter()
    const told = (at: number): LimitStanding | null => limiter.charge(chargeOf(0, { plan, at }))
    expect(told(0)).toEqual({
      name: 'second',
      requests: 2,
      windowMs: 1000,
      remaining: 1,
      retryAfterMs: 0,
      resetAfterMs: 500,
      kind: 'rate',
    })
    expect(told(10_000)).toMatchObject({ name: 'second', remaining: 1 })
    expect(told(20_000)).toMatchObject({ name: 'second', remaining: 1 })
    expect(told(30_000)).toMatchObject({ name: 'second', remaining: 1 })
    expect(told(40_000)).toMatchObject({ name: 'hour', remaining: 0 })
  })

  it('none is told where there is none', () => {
    const { limiter, chargeOf } = aLimiter()
    expect(limiter.charge(chargeOf(0))).toBeNull()
  })

  it('testing changes nothing', () => {
    const { limiter, chargeOf, passed } = aLimiter()
    const withQuota = aPlan({ limits: plan.limits, quotas: [aQuota({ requests: 2 })] })
    for (let i = 0; i < 50; i++) {
      limiter.testRates(chargeOf(0, { plan: withQuota }))
      limiter.testQuotas(chargeOf(0, { plan: withQuota }))
    }
    expect(passed(0, 9, { plan: withQuota })).toBe(2)
  })

  it('count a request by the cost of its route', () => {
    const { passed } = aLimiter()
    const costly = { plan: aPlan({ limits: [aLimit({ requests: 10, burst: 10 })] }), route: aRoute({ cost: 3 }) }
    expect(passed(0, 9, costly)).toBe(3)
    expect(passed(0, 9, { plan: costly.plan })).toBe(1)
  })
})

describe('overrides', () => {
  const plan = aPlan({
    limits: [aLimit(), aLimit({ name: 'other', requests: 100, burst: 100 })],
    quotas: [aQuota({ requests: 100 })],
  })
  const account = anAccount({
    id: 'acc_0',
    overrides: {
      limits: [aLimit({ requests: 6, windowMs: 6000, burst: 6 }), aLimit({ name: 'extra', requests: 5, burst: 5 })],
      quotas: [aQuota({ requests: 4 })],
      budgets: [],
      until: noon + 50,
    },
  })

  it('replace what has their name, add what has none, and hold until the instant they end', () => {
    const { request } = aLimiter()
    const refusals = (at: number, number: number) =>
      Array.from({ length: 7 }, () => request(number, { plan, account, at }))
    expect(refusals(49, 0)).toEqual([null, null, null, null, 'day', 'day', 'day'])
    expect(refusals(50, 1)).toEqual([null, null, null, 'default', 'default', 'default', 'default'])
  })

  it('go on where the limit stood that they replace', () => {
    const { passed } = aLimiter()
    expect(passed(0, 9, { plan: aPlan({ limits: [aLimit()] }) })).toBe(3)
    const more = anAccount({
      id: 'acc_0',
      overrides: { limits: [aLimit({ requests: 6, windowMs: 6000, burst: 6 })], quotas: [], budgets: [], until: null },
    })
    expect(passed(0, 9, { plan: aPlan({ limits: [aLimit()] }), account: more })).toBe(3)
  })

  it('a change of plan or a reload resets nothing', () => {
    const { passed } = aLimiter()
    const before = aPlan({ limits: [aLimit()], quotas: [aQuota({ requests: 4 })] })
    expect(passed(0, 2, { plan: before })).toBe(2)
    expect(passed(0, 9, { plan: aPlan({ limits: [aLimit()], quotas: [aQuota({ requests: 4 })] }) })).toBe(1)
    expect(passed(0, 9, { plan: aPlan({ id: 'other', limits: [aLimit()] }) })).toBe(0)
    expect(passed(0, 9, { plan: aPlan({ id: 'other', quotas: [aQuota({ requests: 4 })] }) })).toBe(1)
  })
})

describe('quotas', () => {
  const plan = aPlan({ quotas: [aQuota()] })

  it('are whole again at the edge of the period, not before', () => {
    const { passed, limiter, chargeOf } = aLimiter()
    const midnight = Date.parse('2026-11-24T00:00:00Z') - noon
    expect(passed(0, 9, { plan })).toBe(3)
    expect(limiter.testQuotas(chargeOf(0, { plan, at: midnight - 1 }))).toEqual({
      kind: 'quota',
      standing: {
        name: 'day',
        requests: 3,
        windowMs: 86_400_000,
        remaining: 0,
        retryAfterMs: 1,
        resetAfterMs: 1,
        kind: 'quota',
      },
    })
    expect(passed(0, 9, { plan, at: midnight })).toBe(3)
  })

  it.each([
    ['credential', [3, 3, 3, 3, 3]],
    ['project', [3, 0, 3, 0, 3]],
    ['account', [3, 0, 0, 0, 3]],
  ] as const)('per %s', (per, expected) => {
    const { passed } = aLimiter()
    const shared = aPlan({ quotas: [aQuota({ per })] })
    expect(expected.map((_, number) => passed(number, 5, { plan: shared }))).toEqual(expected)
  })

  it('several are all tested before any is charged, and the one that lasts longest is told', () => {
    const { request, limiter, chargeOf } = aLimiter()
    const both = aPlan({
      quotas: [
        aQuota({ name: 'month', requests: 4, period: 'month' }),
        aQuota({ name: 'hour', requests: 2, period: 'hour' }),
      ],
    })
    const hour = 3_600_000
    expect([0, 0, 0, hour, hour, hour].map((at) => request(0, { plan: both, at }))).toEqual([
      null,
      null,
      'hour',
      null,
      null,
      'month',
    ])
    expect(limiter.testQuotas(chargeOf(0, { plan: both, at: hour }))?.standing.name).toBe('month')
  })

  it('a request that costs more than is left is refused, and a cheaper one passes', () => {
    const { request } = aLimiter()
    expect(request(0, { plan, route: aRoute({ cost: 2 }) })).toBeNull()
    expect(request(0, { plan, route: aRoute({ cost: 2 }) })).toBe('day')
    expect(request(0, { plan })).toBeNull()
  })
})

/** A store of quotas as all nodes share it. */
function aQuotaStore() {
  const totals = new Map<string, number>()
  const add = (deltas: readonly { key: string; period: number; delta: number }[]) => {
    const after = deltas.map(({ key, period, delta }) => {
      const total = (totals.get(`${period} ${key}`) ?? 0) + delta
      totals.set(`${period} ${key}`, total)
      return total
    })
    return Promise.resolve(after)
  }
  const rows = () =>
    [...totals].map(([text, used]) => {
      const [period = '', key = ''] = text.split(' ')
      return { key, period: Number(period), used }
    })
  return { totals, add, rows }
}

const today = Date.parse('2026-11-23T00:00:00Z')
const tomorrow = Date.parse('2026-11-24T00:00:00Z')
const dayKey = (number: number, period = today) => `${period} day|credential|day|${credentialIdOf(number)}`

describe('quotas in the store', () => {
  const plan = aPlan({ quotas: [aQuota({ requests: 10 })] })

  it('survive a restart', async () => {
    const store = aQuotaStore()
    const before = aLimiter()
    expect(before.passed(0, 7, { plan })).toBe(7)
    await before.limiter.flush(store.add)
    const after = aLimiter()
    after.limiter.seed(store.rows())
    expect(after.passed(0, 9, { plan })).toBe(3)
    expect(after.passed(1, 20, { plan })).toBe(10)
  })

  it('of an ended period are not taken over', async () => {
    const store = aQuotaStore()
    const before = aLimiter()
    before.passed(0, 7, { plan })
    await before.limiter.flush(store.add)
    const after = aLimiter()
    after.limiter.seed(store.rows())
    expect(after.passed(0, 20, { plan, at: tomorrow - noon })).toBe(10)
  })

  it('count what other nodes counted from the next flush on', async () => {
    const store = aQuotaStore()
    const [one, two] = [aLimiter(), aLimiter()]
    one.passed(0, 4, { plan })
    two.passed(0, 5, { plan })
    await one.limiter.flush(store.add)
    await two.limiter.flush(store.add)
    expect(store.totals.get(dayKey(0))).toBe(9)
    expect(two.passed(0, 9, { plan })).toBe(1)
    await two.limiter.flush(store.add)
    expect(one.passed(0, 1, { plan })).toBe(1)
    await one.limiter.flush(store.add)
    expect([one.passed(0, 1, { plan }), two.passed(0, 1, { plan })]).toEqual([0, 0])
  })

  it('are told once, and nothing is told where nothing was counted', async () => {
    const store = aQuotaStore()
    const { limiter, passed } = aLimiter()
    passed(0, 2, { plan })
    await limiter.flush(store.add)
    await limiter.flush(() => Promise.reject(new Error('not to be called')))
    expect(store.totals.get(dayKey(0))).toBe(2)
  })

  it('lose nothing when the store does not answer', async () => {
    const store = aQuotaStore()
    const { limiter, passed } = aLimiter()
    passed(0, 2, { plan })
    await expect(limiter.flush(() => Promise.reject(new Error('away')))).rejects.toThrow('away')
    passed(0, 1, { plan })
    await expect(limiter.flush(() => Promise.reject(new Error('away')))).rejects.toThrow('away')
    await limiter.flush(store.add)
    expect(store.totals.get(dayKey(0))).toBe(3)
    expect(passed(0, 20, { plan })).toBe(7)
  })

  it('count what comes while the store is being told', async () => {
    const store = aQuotaStore()
    const { limiter, passed } = aLimiter()
    passed(0, 2, { plan })
    await limiter.flush((deltas) => {
      passed(0, 3, { plan })
      return store.add(deltas)
    })
    expect(passed(0, 20, { plan })).toBe(5)
    await limiter.flush(store.add)
    expect(store.totals.get(dayKey(0))).toBe(10)
  })

  it('lose nothing at the turn of the period, even where the store was away', async () => {
    const store = aQuotaStore()
    const { limiter, passed } = aLimiter()
    passed(0, 2, { plan, at: tomorrow - noon - 1 })
    passed(0, 1, { plan, at: tomorrow - noon })
    await expect(limiter.flush(() => Promise.reject(new Error('away')))).rejects.toThrow('away')
    passed(0, 1, { plan, at: tomorrow - noon })
    await limiter.flush(store.add)
    expect(Object.fromEntries(store.totals)).toEqual({ [dayKey(0)]: 2, [dayKey(0, tomorrow)]: 2 })
    expect(passed(0, 20, { plan, at: tomorrow - noon })).toBe(8)
  })

  it('take over nothing that is not of a quota', () => {
    const { limiter, passed } = aLimiter()
    limiter.seed([
      { key: '', period: today, used: 10 },
      { key: 'day', period: today, used: 10 },
      { key: `day|credential|year|${credentialIdOf(0)}`, period: today, used: 10 },
      { key: `day|moon|day|${credentialIdOf(0)}`, period: today, used: 10 },
      { key: `__proto__|credential|day|${credentialIdOf(0)}`, period: today, used: 10 },
    ])
    expect(passed(0, 20, { plan })).toBe(10)
  })

  it('of all nodes together are the sum of what each let pass, whatever is flushed when and fails', async () => {
    const step = fc.record({
      node: fc.nat({ max: 2 }),
      credential: fc.nat({ max: 1 }),
      times: fc.nat({ max: 3 }),
      flush: fc.constantFrom('no', 'yes', 'fails'),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const store = aQuotaStore()
        const nodes = [aLimiter(), aLimiter(), aLimiter()]
        const let0 = [0, 0]
        for (const { node, credential, times, flush } of steps) {
          const at = nodes[node]
          if (at === undefined) continue
          let0[credential] =
            (let0[credential] ?? 0) +
            at.passed(credential, times, { plan: aPlan({ quotas: [aQuota({ requests: 1000 })] }) })
          if (flush === 'yes') await at.limiter.flush(store.add)
          if (flush === 'fails') await at.limiter.flush(() => Promise.reject(new Error('away'))).catch(() => null)
        }
        for (const { limiter } of nodes) await limiter.flush(store.add)
        expect([0, 1].map((number) => store.totals.get(dayKey(number)) ?? 0)).toEqual(let0)
      }),
      { numRuns: 60 },
    )
  })
})

describe('the next owner of a row', () => {
  const plan = aPlan({ limits: [aLimit()], quotas: [aQuota({ name: 'day', requests: 5 })] })

  function reuse(world: ReturnType<typeof aLimiter>, limits: readonly LimitRule[] = []): void {
    const row = world.table.findCredential(credentialIdOf(0))
    world.table.remove(row)
    world.table.releaseFreed()
    world.table.releaseFreed()
    const next = aCredential({
      id: credentialIdOf(50),
      account: 'acc_0',
      project: 'prj_0',
      secrets: [],
      limits,
    })
    expect(world.table.put(next)).toBe(row)
  }

  it('starts with limits and quotas of its own', () => {
    const world = aLimiter(() => ({ limits: [aLimit({ name: 'own' })] }))
    expect(world.passed(0, 9, { plan })).toBe(3)
    reuse(world, [aLimit({ name: 'own' })])
    expect(world.passed(50, 9, { plan })).toBe(3)
  })

  it('is not told what the last one had used, and the last one finds its own when it comes back', async () => {
    const store = aQuotaStore()
    const world = aLimiter()
    const quotaOnly = aPlan({ quotas: [aQuota({ name: 'day', requests: 5 })] })
    world.passed(0, 4, { plan: quotaOnly })
    reuse(world)
    world.passed(50, 2, { plan: quotaOnly })
    await world.limiter.flush(store.add)
    expect(Object.fromEntries(store.totals)).toEqual({ [dayKey(0)]: 4, [dayKey(50)]: 2 })
    world.table.put(aCredential({ id: credentialIdOf(0), account: 'acc_0', project: 'prj_0', secrets: [] }))
    expect([world.passed(0, 9, { plan: quotaOnly }), world.passed(50, 9, { plan: quotaOnly })]).toEqual([1, 3])
  })

  it('leaves the last one what it had used, even where the store answers late about a period that ended', async () => {
    const store = aQuotaStore()
    const world = aLimiter()
    const quotaOnly = aPlan({ quotas: [aQuota({ name: 'day', requests: 5 })] })
    const at = tomorrow - noon
    world.passed(0, 2, { plan: quotaOnly, at: at - 1 })
    await world.limiter.flush((deltas) => {
      world.passed(0, 4, { plan: quotaOnly, at })
      reuse(world)
      return store.add(deltas)
    })
    world.table.put(aCredential({ id: credentialIdOf(0), account: 'acc_0', project: 'prj_0', secrets: [] }))
    expect(world.passed(0, 9, { plan: quotaOnly, at })).toBe(1)
  })

  it('is not charged what the store answers late', async () => {
    const store = aQuotaStore()
    const world = aLimiter()
    const quotaOnly = aPlan({ quotas: [aQuota({ name: 'day', requests: 5 })] })
    world.passed(0, 4, { plan: quotaOnly })
    await world.limiter.flush((deltas) => {
      reuse(world)
      world.passed(50, 1, { plan: quotaOnly })
      return store.add(deltas)
    })
    expect(world.passed(50, 9, { plan: quotaOnly })).toBe(4)
  })
})
