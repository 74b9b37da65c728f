import { hash } from 'node:crypto'

import { parseIp, type Ip } from '../packages/server/src/base/ip.ts'
import { Decider } from '../packages/server/src/core/decision/decider.ts'
import type { Evaluation } from '../packages/server/src/core/decision/evaluation.ts'
import type { RequestFacts } from '../packages/server/src/core/decision/facts.ts'
import { match, type Match } from '../packages/server/src/core/decision/match.ts'
import { Trail } from '../packages/server/src/core/decision/trail.ts'
import { FailureBudget } from '../packages/server/src/core/limits/failure-budget.ts'
import { Limiter } from '../packages/server/src/core/limits/limiter.ts'
import type { LimitRule } from '../packages/server/src/core/limits/rules.ts'

import { bar, type Bench, type Report } from './lib/bench.ts'
import { holdCredentials } from './lib/credentials.ts'
import { declarationWith, host } from './lib/declaration.ts'
import { median, quantile, shuffled } from './lib/stats.ts'

const credentialCount = 100_000
const batchSize = 1_000
const ratioMax = 5
const referenceUs = 3

export const decide: Bench = {
  name: 'decide',
  about: 'one decision against one hash and one look-up in a Map, 100,000 credentials',
  run: async ({ quick, progress }) => {
    progress(`making ${credentialCount} credentials with ten ranges and two limits each`)
    const world = makeWorld()
    progress('measuring')
    return report(measure(world, quick ? 300 : 1_500, quick ? 100 : 300))
  },
}

interface World {
  readonly decider: Decider
  readonly keys: readonly string[]
  readonly matched: Match
  readonly place: NonNullable<Match['api']>['places'][number]
  readonly byHex: ReadonlyMap<string, number>
  readonly byLatin1: ReadonlyMap<string, number>
}

function makeWorld(): World {
  const { declaration, api } = declarationWith({
    limits: [],
    quotas: [{ name: 'month', per: 'credential', requests: 1_000_000_000, period: 'month' }],
  })
  const { table, keys } = holdCredentials(credentialCount, 1_000, (row) => ({ ipAllow: tenRanges(row), limits: ownLimits }))
  const decider = new Decider({
    declaration: () => declaration,
    table,
    limiter: new Limiter(table),
    failures: new FailureBudget(),
    freshness: { isFresh: () => true, catchUp: () => null },
  })
  const [place] = api.places
  if (place === undefined) throw new Error('the API has a place')
  return {
    decider,
    keys,
    matched: match(factsOf(''), declaration, new Trail(false)),
    place,
    byHex: new Map(keys.map((key, row) => [hash('sha256', key, 'hex'), row])),
    byLatin1: new Map(keys.map((key, row) => [hash('sha256', key, 'binary'), row])),
  }
}

const ownLimits: readonly LimitRule[] = [
  { name: 'second', per: 'credential', requests: 1_000_000, windowMs: 1_000, burst: 1_000_000 },
  { name: 'minute', per: 'credential', requests: 60_000_000, windowMs: 60_000, burst: 60_000_000 },
]

/** Nine ranges that the client is not in and one that it is, at a place that differs from credential to credential. */
function tenRanges(row: number): readonly string[] {
  return Array.from({ length: 10 }, (_, i) => (i === row % 10 ? '127.0.0.0/8' : `10.${i * 20}.${row % 250}.0/24`))
}

const client: Ip = parseIp('127.0.0.1') ?? 0

function factsOf(key: string): RequestFacts {
  return {
    method: 'GET',
    target: '/v1/orders/o_123456789',
    host,
    localPort: 8080,
    headers: ['Host', host, 'User-Agent', 'bench/1', 'Accept', '*/*', 'Authorization', `Bearer ${key}`],
    peer: client,
    encrypted: false,
    now: Date.now(),
    monotonic: performance.now(),
  }
}

interface Sample {
  /** Microseconds an operation, one entry a batch. */
  readonly decided: number[]
  readonly whole: number[]
  readonly hex: number[]
  readonly latin1: number[]
}

/** Batches of the four kinds take turns, so that what else runs on the machine meets all of them alike. */
function measure(world: World, rounds: number, warmUp: number): Sample {
  const sample: Sample = { decided: [], whole: [], hex: [], latin1: [] }
  const order = shuffled(credentialCount, 7)
  for (let round = 0; round < rounds + warmUp; round++) {
    const keys = Array.from({ length: batchSize }, (_, i) => world.keys[order[(round * batchSize + i) % order.length] ?? 0] ?? '')
    const facts = keys.map(factsOf)
    const times = {
      decided: perOperation(() => decideAll(world, keys, facts)),
      whole: perOperation(() => evaluateAll(world, facts)),
      hex: perOperation(() => lookUpAll(keys, world.byHex, 'hex')),
      latin1: perOperation(() => lookUpAll(keys, world.byLatin1, 'binary')),
    }
    if (round < warmUp) continue
    sample.decided.push(times.decided)
    sample.whole.push(times.whole)
    sample.hex.push(times.hex)
    sample.latin1.push(times.latin1)
  }
  return sample
}

function perOperation(work: () => number): number {
  const started = process.hrtime.bigint()
  const done = work()
  const ns = Number(process.hrtime.bigint() - started)
  if (done !== batchSize) throw new Error(`${batchSize - done} of ${batchSize} operations did not do what is measured`)
  return ns / 1_000 / batchSize
}

/** From the raw string and the parsed facts to the decision, charge included. */
function decideAll({ decider, matched, place }: World, keys: readonly string[], facts: readonly RequestFacts[]): number {
  let allowed = 0
  for (let i = 0; i < batchSize; i++) {
    const known = facts[i]
    if (known === undefined) continue
    const evaluation = decider.evaluateMatched(known, matched, { place, publicId: null, secret: keys[i] ?? '' }, false)
    allowed += chargeAllowed(decider, evaluation, known)
  }
  return allowed
}

/** The same from the request's lines: match and extract as well. */
function evaluateAll({ decider }: World, facts: readonly RequestFacts[]): number {
  let allowed = 0
  for (const known of facts) allowed += chargeAllowed(decider, decider.evaluate(known, false), known)
  return allowed
}

function chargeAllowed(decider: Decider, evaluation: Evaluation | Promise<Evaluation>, facts: RequestFacts): number {
  if (evaluation instanceof Promise || !evaluation.allowed) return 0
  return decider.charge(evaluation, facts) === null ? 0 : 1
}

function lookUpAll(keys: readonly string[], rows: ReadonlyMap<string, number>, encoding: 'hex' | 'binary'): number {
  let found = 0
  for (const key of keys) if (rows.get(hash('sha256', key, encoding)) !== undefined) found++
  return found
}

function report({ decided, whole, hex, latin1 }: Sample): Report {
  const yardstick = median(hex) < median(latin1) ? hex : latin1
  const ratio = median(decided) / median(yardstick)
  const row = (name: string, values: readonly number[]): readonly string[] => [
    name,
    us(median(values)),
    us(quantile(values, 0.1)),
    us(quantile(values, 0.9)),
    `${(median(values) / median(yardstick)).toFixed(2)} ×`,
  ]
  return {
    tables: [
      {
        title: `${credentialCount} credentials, random access, ${decided.length} batches of ${batchSize}, trace off`,
        rows: [
          ['', 'median', 'p10', 'p90', 'to the yardstick'],
          row('credential string → decision, charged', decided),
          row('the same with match and extract from the header lines', whole),
          row('crypto.hash (hex) + Map', hex),
          row('crypto.hash (latin1) + Map', latin1),
        ],
      },
    ],
    bars: [
      bar(
        `a decision costs at most ${ratioMax} × one hash and one look-up`,
        `${ratio.toFixed(2)} × the cheaper of the two`,
        ratio <= ratioMax,
      ),
    ],
    notes: [
      `${referenceUs} µs a decision is the reference on an idle core; here the median was ${us(median(decided))}.`,
      'Each credential has ten ranges and two limits of its own; the quota is its plan’s, counted for each credential.',
    ],
  }
}

function us(value: number): string {
  return `${value.toFixed(2)} µs`
}
