import { charged, gcraOf, waitMs } from '../limits/gcra.ts'
import { BoundedTats } from '../limits/tats.ts'
import type { Scope } from '../store.ts'

/** Calls out at once: each holds a socket for up to ten seconds. */
const atOnceMax = 16
const atOnceOfAccountMax = 2
const rate = gcraOf({ requests: 10, windowMs: 60_000, burst: 10 })
const accountsMax = 100_000

/**
 * Checks of connections call hosts that customers name. None of them may use Postern to call others again and again,
 * nor keep the rest from checking. The operator (null) has to share the calls at once, and no more.
 */
export class CheckBudget {
  readonly #running = new Map<Scope, number>()
  readonly #tats = new BoundedTats<string>(accountsMax)
  #all = 0

  /** Null: it may begin, and has to end. Otherwise how long to wait before the next try. `now` in monotonic ms. */
  begin(account: Scope, now: number): number | null {
    const running = this.#running.get(account) ?? 0
    if (this.#all >= atOnceMax || (account !== null && running >= atOnceOfAccountMax)) return 1_000
    if (account !== null) {
      const tat = this.#tats.get(account)
      const wait = waitMs(tat, now, 1, rate)
      if (wait > 0) return wait
      this.#tats.set(account, charged(tat, now, 1, rate))
    }
    this.#all++
    this.#running.set(account, running + 1)
    return null
  }

  end(account: Scope): void {
    const left = (this.#running.get(account) ?? 0) - 1
    this.#all--
    if (left > 0) this.#running.set(account, left)
    else this.#running.delete(account)
  }
}
