import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

import type { Clock } from '../../base/clock.ts'
import type { Ids } from '../../base/ids.ts'
import { type Ip, ipInRanges } from '../../base/ip.ts'
import { fail, type Result } from '../../base/result.ts'
import type { Answer } from '../../core/decision/answer.ts'
import type { Evaluation } from '../../core/decision/evaluation.ts'
import type { RequestFacts } from '../../core/decision/facts.ts'
import type { DataPlane } from '../../core/runtime.ts'
import { unlessPaused } from '../admission.ts'
import { connectionOf } from '../connection.ts'
import type { GatewayParts } from '../context.ts'
import { factsOf } from '../facts.ts'
import { createHeaderRules } from '../headers.ts'
import { readHead } from '../received.ts'
import type { WireLimits } from '../wire-limits.ts'
import { wireEvaluation } from '../wire.ts'
import { allowedAnswer, preflightAnswer, refusedAnswer } from './answer.ts'
import { type Fault, originalRequest } from './original.ts'
import { type Question, readQuestion } from './question.ts'

export interface ForwardAuthParts {
  readonly dataPlane: DataPlane
  readonly clock: Clock
  readonly ids: Ids
  readonly limits: Pick<WireLimits, 'headerLinesMax' | 'targetBytesMax'>
  readonly reportFault: GatewayParts['reportFault']
  readonly observer?: GatewayParts['observer']
}

/**
 * Decides requests that another proxy forwards: nginx, Caddy, HAProxy, Traefik, Apache and Envoy ask before they do.
 * The same decision as the gateway's, charged and metered alike.
 */
export interface ForwardAuth {
  /** Answers one question. */
  readonly handle: (req: IncomingMessage, res: ServerResponse) => void
  /** From now on nothing is decided: every question is answered 503. */
  close(): void
}

export function createForwardAuth(parts: ForwardAuthParts): ForwardAuth {
  const { dataPlane, clock, ids, limits } = parts
  const rules = createHeaderRules()
  const peers = new WeakMap<Socket, Ip>()
  let closed = false

  const peerOf = (socket: Socket): Ip | null => {
    const known = peers.get(socket)
    if (known !== undefined) return known
    const peer = connectionOf(socket, 0, false)?.peer ?? null
    if (peer !== null) peers.set(socket, peer)
    return peer
  }

  /** What is asked about, or why it is not decided. */
  const read = (asked: RequestFacts, question: Question): Result<RequestFacts, Fault> => {
    if (closed) return fail({ code: 'decision_unavailable', hint: null })
    if (!ipInRanges(asked.peer, dataPlane.declaration().transport.trustedProxies))
      return fail({ code: 'forward_auth_untrusted', hint: null })
    return originalRequest(asked, question, limits)
  }

  const decided = (exchange: Exchange, facts: RequestFacts, found: Evaluation): void => {
    const evaluation = unlessPaused(found)
    const { requestId, question, res } = exchange
    parts.observer?.decided(evaluation, clock.monotonic() - facts.monotonic)
    if (res.destroyed) return meter(exchange, facts, evaluation, clientClosed, 'client_gone')
    const standing = dataPlane.charge(evaluation, facts)
    const answer = evaluation.allowed
      ? allowedAnswer(dataPlane, rules, facts, evaluation, standing, requestId)
      : evaluation.preflight && evaluation.refusal === null
        ? preflightAnswer(dataPlane, facts, evaluation, requestId)
        : dataPlane.answer(evaluation, standing, requestId)
    send(exchange, refusedAnswer(answer, evaluation, question))
    // The log tells the status of the decision, whatever the proxy understands.
    meter(exchange, facts, evaluation, answer.status, 'answered')
  }

  const meter = (
    { requestId }: Exchange,
    facts: RequestFacts,
    evaluation: Evaluation,
    status: number,
    ended: 'answered' | 'client_gone',
  ): void => {
    const latencyMs = clock.monotonic() - facts.monotonic
    const entry = {
      evaluation,
      facts,
      requestId,
      status,
      ended,
      latencyMs,
      upstreamMs: null,
      received: 0,
      sent: 0,
      llm: null,
    }
    dataPlane.meter(entry)
    parts.observer?.ended(entry)
  }

  const failed = (exchange: Exchange, asked: RequestFacts, error: unknown): void => {
    const { requestId, question, res } = exchange
    parts.reportFault('forward_auth.fault', { requestId }, error)
    if (res.headersSent || res.destroyed) return void res.destroy()
    const evaluation = wireEvaluation(asked, 'internal_error')
    send(exchange, refusedAnswer(dataPlane.answer(evaluation, null, requestId), evaluation, question))
  }

  return {
    handle: (req, res) => {
      const peer = peerOf(req.socket)
      if (peer === null) return void req.socket.destroy()
      const { host, body } = readHead(req.rawHeaders, req.httpVersionMinor)
      const asked = factsOf(req, host, { peer, localPort: 0, encrypted: false, plainOnTls: false }, clock, 'unread')
      const question = readQuestion(req.url ?? '')
      const exchange = { res, requestId: ids.next('req'), question, announcesBody: body.present }
      try {
        const original = read(asked, question)
        if (!original.ok) return decided(exchange, asked, faultOf(asked, original.error))
        const facts = original.value
        const evaluation = dataPlane.evaluate(facts, false)
        if (!(evaluation instanceof Promise)) return decided(exchange, facts, evaluation)
        evaluation
          .then((found) => decided(exchange, facts, dataPlane.settle(found, facts)))
          .catch((error: unknown) => failed(exchange, asked, error))
      } catch (error) {
        failed(exchange, asked, error)
      }
    },
    close: () => {
      closed = true
    },
  }
}

interface Exchange {
  readonly res: ServerResponse
  readonly requestId: string
  readonly question: Question
  readonly announcesBody: boolean
}

/** For the log only: the proxy closed the connection before there was an answer. */
const clientClosed = 499

function faultOf(asked: RequestFacts, { code, hint }: Fault): Evaluation {
  const evaluation = wireEvaluation(asked, code)
  const { refusal } = evaluation
  return refusal === null ? evaluation : { ...evaluation, refusal: { ...refusal, hint } }
}

function send({ res, announcesBody }: Exchange, { status, headers, body }: Answer): void {
  // RFC 9110, section 8.6: no Content-Length in a 204.
  const length = status === 204 ? [] : ['Content-Length', String(Buffer.byteLength(body))]
  // A body says nothing about the decision: it is not read, so nothing can follow it.
  const last = announcesBody ? ['Connection', 'close'] : []
  res.writeHead(status, [...headers, ...length, ...last])
  res.end(body)
}
