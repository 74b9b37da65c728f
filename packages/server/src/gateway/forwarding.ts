import type { Route, Upstream } from '../core/apis/api.ts'
import type { Evaluation, Standing } from '../core/decision/evaluation.ts'
import type { AnswerTap } from './answer-tap.ts'
import { endAnswer, sendAnswer, sendInternalError } from './answer.ts'
import type { GatewayContext } from './context.ts'
import { type Deadline, unwatched } from './deadlines.ts'
import type { Exchange, InFlight } from './exchange.ts'
import { type CredentialPlaces, trailerLines } from './headers.ts'
import { type BodyWatch, RequestBody } from './request-body.ts'
import { passHead, passInterim, passTrailers } from './response.ts'
import type { Attempt, RequestConnection } from './upstream/attempt.ts'
import { UpstreamFault } from './upstream/fault.ts'
import { type RequestLength, requestHead } from './upstream/request-head.ts'
import type { ResponseHead } from './upstream/response-head.ts'
import type { AttemptOutcome, Target } from './upstream/target.ts'
import { refusedAs } from './wire.ts'

/** A request as it is sent, whatever the target. */
export interface OutgoingRequest {
  readonly method: string
  /** Each target has a base path of its own to be put before it. */
  readonly path: string
  readonly lines: readonly string[]
  readonly length: RequestLength
  /** Null: it streams from the client, if there is one. */
  readonly body: Buffer | null
  readonly places: CredentialPlaces
  readonly tap: AnswerTap | null
}

/**
 * `connecting` until a connection is there, `sending` the body, `waiting` for the status line, `answering`. Each has
 * its deadline. `over`: nothing that the upstream still says counts.
 */
type Phase = 'connecting' | 'sending' | 'waiting' | 'answering' | 'over'

/** An allowed request and its answer between the client's connection and the upstream's. */
export class Forwarding implements Attempt, Deadline, InFlight, BodyWatch {
  readonly method: string
  readonly upgrades = false
  dueAt = 0
  place = unwatched
  readonly #context: GatewayContext
  readonly #exchange: Exchange
  readonly #evaluation: Evaluation
  readonly #standing: Standing
  readonly #route: Route
  readonly #request: OutgoingRequest
  readonly #body: RequestBody | null
  #phase: Phase = 'connecting'
  #upstream: Upstream | null = null
  #target: Target | null = null
  #connection: RequestConnection | null = null
  #attempts = 0
  #renewed = false
  #status = 0
  #tap: AnswerTap | null
  #followsDrain = false

  constructor(
    context: GatewayContext,
    exchange: Exchange,
    evaluation: Evaluation,
    standing: Standing,
    route: Route,
    request: OutgoingRequest,
  ) {
    this.method = request.method
    this.#context = context
    this.#exchange = exchange
    this.#evaluation = evaluation
    this.#standing = standing
    this.#route = route
    this.#request = request
    this.#tap = request.tap
    const streams = request.body === null && exchange.body.present
    this.#body = streams ? new RequestBody(exchange.req, request.length === 'chunked', route.bodyBytesMax, this) : null
  }

  start(upstream: Upstream | null): void {
    this.#upstream = upstream
    const target = upstream === null ? null : this.#context.targets.pick(upstream, null, 0)
    if (target === null) return this.#giveUp('upstream_unreachable', 'unreachable')
    this.#context.deadlines.watch(this)
    this.#attempt(target, false)
  }

  // ---- the request on its way --------------------------------------------------------------------------

  #attempt(target: Target, fresh: boolean): void {
    this.#target = target
    this.#connection = null
    this.#attempts++
    this.#enter('connecting', this.#route.timeouts.connectMs)
    this.#context.upstreams.acquire(target, this, fresh)
  }

  connected(connection: RequestConnection): void {
    this.#connection = connection
    const { path, lines, length, body } = this.#request
    if (this.#target === null) throw new Error('a connection for no target')
    // Not the connection's: targets with other base paths share it.
    const { authority, basePath } = this.#target
    const head = requestHead(this.method, basePath + path, authority, lines, length)
    if (this.#body !== null) {
      this.#enter('sending', this.#route.timeouts.idleMs)
      return this.#body.sendTo(connection, head)
    }
    connection.writeText(head)
    if (body !== null && body.length > 0) connection.write(body)
    this.bodySent()
  }

  /** The decision and the upstream's connection are there: only now is a client told to send its body. */
  bodyWanted(): void {
    if (this.#exchange.body.expectsContinue) this.#exchange.res.writeContinue()
  }

  bodyProgress(): void {
    if (this.#phase === 'sending') this.#putOff()
  }

  bodySent(): void {
    this.#connection?.requestSent()
    if (this.#phase === 'connecting' || this.#phase === 'sending')
      this.#enter('waiting', this.#route.timeouts.firstByteMs)
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
    if (this.#phase !== 'over') passInterim(this.#context, this.#exchange, this.#evaluation, head)
  }

  answered(head: ResponseHead, body: string): void {
    this.#head(head)
    if (body !== '') this.#tap?.data(Buffer.from(body, 'latin1'))
    this.#whole(noTrailers)
    if (body !== '' && this.#exchange.req.complete) this.#exchange.res.end(body, 'latin1')
    else {
      if (body !== '') this.#exchange.res.write(body, 'latin1')
      endAnswer(this.#context, this.#exchange)
    }
  }

  answerStart(head: ResponseHead): void {
    this.#head(head)
    // Mostly the first bytes of the body are already here and go out with the head; a slow stream's head goes alone.
    process.nextTick(flushHead, this.#exchange.res)
  }

  answerData(chunk: Buffer): boolean {
    this.#putOff()
    this.#tap?.data(chunk)
    if (this.#exchange.res.write(chunk)) return true
    if (!this.#followsDrain) {
      this.#followsDrain = true
      this.#exchange.res.on('drain', () => {
        this.#putOff()
        this.#connection?.resume()
      })
    }
    return false
  }

  answerEnd(trailers: readonly string[]): void {
    this.#whole(trailers)
    passTrailers(this.#context, this.#exchange, trailers)
    endAnswer(this.#context, this.#exchange)
  }

  switched(): void {
    throw new Error('nothing was asked for but HTTP/1.1')
  }

  #head(head: ResponseHead): void {
    this.#status = head.status
    this.#enter('answering', this.#route.timeouts.idleMs)
    this.#tap?.head(head.status, head.lines)
    passHead(this.#context, this.#exchange, this.#evaluation, this.#standing, head)
  }

  /** The upstream is done. The deadline stays until the client has taken the last byte. */
  #whole(trailers: readonly string[]): void {
    this.#phase = 'over'
    this.#putOff()
    this.#connection = null
    this.#body?.stop()
    this.#tap?.end(trailers)
    this.#tap = null
    this.#report('answered')
  }

  // ---- ends --------------------------------------------------------------------------------------------

  failed(fault: UpstreamFault): void {
    if (fault.reason === 'internal') {
      this.#stop('abandoned', 'upstream_error')
      return sendInternalError(this.#context, this.#exchange, fault.cause)
    }
    if (this.#phase === 'over') return
    const outcome = this.#connection === null ? 'unreachable' : 'broken'
    if (this.#triesAgain(outcome)) return
    const { requestId } = this.#exchange
    this.#context.reportFault('gateway.upstream_failed', { requestId, api: this.#evaluation.api?.id }, fault)
    this.#giveUp('upstream_unreachable', outcome)
  }

  /**
   * Only where doing it twice is doing it once: nothing of the request was sent, or it has no body and its method is
   * idempotent; and not a byte of an answer has come (RFC 9110, section 9.2.2). An upstream may close a connection
   * that was idle at the very moment at which it is used again: that says nothing of the upstream.
   */
  #triesAgain(outcome: AttemptOutcome): boolean {
    const connection = this.#connection
    const { body, method } = this.#request
    const upstream = this.#upstream
    const target = this.#target
    if (upstream === null || target === null || connection?.heard === true) return false
    const repeatable = this.#body === null && body === null && idempotent.has(method)
    if (connection?.written === true && !repeatable) return false
    if (connection?.reused === true && !this.#renewed) {
      this.#renewed = true
      this.#attempt(target, true)
      return true
    }
    const next = this.#context.targets.pick(upstream, target, this.#attempts)
    if (next === null) return false
    this.#report(outcome)
    this.#attempt(next, false)
    return true
  }

  expired(): void {
    switch (this.#phase) {
      case 'connecting':
        if (this.#target !== null) this.#context.upstreams.cancel(this.#target, this)
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

  /** The upstream failed. Before the first byte the client is told; after it, its answer must not look whole. */
  #giveUp(code: 'upstream_unreachable' | 'upstream_timeout', outcome: AttemptOutcome): void {
    if (this.#exchange.res.headersSent) return this.#cut('upstream_error', outcome)
    this.#stop(outcome, 'upstream_error')
    this.#answer(refusedAs(this.#evaluation, code))
    this.#exchange.meter('upstream_error')
  }

  /** The client's own request failed on the way. */
  #refuseOrCut(code: 'request_too_large' | 'request_timeout' | 'request_malformed'): void {
    if (this.#exchange.res.headersSent) return this.#cut('client_gone', 'abandoned')
    this.#stop('abandoned', 'client_gone')
    // What follows on this connection is the rest of a body.
    this.#exchange.connection.broken = true
    const refused = refusedAs(this.#evaluation, code)
    this.#exchange.decided(refused)
    this.#answer(refused)
    this.#exchange.meter('answered')
  }

  #answer(refused: Evaluation): void {
    const { requestId } = this.#exchange
    sendAnswer(this.#context, this.#exchange, this.#context.dataPlane.answer(refused, this.#standing, requestId))
  }

  /** A reset rather than an end where the client could take the end of the connection for the end of the answer. */
  #cut(ended: 'upstream_error' | 'client_gone', outcome: AttemptOutcome): void {
    this.#stop(outcome, ended)
    this.#exchange.meter(ended)
    const { connection, req } = this.#exchange
    if (req.httpVersionMinor === 0) connection.cut()
    else connection.socket.destroy()
  }

  /** From here on nothing of the upstream counts; if it is not done, it is left. */
  #stop(outcome: AttemptOutcome, why: 'client_gone' | 'upstream_error'): void {
    this.#phase = 'over'
    this.#context.deadlines.unwatch(this)
    this.#body?.stop()
    if (this.#connection !== null) this.#connection.destroy()
    else if (this.#target !== null) this.#context.upstreams.cancel(this.#target, this)
    this.#connection = null
    this.#report(outcome)
    this.#tap?.aborted(why)
    this.#tap = null
  }

  #report(outcome: AttemptOutcome): void {
    const target = this.#target
    this.#target = null
    if (target !== null) this.#context.targets.report(target, outcome, this.#status)
  }

  #enter(phase: Phase, withinMs: number): void {
    this.#phase = phase
    this.dueAt = this.#context.clock.monotonic() + withinMs
  }

  #putOff(): void {
    this.dueAt = this.#context.clock.monotonic() + this.#route.timeouts.idleMs
  }
}

const noTrailers: readonly string[] = []

/** RFC 9110, section 9.2.2. TRACE goes nowhere. */
const idempotent: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])

function flushHead(res: Exchange['res']): void {
  if (!res.writableEnded && !res.destroyed) res.flushHeaders()
}
