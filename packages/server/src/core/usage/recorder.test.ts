import { type Code, codes, isCode } from '@postern/contract'
import { describe, expect, it } from 'vitest'

import { seededRandom } from '../../base/random.ts'
import { makeKey } from '../credentials/format.ts'
import type { Evaluation } from '../decision/evaluation.ts'
import { refuse } from '../decision/refuse.ts'
import { aDeclaration, anApi, aRoute } from '../testing/declaration.ts'
import { aCredential, aSecret, credentialIdOf } from '../testing/records.ts'
import { aWorld, lines, noon, type Sent, theSecret, type World } from '../testing/world.ts'
import type { MeterEntry } from './meter-entry.ts'
import { UsageRecorder } from './recorder.ts'
import { unpackRequests } from './request-blocks.ts'
import type { UsageCount, UsageFlush } from './usage.ts'

const minuteMs = 60_000

function aRecorder(
  options: { queueMax?: number; refusalsPerSecond?: number; countryOf?: () => string } = {},
): UsageRecorder {
  return new UsageRecorder({
    node: 'node-1',
    countryOf: options.countryOf ?? (() => 'AT'),
    queueMax: () => options.queueMax ?? 1000,
    refusalsPerSecond: () => options.refusalsPerSecond ?? 5,
  })
}

let requests = 0

/** Decides a request and meters it as the gateway does. */
function meter(recorder: UsageRecorder, world: World, sent: Sent = {}, more: Partial<MeterEntry> = {}): void {
  const { evaluation } = world.serve(sent)
  const entry = {
    evaluation,
    facts: world.request(sent),
    requestId: `req_${++requests}`,
    status: 200,
    ended: 'answered',
    latencyMs: 3,
    received: 0,
    upstreamMs: null,
    sent: 0,
    llm: null,
  } as const
  recorder.record({ ...entry, ...more })
}

const rowsOf = (flush: UsageFlush) => flush.requests.flatMap(({ rows }) => unpackRequests(rows))

/** Counts by `credential route outcome country`. */
function counted(counts: readonly UsageCount[]): Record<string, number> {
  const sums: Record<string, number> = {}
  for (const { credential, route, outcome, country, count } of counts) {
    const name = `${credential === '' ? '-' : credential} ${route} ${outcome} ${country}`
    sums[name] = (sums[name] ?? 0) + count
  }
  return sums
}

const unknown: Sent = { headers: lines(['X-Api-Key', 'unknown']) }

describe('counts', () => {
  it('are made by credential, route, outcome and country, and told whole', () => {
    const recorder = aRecorder()
    const world = aWorld()
    meter(recorder, world)
    meter(recorder, world)
    expect(recorder.take(noon + 1000)).toMatchObject({
      node: 'node-1',
      at: noon + 1000,
      counts: [
        {
          minute: noon,
          api: 'shop',
          account: 'acc_1',
          project: 'prj_1',
          credential: 'cred_000000000001',
          route: 'getOrder',
          outcome: '2xx',
          country: 'AT',
          count: 2,
        },
      ],
      dropped: 0,
    })
  })

  it.each<readonly [Partial<MeterEntry>, string]>([
    [{ status: 199 }, '1xx'],
    [{ status: 200 }, '2xx'],
    [{ status: 304 }, '3xx'],
    [{ status: 404 }, '4xx'],
    [{ status: 599 }, '5xx'],
    [{ status: 502, ended: 'upstream_error' }, 'upstream_error'],
    [{ status: 0, ended: 'client_gone' }, 'client_gone'],
    [{ status: 700 }, 'upstream_error'],
  ])('say how an allowed request ended: %j is %s', (more, outcome) => {
    const recorder = aRecorder()
    meter(recorder, aWorld(), {}, more)
    expect(recorder.take(noon).counts.map((count) => count.outcome)).toEqual([outcome])
  })

  it('say the code of a refusal, and for unknown credentials one row per API', () => {
    const recorder = aRecorder()
    const world = aWorld({ credential: { scopes: [] } })
    meter(recorder, world, {}, { status: 403 })
    for (const target of ['/v1/orders/7', '/status', '/v1/nothing'])
      meter(recorder, world, { ...unknown, target }, { status: 401 })
    meter(recorder, world, { host: 'other.example.com' }, { status: 404 })
    expect(counted(recorder.take(noon).counts)).toEqual({
      'cred_000000000001 getOrder scope_missing AT': 1,
      '- * credential_unknown AT': 3,
      '- * api_unknown AT': 1,
    })
  })

  it('of what ran for more than a minute are of the minute in which it ended: the others are summed up by then', () => {
    const recorder = aRecorder()
    const world = aWorld()
    meter(recorder, world, { now: noon }, { latencyMs: minuteMs })
    meter(recorder, world, { now: noon }, { latencyMs: minuteMs + 1 })
    meter(recorder, world, { now: noon }, { latencyMs: 10 * minuteMs })
    expect(recorder.take(noon).counts.map(({ minute, count }) => [minute, count])).toEqual([
      [noon, 1],
      [noon + minuteMs, 1],
      [noon + 10 * minuteMs, 1],
    ])
  })

  it('begin anew at the edge of a minute, and are told of both', () => {
    const recorder = aRecorder()
    const world = aWorld()
    for (const now of [noon - 1, noon, noon + minuteMs - 1, noon + minuteMs]) meter(recorder, world, { now })
    expect(recorder.take(noon).counts.map(({ minute, count }) => [minute, count])).toEqual([
      [noon - minuteMs, 1],
      [noon, 2],
      [noon + minuteMs, 1],
    ])
  })

  it('stay right where requests end in another order than they came', () => {
    const recorder = aRecorder()
    const world = aWorld()
    for (let i = 0; i < 100; i++) meter(recorder, world, { now: i % 2 === 0 ? noon : noon - 1 })
    const sums = new Map<number, number>()
    for (const { minute, count } of recorder.take(noon).counts) sums.set(minute, (sums.get(minute) ?? 0) + count)
    expect([...sums]).toEqual([
      [noon, 50],
      [noon - minuteMs, 50],
    ])
  })

  it('are told once', () => {
    const recorder = aRecorder()
    meter(recorder, aWorld())
    recorder.take(noon)
    expect(recorder.take(noon)).toEqual({
      node: 'node-1',
      at: noon,
      counts: [],
      latencies: [],
      lastUses: [],
      requests: [],
      dropped: 0,
      models: [],
    })
  })

  it('of APIs, routes and credentials never mix', () => {
    const recorder = aRecorder()
    const apis = [0, 1].map((index) =>
      anApi({
        id: `api${index}`,
        index,
        routes: [
          aRoute({ id: 'one', index: 10 * index }),
          aRoute({ id: 'two', index: 10 * index + 1, pattern: '/two' }),
        ],
      }),
    )
    const others = [2, 3].map((number) =>
      aCredential({ id: credentialIdOf(number), apis: ['api0', 'api1'], secrets: [aSecret(`s${number}`)] }),
    )
    const world = aWorld({
      declaration: aDeclaration({
        apis,
        plans: [...aDeclaration().plans.values()].map((plan) => ({ ...plan, apis: new Set(['api0', 'api1']) })),
      }),
      others,
    })
    for (const api of ['api0', 'api1']) {
      for (const target of ['/v1/orders/7', '/two']) {
        for (const secret of ['s2', 's3'])
          meter(recorder, world, { target, host: `${api}.example.com`, headers: lines(['X-Api-Key', secret]) })
      }
      meter(recorder, world, { ...unknown, host: `${api}.example.com` })
    }
    const { counts } = recorder.take(noon)
    expect(counts).toHaveLength(10)
    expect(counts.every(({ count }) => count === 1)).toBe(true)
    expect(
      new Set(counts.map(({ api, route, credential, outcome }) => `${api} ${route} ${credential} ${outcome}`)).size,
    ).toBe(10)
  })
})

/** An allowed request as the recorder sees it, of any credential, route and country. */
function entryOf(base: MeterEntry, principalRow: number, routeIndex: number, apiIndex = 0): MeterEntry {
  const { evaluation } = base
  const { principal, route, api } = evaluation
  if (principal === null || route === null || api === null) throw new Error('not allowed')
  const made: Evaluation = {
    ...evaluation,
    principal: { ...principal, row: principalRow, credential: `cred_${principalRow}` },
    route: { ...route, index: routeIndex, id: `r${routeIndex}` },
    api: { ...api, index: apiIndex, id: `api${apiIndex}` },
  }
  return { ...base, evaluation: made }
}

function anEntry(): MeterEntry {
  const world = aWorld()
  return {
    evaluation: world.evaluate({}, false),
    facts: world.request(),
    requestId: 'req_1',
    status: 200,
    ended: 'answered',
    latencyMs: 1,
    received: 0,
    upstreamMs: null,
    sent: 0,
    llm: null,
  }
}

const base = anEntry()
const sumOf = (counts: readonly UsageCount[], test: (count: UsageCount) => boolean) =>
  counts.filter(test).reduce((sum, { count }) => sum + count, 0)

describe('outcomes', () => {
  const refused = (entry: MeterEntry, code: Code): MeterEntry => ({
    ...entry,
    evaluation: { ...entry.evaluation, allowed: false, refusal: refuse(code) },
  })

  it('beyond the 64th are counted under their own name, of the last row and route that a key has room for too', () => {
    let country = 'C1'
    const recorder = aRecorder({ queueMax: 0, countryOf: () => country })
    for (let i = 0; i < 255; i++, country = `C${i + 1}`) recorder.record(entryOf(base, 0, 0))
    const lastRow = 2 ** 26 - 8192 - 1
    const all = Object.keys(codes).filter(isCode)
    const places = [
      [0, 0],
      [lastRow - 1, 4094],
      [lastRow, 4093],
      [lastRow, 4094],
    ] as const
    for (country of ['C253', 'C254']) {
      for (const [row, route] of places) {
        for (const [i, code] of all.entries())
          for (let times = 0; times <= i; times++) recorder.record(refused(entryOf(base, row, route), code))
        for (const more of [{ status: 200 }, { status: 500 }, { ended: 'client_gone' as const }])
          recorder.record({ ...entryOf(base, row, route), ...more })
      }
    }
    const found = counted(recorder.take(noon).counts.filter((count) => /^C25[34]$/.test(count.country)))
    const expected: Record<string, number> = {}
    for (const told of ['C253', 'C254']) {
      for (const [row, route] of places) {
        for (const [i, code] of all.entries()) expected[`cred_${row} r${route} ${code} ${told}`] = i + 1
        expected[`cred_${row} r${route} 2xx ${told}`] = row === 0 ? 2 : 1
        expected[`cred_${row} r${route} 5xx ${told}`] = 1
        expected[`cred_${row} r${route} client_gone ${told}`] = 1
      }
    }
    expect(all.length).toBeGreaterThan(60)
    expect(found).toEqual(expected)
  })
})

describe('combinations beyond the cap', () => {
  it('fold countries, then routes; the count of each credential stays exact', () => {
    let country = 0
    const recorder = aRecorder({ queueMax: 0, countryOf: () => `C${country}` })
    const credentials = 30
    for (let row = 0; row < credentials; row++) {
      for (let route = 0; route < 100; route++) {
        for (country = 0; country < 100; country++) recorder.record(entryOf(base, row, route * 40))
      }
    }
    const { counts } = recorder.take(noon)
    for (let row = 0; row < credentials; row++)
      expect(sumOf(counts, ({ credential }) => credential === `cred_${row}`)).toBe(10_000)
    expect(sumOf(counts, ({ country: told }) => told !== '*')).toBe(100_000)
    expect(recorder.foldedTotal).toBe(200_000)
    expect(counts.length).toBe(100_000 + 20 * 100)
  })

  it('are bounded over the whole minute, not between two flushes', () => {
    let country = 0
    const recorder = aRecorder({ queueMax: 0, countryOf: () => `C${country}` })
    const seen = new Set<string>()
    for (let flush = 0; flush < 4; flush++) {
      for (let route = 0; route < 4095; route++) {
        for (country = 0; country < 20; country++) recorder.record(entryOf(base, flush, route))
      }
      for (const { credential, route, outcome, country: told } of recorder.take(noon).counts)
        seen.add(`${credential} ${route} ${outcome} ${told}`)
    }
    expect(seen.size).toBeLessThanOrEqual(100_000 + 4 * 4095 + 4)
    recorder.record({ ...entryOf(base, 0, 0), facts: { ...base.facts, now: noon + minuteMs } })
    expect(recorder.take(noon).counts.map(({ country: told }) => told)).toEqual(['C20'])
  })

  it('that were counted before the cap was reached go on as they are, after a flush too', () => {
    const recorder = aRecorder({ queueMax: 0 })
    for (let row = 0; row < 100_000; row++) recorder.record(entryOf(base, row, 1))
    recorder.take(noon)
    for (const row of [5, 100_000]) recorder.record(entryOf(base, row, 1))
    expect(recorder.take(noon).counts.map(({ credential, country }) => [credential, country])).toEqual([
      ['cred_5', 'AT'],
      ['cred_100000', '*'],
    ])
  })

  it('in great number survive the turn of the minute', () => {
    const recorder = aRecorder({ queueMax: 0 })
    for (let row = 0; row < 220_000; row++) recorder.record(entryOf(base, row, 1))
    recorder.record({ ...entryOf(base, 0, 1), facts: { ...base.facts, now: noon + minuteMs } })
    const { counts, latencies } = recorder.take(noon)
    expect(counts).toHaveLength(220_001)
    expect(latencies).toHaveLength(220_001)
  })

  it('that are folded whole still tell the APIs of a credential apart', () => {
    const recorder = aRecorder({ queueMax: 0 })
    for (let row = 1; row <= 200_000; row++) recorder.record(entryOf(base, row, 1))
    for (const api of [0, 1, 1]) recorder.record(entryOf(base, 0, 2 + api, api))
    const mine = recorder.take(noon).counts.filter(({ credential }) => credential === 'cred_0')
    expect(mine.map(({ api, route, country, count }) => [api, route, country, count])).toEqual([
      ['api0', '*', '*', 1],
      ['api1', '*', '*', 2],
    ])
  })

  it('a route or a country beyond what a key has room for is folded, never mistaken for another', () => {
    let country = 0
    const recorder = aRecorder({ queueMax: 0, countryOf: () => `C${country}` })
    for (country = 0; country < 300; country++) recorder.record(entryOf(base, 0, 5))
    country = 0
    for (const route of [0, 4094, 4095, 4096, 9000]) recorder.record(entryOf(base, 1, route))
    const { counts, latencies } = recorder.take(noon)
    expect(sumOf(counts, ({ credential, country: told }) => credential === 'cred_0' && told === '*')).toBe(45)
    expect(
      counts.filter(({ credential }) => credential === 'cred_1').map(({ route, count }) => [route, count]),
    ).toEqual([
      ['r0', 1],
      ['r4094', 1],
      ['*', 3],
    ])
    expect(latencies.map(({ credential, route }) => `${credential} ${route}`)).toEqual([
      'cred_0 r5',
      'cred_1 r0',
      'cred_1 r4094',
      'cred_1 r4095',
      'cred_1 r4096',
      'cred_1 r9000',
    ])
  })
})

describe('latencies', () => {
  it('are counted in the bucket whose upper edge they do not pass, for allowed requests alone', () => {
    const recorder = aRecorder()
    const world = aWorld()
    for (const latencyMs of [0, 1, 1.01, 2, 30_000, 30_000.1, 60_000]) meter(recorder, world, {}, { latencyMs })
    meter(recorder, world, { method: 'DELETE' })
    expect(recorder.take(noon).latencies).toEqual([
      {
        minute: noon,
        credential: 'cred_000000000001',
        route: 'getOrder',
        buckets: [2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2],
      },
    ])
  })
})

describe('last use', () => {
  it('is the last accepted and the last refused request of each secret, with why', () => {
    const recorder = aRecorder()
    const world = aWorld({ credential: { secrets: [aSecret(theSecret), aSecret('second')] } })
    const headers = (secret: string, agent: string) => lines(['X-Api-Key', secret], ['User-Agent', agent])
    meter(recorder, world, { headers: headers(theSecret, 'curl/1') })
    meter(recorder, world, { headers: headers(theSecret, 'curl/2'), now: noon + 5, peer: '2001:db8::1' })
    meter(recorder, world, { headers: headers(theSecret, 'curl/3'), now: noon + 6, method: 'DELETE' })
    meter(recorder, world, { headers: lines(['X-Api-Key', 'second']), now: noon + 7, method: 'DELETE' })
    meter(recorder, world, unknown)
    expect(recorder.take(noon).lastUses).toEqual([
      {
        secret: aSecret(theSecret).id,
        accepted: { at: noon + 5, ip: '2001:db8::1', userAgent: 'curl/2' },
        refused: { at: noon + 6, ip: '203.0.113.7', userAgent: 'curl/3', code: 'method_not_allowed' },
      },
      {
        secret: aSecret('second').id,
        accepted: null,
        refused: { at: noon + 7, ip: '203.0.113.7', userAgent: null, code: 'method_not_allowed' },
      },
    ])
  })

  it('of a secret whose row another took within the second is told, too', () => {
    const recorder = aRecorder()
    const world = aWorld()
    meter(recorder, world)
    world.table.put(aCredential({ version: 2, secrets: [] }))
    world.table.put(aCredential({ id: credentialIdOf(2), secrets: [aSecret('second')] }))
    meter(recorder, world, { headers: lines(['X-Api-Key', 'second']) })
    expect(recorder.take(noon).lastUses.map(({ secret }) => secret)).toEqual([
      aSecret(theSecret).id,
      aSecret('second').id,
    ])
  })
})

describe('the request log', () => {
  it('keeps a row of each request: path without query, times, who and how', () => {
    const recorder = aRecorder()
    meter(
      recorder,
      aWorld(),
      { target: '/v1/orders/7?api_key=&x=1', headers: lines(['X-Api-Key', theSecret], ['user-agent', 'curl/8']) },
      { requestId: 'req_x', latencyMs: 1.23456 },
    )
    expect(rowsOf(recorder.take(noon))).toEqual([
      {
        id: 'req_x',
        at: noon,
        api: 'shop',
        route: 'getOrder',
        method: 'GET',
        path: '/v1/orders/7',
        status: 200,
        code: null,
        outcome: '2xx',
        account: 'acc_1',
        project: 'prj_1',
        credential: 'cred_000000000001',
        secret: aSecret(theSecret).id,
        ip: '203.0.113.7',
        country: 'AT',
        userAgent: 'curl/8',
        latencyMs: 1.23,
        trace: null,
      },
    ])
  })

  it('keeps the whole trace of a refusal', () => {
    const recorder = aRecorder()
    const world = aWorld({ credential: { scopes: [] } })
    meter(recorder, world)
    const [row] = rowsOf(recorder.take(noon))
    expect(JSON.parse(row?.trace ?? '')).toEqual(world.evaluate({}, true).trace)
  })

  it('cuts what is long', () => {
    const recorder = aRecorder()
    const long = 'x'.repeat(20_000)
    meter(recorder, aWorld(), {
      method: long,
      target: `/${long}`,
      host: long,
      headers: lines(['X-Api-Key', theSecret], ['User-Agent', long], ['Origin', long]),
    })
    const [row] = rowsOf(recorder.take(noon))
    expect([row?.method.length, row?.path.length, row?.userAgent]).toEqual([32, 1024, 'x'.repeat(256)])
    expect(row?.trace?.length).toBeLessThan(3000)
  })

  it('stores at most so many unidentified refusals a second of one address; all are counted', () => {
    const recorder = aRecorder({ refusalsPerSecond: 3 })
    const world = aWorld()
    const stored = (peer: string, monotonic: number, times: number) => {
      for (let i = 0; i < times; i++) meter(recorder, world, { ...unknown, peer, monotonic })
    }
    stored('203.0.113.7', 0, 10)
    stored('203.0.113.8', 999, 2)
    stored('2001:db8::1', 999, 2)
    stored('2001:db8::2', 999, 2)
    stored('203.0.113.7', 999, 10)
    stored('203.0.113.7', 1000, 10)
    stored('203.0.113.7', 999, 10)
    const flush = recorder.take(noon)
    const { counts, dropped } = flush
    const byAddress = new Map<string, number>()
    for (const { ip } of rowsOf(flush)) byAddress.set(ip, (byAddress.get(ip) ?? 0) + 1)
    expect(Object.fromEntries(byAddress)).toEqual({
      '203.0.113.7': 6,
      '203.0.113.8': 2,
      '2001:db8::1': 2,
      '2001:db8::2': 1,
    })
    expect([counts.reduce((sum, { count }) => sum + count, 0), dropped]).toEqual([46, 0])
  })

  it('does not cap refusals of a known credential', () => {
    const recorder = aRecorder({ refusalsPerSecond: 1 })
    const world = aWorld({ credential: { scopes: [] } })
    for (let i = 0; i < 20; i++) meter(recorder, world)
    expect(rowsOf(recorder.take(noon))).toHaveLength(20)
  })

  it('remembers a bounded number of addresses', () => {
    const recorder = aRecorder({ queueMax: 100_000 })
    const world = aWorld()
    const { evaluation } = world.serve(unknown)
    const facts = world.request(unknown)
    for (let ip = 0; ip < 50_000; ip++) {
      recorder.record({
        evaluation: { ...evaluation, clientIp: ip },
        facts,
        requestId: 'req_1',
        status: 401,
        ended: 'answered',
        latencyMs: 0,
        received: 0,
        upstreamMs: null,
        sent: 0,
        llm: null,
      })
    }
    expect(rowsOf(recorder.take(noon))).toHaveLength(10_000)
  })

  it('holds no more rows than its queue, and counts what it drops', () => {
    const recorder = aRecorder({ queueMax: 10 })
    const world = aWorld()
    for (let i = 0; i < 25; i++) meter(recorder, world)
    const flush = recorder.take(noon)
    expect([rowsOf(flush).length, flush.dropped, recorder.droppedTotal]).toEqual([10, 15, 15])
    expect(flush.counts.map(({ count }) => count)).toEqual([25])
    meter(recorder, world)
    expect(recorder.take(noon)).toMatchObject({ dropped: 0 })
  })
})

describe('what the store could not take', () => {
  it('goes with the next flush, each once', () => {
    const recorder = aRecorder()
    const world = aWorld()
    meter(recorder, world)
    recorder.giveBack(recorder.take(noon))
    meter(recorder, world)
    const both = recorder.take(noon + 1000)
    expect([
      both.at,
      rowsOf(both).length,
      both.counts.reduce((sum, { count }) => sum + count, 0),
      both.latencies.length,
    ]).toEqual([noon + 1000, 2, 2, 2])
    expect(recorder.take(noon).counts).toEqual([])
  })

  it('is not lost where two flushes failed', () => {
    const recorder = aRecorder()
    const world = aWorld()
    meter(recorder, world)
    const first = recorder.take(noon)
    meter(recorder, world)
    const second = recorder.take(noon)
    recorder.giveBack(first)
    recorder.giveBack(second)
    expect(rowsOf(recorder.take(noon))).toHaveLength(2)
  })

  it('stays within the queue, and what goes is counted', () => {
    const recorder = aRecorder({ queueMax: 10 })
    const world = aWorld()
    for (let failed = 0; failed < 3; failed++) {
      for (let i = 0; i < 8; i++) meter(recorder, world)
      recorder.giveBack(recorder.take(noon))
    }
    const flush = recorder.take(noon)
    expect([rowsOf(flush).length, flush.dropped, recorder.droppedTotal]).toEqual([10, 14, 14])
    expect(flush.counts.reduce((sum, { count }) => sum + count, 0)).toBe(24)
  })
})

describe('no secret', () => {
  it('is anywhere in what is handed over', () => {
    const recorder = aRecorder({ queueMax: 100, refusalsPerSecond: 100 })
    const key = makeKey({
      brand: 'acme',
      kind: 'secret',
      environment: 'live',
      publicId: '000000000001',
      random: seededRandom(5),
    }).reveal()
    const other = makeKey({
      brand: 'other',
      kind: 'secret',
      environment: 'live',
      publicId: '000000000009',
      random: seededRandom(6),
    }).reveal()
    const world = aWorld({ credential: { secrets: [aSecret(key)] } })
    const sent: Sent[] = []
    for (const secret of [key, other]) {
      const basic = Buffer.from(`000000000001:${secret}`).toString('base64')
      sent.push(
        { headers: lines(['X-Api-Key', secret]) },
        { headers: lines(['Authorization', `Bearer ${secret}`]) },
        { headers: lines(['Authorization', `Basic ${basic}`]) },
        { headers: lines(['X-App-Id', '000000000001'], ['X-App-Token', secret]) },
        { headers: [], target: `/v1/orders/7?api_key=${secret}` },
        { headers: lines(['X-Api-Key', secret]), target: `/v1/orders/7?token=${secret}#${secret}` },
        { headers: lines(['X-Api-Key', secret], ['X-Api-Key', secret]) },
        { headers: lines(['X-Api-Key', `${secret}x`]) },
        { headers: lines(['X-Api-Key', secret], ['User-Agent', secret], ['Origin', secret]) },
        { headers: lines(['X-Api-Key', secret]), target: `/v1/${secret}` },
        { headers: lines(['X-Api-Key', secret]), host: secret },
        { headers: lines(['X-Api-Key', secret]), encrypted: false },
      )
    }
    for (const one of sent) meter(recorder, world, one)
    const flush = recorder.take(noon)
    expect(rowsOf(flush)).toHaveLength(sent.length)
    const text = JSON.stringify(flush)
    for (const secret of [key, other]) {
      for (const form of [
        secret,
        secret.slice(30),
        Buffer.from(secret).toString('base64').slice(4, 40),
        Buffer.from(secret).toString('hex'),
      ]) {
        expect(text).not.toContain(form)
      }
    }
  })
})
