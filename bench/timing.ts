import { randomBase62 } from '../packages/server/src/base/base62.ts'
import { parseIp } from '../packages/server/src/base/ip.ts'
import { seededRandom } from '../packages/server/src/base/random.ts'
import { Decider } from '../packages/server/src/core/decision/decider.ts'
import type { RequestFacts } from '../packages/server/src/core/decision/facts.ts'
import { FailureBudget } from '../packages/server/src/core/limits/failure-budget.ts'
import { Limiter } from '../packages/server/src/core/limits/limiter.ts'
import { tokenParts } from '../packages/server/src/core/testing/tokens.ts'
import { bar, type Bar, type Bench, type Report } from './lib/bench.ts'
import { aKey, holdCredentials } from './lib/credentials.ts'
import { declarationWith, host } from './lib/declaration.ts'
import { median, shuffled } from './lib/stats.ts'

const credentialCount = 20_000
const differenceMax = 0.02

/** The four of security statement 32, and the garbage of statement 24. */
const populations = ['unknown id', 'wrong secret', 'revoked', 'right secret', 'garbage'] as const
type Population = (typeof populations)[number]

export const timing: Bench = {
  name: 'timing',
  about: 'whether time tells unknown, wrong, revoked and right apart; what garbage costs',
  run: async ({ quick, progress }) => {
    progress(`making ${credentialCount} credentials`)
    const world = makeWorld()
    const each = quick ? 5_000 : 20_000
    const runs = quick ? 5 : 9
    timeAll(world, Math.min(each, 5_000), 1)
    const results: Timings[] = []
    for (let run = 0; run < runs; run++) {
      progress(`run ${run + 1} of ${runs}`)
      results.push(timeAll(world, each, run + 2))
    }
    return report(results, each, world.askedStore)
  },
}

function perPopulation<Value>(valueOf: (population: Population) => Value): Record<Population, Value> {
  const entries = populations.map((population) => [population, valueOf(population)] as const)
  // Every population is a key, by construction from the same list.
  return Object.fromEntries(entries) as Record<Population, Value>
}

interface World {
  readonly decide: (facts: RequestFacts) => boolean
  readonly keyOf: (population: Population, i: number) => string
  /** How often memory would have asked the store, by population; counted outside the timed runs. */
  readonly askedStore: Readonly<Record<Population, number>>
}

/** Every second credential is revoked. */
function makeWorld(): World {
  const { declaration } = declarationWith({
    limits: [{ name: 'second', per: 'credential', requests: 1_000_000, windowMs: 1_000, burst: 1_000_000 }],
    quotas: [],
  })
  const revokedAt = Date.now() - 1_000
  const { table, keys } = holdCredentials(credentialCount * 2, 1_000, (row) =>
    row % 2 === 0 ? {} : { state: 'revoked', stateAt: revokedAt },
  )
  let asked = 0
  const decider = new Decider({
    declaration: () => ({ ...declaration, failures: { attempts: 1_000_000_000, windowMs: 1_000 } }),
    table,
    limiter: new Limiter(table),
    failures: new FailureBudget(),
    freshness: {
      isFresh: () => true,
      catchUp: () => {
        asked++
        return null
      },
    },
    tokens: tokenParts(table),
  })
  const decide = (facts: RequestFacts): boolean => {
    const evaluation = decider.evaluate(facts, false)
    if (evaluation instanceof Promise) throw new Error('nothing has to be waited for')
    decider.charge(evaluation, facts)
    return evaluation.allowed
  }
  const random = seededRandom(32)
  const made = Array.from({ length: credentialCount }, (_, i): Record<Population, string> => {
    const right = keys[2 * i] ?? ''
    return {
      'unknown id': aKey(randomBase62(12, random), random),
      'wrong secret': aKey(publicIdOf(right), random),
      revoked: keys[2 * i + 1] ?? '',
      'right secret': right,
      garbage: garbled(right),
    }
  })
  const keyOf = (population: Population, i: number): string => made[i % made.length]?.[population] ?? ''
  const askedStore = perPopulation((population) => {
    asked = 0
    for (let i = 0; i < 1_000; i++) decide(factsOf(keyOf(population, i)))
    return asked
  })
  return { decide, keyOf, askedStore }
}

const publicIdOf = (key: string): string => key.slice(-50, -38)

/** A right key with one character of its secret changed: the checksum no longer fits. */
function garbled(key: string): string {
  const at = key.length - 20
  return Buffer.from(key.slice(0, at) + (key[at] === 'x' ? 'y' : 'x') + key.slice(at + 1)).toString('latin1')
}

const peer = parseIp('127.0.0.1') ?? 0

function factsOf(key: string): RequestFacts {
  return {
    method: 'GET',
    target: '/v1/orders/o_123456789',
    host,
    localPort: 8080,
    headers: ['Host', host, 'User-Agent', 'bench/1', 'Accept', '*/*', 'Authorization', `Bearer ${key}`],
    peer,
    encrypted: false,
    now: Date.now(),
    monotonic: performance.now(),
  }
}

interface Timings {
  /** Median nanoseconds of the whole population, and of its two halves: every second request each. */
  readonly whole: Readonly<Record<Population, number>>
  readonly halves: Readonly<Record<Population, readonly [number, number]>>
}

/** All populations in one random order, each request timed by itself. */
function timeAll({ decide, keyOf }: World, each: number, seed: number): Timings {
  const times = perPopulation(() => new Float64Array(each))
  const seen = perPopulation(() => 0)
  for (const pick of shuffled(each * populations.length, seed)) {
    const population = populations[pick % populations.length] ?? 'garbage'
    const facts = factsOf(keyOf(population, Math.floor(pick / populations.length)))
    const started = process.hrtime.bigint()
    const allowed = decide(facts)
    const ns = Number(process.hrtime.bigint() - started)
    if (allowed !== (population === 'right secret')) throw new Error(`${population}: allowed ${allowed}`)
    times[population][seen[population]++] = ns
  }
  const half = (population: Population, which: number) => times[population].filter((_, i) => i % 2 === which)
  return {
    whole: perPopulation((name) => median(times[name])),
    halves: perPopulation((name) => [median(half(name, 0)), median(half(name, 1))]),
  }
}

function report(runs: readonly Timings[], each: number, asked: World['askedStore']): Report {
  const of = (population: Population) => median(runs.map(({ whole }) => whole[population]))
  const spread = Math.max(
    ...runs.flatMap(({ halves }) =>
      (['unknown id', 'wrong secret'] as const).map((name) => difference(halves[name][0], halves[name][1])),
    ),
  )
  const unproven = median(runs.map(({ whole }) => difference(whole['unknown id'], whole['wrong secret'])))
  const garbageRatio = of('garbage') / of('right secret')
  const row = (population: Population): readonly string[] => [
    population,
    `${(of(population) / 1000).toFixed(2)} µs`,
    percent(of(population) / of('unknown id') - 1),
    String(asked[population]),
  ]
  return {
    tables: [
      {
        title: `in process, ${runs.length} runs, ${each} requests of each kind interleaved: match to charge`,
        rows: [['', 'median', 'to unknown id', 'asks of 1,000'], ...populations.map(row)],
      },
    ],
    bars: [
      bar(
        'unknown id and wrong secret differ by less than 2 % and by no more than A/A runs do',
        `${percent(Math.abs(unproven))}, A/A spread ${percent(spread)}`,
        Math.abs(unproven) < differenceMax && Math.abs(unproven) <= spread,
      ),
      bar(
        'a garbage key costs no more than a valid one',
        `${garbageRatio.toFixed(2)} × the time in process`,
        garbageRatio <= 1,
      ),
      storeReads(asked),
    ],
    notes: [
      'Revoked and right differ from the others, and may: whoever hears them has shown the full secret. What one can learn without it is the first bar alone.',
      'Asks: how often memory turned to the change feed before it called a key unknown. While all credentials fit and the feed is current, the feed answers at once and reads nothing.',
    ],
  }
}

function storeReads(asked: World['askedStore']): Bar {
  return bar('a garbage key is refused without asking the store', `${asked.garbage} asks of 1,000`, asked.garbage === 0)
}

/** Of the second to the first. */
const difference = (first: number, second: number): number => Math.abs(second / first - 1)

const percent = (share: number): string => `${(share * 100).toFixed(2)} %`
