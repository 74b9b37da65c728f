import type { MeterEntry } from '../core/usage/meter-entry.ts'
import { outcomeOf } from '../core/usage/outcomes.ts'

/** A request to look at: `postern explain` and `/api/v1/requests/{id}` tell the rest of it. */
interface Exemplar {
  readonly request_id: string
  /** RFC 3339. */
  readonly at: string
  readonly status: number
  /** A code, or 2xx to 5xx, upstream_error, client_gone. */
  readonly outcome: string
  readonly ms: number
  readonly upstream_ms: number | null
}

export interface ExemplarsView {
  /** Of this period and the one before it, the slowest first. */
  readonly slowest: readonly Exemplar[]
  /** The last ones that ended with a 5xx or without a whole answer of the upstream, the latest first. */
  readonly failed: readonly Exemplar[]
}

/** What is kept of a request: numbers and two texts, so that nothing that a client sent stays in memory. */
interface Kept {
  readonly requestId: string
  readonly at: number
  readonly status: number
  readonly outcome: string
  readonly latencyMs: number
  readonly upstreamMs: number | null
}

const each = 5
const periodMs = 5 * 60_000

/** Of one API and route. A request costs two comparisons, unless it is one of the few that are kept. */
export class Exemplars {
  #slow: Kept[] = []
  #slowBefore: readonly Kept[] = []
  /** Latency above which a request is among the slowest of the period. */
  #slowAboveMs = -1
  #periodEndsAt = 0
  readonly #failed: Kept[] = []

  tell(entry: MeterEntry): void {
    const { evaluation, facts, status, ended, latencyMs } = entry
    if (facts.now >= this.#periodEndsAt) this.#nextPeriod(facts.now)
    if (status >= 500 || ended === 'upstream_error') {
      this.#failed.unshift(kept(entry))
      if (this.#failed.length > each) this.#failed.pop()
    }
    if (latencyMs > this.#slowAboveMs && evaluation.allowed) this.#addSlow(kept(entry))
  }

  view(now: number): ExemplarsView {
    if (now >= this.#periodEndsAt) this.#nextPeriod(now)
    const slowest = [...this.#slow, ...this.#slowBefore].toSorted((a, b) => b.latencyMs - a.latencyMs)
    return { slowest: slowest.slice(0, each).map(shown), failed: this.#failed.map(shown) }
  }

  #nextPeriod(now: number): void {
    // After a period without any request the ones before it are old.
    this.#slowBefore = now < this.#periodEndsAt + periodMs ? this.#slow : []
    this.#slow = []
    this.#slowAboveMs = -1
    this.#periodEndsAt = (Math.floor(now / periodMs) + 1) * periodMs
  }

  #addSlow(entry: Kept): void {
    const after = this.#slow.findIndex(({ latencyMs }) => latencyMs < entry.latencyMs)
    this.#slow.splice(after === -1 ? this.#slow.length : after, 0, entry)
    if (this.#slow.length <= each) return
    this.#slow.pop()
    this.#slowAboveMs = this.#slow.at(-1)?.latencyMs ?? -1
  }
}

function kept(entry: MeterEntry): Kept {
  const { requestId, facts, status, latencyMs, upstreamMs } = entry
  return { requestId, at: facts.now, status, outcome: outcomeOf(entry), latencyMs, upstreamMs }
}

function shown({ requestId, at, status, outcome, latencyMs, upstreamMs }: Kept): Exemplar {
  return {
    request_id: requestId,
    at: new Date(at).toISOString(),
    status,
    outcome,
    ms: hundredths(latencyMs),
    upstream_ms: upstreamMs === null ? null : hundredths(upstreamMs),
  }
}

function hundredths(ms: number): number {
  return Math.round(ms * 100) / 100
}
