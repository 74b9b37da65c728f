import type { Evaluation } from '../core/decision/evaluation.ts'
import type { RequestFacts } from '../core/decision/facts.ts'
import type { Exchange } from './exchange.ts'
import { refusedAs } from './wire.ts'

/**
 * What the route says of every allowed request before any charge: that it is paused, how large headers and body may
 * be. A body that announces itself as too large, or is already known to be broken, is not waited for.
 */
export function admitted(exchange: Exchange, facts: RequestFacts, evaluation: Evaluation): Evaluation {
  const { route } = evaluation
  if (!evaluation.allowed || route === null) return evaluation
  if (exchange.bodyBroken) return refusedAs(evaluation, 'request_malformed')
  const head = admittedHead(evaluation, () => bytesOf(facts.headers))
  if (!head.allowed) return head
  const { length } = exchange.body
  const tooLong = typeof length === 'number' && length > route.bodyBytesMax
  return tooLong ? refusedAs(evaluation, 'request_too_large') : evaluation
}

/** The part of it that needs the head alone. */
export function admittedHead(evaluation: Evaluation, headerBytes: () => number): Evaluation {
  const { route } = evaluation
  if (!evaluation.allowed || route === null) return evaluation
  const { maintenance, headerBytesMax } = route
  if (maintenance !== null)
    return refusedAs(evaluation, 'maintenance', { retryAfterMs: maintenance.retryAfterMs, hint: maintenance.message })
  const tooLarge = headerBytesMax !== null && headerBytes() > headerBytesMax
  return tooLarge ? refusedAs(evaluation, 'headers_too_large') : evaluation
}

/** Names and values, one character a byte. */
export function bytesOf(lines: readonly string[]): number {
  return lines.reduce((sum, text) => sum + text.length, 0)
}
