import { formatIp, ipBucket, type Ip } from '../../base/ip.ts'
import type { Evaluation } from '../decision/evaluation.ts'
import type { Principal } from '../records/principal.ts'
import type { MeterEntry } from './meter-entry.ts'
import { ModelUsage, modelOf } from './model-usage.ts'
import { type Outcome, outcomeNumber, outcomeOf } from './outcomes.ts'
import { type RequestBlock, packRequests, RequestPacker, unpackRequests } from './request-blocks.ts'
import { shownPath, shownUserAgent } from './shown.ts'
import { latencyBucketsMs, type LastUseRow, type UsageCount, type UsageFlush } from './usage.ts'

export interface RecorderOptions {
  readonly node: string
  /** ISO 3166-1 alpha-2 of an address, `ZZ` where unknown. */
  readonly countryOf: (ip: Ip) => string
  /** Request rows held at most until the next flush. */
  readonly queueMax: () => number
  /** Refusals without an identified credential that are stored a second for each IPv4 address or /64. */
  readonly refusalsPerSecond: () => number
}

/** Combinations a minute above which countries, at twice as many routes, fold into `*`. */
const combinationsMax = 100_000
const noRoute = 0
const routesMax = 4096
/** Outcomes that a key has room for: more than there are. */
export const outcomesMax = 128
/** Subjects below are APIs, for requests without a known credential. */
const firstRow = 8192
const everyCountry = 0
const countriesMax = 256
const minuteMs = 60_000

interface Count {
  readonly minute: number
  readonly api: string
  readonly principal: Principal | null
  readonly route: string
  readonly outcome: string
  readonly country: string
  count: number
}

type Mutable<Row> = { -readonly [Key in keyof Row]: Row[Key] }

/** Written over with each request, so that no object is left behind by the one before. */
interface LastUse {
  readonly secret: string
  accepted: Mutable<NonNullable<LastUseRow['accepted']>> | null
  refused: Mutable<NonNullable<LastUseRow['refused']>> | null
}

interface Latency {
  readonly minute: number
  readonly credential: string
  readonly route: string
  readonly buckets: number[]
}

/**
 * Counts, latencies, last use and request rows in memory, handed over once a second. Keys are numbers made of the
 * rows and indexes at hand, so that counting a request makes no text.
 */
export class UsageRecorder {
  readonly #options: RecorderOptions
  #counts = new Map<number, Count>()
  /** What was counted in this minute, also before the last flush. */
  readonly #combinations = new Set<number>()
  #closed: Count[] = []
  #closedLatencies: Latency[] = []
  #latencies = new Map<number, Latency>()
  #lastUses = new Map<number, LastUse>()
  #closedLastUses: LastUseRow[] = []
  readonly #requests = new RequestPacker()
  readonly #models = new ModelUsage()
  #returned: UsageFlush[] = []
  #dropped = 0
  #minute = 0
  #second = 0
  readonly #refusals = new Map<Ip, number>()
  readonly #countries = new Map<string, number>([['*', everyCountry]])
  #droppedTotal = 0
  #folded = 0

  constructor(options: RecorderOptions) {
    this.#options = options
  }

  get droppedTotal(): number {
    return this.#droppedTotal
  }

  get foldedTotal(): number {
    return this.#folded
  }

  record(entry: MeterEntry): void {
    const { evaluation, facts } = entry
    const outcome = outcomeOf(entry)
    const country = this.#options.countryOf(evaluation.clientIp)
    // What ran for long is counted when it ended: the minute in which it came is summed up by then.
    const at = entry.latencyMs > minuteMs ? facts.now + entry.latencyMs : facts.now
    const minute = Math.floor(at / minuteMs) * minuteMs
    if (minute !== this.#minute) this.#nextMinute(minute)
    this.#count(evaluation, outcome, country)
    const { principal } = evaluation
    if (principal === null) {
      if (this.#mayStoreRefusal(evaluation.clientIp, facts.monotonic))
        this.#log(entry, outcome, country, shownUserAgent(evaluation, facts))
      return
    }
    const userAgent = shownUserAgent(evaluation, facts)
    if (entry.llm !== null) this.#models.add(evaluation, entry.llm, minute)
    if (evaluation.allowed) this.#latency(evaluation, principal, entry.latencyMs)
    this.#lastUse(evaluation, principal, facts.now, userAgent)
    this.#log(entry, outcome, country, userAgent)
  }

  /** What was gathered since the last call, and before it what the store could not take. */
  take(now: number): UsageFlush {
    const held: UsageFlush = {
      node: this.#options.node,
      at: now,
      counts: [...this.#closed, ...this.#counts.values()].map(countRow),
      latencies: [...this.#closedLatencies, ...this.#latencies.values()],
      lastUses: [...this.#closedLastUses, ...this.#lastUses.values()],
      requests: this.#requests.take(),
      dropped: this.#dropped,
      models: this.#models.take(),
    }
    const returned = this.#returned
    this.#returned = []
    this.#closed = []
    this.#closedLatencies = []
    this.#counts = new Map()
    this.#latencies = new Map()
    this.#lastUses = new Map()
    this.#closedLastUses = []
    this.#dropped = 0
    return returned.length === 0 ? held : this.#merge([...returned, held])
  }

  /** A flush that the store could not take: it goes with the next one. Beyond the bounds, what goes is counted. */
  giveBack(flush: UsageFlush): void {
    this.#returned.push(flush)
  }

  #merge(flushes: readonly UsageFlush[]): UsageFlush {
    const last = flushes.at(-1)
    if (last === undefined) throw new Error('nothing to merge')
    const requests = flushes.flatMap((flush) => flush.requests)
    const lost = Math.max(0, countOf(requests) - this.#options.queueMax())
    this.#droppedTotal += lost
    return {
      ...last,
      counts: flushes.flatMap((flush) => flush.counts).slice(-2 * combinationsMax),
      latencies: flushes.flatMap((flush) => flush.latencies).slice(-combinationsMax),
      lastUses: flushes.flatMap((flush) => flush.lastUses).slice(-combinationsMax),
      requests: withoutFirst(lost, requests),
      models: flushes.flatMap(({ models = [] }) => models).slice(-combinationsMax),
      dropped: flushes.reduce((sum, flush) => sum + flush.dropped, lost),
    }
  }

  #nextMinute(minute: number): void {
    this.#closed = [...this.#closed, ...this.#counts.values()]
    this.#counts = new Map()
    this.#combinations.clear()
    this.#closedLatencies = [...this.#closedLatencies, ...this.#latencies.values()]
    this.#latencies = new Map()
    this.#minute = minute
  }

  #count({ principal, api, route }: Evaluation, outcome: Outcome, country: string): void {
    const subject = principal === null ? (api?.index ?? -1) + 1 : principal.row + firstRow
    const routeIndex = principal === null || route === null || route.index + 1 >= routesMax ? noRoute : route.index + 1
    const countryIndex = this.#countryIndex(country)
    const shown = {
      route: routeIndex === noRoute || route === null ? '*' : route.id,
      country: countryIndex === everyCountry ? '*' : country,
    }
    let key = keyOf(subject, routeIndex, outcome, countryIndex)
    let count = this.#counts.get(key)
    if (count === undefined && !this.#admits(key, combinationsMax)) {
      this.#folded++
      shown.country = '*'
      key = keyOf(subject, routeIndex, outcome, everyCountry)
      count = this.#counts.get(key)
      if (count === undefined && !this.#admits(key, 2 * combinationsMax)) {
        shown.route = '*'
        // The place of the country tells the APIs of one credential apart.
        key = keyOf(subject, noRoute, outcome, principal === null ? everyCountry : (api?.index ?? 0) % countriesMax)
        count = this.#counts.get(key)
      }
    }
    if (count === undefined) {
      this.#counts.set(key, { minute: this.#minute, api: api?.id ?? '', principal, outcome, count: 1, ...shown })
    } else count.count++
  }

  /** Whether the combination was counted in this minute already, or is one of the first so many. */
  #admits(key: number, max: number): boolean {
    if (this.#combinations.has(key)) return true
    if (this.#combinations.size >= max) return false
    this.#combinations.add(key)
    return true
  }

  #countryIndex(country: string): number {
    const known = this.#countries.get(country)
    if (known !== undefined) return known
    return this.#countries.size < countriesMax ? numberOf(this.#countries, country) : everyCountry
  }

  #latency(evaluation: Evaluation, principal: Principal, latencyMs: number): void {
    const key = principal.row * 65_536 + (evaluation.route?.index ?? 0)
    let latency = this.#latencies.get(key)
    if (latency === undefined) {
      latency = {
        minute: this.#minute,
        credential: principal.credential,
        route: evaluation.route?.id ?? '*',
        buckets: Array.from({ length: latencyBucketsMs.length + 1 }, () => 0),
      }
      this.#latencies.set(key, latency)
    }
    const bucket = latencyBucket(latencyMs)
    latency.buckets[bucket] = (latency.buckets[bucket] ?? 0) + 1
  }

  #lastUse(evaluation: Evaluation, principal: Principal, at: number, userAgent: string | null): void {
    let use = this.#lastUses.get(principal.secretRow)
    if (use === undefined || use.secret !== principal.secret) {
      // The row is another secret's by now.
      if (use !== undefined) this.#closedLastUses.push(use)
      use = { secret: principal.secret, accepted: null, refused: null }
      this.#lastUses.set(principal.secretRow, use)
    }
    const { refusal } = evaluation
    const ip = formatIp(evaluation.clientIp)
    if (refusal !== null) use.refused = { at, ip, userAgent, code: refusal.code }
    else if (use.accepted === null) use.accepted = { at, ip, userAgent }
    else {
      use.accepted.at = at
      if (use.accepted.ip !== ip) use.accepted.ip = ip
      if (use.accepted.userAgent !== userAgent) use.accepted.userAgent = userAgent
    }
  }

  #log(entry: MeterEntry, outcome: string, country: string, userAgent: string | null): void {
    const { evaluation, facts } = entry
    const { principal } = evaluation
    if (this.#requests.size >= this.#options.queueMax()) {
      this.#dropped++
      this.#droppedTotal++
      return
    }
    const row = {
      id: entry.requestId,
      at: facts.now,
      api: evaluation.api?.id ?? null,
      route: evaluation.route?.id ?? null,
      method: facts.method.slice(0, 32),
      path: shownPath(evaluation, facts),
      status: entry.status,
      code: evaluation.refusal?.code ?? null,
      outcome,
      account: principal?.account ?? null,
      project: principal?.project ?? null,
      credential: principal?.credential ?? null,
      secret: principal?.secret ?? null,
      ip: formatIp(evaluation.clientIp),
      country,
      userAgent,
      latencyMs: entry.latencyMs,
      trace: evaluation.refusal === null || evaluation.trace === null ? null : JSON.stringify(evaluation.trace),
    }
    this.#requests.add(entry.llm === null ? row : { ...row, llm: modelOf(entry.llm) })
  }

  /** Requests end in another order than they came, so that a second that has passed never begins again. */
  #mayStoreRefusal(ip: Ip, monotonic: number): boolean {
    const second = Math.floor(monotonic / 1000)
    if (second > this.#second) {
      this.#second = second
      this.#refusals.clear()
    }
    const peer = ipBucket(ip)
    const stored = this.#refusals.get(peer) ?? 0
    if (stored >= this.#options.refusalsPerSecond() || this.#refusals.size >= 10_000) return false
    this.#refusals.set(peer, stored + 1)
    return true
  }
}

function countOf(blocks: readonly RequestBlock[]): number {
  return blocks.reduce((sum, { count }) => sum + count, 0)
}

/** The blocks less so many of the first requests. */
function withoutFirst(count: number, blocks: readonly RequestBlock[]): readonly RequestBlock[] {
  let left = count
  return blocks.flatMap((block) => {
    if (left === 0) return block
    const lost = Math.min(left, block.count)
    left -= lost
    return lost === block.count ? [] : packRequests(unpackRequests(block.rows).slice(lost))
  })
}

/** 26 bits of subject, 12 of route, 7 of outcome, 8 of country: 53 in all, so that it is exact as a double. */
function keyOf(subject: number, route: number, outcome: Outcome, country: number): number {
  return ((subject * routesMax + route) * outcomesMax + outcomeNumber(outcome)) * countriesMax + country
}

function numberOf(numbers: Map<string, number>, text: string): number {
  const known = numbers.get(text)
  if (known !== undefined) return known
  numbers.set(text, numbers.size)
  return numbers.size - 1
}

function countRow(count: Count): UsageCount {
  return {
    minute: count.minute,
    api: count.api,
    account: count.principal?.account ?? '',
    project: count.principal?.project ?? '',
    credential: count.principal?.credential ?? '',
    route: count.route,
    outcome: count.outcome,
    country: count.country,
    count: count.count,
  }
}

function latencyBucket(ms: number): number {
  for (let i = 0; i < latencyBucketsMs.length; i++) if (ms <= (latencyBucketsMs[i] ?? 0)) return i
  return latencyBucketsMs.length
}
