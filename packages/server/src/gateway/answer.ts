import { STATUS_CODES, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

import type { Code } from '@postern/contract'

import type { Answer } from '../core/decision/answer.ts'
import type { Connection } from './connection.ts'
import type { GatewayContext } from './context.ts'
import { type Deadline, unwatched } from './deadlines.ts'
import type { Exchange } from './exchange.ts'
import { wireEvaluation } from './wire.ts'

/** Answers by ourselves: refusals, preflights, and what went wrong on the way to the upstream. */
export function sendAnswer(context: GatewayContext, exchange: Exchange, answer: Answer): void {
  const { res } = exchange
  // RFC 9110, section 8.6: no Content-Length in a 204.
  const length = answer.status === 204 ? [] : ['Content-Length', String(Buffer.byteLength(answer.body))]
  res.writeHead(answer.status, [...answer.headers, ...length, ...exchange.hsts(), ...exchange.connectionHeader()])
  endAnswer(context, exchange, answer.body, 'utf8')
}

/** A fault of ours: the log has it whole, the client gets the request id. */
export function sendInternalError(context: GatewayContext, exchange: Exchange, error: unknown): void {
  context.reportFault('gateway.fault', { requestId: exchange.requestId }, error)
  const { socket, peer, encrypted } = exchange.connection
  if (exchange.res.headersSent || exchange.gone) return void socket.destroy()
  const evaluation = wireEvaluation({ peer, encrypted }, 'internal_error')
  sendAnswer(context, exchange, context.dataPlane.answer(evaluation, null, exchange.requestId))
}

/**
 * Ends an answer with the last of its body. Where its request has not ended, the rest is read up to a bound, so that a client that is still
 * sending gets to see the answer; beyond the bound it is left unread, and the connection closes after a while.
 */
export function endAnswer(
  context: GatewayContext,
  exchange: Exchange,
  last: string,
  encoding: 'latin1' | 'utf8',
): void {
  const { req, res, body, connection } = exchange
  if (!body.present || req.complete) return void (last === '' ? res.end() : res.end(last, encoding))
  if (last !== '') res.write(last, encoding)
  res.flushHeaders()
  let left = context.limits.drainBytesMax
  req.on('data', (chunk: Buffer) => {
    left -= chunk.length
    if (left < 0) req.pause()
  })
  req.once('end', () => res.end())
  req.resume()
  destroyLater(context, connection.socket, res)
}

/** Answers a head that never became a request: there is no response object, so it is written by hand. */
export function answerSocket(context: GatewayContext, connection: Connection<Exchange>, code: Code): void {
  const { socket, peer, encrypted } = connection
  const evaluation = wireEvaluation({ peer, encrypted }, code)
  const { status, headers: own, body } = context.dataPlane.answer(evaluation, null, context.ids.next('req'))
  const headers = encrypted ? [...own, ...(context.tls?.hsts() ?? [])] : own
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`
  for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`
  socket.end(`${head}Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`)
  destroyLater(context, socket, socket)
}

/** The other end has a while to take its answer; what it still sends is not waited for any longer than that. */
function destroyLater(context: GatewayContext, socket: Socket, until: Socket | ServerResponse): void {
  const deadline: Deadline = {
    dueAt: context.clock.monotonic() + context.limits.lingerMs,
    place: unwatched,
    expired: () => void socket.destroy(),
  }
  context.deadlines.watch(deadline)
  until.once('close', () => context.deadlines.unwatch(deadline))
}
