import type { Socket } from 'node:net'

import type { Code } from '@postern/contract'
import type { FastifyReply, FastifyRequest } from 'fastify'

import type { ManagementParts } from './parts.ts'
import { problem, sendProblem } from './problems.ts'
import { hstsHeader } from './transport.ts'

/** A target that the router cannot read: it is refused before any hook runs. */
export function answerBadTarget(parts: ManagementParts) {
  return (error: { readonly code?: string }, request: FastifyRequest, reply: FastifyReply): void => {
    const code: Code = error.code === 'FST_ERR_MAX_PARAM_LENGTH' ? 'not_found' : 'request_malformed'
    reply.headers({ ...commonHeaders(request.id), ...hstsHeader(request.raw.socket, parts) })
    void sendProblem(request, reply, parts, code)
  }
}

/** What Node's parser refuses never becomes a request; it is answered on the socket, which then ends. */
export function answerClientError(parts: ManagementParts) {
  return (error: { readonly code?: string }, socket: Socket): void => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy()
      return
    }
    const requestId = parts.ids.next('req')
    const body = problem(wireCode(error.code ?? ''), requestId, parts.dataPlane.declaration().publicUrl, {})
    const text = JSON.stringify(body)
    const lines = Object.entries({
      ...commonHeaders(requestId),
      ...hstsHeader(socket, parts),
      'content-type': 'application/problem+json; charset=utf-8',
      'content-length': String(Buffer.byteLength(text)),
      connection: 'close',
    }).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.end(`HTTP/1.1 ${body.status} Refused\r\n${lines.join('')}\r\n${text}`)
  }
}

function wireCode(code: string): Code {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return 'headers_too_large'
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return 'request_timeout'
    default:
      return 'request_malformed'
  }
}

/** On every answer: nothing that this API says is for a cache. */
export function commonHeaders(requestId: string): Record<string, string> {
  return {
    'x-request-id': requestId,
    'cache-control': 'no-store',
    pragma: 'no-cache',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
  }
}
