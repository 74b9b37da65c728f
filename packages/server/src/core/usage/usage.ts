import type { RequestBlock } from './request-blocks.ts'

/** Rows that the data plane hands to the store once a second: sums since the last flush. */
export interface UsageFlush {
  readonly node: string
  readonly at: number
  readonly counts: readonly UsageCount[]
  readonly latencies: readonly LatencyCount[]
  readonly lastUses: readonly LastUseRow[]
  readonly requests: readonly RequestBlock[]
  /** Request rows that were dropped because the queue was full, since the last flush. */
  readonly dropped: number
  /** What language models took; absent where none was asked. */
  readonly models?: readonly ModelCount[]
}

/** Sums of what one model took: requests, tokens, or money. */
export interface ModelCount {
  /** Its start, epoch ms. */
  readonly minute: number
  readonly account: string
  readonly project: string
  readonly credential: string
  readonly api: string
  /** `*` where it could not be read, or too many were named. */
  readonly model: string
  /** requests, input, cached_input, output, reasoning, or `cost` and a currency: in micro-units. */
  readonly metric: string
  readonly count: number
}

/** What one request took of a language model. */
export interface RequestModel {
  /** Null where it could not be read. */
  readonly model: string | null
  readonly input: number
  readonly cachedInput: number
  readonly output: number
  readonly reasoning: number
  /** Micro-units of the currency; null where no price is declared. */
  readonly cost: number | null
  readonly currency: string | null
  readonly estimated: boolean
}

/** `route` and `country` are "*" where the cap of combinations folded them; `credential` "" where none was known. */
export interface UsageCount {
  /** Its start, epoch ms. */
  readonly minute: number
  readonly api: string
  readonly account: string
  readonly project: string
  readonly credential: string
  readonly route: string
  /** A code, or 2xx, 3xx, 4xx, 5xx, upstream_error, client_gone. */
  readonly outcome: string
  readonly country: string
  readonly count: number
}

/** Counts per bucket of `latencyBucketsMs` (the last bucket is everything above). */
interface LatencyCount {
  readonly minute: number
  readonly credential: string
  readonly route: string
  readonly buckets: readonly number[]
}

/** Upper edges in milliseconds. */
export const latencyBucketsMs = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 30000] as const

export interface LastUseRow {
  readonly secret: string
  readonly accepted: { readonly at: number; readonly ip: string; readonly userAgent: string | null } | null
  readonly refused: {
    readonly at: number
    readonly ip: string
    readonly userAgent: string | null
    readonly code: string
  } | null
}

/** One request as the log keeps it: no body, no header values but the user agent, no query, no credential. */
export interface RequestRow {
  readonly id: string
  readonly at: number
  readonly api: string | null
  readonly route: string | null
  readonly method: string
  /** Path without query, at most 1,024 characters. */
  readonly path: string
  readonly status: number
  /** Null where it was allowed. */
  readonly code: string | null
  readonly outcome: string
  readonly account: string | null
  readonly project: string | null
  readonly credential: string | null
  readonly secret: string | null
  readonly ip: string
  readonly country: string
  readonly userAgent: string | null
  readonly latencyMs: number
  /** The whole trace of a refusal as JSON; null where it was allowed. */
  readonly trace: string | null
  /** Absent where no language model was asked. */
  readonly llm?: RequestModel
}

export interface UsageQuery {
  readonly from: number
  readonly to: number
  readonly step: 'minute' | 'hour' | 'day'
  readonly account: string | null
  readonly project: string | null
  readonly credential: string | null
  readonly api: string | null
  readonly groupBy: readonly ('credential' | 'account' | 'route' | 'outcome' | 'country' | 'api')[]
}

/** The same of language models, which are counted by fewer names. */
export interface ModelQuery extends Omit<UsageQuery, 'groupBy'> {
  readonly groupBy: readonly ('credential' | 'account' | 'api' | 'model')[]
}

/** `sums` by metric, as in `ModelCount`. */
export interface ModelPoint {
  readonly at: number
  readonly group: Readonly<Record<string, string>>
  readonly sums: Readonly<Record<string, number>>
}

export interface UsagePoint {
  readonly at: number
  readonly group: Readonly<Record<string, string>>
  readonly count: number
}

export interface RequestFilter {
  readonly account: string | null
  readonly project: string | null
  readonly credential: string | null
  readonly api: string | null
  readonly code: string | null
  readonly status: number | null
  readonly from: number | null
  readonly to: number | null
}
