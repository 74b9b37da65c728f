import type { Ip } from '../../base/ip.ts'
import type { Seen } from './seen.ts'

/** What is known of a request before anything is decided: as received, nothing trusted. */
export interface RequestFacts {
  readonly method: string
  /** Request target as received (origin-form): raw path and query. */
  readonly target: string
  /** Value of the Host header as received. */
  readonly host: string
  /** Port of the listener that took the request. */
  readonly localPort: number
  /** Raw header lines as received: name, value, name, value, … */
  readonly headers: readonly string[]
  /** Address of the socket's other end. */
  readonly peer: Ip
  /** Whether this very connection is TLS. */
  readonly encrypted: boolean
  /** It came in clear to a listener that speaks TLS: it is refused, whoever sent it. */
  readonly plainOnTls?: boolean
  /** Of the connection on which it came, where there is one that may bring more. */
  readonly seen?: Seen | undefined
  /** Wall time of arrival, epoch ms. */
  readonly now: number
  /** Monotonic time of arrival, ms: compared with the start of the last poll. */
  readonly monotonic: number
  /** The whole body, for routes that are held against a description; absent where only the head is known. */
  readonly body?: Buffer | null
  /** Set by `verify` and `explain`, which name the API instead of an address. */
  readonly api?: string
  /**
   * What the body asks of a language model. `unread`, or absent: it is not known, and what depends on it is refused.
   * `pending`: it will be read, and what depends on it is decided then; nobody may forward before.
   */
  readonly llm?: LlmFacts | 'pending' | 'unread'
}

export interface LlmFacts {
  /** Null where the body names none. */
  readonly model: string | null
  /** An estimate of what goes in. */
  readonly inputTokens: number
  /** The most that may come out; null where the request names no bound. */
  readonly outputTokens: number | null
}
