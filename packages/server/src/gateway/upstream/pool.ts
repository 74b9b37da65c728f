import type { Clock } from '../../base/clock.ts'
import type { Target } from '../../core/apis/upstream.ts'
import type { Attempt } from './attempt.ts'
import { type ConnectionOwner, UpstreamConnection } from './connection.ts'
import { UpstreamFault } from './fault.ts'

export interface PoolLimits {
  readonly connectionsMax: number
  /** Requests that wait for a connection; beyond them they fail at once. */
  readonly waitingMax: number
}

/** Less than the 5 s for which servers commonly keep an idle connection, so that mostly we are the one to close it. */
const idleMs = 4_000
const idleMaxMs = 60_000
/** Before the end of the time that an upstream names: what is under way needs a while. */
const marginMs = 1_000

/** The connections to one target. Of the idle ones the one used last goes first, so that the others can go. */
export class Pool implements ConnectionOwner {
  readonly #target: Target
  readonly #clock: Clock
  readonly #limits: PoolLimits
  readonly #idle: UpstreamConnection[] = []
  readonly #open = new Set<UpstreamConnection>()
  readonly #connecting = new Set<UpstreamConnection>()
  readonly #waiting: Attempt[] = []

  constructor(target: Target, clock: Clock, limits: PoolLimits) {
    this.#target = target
    this.#clock = clock
    this.#limits = limits
  }

  get empty(): boolean {
    return this.#open.size === 0
  }

  /** Answers with `connected` or `failed`, at once or later. `fresh`: over a new connection. */
  acquire(attempt: Attempt, fresh: boolean): void {
    const idle = fresh ? null : this.#takeIdle()
    if (idle !== null) return idle.take(attempt)
    const { connectionsMax } = this.#target
    if (this.#open.size < (connectionsMax ?? this.#limits.connectionsMax)) return this.#connect(attempt)
    if (this.#waiting.length >= this.#limits.waitingMax) return attempt.failed(new UpstreamFault('no_room'))
    this.#waiting.push(attempt)
    // Its place is for the first that waits.
    this.#idle.shift()?.destroy()
  }

  /** Of an attempt that is not connected yet. */
  cancel(attempt: Attempt): void {
    for (const connection of this.#connecting) if (connection.carries(attempt)) return connection.destroy()
    const place = this.#waiting.indexOf(attempt)
    if (place !== -1) this.#waiting.splice(place, 1)
  }

  /** Closes what has been idle for too long. */
  sweep(): void {
    const now = this.#clock.monotonic()
    for (const connection of this.#idle.filter(({ idleUntil }) => idleUntil <= now)) connection.destroy()
  }

  close(): void {
    for (const attempt of this.#waiting.splice(0)) attempt.failed(new UpstreamFault('closed'))
    for (const connection of this.#open) connection.destroy()
  }

  idle(connection: UpstreamConnection): void {
    const next = this.#waiting.shift()
    if (next !== undefined) return connection.take(next)
    connection.idleUntil = this.#clock.monotonic() + keptMs(this.#target.idleMs, connection.keepAliveMs)
    this.#idle.push(connection)
  }

  opened(connection: UpstreamConnection): void {
    this.#connecting.delete(connection)
  }

  closed(connection: UpstreamConnection): void {
    this.#open.delete(connection)
    this.#connecting.delete(connection)
    const place = this.#idle.indexOf(connection)
    if (place !== -1) this.#idle.splice(place, 1)
    const next = this.#waiting.shift()
    if (next !== undefined) this.#connect(next)
  }

  #takeIdle(): UpstreamConnection | null {
    const now = this.#clock.monotonic()
    for (let last = this.#idle.pop(); last !== undefined; last = this.#idle.pop()) {
      if (last.usable(now)) return last
      last.destroy()
    }
    return null
  }

  #connect(attempt: Attempt): void {
    const connection = new UpstreamConnection(this.#target, this, attempt)
    this.#open.add(connection)
    this.#connecting.add(connection)
  }
}

/** What is declared counts, but nothing is kept for longer than the upstream says that it keeps it. */
function keptMs(declaredMs: number | null, keepAliveMs: number | null): number {
  if (keepAliveMs === null) return declaredMs ?? idleMs
  const saidMs = keepAliveMs > marginMs ? keepAliveMs - marginMs : keepAliveMs / 2
  return Math.min(declaredMs ?? idleMaxMs, saidMs)
}
