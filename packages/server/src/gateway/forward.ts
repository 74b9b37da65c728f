import { formatIp } from '../base/ip.ts'
import type { Api } from '../core/apis/api.ts'
import { upstreamOf } from '../core/apis/regions.ts'
import type { Evaluation, Standing } from '../core/decision/evaluation.ts'
import type { RequestFacts } from '../core/decision/facts.ts'
import type { AnswerFilter, AnswerTap } from './answer-tap.ts'
import { sendAnswer } from './answer.ts'
import type { GatewayContext } from './context.ts'
import type { Exchange } from './exchange.ts'
import { Forwarding } from './forwarding.ts'
import { requestFields, trailerNames, upstreamPath } from './headers.ts'
import { injectionOf, withCut, withParameter } from './injection.ts'
import { ownFields } from './upstream/request-head.ts'
import { refusedAs } from './wire.ts'

/** What a stage before forwarding has to say about it. */
export interface ForwardOptions {
  /** The request's body where it has been read already; otherwise it streams from the client. */
  readonly body: Buffer | null
  readonly tap: AnswerTap | null
  /** For answers that come in chunks. */
  readonly filter: AnswerFilter | null
}

export const asReceived: ForwardOptions = { body: null, tap: null, filter: null }

/** Sends an allowed request on, and its answer back, both as they come. */
export function forward(
  context: GatewayContext,
  exchange: Exchange,
  facts: RequestFacts,
  evaluation: Evaluation,
  standing: Standing,
  options: ForwardOptions,
): void {
  const { api, route } = evaluation
  if (api === null || route === null) throw new Error('an allowed request has an API and a route')
  const { headerRules } = context
  const environment = evaluation.environment ?? 'live'
  const injection =
    route.connection === null
      ? injectionOf(api.upstreamCredentials[environment])
      : context.connected.find(route.connection, environment, evaluation, facts.now)
  if (injection === null) return refuseUnconnected(context, exchange, evaluation, standing)
  const places = route.connection === null ? headerRules.places(api) : withCut(headerRules.places(api), injection)
  const length = options.body === null ? exchange.body.length : options.body.length
  let fields = requestFields(headerRules, facts.headers, places, evaluation)
  if (api.identityHeaders) fields += whoCalls(context, exchange, facts, evaluation, api)
  if (injection.lines.length > 0) fields += ownFields(injection.lines)
  fields += `X-Request-Id: ${exchange.requestId}\r\n`
  // So that what the model took can be read in its answer.
  if (api.llm !== null) fields += 'Accept-Encoding: identity\r\n'
  if (length === 'chunked') {
    const announced = trailerNames(headerRules, facts.headers, places)
    if (announced !== null) fields += `Trailer: ${announced}\r\n`
  }
  if (exchange.upgrade !== null) fields += 'Connection: Upgrade\r\nUpgrade: websocket\r\n'
  const allowed = { facts, evaluation, standing, route }
  const upstream = upstreamOf(api, environment, evaluation.principal?.region ?? null)
  const forwarding = new Forwarding(context, exchange, allowed, upstream, {
    path: withParameter(upstreamPath(facts.target, '', places, evaluation), injection.parameter),
    fields,
    length,
    body: options.body,
    places,
    injection,
    tap: options.tap,
    filter: options.filter,
  })
  exchange.inFlight = forwarding
  forwarding.start()
}

/** Without the credential that the upstream expects a request is not sent: it could act as nobody, or as another. */
function refuseUnconnected(
  context: GatewayContext,
  exchange: Exchange,
  evaluation: Evaluation,
  standing: Standing,
): void {
  const refused = refusedAs(evaluation, 'connection_unavailable')
  exchange.decided(refused)
  sendAnswer(context, exchange, context.dataPlane.answer(refused, standing, exchange.requestId))
  exchange.meter('answered')
}

function whoCalls(
  { callerFields }: GatewayContext,
  { requestId }: Exchange,
  { host }: RequestFacts,
  { principal, secure, clientIp }: Evaluation,
  api: Api,
): string {
  const ofRequest = `X-Postern-Request: ${requestId}\r\nX-Forwarded-For: ${formatIp(clientIp)}\r\n`
  return `${callerFields(principal, api.id)}${ofRequest}X-Forwarded-Host: ${host}\r\nX-Forwarded-Proto: ${secure ? 'https' : 'http'}\r\n`
}
