import type { IncomingMessage, ServerResponse } from 'node:http'

import { parseIp } from '../base/ip.ts'
import { managementApiId } from '../core/accounts/account.ts'
import type { Answer } from '../core/decision/answer.ts'
import type { Evaluation } from '../core/decision/evaluation.ts'
import type { RequestFacts } from '../core/decision/facts.ts'
import { headerValue, headerValues } from '../core/decision/headers.ts'
import { refuse } from '../core/decision/refuse.ts'
import type { Endpoint } from '../core/oauth/endpoint.ts'
import type { ManagementParts } from './parts.ts'
import { transportOf } from './transport.ts'

/**
 * What the console serves beside the management API, before the framework sees it: endpoints for tokens are called as
 * often as an API is. False: the request is none of theirs.
 */
export function serveEndpoint(parts: ManagementParts, req: IncomingMessage, res: ServerResponse): boolean {
  const endpoint = parts.endpoint?.(pathOf(req.url ?? '')) ?? null
  if (endpoint === null) return false
  void serve(parts, endpoint, req, res)
  return true
}

function pathOf(target: string): string {
  const mark = target.indexOf('?')
  return mark === -1 ? target : target.slice(0, mark)
}

async function serve(
  parts: ManagementParts,
  endpoint: Endpoint,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const { dataPlane, clock, ids } = parts
  const requestId = ids.next('req')
  const facts = factsOf(req, parts)
  if (facts === null) return void req.socket.destroy()
  const matched = await dataPlane.evaluate(facts, false)
  let evaluation = matched
  const answered = (answer: Answer, decided: Evaluation, last = false): void => {
    evaluation = decided
    send(parts, req, res, answer, last)
  }
  res.once('close', () => {
    const whole = res.writableFinished
    dataPlane.meter({
      evaluation,
      facts,
      requestId,
      via: 'management',
      status: res.headersSent ? res.statusCode : clientClosed,
      ended: whole ? 'answered' : 'client_gone',
      latencyMs: clock.monotonic() - facts.monotonic,
      received: 0,
      upstreamMs: null,
      sent: 0,
      llm: null,
    })
  })
  try {
    // RFC 9112, section 3.2: which of two hosts was meant must not be guessed.
    if (headerValues(facts.headers, 'host').length !== 1) {
      const malformed = refusedAs(evaluation, 'request_malformed')
      return answered(dataPlane.answer(malformed, null, requestId), malformed, true)
    }
    // In clear, say. An endpoint for tokens is asked all the same: it knows whose secret has been exposed.
    const { refusal, route } = evaluation
    if (refusal?.code !== 'served_by_postern' && (route === null || route.local?.endpoint === 'page'))
      return answered(dataPlane.answer(evaluation, null, requestId), evaluation, true)
    const body = await bodyOf(req, evaluation.route?.bodyBytesMax ?? 0)
    if (body === null) return
    if (body === 'too_large') {
      const tooLarge = refusedAs(evaluation, 'request_too_large')
      return answered(dataPlane.answer(tooLarge, null, requestId), tooLarge, true)
    }
    const served = await endpoint({ facts, body, requestId, matched })
    answered(served.answer, served.evaluation === matched ? unrefused(matched) : served.evaluation)
  } catch (error) {
    parts.reportFault('management.fault', { requestId, endpoint: evaluation.route?.id }, error)
    if (res.headersSent) return void res.destroy()
    const fault = refusedAs(evaluation, 'internal_error')
    answered(dataPlane.answer(fault, null, requestId), fault)
  }
}

/** For the log only: the client closed the connection before there was an answer. */
const clientClosed = 499

/** Null where the other end has already left. */
function factsOf(req: IncomingMessage, parts: ManagementParts): RequestFacts | null {
  const peer = parseIp(req.socket.remoteAddress ?? '')
  if (peer === null) return null
  return {
    method: req.method ?? '',
    target: req.url ?? '',
    host: req.headers.host ?? '',
    localPort: req.socket.localPort ?? 0,
    headers: req.rawHeaders,
    peer,
    ...transportOf(req.socket, parts),
    now: parts.clock.now(),
    monotonic: parts.clock.monotonic(),
    api: managementApiId,
  }
}

/** Null where the client left, or was cut off for being slow, before it was whole. */
function bodyOf(req: IncomingMessage, bytesMax: number): Promise<Buffer | 'too_large' | null> {
  if (Number(req.headers['content-length'] ?? 0) > bytesMax) return Promise.resolve('too_large')
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let bytes = 0
    req.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= bytesMax) return void chunks.push(chunk)
      req.removeAllListeners('data').pause()
      resolve('too_large')
    })
    req.once('end', () => resolve(chunks.length === 1 ? (chunks[0] ?? nothing) : Buffer.concat(chunks)))
    req.once('close', () => resolve(null))
  })
}

const nothing = Buffer.alloc(0)

function send(
  parts: ManagementParts,
  req: IncomingMessage,
  res: ServerResponse,
  { status, headers, body }: Answer,
  last: boolean,
): void {
  if (res.destroyed) return
  // RFC 9110, section 8.6: no Content-Length in a 204; a 304 has none either, because it has no body to be measured.
  const length = status === 204 || status === 304 ? [] : ['Content-Length', String(Buffer.byteLength(body))]
  const { tls } = parts
  const hsts = transportOf(req.socket, parts).encrypted ? (tls?.hsts() ?? []) : []
  // Of a page that says more about it, its own word stands.
  const referrer = headerValue(headers, 'referrer-policy') === null ? ['Referrer-Policy', 'no-referrer'] : []
  res.writeHead(status, [...headers, ...length, ...hsts, ...referrer, ...(last ? ['Connection', 'close'] : [])])
  res.end(body)
}

/** What has been served was not refused, whatever is told of it to those who only ask. */
function unrefused(evaluation: Evaluation): Evaluation {
  return { ...evaluation, allowed: true, refusal: null, trace: null }
}

function refusedAs(
  evaluation: Evaluation,
  code: 'request_malformed' | 'request_too_large' | 'internal_error',
): Evaluation {
  return { ...evaluation, allowed: false, refusal: refuse(code), charge: null }
}
