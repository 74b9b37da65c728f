import type { Code } from '@postern/contract'

import type { Result } from '../base/result.ts'
import type { Upstream } from '../core/apis/upstream.ts'
import type { Evaluation } from '../core/decision/evaluation.ts'
import type { RequestFacts } from '../core/decision/facts.ts'
import { admitted } from './admission.ts'
import { sendAnswer, sendInternalError } from './answer.ts'
import { type GatewayContext, type GatewayParts, createContext } from './context.ts'
import type { Exchange } from './exchange.ts'
import { factsOf } from './facts.ts'
import { asReceived, forward, type ForwardOptions } from './forward.ts'
import { bodyDecides, boundsOf, InspectedBody } from './inspected-body.ts'
import { type BusyAddress, type ListenAddress, createListeners } from './listeners.ts'
import { modelFacts, modelOptions } from './model-request.ts'
import type { TargetView } from './upstream-targets/groups.ts'
import { refusedAs, wireEvaluation, wireFault } from './wire.ts'

/** The data plane's HTTP/1.1 face: everything between a client's connection and an upstream. */
export interface Gateway {
  /** Listens on all of them or on none; the error lists every address that cannot be had. */
  listen(addresses: readonly ListenAddress[]): Promise<Result<readonly ListenAddress[], readonly BusyAddress[]>>
  /** Listens on what is new and stops accepting on what is gone; requests that are running go on. */
  update(addresses: readonly ListenAddress[]): Promise<Result<readonly ListenAddress[], readonly BusyAddress[]>>
  /** Requests go to the targets of these, which are checked as they say; what is known of them stays known. */
  useUpstreams(upstreams: readonly Upstream[]): void
  /** Every target in force and how it is. */
  targets(): readonly TargetView[]
  /** From now on each answer says that its connection ends with it: clients then go elsewhere. */
  drain(): void
  /** Stops accepting, lets running requests end within `graceMs`, then cuts them. */
  close(graceMs: number): Promise<void>
}

export function createGateway(parts: GatewayParts): Gateway {
  const context = createContext(parts)
  const listeners = createListeners(context, (exchange) => serve(context, exchange))
  return {
    listen: (addresses) => listeners.update(addresses),
    update: (addresses) => listeners.update(addresses),
    useUpstreams: (upstreams) => context.targets.use(upstreams),
    targets: () => context.targets.views(),
    drain: () => {
      context.closing = true
    },
    close: async (graceMs) => {
      await listeners.close(graceMs)
      context.deadlines.stop()
      context.longRunning.stop()
      context.targets.close()
      context.upstreams.close()
    },
  }
}

/**
 * The life of a request: facts → evaluate (match, extract, resolve, decide) → charge → forward → meter. Where the body
 * decides too, it is read once the head was found good, and all of it is evaluated again.
 */
function serve(context: GatewayContext, exchange: Exchange): void {
  try {
    const { req, connection } = exchange
    decide(context, exchange, factsOf(req, req.head.host, connection, context.clock, 'pending'))
  } catch (error) {
    sendInternalError(context, exchange, error)
  }
}

function decide(context: GatewayContext, exchange: Exchange, facts: RequestFacts): void {
  exchange.facts ??= facts
  const evaluation = readable(context, exchange, facts) ?? context.dataPlane.evaluate(facts, false)
  if (!(evaluation instanceof Promise)) return decided(context, exchange, facts, evaluation)
  evaluation
    .then((found) => decided(context, exchange, facts, context.dataPlane.settle(found, facts)))
    .catch((error: unknown) => sendInternalError(context, exchange, error))
}

/** A head that is out of bounds, or that could be read in two ways, is not evaluated, nor is what follows it. */
function readable(context: GatewayContext, exchange: Exchange, facts: RequestFacts): Evaluation | null {
  const fault = wireFault(exchange.req, context.limits)
  if (fault === null) return null
  exchange.connection.broken = true
  return wireEvaluation(facts, fault)
}

/** In one synchronous turn: what was decided is charged and sent on before anything can change. */
function decided(context: GatewayContext, exchange: Exchange, facts: RequestFacts, found: Evaluation): void {
  const evaluation = admitted(exchange, facts, found)
  if (evaluation.allowed && facts.body === undefined) {
    const body = bodyDecides(evaluation, exchange, facts)
    if (body === 'skip') return decide(context, exchange, { ...facts, body: null })
    if (body === 'read') return inspect(context, exchange, facts, evaluation)
  }
  conclude(context, exchange, facts, evaluation)
}

/** The credential may have died while the body came: what was decided on the head counts for nothing. */
function inspect(context: GatewayContext, exchange: Exchange, facts: RequestFacts, evaluation: Evaluation): void {
  const { route } = evaluation
  const { clock } = context
  if (route === null || exchange.gone) return conclude(context, exchange, facts, evaluation)
  exchange.decided(evaluation)
  const go = (outcome: Buffer | Code): void => {
    try {
      if (typeof outcome === 'string') {
        const more = outcome === 'overloaded' ? { retryAfterMs: 1_000 } : {}
        return conclude(context, exchange, facts, refusedAs(evaluation, outcome, more))
      }
      const llm = modelFacts(exchange, facts, evaluation, outcome)
      if (!llm.ok) return conclude(context, exchange, facts, refusedAs(evaluation, 'request_malformed', llm.error))
      const now = { now: clock.now(), monotonic: clock.monotonic() }
      decide(context, exchange, { ...facts, body: route.contract === null ? null : outcome, llm: llm.value, ...now })
    } catch (error) {
      sendInternalError(context, exchange, error)
    }
  }
  if (!exchange.body.present) return go(Buffer.alloc(0))
  new InspectedBody(context, exchange, boundsOf(route), go).start()
}

function conclude(context: GatewayContext, exchange: Exchange, facts: RequestFacts, evaluation: Evaluation): void {
  exchange.decided(evaluation)
  exchange.decidedAt = context.clock.monotonic()
  context.observer?.decided(evaluation, exchange.decidedAt - facts.monotonic)
  if (exchange.gone) return exchange.meter('client_gone')
  const standing = context.dataPlane.charge(evaluation, facts)
  if (evaluation.allowed) {
    const options = modelOptions(exchange, facts, evaluation) ?? optionsFor(facts)
    return forward(context, exchange, facts, evaluation, standing, options)
  }
  sendAnswer(context, exchange, context.dataPlane.answer(evaluation, standing, exchange.requestId))
  exchange.meter('answered')
}

function optionsFor({ body }: RequestFacts): ForwardOptions {
  return body === undefined || body === null ? asReceived : { body, tap: null, filter: null }
}
