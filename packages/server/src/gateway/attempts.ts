import type { Target, Upstream } from '../core/apis/upstream.ts'
import type { GatewayContext } from './context.ts'
import type { Attempt, RequestConnection } from './upstream/attempt.ts'
import type { UpstreamFault } from './upstream/fault.ts'
import type { AttemptOutcome, Choice } from './upstream/target.ts'

/** The ways of one request to an upstream: to which target, over which connection, and whether there is another way. */
export class Attempts {
  /** Of the attempt that runs, once it has one. */
  connection: RequestConnection | null = null
  readonly #context: GatewayContext
  readonly #upstream: Upstream | null
  readonly #attempt: Attempt
  /** Doing it twice is doing it once: its method is idempotent, and its body, if any, is all still here. */
  readonly #repeatable: boolean
  /** Where it goes. */
  #choice: Choice | null = null
  /** What was chosen before, and failed. */
  #tried: readonly Choice[] = none
  #renewed = false

  constructor(context: GatewayContext, upstream: Upstream | null, attempt: Attempt, repeatable: boolean) {
    this.#context = context
    this.#upstream = upstream
    this.#attempt = attempt
    this.#repeatable = repeatable
  }

  get target(): Target {
    if (this.#choice === null) throw new Error('no attempt is made')
    return this.#choice.target
  }

  /** False: there is no target. */
  first(): boolean {
    return this.#go(this.#upstream === null ? null : this.#context.targets.pick(this.#upstream, none), false)
  }

  /** What a fault says of the target: nothing, where there was no room on our side, or an idle connection was stale. */
  outcomeOf({ reason }: UpstreamFault): AttemptOutcome {
    const { connection } = this
    if (connection === null) return reason === 'no_room' ? 'abandoned' : 'unreachable'
    return connection.reused && !connection.heard ? 'abandoned' : 'broken'
  }

  /**
   * After one that failed. Only where not a byte of an answer has come, and either nothing of the request was sent or
   * it is repeatable (RFC 9110, section 9.2.2). An upstream may close a connection that was idle at the very moment at
   * which it is used again: that says nothing of the target, which is asked once more over a new one.
   */
  again(outcome: AttemptOutcome): boolean {
    const { connection } = this
    const choice = this.#choice
    if (this.#upstream === null || choice === null || connection?.heard === true) return false
    if (connection?.written === true && !this.#repeatable) return false
    if (connection?.reused === true && !this.#renewed) {
      this.#renewed = true
      return this.#go(choice, true)
    }
    this.#tried = [...this.#tried, choice]
    const next = this.#context.targets.pick(this.#upstream, this.#tried)
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
    if (this.#choice !== null) this.#context.upstreams.cancel(this.#choice.target, this.#attempt)
  }

  #go(choice: Choice | null, fresh: boolean): boolean {
    if (choice === null) return false
    this.#choice = choice
    this.connection = null
    this.#context.upstreams.acquire(choice.target, this.#attempt, fresh)
    return true
  }

  #report(outcome: AttemptOutcome, status: number): void {
    const choice = this.#choice
    this.#choice = null
    choice?.report(outcome, status)
  }
}

const none: readonly Choice[] = []
