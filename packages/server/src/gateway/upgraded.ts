import type { Route } from '../core/apis/api.ts'
import type { Injection } from '../core/connections/injection.ts'
import type { Evaluation } from '../core/decision/evaluation.ts'
import type { RequestFacts } from '../core/decision/facts.ts'
import type { Attempts } from './attempts.ts'
import type { GatewayContext } from './context.ts'
import { type Deadline, unwatched } from './deadlines.ts'
import type { Exchange, InFlight } from './exchange.ts'
import type { LongRunning } from './long-running.ts'
import { Tunnel, type TunnelWatch } from './tunnel.ts'
import type { RequestConnection } from './upstream/attempt.ts'

/** The upstream has switched, and the client was told. `first`: what the upstream said behind its head. */
export function startUpgraded(
  context: GatewayContext,
  exchange: Exchange,
  route: Route,
  borrowed: Injection | null,
  attempts: Attempts,
  endsAt: number,
  first: Buffer,
): void {
  const { upgrade, facts } = exchange
  const { connection } = attempts
  if (upgrade === null || facts === null || connection === null) throw new Error('nothing was there to be upgraded')
  const upgraded = new Upgraded(context, exchange, facts, route, borrowed, attempts, connection, endsAt)
  exchange.switched = true
  exchange.inFlight = upgraded
  const tunnel = new Tunnel(upgrade.socket, connection, upgraded)
  tunnel.start(upgrade.early(), first)
}

/** A connection that speaks another protocol by now, until both of its ends are closed. */
class Upgraded implements Deadline, InFlight, TunnelWatch, LongRunning {
  dueAt = 0
  place = unwatched
  readonly facts: RequestFacts
  readonly borrowed: Injection | null
  readonly #context: GatewayContext
  readonly #exchange: Exchange
  readonly #route: Route
  readonly #attempts: Attempts
  readonly #connection: RequestConnection
  readonly #endsAt: number
  #upstreamClosed = false
  #clientClosed = false

  constructor(
    context: GatewayContext,
    exchange: Exchange,
    facts: RequestFacts,
    route: Route,
    borrowed: Injection | null,
    attempts: Attempts,
    connection: RequestConnection,
    endsAt: number,
  ) {
    this.facts = facts
    this.borrowed = borrowed
    this.#context = context
    this.#exchange = exchange
    this.#route = route
    this.#attempts = attempts
    this.#connection = connection
    this.#endsAt = endsAt
    this.#putOff(route.timeouts.idleMs)
    context.deadlines.watch(this)
    if (route.onRevoke === 'close') context.longRunning.add(this)
  }

  passed(toUpstream: number, toClient: number): void {
    this.#exchange.received += toUpstream
    this.#exchange.sent += toClient
    this.#putOff(this.#route.timeouts.idleMs)
  }

  /** What was on its way to the client has a while to arrive. */
  upstreamClosed(): void {
    this.#upstreamClosed = true
    this.#closing()
  }

  /** The client's socket is closed; what it said last has a while to arrive. */
  closed(): void {
    this.#clientClosed = true
    this.#connection.destroySoon()
    this.#closing()
  }

  bodyBroken(): void {}

  expired(): void {
    this.#cut()
  }

  refused(evaluation: Evaluation): void {
    this.#exchange.decided(evaluation)
    this.#cut()
  }

  #closing(): void {
    this.#putOff(this.#context.limits.lingerMs)
    this.#context.longRunning.remove(this)
    if (!this.#upstreamClosed || !this.#clientClosed) return
    this.#context.deadlines.unwatch(this)
    this.#attempts.answered(switchingProtocols)
  }

  #cut(): void {
    this.#connection.destroy()
    this.#exchange.connection.socket.destroy()
  }

  #putOff(ms: number): void {
    this.dueAt = Math.min(this.#context.clock.monotonic() + ms, this.#endsAt)
  }
}

const switchingProtocols = 101
