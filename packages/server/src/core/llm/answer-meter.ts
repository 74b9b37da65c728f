import { headerValue } from '../decision/headers.ts'
import { createEventSplitter, type EventSplitter } from './event-stream.ts'
import { createMemberReader, type MemberReader } from './member-reader.ts'
import type { LlmOperation, LlmProvider } from './provider.ts'
import { countOf, estimateTokens, noTokens, type Tokens } from './tokens.ts'

/** What a request took, by its answer. */
export interface Taken {
  readonly tokens: Tokens
  /** The provider did not say, or not all of it: at least a part was estimated. */
  readonly estimated: boolean
}

/**
 * Hears an answer of a model as it passes by, whole or as a stream of events, and counts its tokens. It holds one
 * event at most, or nothing but the counts of a whole answer.
 */
export interface AnswerMeter {
  head(status: number, lines: readonly string[]): void
  data(chunk: Buffer): void
  end(): void
  aborted(reason: 'client_gone' | 'upstream_error'): void
  /**
   * What the client gets for the chunk that was heard last: all of it, but for an event of counts that only the
   * gateway asked for.
   */
  passed(chunk: Buffer): Buffer
  /** What was held back of a stream that has ended. */
  held(): Buffer
  taken(): Taken
}

export interface MeteredRequest {
  readonly provider: LlmProvider
  readonly operation: LlmOperation
  /** Tokens that were reserved, where nothing better is known in the end. */
  readonly input: number
  readonly output: number
  /** The gateway asked for counts that the client did not ask for. */
  readonly asked: boolean
}

const eventBytesMax = 4 * 1_024 * 1_024
const countsBytesMax = 65_536

export function createAnswerMeter({ provider, operation, input, output, asked }: MeteredRequest): AnswerMeter {
  let state: 'waiting' | 'failed' | 'answering' | 'whole' | 'left' = 'waiting'
  let events: EventSplitter | null = null
  let whole: MemberReader | null = null
  let strips = false
  let bytes = 0
  let textBytes = 0
  let counted: Tokens | null = null
  let kept: Buffer[] = []

  const add = (counts: Partial<Tokens> | null): void => {
    if (counts !== null) counted = larger(counted ?? noTokens, counts)
  }

  const hear = (data: string): boolean => {
    if (data === '' || data === '[DONE]') return false
    const event = parsed(data)
    const { tokens, textBytes: more, onlyCounts } = provider.reading(event)
    add(tokens)
    textBytes += more
    return onlyCounts
  }

  return {
    head: (status, lines) => {
      state = status >= 200 && status < 300 ? 'answering' : 'failed'
      const encoding = headerValue(lines, 'content-encoding') ?? 'identity'
      if (state === 'failed' || !operation.metered || encoding !== 'identity') return
      if (/^text\/event-stream\b/i.test(headerValue(lines, 'content-type') ?? '')) {
        events = createEventSplitter(eventBytesMax)
        // With a length said beforehand nothing can be taken out.
        strips = asked && headerValue(lines, 'content-length') === null
      } else whole = createMemberReader(provider.usageMember, countsBytesMax)
    },
    data: (chunk) => {
      bytes += chunk.length
      whole?.push(chunk)
      if (events === null) return
      for (const { raw, data } of events.push(chunk)) if (!hear(data) || !strips) kept.push(raw)
      if (!strips) kept = []
    },
    end: () => {
      if (state === 'answering') state = 'whole'
      const counts = whole?.found() ?? null
      if (counts !== null) add(provider.counts(parsed(counts)))
    },
    aborted: (reason) => {
      if (state === 'waiting') state = reason === 'client_gone' ? 'left' : 'failed'
    },
    passed: (chunk) => {
      if (!strips) return chunk
      const passed = kept.length === 1 ? (kept[0] ?? nothing) : Buffer.concat(kept)
      kept = []
      return passed
    },
    held: () => (strips && events !== null ? events.rest() : nothing),
    taken: () => {
      if (!operation.metered || state === 'failed' || (state === 'waiting' && bytes === 0))
        return { tokens: noTokens, estimated: false }
      const reserved: Taken = { tokens: { ...noTokens, input, output }, estimated: true }
      if (state === 'left') return reserved
      if (state === 'whole' && counted !== null) return { tokens: counted, estimated: false }
      if (events === null && (whole === null || state === 'whole')) return reserved
      // Cut off, or a stream that never named its tokens: what was seen.
      const seen = estimateTokens(events === null ? bytes : textBytes)
      return {
        tokens: larger(
          { ...noTokens, input: counted === null ? input : 0, output: operation.output ? seen : 0 },
          counted ?? {},
        ),
        estimated: true,
      }
    },
  }
}

const nothing = Buffer.alloc(0)

/** Counts of a stream are sums so far, and not every event has all of them. */
function larger(a: Tokens, b: Partial<Tokens>): Tokens {
  return {
    input: Math.max(a.input, countOf(b.input)),
    cachedInput: Math.max(a.cachedInput, countOf(b.cachedInput)),
    cacheWrite: Math.max(a.cacheWrite, countOf(b.cacheWrite)),
    output: Math.max(a.output, countOf(b.output)),
    reasoning: Math.max(a.reasoning, countOf(b.reasoning)),
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return null
  }
}
