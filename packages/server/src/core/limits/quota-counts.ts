import { NumberedTats } from './tats.ts'

interface Seed {
  readonly period: number
  readonly used: number
}

/**
 * What is used of one quota by each subject in its current period: the total that the store last told plus what
 * was counted since. `pending` is what the store has not been told yet.
 */
export class QuotaCounts {
  readonly #used = new NumberedTats()
  readonly #period = new NumberedTats()
  #pending = new Map<number, { period: number; delta: number }>()
  readonly #seeds = new Map<string, Seed>()

  /** `name` is asked only at the first touch of a period. */
  used(subject: number, period: number, name: () => string): number {
    if (this.#period.get(subject) !== period) this.#begin(subject, period, name())
    return this.#used.get(subject)
  }

  add(subject: number, period: number, cost: number, name: () => string): void {
    this.#used.set(subject, this.used(subject, period, name) + cost)
    const pending = this.#pending.get(subject)
    if (pending?.period === period) pending.delta += cost
    else this.#pending.set(subject, { period, delta: cost })
  }

  /** Takes what the store has to be told; `restore` gives it back when telling failed. */
  takePending(): ReadonlyMap<number, { readonly period: number; readonly delta: number }> {
    const taken = this.#pending
    this.#pending = new Map()
    return taken
  }

  restore(taken: ReadonlyMap<number, { readonly period: number; readonly delta: number }>): void {
    for (const [subject, { period, delta }] of taken) {
      const pending = this.#pending.get(subject)
      if (pending === undefined) this.#pending.set(subject, { period, delta })
      else if (pending.period === period) pending.delta += delta
    }
  }

  /** The store's total after our deltas: other nodes' counts become visible here. */
  settle(subject: number, period: number, total: number): void {
    if (this.#period.get(subject) !== period) return
    const pending = this.#pending.get(subject)
    this.#used.set(subject, total + (pending?.period === period ? pending.delta : 0))
  }

  /** A total from the store for a subject that is not held yet. */
  seed(name: string, period: number, used: number): void {
    this.#seeds.set(name, { period, used })
  }

  /** The subject's number is about to be given to another: its count is kept under its name. */
  park(subject: number, name: string): void {
    const period = this.#period.get(subject)
    if (period === 0) return
    this.#seeds.set(name, { period, used: this.#used.get(subject) })
    this.#period.set(subject, 0)
  }

  #begin(subject: number, period: number, name: string): void {
    const seed = this.#seeds.get(name)
    this.#period.set(subject, period)
    this.#used.set(subject, seed?.period === period ? seed.used : 0)
    this.#seeds.delete(name)
  }
}
