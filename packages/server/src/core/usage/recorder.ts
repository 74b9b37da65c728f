import { formatIp, ipBucket, type Ip } from '../../base/ip.ts'
import type { Evaluation } from '../decision/evaluation.ts'
import type { RequestFacts } from '../decision/facts.ts'
import type { Principal } from '../records/principal.ts'
import { type ModelTaken, ModelUsage, modelOf } from './model-usage.ts'
import { shownPath, shownUserAgent } from './shown.ts'
import {
  latencyBucketsMs,
  type LastUseRow,
  type RequestRow,
  type UsageCount,
  type UsageFlush,
  type Via,
} from './usage.ts'

/** One request that has ended. */
export interface MeterEntry {
  readonly evaluation: Evaluation
  readonly facts: RequestFacts
  readonly requestId: string
  readonly via: Via
  readonly status: number
  /** How an allowed request ended. */
  readonly ended: 'answered' | 'upstream_error' | 'client_gone'
  readonly latencyMs: number
  /** From the decision to the head of the upstream's answer; null where there was none. */
  readonly upstreamMs: number | null
  /** Bytes of the bodies that passed, or of the other protocol where the connection was upgraded. */
  readonly received: number
  readonly sent: number
  /** Null: no language model was asked. */
  readonly llm: ModelTaken | null
}

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

type MutableLastUse = { -readonly [Key in keyof LastUseRow]: LastUseRow[Key] }

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
  #lastUses = new Map<number, MutableLastUse>()
  #closedLastUses: LastUseRow[] = []
  #requests: RequestRow[] = []
  readonly #models = new ModelUsage()
  #returned: UsageFlush[] = []
  #dropped = 0
  #minute = 0
  #second = 0
  readonly #refusals = new Map<Ip, number>()
  readonly #outcomes = new Map<string, number>()
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
        this.#log(entry, outcome, country, senderOf(evaluation, facts))
      return
    }
    const sender = senderOf(evaluation, facts)
    if (entry.llm !== null) this.#models.add(evaluation, entry.llm, minute)
    if (evaluation.allowed) this.#latency(evaluation, principal, entry.latencyMs)
    this.#lastUse(evaluation, principal, sender)
    this.#log(entry, outcome, country, sender)
  }

  /** What was gathered since the last call, and before it what the store could not take. */
  take(now: number): UsageFlush {
    const held: UsageFlush = {
      node: this.#options.node,
      at: now,
      counts: [...this.#closed, ...this.#counts.values()].map(countRow),
      latencies: [...this.#closedLatencies, ...this.#latencies.values()],
      lastUses: [...this.#closedLastUses, ...this.#lastUses.values()],
      requests: this.#requests,
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
    this.#requests = []
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
    const lost = Math.max(0, requests.length - this.#options.queueMax())
    this.#droppedTotal += lost
    return {
      ...last,
      counts: flushes.flatMap((flush) => flush.counts).slice(-2 * combinationsMax),
      latencies: flushes.flatMap((flush) => flush.latencies).slice(-combinationsMax),
      lastUses: flushes.flatMap((flush) => flush.lastUses).slice(-combinationsMax),
      requests: lost === 0 ? requests : requests.slice(lost),
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

  #count({ principal, api, route }: Evaluation, outcome: string, country: string): void {
    const subject = principal === null ? (api?.index ?? -1) + 1 : principal.row + firstRow
    const routeIndex = principal === null || route === null || route.index + 1 >= routesMax ? noRoute : route.index + 1
    const outcomeIndex = numberOf(this.#outcomes, outcome)
    const countryIndex = this.#countryIndex(country)
    const shown = {
      route: routeIndex === noRoute || route === null ? '*' : route.id,
      country: countryIndex === everyCountry ? '*' : country,
    }
    let key = keyOf(subject, routeIndex, outcomeIndex, countryIndex)
    let count = this.#counts.get(key)
    if (count === undefined && !this.#admits(key, combinationsMax)) {
      this.#folded++
      shown.country = '*'
      key = keyOf(subject, routeIndex, outcomeIndex, everyCountry)
      count = this.#counts.get(key)
      if (count === undefined && !this.#admits(key, 2 * combinationsMax)) {
        shown.route = '*'
        // The place of the country tells the APIs of one credential apart.
        key = keyOf(subject, noRoute, outcomeIndex, principal === null ? everyCountry : (api?.index ?? 0))
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

  #lastUse(evaluation: Evaluation, { secretRow, secret }: Principal, sender: Sender): void {
    // A token is bound to no secret.
    if (secret === null) return
    let use = this.#lastUses.get(secretRow)
    if (use === undefined || use.secret !== secret) {
      // The row is another secret's by now.
      if (use !== undefined) this.#closedLastUses.push(use)
      use = { secret, accepted: null, refused: null }
      this.#lastUses.set(secretRow, use)
    }
    if (evaluation.refusal === null) use.accepted = sender
    else use.refused = { ...sender, code: evaluation.refusal.code }
  }

  #log(entry: MeterEntry, outcome: string, country: string, sender: Sender): void {
    const { evaluation, facts } = entry
    const { principal } = evaluation
    if (this.#requests.length >= this.#options.queueMax()) {
      this.#dropped++
      this.#droppedTotal++
      return
    }
    this.#requests.push({
      id: entry.requestId,
      at: facts.now,
      via: entry.via,
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
      token: principal?.token ?? null,
      grant: principal?.grant ?? null,
      label: principal?.label ?? null,
      ip: sender.ip,
      country,
      userAgent: sender.userAgent,
      latencyMs: Math.round(entry.latencyMs * 100) / 100,
      trace: evaluation.refusal === null || evaluation.trace === null ? null : JSON.stringify(evaluation.trace),
      ...(entry.llm !== null && { llm: modelOf(entry.llm) }),
    })
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

/** A code, or 2xx, 3xx, 4xx, 5xx, upstream_error, client_gone. */
export function outcomeOf(entry: MeterEntry): string {
  const { refusal } = entry.evaluation
  if (refusal !== null) return refusal.code
  if (entry.ended !== 'answered') return entry.ended
  return classes[Math.floor(entry.status / 100)] ?? 'upstream_error'
}

const classes = ['upstream_error', '1xx', '2xx', '3xx', '4xx', '5xx']

/** 26 bits of subject, 12 of route, 7 of outcome (more than there are codes and classes), 8 of country: exact as a double. */
function keyOf(subject: number, route: number, outcome: number, country: number): number {
  return ((subject * routesMax + route) * 128 + (outcome & 127)) * countriesMax + (country & 255)
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

/** When and from where a request came, for its row and for the last use of its secret. */
interface Sender {
  readonly at: number
  readonly ip: string
  readonly userAgent: string | null
}

function senderOf(evaluation: Evaluation, facts: RequestFacts): Sender {
  return { at: facts.now, ip: formatIp(evaluation.clientIp), userAgent: shownUserAgent(evaluation, facts) }
}
