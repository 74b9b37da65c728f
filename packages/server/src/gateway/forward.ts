import type { Dispatcher } from 'undici'

import { formatIp } from '../base/ip.ts'
import type { Route, Upstream } from '../core/apis/api.ts'
import type { Evaluation, Standing } from '../core/decision/evaluation.ts'
import type { RequestFacts } from '../core/decision/facts.ts'
import { endAnswer, sendAnswer } from './answer.ts'
import type { GatewayContext } from './context.ts'
import { type Deadline, unwatched } from './deadlines.ts'
import type { Exchange, InFlight } from './exchange.ts'
import { requestHeaders, upstreamPath } from './headers.ts'
import { injectionOf, withParameter } from './injection.ts'
import { type BodyWatch, RequestBody } from './request-body.ts'
import { ownResponseHeaders, rawLines, responseHeaders } from './response.ts'
import { refusedAs } from './wire.ts'

/** Sends an allowed request on, and its answer back, both as they come. */
export function forward(
  context: GatewayContext,
  exchange: Exchange,
  facts: RequestFacts,
  evaluation: Evaluation,
  standing: Standing,
): void {
  const { api, route } = evaluation
  if (api === null || route === null) throw new Error('an allowed request has an API and a route')
  const forwarding = new Forwarding(context, exchange, evaluation, standing, route)
  exchange.inFlight = forwarding
  const upstream = api.upstreams[evaluation.environment ?? 'live']
  if (upstream === null) return forwarding.fail('upstream_unreachable')
  const places = context.headerRules.places(api)
  const injection = injectionOf(api.upstreamCredentials[evaluation.environment ?? 'live'])
  const own = [...(api.identityHeaders ? whoCalls(context, exchange, facts, evaluation) : []), ...injection.lines]
  own.push('X-Request-Id', exchange.requestId)
  forwarding.start(
    upstream,
    withParameter(upstreamPath(facts.target, upstream.basePath, places, evaluation), injection.parameter),
    requestHeaders(context.headerRules, facts.headers, places, evaluation, own),
  )
}

function whoCalls(
  context: GatewayContext,
  exchange: Exchange,
  facts: RequestFacts,
  evaluation: Evaluation,
): readonly string[] {
  return [
    ...context.dataPlane.identityHeaders(evaluation, exchange.requestId),
    'X-Forwarded-For',
    formatIp(evaluation.clientIp),
    'X-Forwarded-Host',
    facts.host,
    'X-Forwarded-Proto',
    evaluation.secure ? 'https' : 'http',
  ]
}

/**
 * `connecting` until the upstream's connection is there, `sending` the body, `waiting` for the status line,
 * `answering`. Each has its deadline. `over`: nothing that the upstream still says counts.
 */
type Phase = 'connecting' | 'sending' | 'waiting' | 'answering' | 'over'

class Forwarding implements Dispatcher.DispatchHandler, Deadline, InFlight, BodyWatch {
  dueAt: number
  place = unwatched
  readonly #context: GatewayContext
  readonly #exchange: Exchange
  readonly #evaluation: Evaluation
  readonly #standing: Standing
  readonly #route: Route
  readonly #body: RequestBody | null
  #phase: Phase = 'connecting'
  #controller: Dispatcher.DispatchController | null = null
  #followsDrain = false

  constructor(context: GatewayContext, exchange: Exchange, evaluation: Evaluation, standing: Standing, route: Route) {
    this.#context = context
    this.#exchange = exchange
    this.#evaluation = evaluation
    this.#standing = standing
    this.#route = route
    this.#body = exchange.body.present ? new RequestBody(exchange.req, route.bodyBytesMax, this) : null
    this.dueAt = context.clock.monotonic() + route.timeouts.connectMs
  }

  start(upstream: Upstream, path: string, headers: string[]): void {
    this.#context.deadlines.watch(this)
    const method = this.#exchange.req.method ?? ''
    const body = this.#body?.asStream() ?? null
    this.#context.upstreams.dispatch({ origin: upstream.origin, path, method, headers, body }, this)
  }

  // ---- the request on its way --------------------------------------------------------------------------

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#phase === 'over') return controller.abort(new Error('given up while connecting'))
    this.#controller = controller
    if (this.#body === null) this.#enter('waiting', this.#route.timeouts.firstByteMs)
    else this.#enter('sending', this.#route.timeouts.idleMs)
  }

  /** The decision and the upstream's connection are there: only now is a client told to send its body. */
  bodyWanted(): void {
    if (this.#exchange.body.expectsContinue) this.#exchange.res.writeContinue()
  }

  bodyProgress(): void {
    if (this.#phase === 'sending') this.#putOff()
  }

  bodyTooLarge(): void {
    this.#refuseOrCut('request_too_large')
  }

  bodyBroken(): void {
    if (this.#phase !== 'over') this.#refuseOrCut('request_malformed')
  }

  onRequestSent(): void {
    if (this.#phase === 'sending') this.#enter('waiting', this.#route.timeouts.firstByteMs)
  }

  // ---- the answer on its way back ----------------------------------------------------------------------

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    // Interim answers (103) end here for now.
    if (this.#phase === 'over' || status < 200) return
    const { dataPlane, headerRules } = this.#context
    const { requestId, res } = this.#exchange
    const limits = dataPlane.limitHeaders(this.#evaluation, this.#standing)
    const own = ownResponseHeaders(requestId, this.#evaluation, limits, dataPlane.corsHeaders(this.#evaluation))
    own.push(...this.#exchange.hsts())
    const headers = responseHeaders(headerRules, status, rawLines(controller), this.#evaluation, own)
    headers.push(...this.#exchange.connectionHeader())
    this.#enter('answering', this.#route.timeouts.idleMs)
    res.writeHead(status, headers)
    // Mostly the first bytes of the body are already here and go out with the head; a slow stream's head goes alone.
    process.nextTick(flushHead, res)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#phase === 'over') return
    this.#putOff()
    if (this.#exchange.res.write(chunk)) return
    controller.pause()
    if (this.#followsDrain) return
    this.#followsDrain = true
    this.#exchange.res.on('drain', () => {
      this.#putOff()
      controller.resume()
    })
  }

  /** Trailers end here for now. The deadline stays until the client has taken the last byte. */
  onResponseEnd(): void {
    if (this.#phase === 'over') return
    this.#phase = 'over'
    this.#putOff()
    this.#body?.destroy()
    endAnswer(this.#context, this.#exchange)
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    if (this.#phase === 'over') return
    const { requestId } = this.#exchange
    this.#context.reportFault('gateway.upstream_failed', { requestId, api: this.#evaluation.api?.id }, error)
    this.fail('upstream_unreachable')
  }

  // ---- ends --------------------------------------------------------------------------------------------

  expired(): void {
    switch (this.#phase) {
      case 'connecting':
        return this.fail('upstream_unreachable')
      case 'sending':
        return this.#body?.paused === true ? this.fail('upstream_timeout') : this.#refuseOrCut('request_timeout')
      case 'waiting':
        return this.fail('upstream_timeout')
      case 'answering':
        return this.#cut(this.#exchange.res.writableNeedDrain ? 'client_gone' : 'upstream_error')
      case 'over':
        return this.#cut('client_gone')
    }
  }

  /** The client's side has ended, by itself or by us. */
  closed(): void {
    this.#stop(this.#phase === 'over' ? null : 'the client has gone')
  }

  /** The upstream failed. Before the first byte the client is told; after it, its answer must not look whole. */
  fail(code: 'upstream_unreachable' | 'upstream_timeout'): void {
    if (this.#exchange.res.headersSent) return this.#cut('upstream_error')
    this.#stop(code)
    this.#answer(refusedAs(this.#evaluation, code))
    this.#exchange.meter('upstream_error')
  }

  /** The client's own request failed on the way. */
  #refuseOrCut(code: 'request_too_large' | 'request_timeout' | 'request_malformed'): void {
    if (this.#exchange.res.headersSent) return this.#cut('client_gone')
    this.#stop(code)
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
  #cut(ended: 'upstream_error' | 'client_gone'): void {
    this.#stop(ended)
    this.#exchange.meter(ended)
    const { connection, req } = this.#exchange
    if (req.httpVersionMinor === 0) connection.cut()
    else connection.socket.destroy()
  }

  /** From here on nothing of the upstream counts. `reason`: it is not done, and is told to stop. */
  #stop(reason: string | null): void {
    this.#phase = 'over'
    this.#context.deadlines.unwatch(this)
    this.#body?.destroy()
    if (reason !== null) this.#controller?.abort(new Error(reason))
  }

  #enter(phase: Phase, withinMs: number): void {
    this.#phase = phase
    this.dueAt = this.#context.clock.monotonic() + withinMs
  }

  #putOff(): void {
    this.dueAt = this.#context.clock.monotonic() + this.#route.timeouts.idleMs
  }
}

function flushHead(res: Exchange['res']): void {
  if (!res.writableEnded && !res.destroyed) res.flushHeaders()
}
