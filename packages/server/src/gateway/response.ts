import { STATUS_CODES } from 'node:http'

import type { Evaluation, Standing } from '../core/decision/evaluation.ts'
import { headerValue } from '../core/decision/headers.ts'
import { endAnswer } from './answer.ts'
import type { GatewayContext } from './context.ts'
import type { Exchange } from './exchange.ts'
import { type HeaderRule, type HeaderRules, isNamed, nominatedBy, trailerLines, trailerNames } from './headers.ts'
import { ownFields } from './upstream/request-head.ts'
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
  { status, fields, framing }: ResponseHead,
): void {
  const { headerRules } = context
  const lines = fields.pairs
  const own = ownLines(context, exchange, allowed)
  if (framing === 'chunked' && exchange.req.httpVersionMinor > 0) {
    const announced = trailerNames(headerRules, lines, null)
    if (announced !== null) own.push('Trailer', announced)
  }
  own.push(...exchange.connectionHeader())
  const kept = keptLines(headerRules, status, lines, allowed.evaluation, own)
  exchange.res.writeHead(status, [...kept, ...own])
}

/**
 * A whole answer. Where the connection goes on, its head is one text: what the upstream said was looked at when it was
 * read.
 */
export function passWhole(
  context: GatewayContext,
  exchange: Exchange,
  allowed: Decided,
  head: ResponseHead,
  body: string,
): void {
  if (exchange.connectionGoesOn() && isPlain(head, allowed.evaluation)) {
    const own = ownLines(context, exchange, allowed)
    const { kept, dated } = keptFields(context.headerRules, head, own)
    const date = dated ? '' : `Date: ${context.httpDate()}\r\n`
    exchange.res.writeFields(head.status, kept + ownFields(own) + date)
  } else passHead(context, exchange, allowed, head)
  endAnswer(context, exchange, body, 'latin1')
}

/** Nothing but the name of a line says whether it goes on. */
function isPlain({ nominates }: ResponseHead, { api, route }: Evaluation): boolean {
  return !nominates && route?.clientSide !== true && (api?.llm ?? null) === null
}

/** The lines that go on, most of them in the pieces of the text in which they came. `dated`: a Date is among them. */
function keptFields(
  rules: HeaderRules,
  { status, fields }: ResponseHead,
  own: readonly string[],
): { readonly kept: string; readonly dated: boolean } {
  const { text, count } = fields
  let kept = ''
  let dated = false
  let piece = -1
  for (let line = 0; line < count; line++) {
    const start = fields.nameStart(line)
    const rule = rules.at(text, start, fields.nameEnd(line))
    const stays = goesOn(rules, rule, status, own)
    if (stays && rule.normal === 'date') dated = true
    if (stays && fields.isPlain(line)) {
      if (piece === -1) piece = start
      continue
    }
    if (piece !== -1) kept += text.slice(piece, start)
    piece = -1
    if (stays) kept += `${rule.name}: ${fields.value(line)}\r\n`
  }
  if (piece !== -1) kept += text.slice(piece, fields.valueEnd(count - 1) + 2)
  return { kept, dated }
}

/** Whether a line of an upstream's answer goes on, as far as its name says it. */
function goesOn(rules: HeaderRules, rule: HeaderRule, status: number, own: readonly string[]): boolean {
  if (rule.hopByHop || rule.identity) return false
  // RFC 9110, section 8.6.
  if (rule.framing && status === 204) return false
  return rule.normal === 'vary' || !isNamed(rules, own, rule.normal)
}

function fieldsOf(lines: readonly string[]): string {
  let fields = ''
  for (let i = 0; i < lines.length; i += 2) fields += `${lines[i]}: ${lines[i + 1]}\r\n`
  return fields
}

/** 101: the connection is upgraded. */
export function passSwitch(
  context: GatewayContext,
  exchange: Exchange,
  allowed: Decided,
  { status, fields }: ResponseHead,
): void {
  const own = ownLines(context, exchange, allowed)
  own.push('Connection', 'Upgrade', 'Upgrade', 'websocket')
  const kept = keptLines(context.headerRules, status, fields.pairs, allowed.evaluation, own)
  exchange.connection.socket.write(rawHead(status, fieldsOf(kept) + ownFields(own)), 'latin1')
}

/** Header lines before the answer, such as 103 (RFC 8297): for clients that know of such. 100 was said by ourselves. */
export function passInterim(
  { headerRules }: GatewayContext,
  { req, res, connection }: Exchange,
  { evaluation }: Decided,
  { status, fields }: ResponseHead,
): void {
  if (status === 100 || req.httpVersionMinor === 0 || res.headersSent) return
  const kept = keptLines(headerRules, status, fields.pairs, evaluation, [])
  connection.socket.write(rawHead(status, fieldsOf(kept)), 'latin1')
}

/** What Node's response object has no word for: a head before the answer, or in its place. */
function rawHead(status: number, fields: string): string {
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${fields}\r\n`
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
 * the gateway may say is gone, and so is what the gateway says itself, in lines of its own.
 */
function keptLines(
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
    const rule = rules.of(name)
    const { normal } = rule
    if (!goesOn(rules, rule, status, own) || nominated?.has(normal) === true) continue
    if (hidden?.includes(normal) === true) continue
    // Who may read the answer of a client-side route is for the credential to say.
    if (clientSide && normal.startsWith('access-control-')) continue
    kept.push(name, lines[i + 1] ?? '')
  }
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
