import type { JsonObject } from './json-object.ts'
import type { Tokens } from './tokens.ts'

/** What a route of an LLM API does with models. */
export interface LlmOperation {
  /** Where the model is named: in the JSON body, in the path, where it cannot be read; `none` runs. */
  readonly model: 'body' | 'path' | 'unreadable' | 'none'
  /** Whether the answer says how many tokens it took: what does not cannot be counted against a budget. */
  readonly metered: boolean
  /** Whether tokens come out, and not only vectors or verdicts. */
  readonly output: boolean
  /** Whether a stream names its tokens only when it is asked to, by `stream_options.include_usage`. */
  readonly asksForUsage: boolean
}

/** Runs no model: lists, counts of tokens. */
export const runsNoModel: LlmOperation = { model: 'none', metered: false, output: false, asksForUsage: false }
/** Runs one, but what it is and what it takes is not to be read. */
export const opaque: LlmOperation = { model: 'unreadable', metered: false, output: false, asksForUsage: false }

/** What a body asks for. */
export interface LlmAsked {
  /** As it is named; null where none is. */
  readonly model: string | null
  readonly stream: boolean
  /** The most that may come out, of all choices together; null where no bound is named. */
  readonly outputTokens: number | null
}

/** What one event of a stream, or a whole answer, tells of tokens. Counts of a stream are sums so far. */
export interface LlmReading {
  readonly tokens: Partial<Tokens> | null
  /** Bytes of what the model said in it. */
  readonly textBytes: number
  /** Nothing but counts, which the client has only because the gateway asked for them. */
  readonly onlyCounts: boolean
}

/** The wire form of one provider: a typed module of `presets/`. */
export interface LlmProvider {
  readonly id: string
  /** The member of a JSON answer that holds the counts. */
  readonly usageMember: string
  /** Header lines of a client that are no business of the provider: its credentials, organisations, projects. */
  readonly requestHeaders: readonly string[]
  /** Header lines of an answer that tell of the operator's account. */
  readonly answerHeaders: readonly string[]
  /** Model and operation of a path that names them; null where it names none. */
  ofPath(path: string): { readonly model: string; readonly operation: LlmOperation } | null
  asked(body: JsonObject): LlmAsked
  /** Whether the body names another model than the path. */
  contradicts(body: JsonObject, model: string): boolean
  /** Counts in the value of `usageMember`; null where there are none. */
  counts(usage: unknown): Partial<Tokens> | null
  /** One event of a stream, parsed. */
  reading(event: unknown): LlmReading
}
