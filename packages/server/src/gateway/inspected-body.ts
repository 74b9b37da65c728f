import type { Code } from '@postern/contract'

import type { Route } from '../core/apis/api.ts'
import type { Evaluation } from '../core/decision/evaluation.ts'
import type { RequestFacts } from '../core/decision/facts.ts'
import { headerValue } from '../core/decision/headers.ts'
import type { GatewayContext } from './context.ts'
import { type Deadline, unwatched } from './deadlines.ts'
import type { Exchange, InFlight } from './exchange.ts'
import { asksModelInBody } from './model-request.ts'

/** More than that is never held against a description; beyond it a body cannot be judged, and is refused. */
const describedBytesMax = 4 * 1024 * 1024
/** What is held of a body at first; from there it doubles. */
const heldBytesAtFirst = 16_384
/** And it has to be whole by then, however steadily it trickles in. */
const wholeWithinMs = 300_000

/**
 * Whether an allowed request is decided once more with its body: `read` it first, or `skip` it because it has none, or
 * none that anybody can judge. Null: the head was all there is to decide on.
 */
export function bodyDecides(evaluation: Evaluation, exchange: Exchange, facts: RequestFacts): 'read' | 'skip' | null {
  const { api, route } = evaluation
  // It names the model, or says how much of it is asked for.
  if (asksModelInBody(evaluation, facts)) return 'read'
  const described = route?.contract?.body ?? null
  if (api === null || described === null) return null
  const type = headerValue(exchange.req.rawHeaders, 'content-type')
  return exchange.body.present && described.isRead(type) ? 'read' : 'skip'
}

/** What of a body is held at most, and how long it may pause. */
export function boundsOf({ contract, bodyBytesMax, timeouts }: Route): BodyBounds {
  const described = contract !== null && contract.body !== null
  return { bytesMax: described ? Math.min(bodyBytesMax, describedBytesMax) : bodyBytesMax, idleMs: timeouts.idleMs }
}

interface BodyBounds {
  readonly bytesMax: number
  readonly idleMs: number
  /** Absent: five minutes. */
  readonly wholeMs?: number
}

/**
 * Holds the body of a request whole, for a decision that depends on it. It answers with the body or with the code of a
 * refusal, once; never where the client leaves before: then `closed` of the request is all that happens. All that are held together are
 * bounded too; a body counts until its request is over.
 */
export class InspectedBody implements Deadline, InFlight {
  dueAt = 0
  place = unwatched
  readonly #context: GatewayContext
  readonly #exchange: Exchange
  /** Whose request it is, as its head was decided. */
  readonly #account: string | null
  readonly #idleMs: number
  readonly #wholeMs: number
  readonly #bytesMax: number
  readonly #answer: (outcome: Buffer | Code) => void
  /** Copied together as it comes: bytes that come one by one would each hold the packet that they came in. */
  #held: Buffer = nothing
  #bytes = 0
  /** Of what all requests may hold. */
  #claimed = 0
  #over = false
  #lastInstant = 0

  constructor(
    context: GatewayContext,
    exchange: Exchange,
    { principal }: Evaluation,
    bounds: BodyBounds,
    answer: (outcome: Buffer | Code) => void,
  ) {
    this.#context = context
    this.#exchange = exchange
    this.#account = principal?.account ?? null
    this.#bytesMax = bounds.bytesMax
    this.#idleMs = bounds.idleMs
    this.#wholeMs = bounds.wholeMs ?? wholeWithinMs
    this.#answer = answer
  }

  /** The head was found good: only now is a client told to send its body. */
  start(): void {
    const exchange = this.#exchange
    const { length, expectsContinue } = exchange.body
    if (typeof length === 'number' && length > this.#bytesMax) return this.#end('request_too_large')
    exchange.releaseBody = () => this.#release()
    exchange.res.once('close', exchange.releaseBody)
    exchange.inFlight = this
    this.#lastInstant = this.#context.clock.monotonic() + this.#wholeMs
    this.#putOff()
    this.#context.deadlines.watch(this)
    if (expectsContinue) exchange.res.writeContinue()
    exchange.req.on('data', this.#onData).on('end', this.#onEnd).resume()
  }

  expired(): void {
    this.#end('request_timeout')
  }

  bodyBroken(): void {
    this.#end('request_malformed')
  }

  closed(): void {
    this.#stop()
  }

  readonly #onData = (chunk: Buffer): void => {
    const bytes = this.#bytes + chunk.length
    if (bytes > this.#bytesMax) return this.#end('request_too_large')
    if (bytes === this.#exchange.body.length && this.#bytes === 0) {
      if (!this.#claim(bytes)) return this.#end('overloaded')
      this.#held = chunk
    } else {
      if (bytes > this.#held.length && !this.#grow(bytes)) return this.#end('overloaded')
      chunk.copy(this.#held, this.#bytes)
    }
    this.#bytes = bytes
    this.#putOff()
  }

  readonly #onEnd = (): void => {
    this.#end(this.#held.subarray(0, this.#bytes))
  }

  /** As bytes come, not as they are announced: whoever only announces a body takes no room from others. */
  #grow(bytes: number): boolean {
    const { length } = this.#exchange.body
    const most = typeof length === 'number' ? length : this.#bytesMax
    const capacity = Math.min(most, Math.max(bytes, 2 * this.#held.length, heldBytesAtFirst))
    if (!this.#claim(capacity)) return false
    const held = Buffer.allocUnsafeSlow(capacity)
    this.#held.copy(held, 0, 0, this.#bytes)
    this.#held = held
    return true
  }

  /** Room for so many bytes of this body in all; false where too much is held already. */
  #claim(bytes: number): boolean {
    const more = bytes - this.#claimed
    if (more <= 0) return true
    if (!this.#context.held.claim(this.#account, more)) return false
    this.#claimed = bytes
    return true
  }

  #release(): void {
    this.#context.held.release(this.#account, this.#claimed)
    this.#claimed = 0
  }

  #putOff(): void {
    this.dueAt = Math.min(this.#context.clock.monotonic() + this.#idleMs, this.#lastInstant)
  }

  #end(outcome: Buffer | Code): void {
    if (this.#over) return
    this.#stop()
    // What is still to come on this connection is the rest of a body.
    if (typeof outcome === 'string') this.#exchange.connection.broken = true
    this.#answer(outcome)
  }

  #stop(): void {
    this.#over = true
    this.#held = nothing
    this.#context.deadlines.unwatch(this)
    this.#exchange.req.off('data', this.#onData).off('end', this.#onEnd).pause()
    if (this.#exchange.inFlight === this) this.#exchange.inFlight = null
  }
}

const nothing = Buffer.alloc(0)
