import { STATUS_CODES } from 'node:http'

import { nominatedBy } from '../core/decision/connection-options.ts'
import type { Evaluation, Standing } from '../core/decision/evaluation.ts'
import { headerValue, headerValues } from '../core/decision/headers.ts'
import type { GatewayContext } from './context.ts'
import type { Exchange } from './exchange.ts'
import { type HeaderRules, isNamed, trailerLines, trailerNames } from './headers.ts'
import type { ResponseHead } from './upstream/response-head.ts'

/** The decision of a request that is answered. */
interface Decided {
  readonly evaluation: Evaluation
  readonly standing: Standing
}

/** Status and header lines of an upstream's answer go on to the client, or are held until the first of the body. */
export function passHead(
  context: GatewayContext,
  exchange: Exchange,
  allowed: Decided,
  { status, lines, framing }: ResponseHead,
): void {
  const { headerRules } = context
  const own = ownLines(context, exchange, allowed)
  if (framing === 'chunked' && exchange.req.httpVersionMinor > 0) {
    const announced = trailerNames(headerRules, lines, null)
    if (announced !== null) own.push('Trailer', announced)
  }
  own.push(...exchange.connectionHeader())
  const kept = responseHeaders(headerRules, status, lines, allowed.evaluation, own)
  const { method } = exchange.req
  if ((method === 'GET' || method === 'HEAD') && !saysWhoMayKeep(kept)) kept.push('Cache-Control', 'private')
  exchange.res.writeHead(status, kept)
}

/**
 * Whether an answer says that caches may share it, or that they may not. Without such a word it is one client's own
 * (RFC 9111, section 3.5), but caches see that only of a credential in Authorization, and not all of them do.
 */
function saysWhoMayKeep(lines: readonly string[]): boolean {
  return headerValues(lines, 'cache-control').some((value) => whoMayKeep.test(value))
}

const whoMayKeep = /(?:^|,)[ \t]*(?:public|private|no-store|must-revalidate|s-maxage=[^,]*)[ \t]*(?:,|$)/i

/** 101: the connection is upgraded. */
export function passSwitch(
  context: GatewayContext,
  exchange: Exchange,
  allowed: Decided,
  { status, lines }: ResponseHead,
): void {
  const own = ownLines(context, exchange, allowed)
  own.push('Connection', 'Upgrade', 'Upgrade', 'websocket')
  const kept = responseHeaders(context.headerRules, status, lines, allowed.evaluation, own)
  exchange.connection.socket.write(rawHead(status, kept), 'latin1')
}

/** Header lines before the answer, such as 103 (RFC 8297): for clients that know of such. 100 was said by ourselves. */
export function passInterim(
  { headerRules }: GatewayContext,
  { req, res, connection }: Exchange,
  { evaluation }: Decided,
  { status, lines }: ResponseHead,
): void {
  if (status === 100 || req.httpVersionMinor === 0 || res.headersSent) return
  const kept = responseHeaders(headerRules, status, lines, evaluation, [])
  connection.socket.write(rawHead(status, kept), 'latin1')
}

/** What Node's response object has no word for: a head before the answer, or in its place. */
function rawHead(status: number, lines: readonly string[]): string {
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`
  for (let i = 0; i < lines.length; i += 2) head += `${lines[i]}: ${lines[i + 1]}\r\n`
  return `${head}\r\n`
}

export function passTrailers(
  { headerRules }: GatewayContext,
  { req, res }: Exchange,
  trailers: readonly string[],
): void {
  if (trailers.length === 0 || req.httpVersionMinor === 0) return
  const kept = trailerLines(headerRules, trailers, null)
  const pairs: [string, string][] = []
  for (let i = 0; i < kept.length; i += 2) pairs.push([kept[i] ?? '', kept[i + 1] ?? ''])
  res.addTrailers(pairs)
}

/** Events as they happen (HTML, server-sent events): an answer that may go on for hours. */
export function isEventStream(lines: readonly string[]): boolean {
  return /^text\/event-stream\s*(?:;|$)/i.test(headerValue(lines, 'content-type') ?? '')
}

/**
 * The header lines of an upstream's answer for the client: what belongs to the upstream's connection and what only
 * the gateway may say is gone, and the gateway's own lines stand in for any of the same name.
 */
function responseHeaders(
  rules: HeaderRules,
  status: number,
  lines: readonly string[],
  evaluation: Evaluation,
  own: readonly string[],
): string[] {
  const nominated = nominatedBy(lines)
  const clientSide = evaluation.route?.clientSide === true
  const hidden = evaluation.api?.llm?.provider.answerHeaders ?? null
  const kept: string[] = []
  for (let i = 0; i < lines.length; i += 2) {
    const name = lines[i] ?? ''
    const { normal, hopByHop, identity } = rules.of(name)
    if (hopByHop || identity || nominated?.has(normal) === true) continue
    if (hidden?.includes(normal) === true) continue
    // Who may read the answer of a client-side route is for the credential to say.
    if (clientSide && normal.startsWith('access-control-')) continue
    // RFC 9110, section 8.6: whoever reads on by it takes what follows for a body.
    if ((status === 204 || status < 200) && normal === 'content-length') continue
    if (normal !== 'vary' && isNamed(rules, own, normal)) continue
    kept.push(name, lines[i + 1] ?? '')
  }
  kept.push(...own)
  return kept
}

/** What the gateway adds to every answer of this request. A key in the address must not be kept or passed on. */
function ownLines({ dataPlane }: GatewayContext, exchange: Exchange, { evaluation, standing }: Decided): string[] {
  const own = [
    'X-Request-Id',
    exchange.requestId,
    ...dataPlane.limitHeaders(evaluation, standing),
    ...dataPlane.corsHeaders(evaluation),
    ...exchange.hsts(),
  ]
  if (evaluation.presented?.place.in === 'query')
    own.push('Cache-Control', 'no-store', 'Referrer-Policy', 'no-referrer')
  return own
}
