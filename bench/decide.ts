import { hash } from 'node:crypto'

import { parseIp, type Ip } from '../packages/server/src/base/ip.ts'
import { seededRandom } from '../packages/server/src/base/random.ts'
import { makeToken } from '../packages/server/src/core/credentials/format.ts'
import { Decider } from '../packages/server/src/core/decision/decider.ts'
import type { Evaluation } from '../packages/server/src/core/decision/evaluation.ts'
import type { RequestFacts } from '../packages/server/src/core/decision/facts.ts'
import { match, type Match } from '../packages/server/src/core/decision/match.ts'
import { Trail } from '../packages/server/src/core/decision/trail.ts'
import { FailureBudget } from '../packages/server/src/core/limits/failure-budget.ts'
import { Limiter } from '../packages/server/src/core/limits/limiter.ts'
import type { LimitRule } from '../packages/server/src/core/limits/rules.ts'
import type { RecordTable } from '../packages/server/src/core/records/table.ts'
import { aToken, tokenParts } from '../packages/server/src/core/testing/tokens.ts'
import type { TokenCache } from '../packages/server/src/core/tokens/token-cache.ts'
import { bar, type Bench, type Report } from './lib/bench.ts'
import { holdCredentials } from './lib/credentials.ts'
import { brand, declarationWith, host } from './lib/declaration.ts'
import { median, quantile, shuffled } from './lib/stats.ts'

const credentialCount = 100_000
const batchSize = 1_000
const ratioMax = 5
const tokenRatioMax = 1.1
const referenceUs = 3

export const decide: Bench = {
  name: 'decide',
  about: 'one decision against one hash and one look-up in a Map, 100,000 credentials',
  run: async ({ quick, progress }) => {
    progress(`making ${credentialCount} credentials with ten ranges each`)
    const world = makeWorld([])
    progress('measuring')
    const declared = measure(world, quick ? 300 : 1_500, quick ? 100 : 300)
    return report(declared, quick ? null : measure(makeWorld(twoLimits), 500, 200))
  },
}

interface World {
  readonly decider: Decider
  readonly keys: readonly string[]
  /** One of each credential. */
  readonly tokens: readonly string[]
  readonly matched: Match
  readonly place: NonNullable<Match['api']>['places'][number]
  readonly byHex: ReadonlyMap<string, number>
  readonly byLatin1: ReadonlyMap<string, number>
}

/** Two limits and a quota for each credential: the limits declared in the plan, or the credentials' own. */
function makeWorld(own: readonly LimitRule[]): World {
  const { declaration, api } = declarationWith({
    limits: own.length === 0 ? twoLimits : [],
    quotas: [{ name: 'month', per: 'credential', requests: 1_000_000_000, period: 'month' }],
  })
  const { table, keys } = holdCredentials(credentialCount, 1_000, (row) => ({ ipAllow: tenRanges(row), limits: own }))
  const parts = tokenParts(table)
  const decider = new Decider({
    declaration: () => declaration,
    table,
    limiter: new Limiter(table),
    failures: new FailureBudget(),
    freshness: { isFresh: () => true, catchUp: () => null },
    tokens: parts,
  })
  const [place] = api.places
  if (place === undefined) throw new Error('the API has a place')
  return {
    decider,
    keys,
    tokens: own.length === 0 ? holdTokens(table, parts.cache) : [],
    matched: match(factsOf(''), declaration, new Trail(false)),
    place,
    byHex: new Map(keys.map((key, row) => [hash('sha256', key, 'hex'), row])),
    byLatin1: new Map(keys.map((key, row) => [hash('sha256', key, 'binary'), row])),
  }
}

/** A token of each credential for one of its scopes, in the order of the rows. */
function holdTokens(table: RecordTable, cache: TokenCache): readonly string[] {
  const random = seededRandom(20_260_102)
  return Array.from({ length: credentialCount }, (_, row) => {
    const made = makeToken({ brand, token: 'access', random }).reveal()
    const text = Buffer.from(made, 'latin1').toString('latin1')
    cache.put(
      aToken(text, { id: `tok_${row}`, credential: table.credentialId(row), scopes: ['orders.read'], label: 'bench' }),
    )
    return text
  })
}

const twoLimits: readonly LimitRule[] = [
  { name: 'second', per: 'credential', requests: 1_000_000, windowMs: 1_000, burst: 1_000_000 },
  { name: 'minute', per: 'credential', requests: 60_000_000, windowMs: 60_000, burst: 60_000_000 },
]

/** Nine ranges that the client is not in, unlike those of any other credential, and one that it is. */
function tenRanges(row: number): readonly string[] {
  return Array.from({ length: 10 }, (_, i) =>
    i === row % 10 ? '127.0.0.0/8' : `10.${(i * 20 + row) % 256}.${(row >>> 8) % 256}.${(row >>> 16) * 16}/28`,
  )
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
  /** One entry a batch. */
  readonly decided: Cost[]
  readonly token: Cost[]
  readonly whole: Cost[]
  readonly wholeToken: Cost[]
  readonly hex: Cost[]
  readonly latin1: Cost[]
}

/** Batches of all kinds take turns, so that what else runs on the machine meets all of them alike. */
function measure(world: World, rounds: number, warmUp: number): Sample {
  const sample: Sample = { decided: [], token: [], whole: [], wholeToken: [], hex: [], latin1: [] }
  const order = shuffled(credentialCount, 7)
  for (let round = 0; round < rounds + warmUp; round++) {
    const pick = (texts: readonly string[]) =>
      Array.from({ length: batchSize }, (_, i) => texts[order[(round * batchSize + i) % order.length] ?? 0] ?? '')
    const keys = pick(world.keys)
    const facts = keys.map(factsOf)
    const tokens = pick(world.tokens)
    const tokenFacts = tokens.map(factsOf)
    const some = world.tokens.length > 0
    const times = {
      decided: perOperation(() => decideAll(world, keys, facts)),
      token: some ? perOperation(() => decideAll(world, tokens, tokenFacts)) : null,
      whole: perOperation(() => evaluateAll(world, facts)),
      wholeToken: some ? perOperation(() => evaluateAll(world, tokenFacts)) : null,
      hex: perOperation(() => lookUpAll(keys, world.byHex, 'hex')),
      latin1: perOperation(() => lookUpAll(keys, world.byLatin1, 'binary')),
    }
    if (round < warmUp) continue
    sample.decided.push(times.decided)
    sample.whole.push(times.whole)
    if (times.token !== null) sample.token.push(times.token)
    if (times.wholeToken !== null) sample.wholeToken.push(times.wholeToken)
    sample.hex.push(times.hex)
    sample.latin1.push(times.latin1)
  }
  return sample
}

interface Cost {
  readonly wallUs: number
  readonly cpuUs: number
}

function perOperation(work: () => number): Cost {
  const cpu = process.threadCpuUsage()
  const started = process.hrtime.bigint()
  const done = work()
  const ns = Number(process.hrtime.bigint() - started)
  const { user, system } = process.threadCpuUsage(cpu)
  if (done !== batchSize) throw new Error(`${batchSize - done} of ${batchSize} operations did not do what is measured`)
  return { wallUs: ns / 1_000 / batchSize, cpuUs: (user + system) / batchSize }
}

/** From the raw string and the parsed facts to the decision, charge included. */
function decideAll(
  { decider, matched, place }: World,
  keys: readonly string[],
  facts: readonly RequestFacts[],
): number {
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

function report(sample: Sample, own: Sample | null): Report {
  const { decided, token, whole, wholeToken, hex, latin1 } = sample
  const yardstick = medianOf(hex) < medianOf(latin1) ? hex : latin1
  const ratio = medianOf(decided) / medianOf(yardstick)
  const toKey = median(wholeToken.map(({ cpuUs }, i) => cpuUs / (whole[i]?.cpuUs ?? cpuUs)))
  const row = (name: string, costs: readonly Cost[]): readonly string[] => [
    name,
    us(medianOf(costs)),
    us(quantile(wall(costs), 0.1)),
    us(quantile(wall(costs), 0.9)),
    `${(medianOf(costs) / medianOf(yardstick)).toFixed(2)} ×`,
    us(mean(costs)),
    `${(mean(costs) / mean(yardstick)).toFixed(2)} ×`,
  ]
  return {
    tables: [
      {
        title: `${credentialCount} credentials, random access, ${decided.length} batches of ${batchSize}, trace off`,
        rows: [
          ['', 'median', 'p10', 'p90', 'to the yardstick', 'CPU, mean', 'to the yardstick'],
          row('credential string → decision, charged', decided),
          row('token string → decision, charged', token),
          row('the first with match and extract from the header lines', whole),
          row('the second so', wholeToken),
          ...(own === null ? [] : [row('the first with two limits of each credential’s own', own.decided)]),
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
      bar(
        `a decision on a token costs at most ${tokenRatioMax} × one on a key, from the header lines on`,
        `${toKey.toFixed(2)} × in CPU, median of ${whole.length} pairs`,
        toKey <= tokenRatioMax,
      ),
    ],
    notes: [
      `${referenceUs} µs a decision is the reference on an idle core; here the median was ${us(medianOf(decided))}.`,
      'Each credential has ten ranges of its own; two limits and a quota of its plan are counted for it alone.',
      'Medians are of elapsed time, which other programs on the same cores lengthen; the CPU of the thread is beside them.',
    ],
  }
}

const wall = (costs: readonly Cost[]): readonly number[] => costs.map(({ wallUs }) => wallUs)

const medianOf = (costs: readonly Cost[]): number => median(wall(costs))

function mean(costs: readonly Cost[]): number {
  return costs.reduce((sum, { cpuUs }) => sum + cpuUs, 0) / costs.length
}

function us(value: number): string {
  return `${value.toFixed(2)} µs`
}
