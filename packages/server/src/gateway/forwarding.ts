import type { Route } from '../core/apis/api.ts'
import type { Upstream } from '../core/apis/upstream.ts'
import type { Injection } from '../core/connections/injection.ts'
import type { Evaluation, Standing } from '../core/decision/evaluation.ts'
import type { RequestFacts } from '../core/decision/facts.ts'
import type { AnswerFilter, AnswerTap } from './answer-tap.ts'
import { endAnswer, sendAnswer, sendInternalError } from './answer.ts'
import { Attempts } from './attempts.ts'
import type { GatewayContext } from './context.ts'
import { type Deadline, unwatched } from './deadlines.ts'
import type { Exchange, InFlight } from './exchange.ts'
import { type CredentialPlaces, trailerLines } from './headers.ts'
import { withoutInjected } from './injection.ts'
import type { LongRunning } from './long-running.ts'
import { type BodyWatch, RequestBody } from './request-body.ts'
import { isEventStream, passHead, passInterim, passSwitch, passTrailers, passWhole } from './response.ts'
import { isWebSocket } from './upgrade.ts'
import { startUpgraded } from './upgraded.ts'
import type { Attempt, RequestConnection } from './upstream/attempt.ts'
import { UpstreamFault } from './upstream/fault.ts'
import { FieldLines } from './upstream/field-lines.ts'
import { type RequestLength, requestHead } from './upstream/request-head.ts'
import type { ResponseHead } from './upstream/response-head.ts'
import type { AttemptOutcome } from './upstream/target.ts'
import { refusedAs } from './wire.ts'

/** An allowed request, and who may do what with it. */
export interface Allowed {
  readonly facts: RequestFacts
  readonly evaluation: Evaluation
  readonly standing: Standing
  readonly route: Route
}

/** A request as it is sent, whatever the target. */
export interface OutgoingRequest {
  /** Each target has a base path of its own to be put before it. */
  readonly path: string
  /** Header lines as they stand in the head, less Host and what frames the body. */
  readonly fields: string
  readonly length: RequestLength
  /** Null: it streams from the client, if there is one. */
  readonly body: Buffer | null
  readonly places: CredentialPlaces
  /** The provider's own credential among the lines or in the path: no answer may tell it. */
  readonly injection: Injection
  readonly tap: AnswerTap | null
  readonly filter: AnswerFilter | null
}

/**
 * `connecting` until a connection is there, `sending` the body, `waiting` for the status line, `answering`. Each has
 * its deadline. `over`: nothing that the upstream still says counts.
 */
type Phase = 'connecting' | 'sending' | 'waiting' | 'answering' | 'over'

/** An allowed request and its answer, between the client's connection and the upstream's. */
export class Forwarding implements Attempt, Deadline, InFlight, BodyWatch, LongRunning {
  readonly method: string
  readonly upgrades: boolean
  readonly facts: RequestFacts
  dueAt = 0
  place = unwatched
  readonly #context: GatewayContext
  readonly #exchange: Exchange
  readonly #allowed: Allowed
  #request: OutgoingRequest
  readonly #body: RequestBody | null
  readonly #attempts: Attempts
  /** Monotonic ms by which all has to be over. */
  readonly #endsAt: number
  #phase: Phase = 'connecting'
  #status = 0
  #tap: AnswerTap | null
  #followsDrain = false
  #longRunning = false

  constructor(
    context: GatewayContext,
    exchange: Exchange,
    allowed: Allowed,
    upstream: Upstream | null,
    request: OutgoingRequest,
  ) {
    const { facts, route } = allowed
    // Of the head alone: a body that was read is not held for as long as an answer streams.
    this.facts = exchange.facts ?? facts
    this.method = facts.method
    this.upgrades = exchange.upgrade !== null
    this.#context = context
    this.#exchange = exchange
    this.#allowed = allowed
    this.#request = request
    this.#tap = request.tap
    const streams = request.body === null && exchange.body.present
    this.#body = streams ? new RequestBody(exchange.req, request.length === 'chunked', route.bodyBytesMax, this) : null
    const repeatable = !streams && idempotent.has(facts.method)
    this.#attempts = new Attempts(context, upstream, this, repeatable)
    const { totalMs } = route.timeouts
    this.#endsAt = totalMs === null ? Number.POSITIVE_INFINITY : facts.monotonic + totalMs
    this.dueAt = Math.min(facts.monotonic + route.timeouts.connectMs, this.#endsAt)
  }

  start(): void {
    this.#context.deadlines.watch(this)
    if (!this.#attempts.first()) this.#giveUp('upstream_unreachable', 'unreachable')
  }

  // ---- the request on its way --------------------------------------------------------------------------

  connected(connection: RequestConnection): void {
    this.#attempts.connection = connection
    const { path, fields, length, body } = this.#request
    // Not the connection's: targets with other base paths share it.
    const { authority, basePath } = this.#attempts.target
    const head = requestHead(this.method, basePath + path, authority, fields, length)
    if (this.#body !== null) {
      this.#enter('sending', this.#allowed.route.timeouts.idleMs)
      return this.#body.sendTo(connection, head)
    }
    if (body === null) connection.writeText(head)
    else {
      connection.cork()
      connection.writeText(head)
      connection.write(body)
      connection.uncork()
    }
    this.bodySent()
  }

  /** The decision and the upstream's connection are there: only now is a client told to send its body. */
  bodyWanted(): void {
    if (this.#exchange.body.expectsContinue) this.#exchange.res.writeContinue()
  }

  bodyProgress(bytes: number): void {
    this.#exchange.received += bytes
    if (this.#phase === 'sending') this.#putOff()
  }

  bodySent(): void {
    this.#attempts.connection?.requestSent()
    if (this.#phase === 'connecting' || this.#phase === 'sending')
      this.#enter('waiting', this.#allowed.route.timeouts.firstByteMs)
  }

  bodyTooLarge(): void {
    this.#refuseOrCut('request_too_large')
  }

  bodyBroken(): void {
    if (this.#phase !== 'over') this.#refuseOrCut('request_malformed')
  }

  trailersFor(lines: readonly string[]): readonly string[] {
    return trailerLines(this.#context.headerRules, lines, this.#request.places)
  }

  drained(): void {
    this.#body?.drained()
  }

  // ---- the answer on its way back ----------------------------------------------------------------------

  interim(head: ResponseHead): void {
    passInterim(this.#context, this.#exchange, this.#allowed, this.#shown(head))
  }

  answered(head: ResponseHead, body: string): void {
    this.#head(head)
    this.#exchange.sent += body.length
    if (body !== '') this.#tap?.data(Buffer.from(body, 'latin1'))
    this.#whole(noTrailers)
    passWhole(this.#context, this.#exchange, this.#allowed, this.#shown(head), body)
  }

  answerStart(head: ResponseHead): void {
    this.#enter('answering', this.#allowed.route.timeouts.idleMs)
    this.#head(head)
    passHead(this.#context, this.#exchange, this.#allowed, this.#shown(head))
    this.#longRunning = this.#allowed.route.onRevoke === 'close' && isEventStream(head.fields.pairs)
    if (this.#longRunning) this.#context.longRunning.add(this)
    // Mostly the first bytes of the body are already here and go out with the head; a slow stream's head goes alone.
    process.nextTick(flushHead, this.#exchange.res)
  }

  answerData(chunk: Buffer): boolean {
    this.#putOff()
    this.#exchange.sent += chunk.length
    this.#tap?.data(chunk)
    const { filter } = this.#request
    const passed = filter === null ? chunk : filter.passed(chunk)
    if (passed.length === 0 || this.#exchange.res.write(passed)) return true
    if (!this.#followsDrain) {
      this.#followsDrain = true
      this.#exchange.res.on('drain', () => {
        this.#putOff()
        this.#attempts.connection?.resume()
      })
    }
    return false
  }

  answerEnd(trailers: readonly string[]): void {
    this.#whole(trailers)
    const held = this.#request.filter?.held()
    if (held !== undefined && held.length > 0) this.#exchange.res.write(held)
    passTrailers(this.#context, this.#exchange, withoutInjected(trailers, this.#request.injection))
    endAnswer(this.#context, this.#exchange, '', 'latin1')
  }

  switched(head: ResponseHead, first: Buffer): void {
    if (!isWebSocket(head.fields.pairs)) return this.failed(new UpstreamFault('no_http'))
    this.#phase = 'over'
    this.#context.deadlines.unwatch(this)
    passSwitch(this.#context, this.#exchange, this.#allowed, this.#shown(head))
    startUpgraded(this.#context, this.#exchange, this.#allowed.route, this.#attempts, this.#endsAt, first)
  }

  #head(head: ResponseHead): void {
    this.#status = head.status
    this.#exchange.upstreamMs = this.#context.clock.monotonic() - this.#exchange.decidedAt
    this.#tap?.head(head.status, head.fields.pairs)
    this.#letBodyGo()
  }

  #shown(head: ResponseHead): ResponseHead {
    const { injection } = this.#request
    if (injection.secrets.length === 0) return head
    const { pairs } = head.fields
    const shown = withoutInjected(pairs, injection)
    return shown === pairs ? head : { ...head, fields: FieldLines.of(shown) }
  }

  /** A body that was read has done its work: an answer may stream for long. */
  #letBodyGo(): void {
    if (this.#request.body === null) return
    this.#request = { ...this.#request, body: null }
    this.#exchange.releaseBody()
  }

  /** The upstream is done. The deadline stays until the client has taken the last byte. */
  #whole(trailers: readonly string[]): void {
    this.#enter('over', this.#allowed.route.timeouts.idleMs)
    this.#body?.stop()
    this.#tap?.end(trailers)
    this.#tap = null
    this.#attempts.answered(this.#status)
  }

  // ---- ends --------------------------------------------------------------------------------------------

  failed(fault: UpstreamFault): void {
    if (fault.reason === 'internal') {
      this.#stop('abandoned', 'upstream_error')
      return sendInternalError(this.#context, this.#exchange, fault.cause)
    }
    if (this.#phase === 'over') return
    const outcome = this.#attempts.outcomeOf(fault)
    const target = this.#attempts.target.url
    if (this.#phase !== 'answering' && this.#context.clock.monotonic() < this.#endsAt) {
      this.#enter('connecting', this.#allowed.route.timeouts.connectMs)
      if (this.#attempts.again(outcome)) return
    }
    const { requestId } = this.#exchange
    const fields = { requestId, api: this.#allowed.evaluation.api?.id, target, why: fault.why }
    this.#context.reportFault('gateway.upstream_failed', fields, fault)
    this.#giveUp('upstream_unreachable', outcome)
  }

  expired(): void {
    switch (this.#phase) {
      case 'connecting':
        this.#attempts.cancel()
        this.#context.deadlines.watch(this)
        return this.failed(new UpstreamFault('unreachable', new Error('no connection in time')))
      case 'sending':
        if (this.#body?.paused === true) return this.#giveUp('upstream_timeout', 'timed_out')
        return this.#refuseOrCut('request_timeout')
      case 'waiting':
        return this.#giveUp('upstream_timeout', 'timed_out')
      case 'answering':
        if (this.#exchange.res.writableNeedDrain) return this.#cut('client_gone', 'abandoned')
        return this.#cut('upstream_error', 'timed_out')
      case 'over':
        return this.#cut('client_gone', 'abandoned')
    }
  }

  /** The client's side has ended, by itself or by us. */
  closed(): void {
    this.#stop('abandoned', 'client_gone')
  }

  refused(evaluation: Evaluation): void {
    this.#exchange.decided(evaluation)
    this.#cut('answered', 'abandoned')
  }

  /** The upstream failed. Before the first byte the client is told; after it, its answer must not look whole. */
  #giveUp(code: 'upstream_unreachable' | 'upstream_timeout', outcome: AttemptOutcome): void {
    if (this.#exchange.res.headersSent) return this.#cut('upstream_error', outcome)
    this.#stop(outcome, 'upstream_error')
    this.#answer(refusedAs(this.#allowed.evaluation, code))
    this.#exchange.meter('upstream_error')
  }

  /** The client's own request failed on the way. */
  #refuseOrCut(code: 'request_too_large' | 'request_timeout' | 'request_malformed'): void {
    if (this.#exchange.res.headersSent) return this.#cut('client_gone', 'abandoned')
    this.#stop('abandoned', 'client_gone')
    // What follows on this connection is the rest of a body.
    this.#exchange.connection.broken = true
    const refused = refusedAs(this.#allowed.evaluation, code)
    this.#exchange.decided(refused)
    this.#answer(refused)
    this.#exchange.meter('answered')
  }

  #answer(refused: Evaluation): void {
    const { requestId } = this.#exchange
    const answer = this.#context.dataPlane.answer(refused, this.#allowed.standing, requestId)
    sendAnswer(this.#context, this.#exchange, answer)
  }

  /** A reset rather than an end where the client could take the end of the connection for the end of the answer. */
  #cut(ended: 'answered' | 'upstream_error' | 'client_gone', outcome: AttemptOutcome): void {
    this.#stop(outcome, ended === 'client_gone' ? 'client_gone' : 'upstream_error')
    this.#exchange.meter(ended)
    const { connection, req } = this.#exchange
    if (req.httpVersionMinor === 0) connection.cut()
    else connection.socket.destroy()
  }

  /** From here on nothing of the upstream counts; if it is not done, it is left. */
  #stop(outcome: AttemptOutcome, why: 'client_gone' | 'upstream_error'): void {
    this.#phase = 'over'
    this.#context.deadlines.unwatch(this)
    if (this.#longRunning) this.#context.longRunning.remove(this)
    this.#body?.stop()
    this.#attempts.stop(outcome, this.#status)
    this.#tap?.aborted(why)
    this.#tap = null
  }

  #enter(phase: Phase, withinMs: number): void {
    this.#phase = phase
    this.dueAt = Math.min(this.#context.clock.monotonic() + withinMs, this.#endsAt)
  }

  #putOff(): void {
    this.#enter(this.#phase, this.#allowed.route.timeouts.idleMs)
  }
}

const noTrailers: readonly string[] = []

/** RFC 9110, section 9.2.2. TRACE goes nowhere. */
const idempotent: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])

function flushHead(res: Exchange['res']): void {
  if (!res.writableEnded && !res.destroyed) res.flushHeaders()
}
