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
  const open = unlessPaused(evaluation)
  if (!open.allowed) return open
  const { headerBytesMax, bodyBytesMax } = route
  if (headerBytesMax !== null && bytesOf(facts.headers) > headerBytesMax)
    return refusedAs(evaluation, 'headers_too_large')
  const { length } = exchange.body
  return typeof length === 'number' && length > bodyBytesMax ? refusedAs(evaluation, 'request_too_large') : evaluation
}

export function unlessPaused(evaluation: Evaluation): Evaluation {
  const maintenance = evaluation.route?.maintenance ?? null
  if (!evaluation.allowed || maintenance === null) return evaluation
  return refusedAs(evaluation, 'maintenance', { retryAfterMs: maintenance.retryAfterMs, hint: maintenance.message })
}

/** One character a byte. */
function bytesOf(lines: readonly string[]): number {
  return lines.reduce((sum, text) => sum + text.length, 0)
}
