import type { Evaluation } from '../core/decision/evaluation.ts'
import type { RequestFacts } from '../core/decision/facts.ts'
import type { Charge } from '../core/limits/limiter.ts'
import type { AnswerMeter } from '../core/llm/answer-meter.ts'
import type { ReadRequest } from '../core/llm/request.ts'
import type { MeterEntry } from '../core/runtime.ts'
import type { ClientResponse } from './client-response.ts'
import type { Connection } from './connection.ts'
import type { GatewayContext } from './context.ts'
import type { ReceivedRequest, BodyFraming } from './received.ts'
import type { UpgradingClient } from './upgrade.ts'

/** What forwards a request, as far as its client's side concerns it. */
export interface InFlight {
  /** The answer is out, or the client has gone. */
  closed(): void
  /** The body of the request turned out to be broken. */
  bodyBroken(): void
}

interface ModelUse {
  readonly charge: Charge
  readonly model: string | null
  readonly meter: AnswerMeter
}

/** One request and its answer, from the arrival of the head to the last byte. */
export class Exchange {
  readonly req: ReceivedRequest
  readonly res: ClientResponse
  readonly connection: Connection<Exchange>
  readonly requestId: string
  readonly upgrade: UpgradingClient | null
  readonly body: BodyFraming
  facts: RequestFacts | null = null
  inFlight: InFlight | null = null
  /** Gives back the room that a body took while it was held whole. */
  releaseBody: () => void = nothingHeld
  /** A request to a language model, once its body has been read. */
  modelRequest: ReadRequest | null = null
  /** What has been reserved for it, and what hears its answer. */
  modelUse: ModelUse | null = null
  /** The client left, or was cut off, before the answer was whole. */
  gone = false
  /** The connection speaks another protocol by now. */
  switched = false
  /** Bytes of bodies, or of the other protocol, that passed. */
  received = 0
  sent = 0
  /** Monotonic ms of the decision. */
  decidedAt = 0
  upstreamMs: number | null = null
  /** Its body could not be read to the end. */
  bodyBroken = false
  readonly #context: GatewayContext
  #evaluation: Evaluation | null = null

  /** `upgrade`: the client asks for WebSocket, and Node's parser has let go of its connection. */
  constructor(
    context: GatewayContext,
    connection: Connection<Exchange>,
    req: ReceivedRequest,
    res: ClientResponse,
    upgrade: UpgradingClient | null = null,
  ) {
    this.#context = context
    this.connection = connection
    this.req = req
    this.res = res
    this.upgrade = upgrade
    this.requestId = context.ids.next('req')
    this.body = req.head.body
  }

  /** What the meter is told at the end. */
  decided(evaluation: Evaluation): void {
    this.#evaluation = evaluation
  }

  /** `Connection: close` where the connection has to end with this answer. */
  connectionHeader(): readonly string[] {
    if (!this.#lastOfConnection()) return []
    this.connection.broken = true
    return closeHeader
  }

  /** Whether the client may send its next request behind this answer, and there is nothing more to be said of it. */
  connectionGoesOn(): boolean {
    const { res, body } = this
    // Of a client that was not told to go on with its body, Node ends the connection.
    return this.connectionHeader().length === 0 && res.shouldKeepAlive && !body.expectsContinue
  }

  /** Strict-Transport-Security, on answers over TLS alone (RFC 6797, section 7.2). */
  hsts(): readonly string[] {
    return this.connection.encrypted ? (this.#context.tls?.hsts() ?? none) : none
  }

  #lastOfConnection(): boolean {
    const { connection, body, req } = this
    // Node drops what follows a head with Upgrade in the same packet, so nothing may follow.
    if (this.#context.closing || connection.broken || body.upgrade) return true
    if (!body.present || req.complete) return false
    // An answer that begins before its request has ended leaves an unread body behind, unless that is small.
    return body.expectsContinue || body.length === 'chunked' || (body.length ?? 0) > this.#context.limits.drainBytesMax
  }

  /** The answer is out, or its connection is gone. */
  closed(): void {
    this.gone = !this.switched && !this.res.writableFinished
    this.inFlight?.closed()
    this.meter(this.gone ? 'client_gone' : 'answered')
  }

  /** Only the first call counts: once for each request, at its end. */
  meter(ended: MeterEntry['ended']): void {
    const evaluation = this.#evaluation
    if (evaluation === null || this.facts === null) return
    this.#evaluation = null
    const use = this.modelUse
    const entry: MeterEntry = {
      evaluation,
      facts: this.facts,
      requestId: this.requestId,
      status: this.switched ? switchingProtocols : this.res.headersSent ? this.res.statusCode : clientClosed,
      ended,
      received: this.received,
      sent: this.sent,
      upstreamMs: this.upstreamMs,
      latencyMs: this.#context.clock.monotonic() - this.facts.monotonic,
      llm: use === null ? null : { charge: use.charge, model: use.model, ...use.meter.taken() },
    }
    this.#context.dataPlane.meter(entry)
    this.#context.observer?.ended(entry)
  }
}

const nothingHeld = (): void => undefined
const none: readonly string[] = []
const switchingProtocols = 101
const closeHeader = ['Connection', 'close']

/** For the log only: the client closed the connection before there was an answer. */
const clientClosed = 499
