import type { Dispatcher } from 'undici'

import type { Evaluation } from '../core/decision/evaluation.ts'
import { type HeaderRules, nominatedBy } from './headers.ts'

/**
 * The header lines of an upstream's answer for the client: what belongs to the upstream's connection and what only
 * the gateway may say is gone, and the gateway's own lines stand in for any of the same name.
 */
export function responseHeaders(
  rules: HeaderRules,
  status: number,
  lines: readonly string[],
  evaluation: Evaluation,
  own: readonly string[],
): string[] {
  const nominated = nominatedBy(lines)
  const clientSide = evaluation.route?.clientSide === true
  const kept: string[] = []
  for (let i = 0; i < lines.length; i += 2) {
    const name = lines[i] ?? ''
    const { normal, hopByHop, identity } = rules.of(name)
    if (hopByHop || identity || nominated?.has(normal) === true) continue
    // Who may read the answer of a client-side route is for the credential to say.
    if (clientSide && normal.startsWith('access-control-')) continue
    // RFC 9110, section 8.6.
    if (status === 204 && normal === 'content-length') continue
    if (normal !== 'vary' && isNamed(own, normal, rules)) continue
    kept.push(name, lines[i + 1] ?? '')
  }
  kept.push(...own)
  return kept
}

/** What the gateway adds to every answer of this request. A key in the address must not be kept or passed on. */
export function ownResponseHeaders(
  requestId: string,
  evaluation: Evaluation,
  limits: readonly string[],
  cors: readonly string[],
): string[] {
  const own = ['X-Request-Id', requestId, ...limits, ...cors]
  if (evaluation.presented?.place.in === 'query')
    own.push('Cache-Control', 'no-store', 'Referrer-Policy', 'no-referrer')
  return own
}

function isNamed(own: readonly string[], normal: string, rules: HeaderRules): boolean {
  for (let i = 0; i < own.length; i += 2) if (rules.of(own[i] ?? '').normal === normal) return true
  return false
}

/** Header lines as they came, one character a byte. */
export function rawLines(controller: Dispatcher.DispatchController): readonly string[] {
  const { rawHeaders } = controller
  if (!Array.isArray(rawHeaders)) throw new Error('the upstream client hands over raw header lines')
  const parts: readonly (Buffer | string)[] = rawHeaders
  return parts.map((part) => (typeof part === 'string' ? part : part.toString('latin1')))
}
