import type { Upstream } from '../core/apis/api.ts'
import type { GatewayContext } from './context.ts'
import type { Attempt, RequestConnection } from './upstream/attempt.ts'
import type { AttemptOutcome, Target } from './upstream/target.ts'

/** The ways of one request to an upstream: to which target, over which connection, and whether there is another way. */
export class Attempts {
  /** Of the attempt that runs, once it has one. */
  connection: RequestConnection | null = null
  readonly #context: GatewayContext
  readonly #upstream: Upstream | null
  readonly #attempt: Attempt
  /** Doing it twice is doing it once: it has no body, and its method is idempotent. */
  readonly #repeatable: boolean
  /** Where it goes. */
  #target: Target | null = null
  #count = 0
  #renewed = false

  constructor(context: GatewayContext, upstream: Upstream | null, attempt: Attempt, repeatable: boolean) {
    this.#context = context
    this.#upstream = upstream
    this.#attempt = attempt
    this.#repeatable = repeatable
  }

  get target(): Target {
    if (this.#target === null) throw new Error('no attempt is made')
    return this.#target
  }

  /** False: there is no target. */
  first(): boolean {
    return this.#go(this.#upstream === null ? null : this.#context.targets.pick(this.#upstream, null, 0), false)
  }

  /**
   * After one that failed. Only where not a byte of an answer has come, and either nothing of the request was sent or
   * it is repeatable (RFC 9110, section 9.2.2). An upstream may close a connection that was idle at the very moment at
   * which it is used again: that says nothing of the target, which is asked once more over a new one.
   */
  again(outcome: AttemptOutcome): boolean {
    const { connection } = this
    const target = this.#target
    if (this.#upstream === null || target === null || connection?.heard === true) return false
    if (connection?.written === true && !this.#repeatable) return false
    if (connection?.reused === true && !this.#renewed) {
      this.#renewed = true
      return this.#go(target, true)
    }
    const next = this.#context.targets.pick(this.#upstream, target, this.#count)
    if (next !== null) this.#report(outcome, 0)
    return this.#go(next, false)
  }

  /** Its answer is whole: the connection is its own no longer. */
  answered(status: number): void {
    this.connection = null
    this.#report('answered', status)
  }

  /** Ends the one that runs, if there is one. */
  stop(outcome: AttemptOutcome, status: number): void {
    if (this.connection !== null) this.connection.destroy()
    else this.cancel()
    this.connection = null
    this.#report(outcome, status)
  }

  /** Waits for a connection no longer. */
  cancel(): void {
    if (this.#target !== null) this.#context.upstreams.cancel(this.#target, this.#attempt)
  }

  #go(target: Target | null, fresh: boolean): boolean {
    if (target === null) return false
    this.#target = target
    this.connection = null
    this.#count++
    this.#context.upstreams.acquire(target, this.#attempt, fresh)
    return true
  }

  #report(outcome: AttemptOutcome, status: number): void {
    const target = this.#target
    this.#target = null
    if (target !== null) this.#context.targets.report(target, outcome, status)
  }
}
