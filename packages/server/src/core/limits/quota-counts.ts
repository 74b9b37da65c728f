import { NumberedTats } from './tats.ts'

/** What the store has to be told of one subject: by name, because numbers may be given to others meanwhile. */
export interface CountedDelta {
  readonly name: string
  /** Start of the period, epoch ms. */
  readonly period: number
  readonly delta: number
}

/**
 * What is used of one quota by each subject in its current period: the total that the store last told plus what
 * was counted since.
 */
export class QuotaCounts {
  readonly #used = new NumberedTats()
  readonly #period = new NumberedTats()
  /** Counted in the subject's current period and not told yet. */
  #pending = new Map<number, { period: number; delta: number }>()
  /** Not told yet of periods that ended, of subjects that lost their number, and what could not be told. */
  #untold = new Map<string, CountedDelta>()
  /** What is used by subjects that are not held. */
  readonly #seeds = new Map<string, { readonly period: number; readonly used: number }>()
  #seedsFrom = 0

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
  takePending(nameOf: (subject: number) => string): readonly CountedDelta[] {
    for (const [subject, { period, delta }] of this.#pending) this.#keep({ name: nameOf(subject), period, delta })
    const taken = [...this.#untold.values()]
    this.#pending = new Map()
    this.#untold = new Map()
    return taken
  }

  restore(taken: readonly CountedDelta[]): void {
    for (const delta of taken) this.#keep(delta)
  }

  /** The store's total after our delta: other nodes' counts become visible here. `subject` is -1 where none is held. */
  settle(subject: number, { name, period }: CountedDelta, total: number): void {
    const pending = this.#pending.get(subject)
    const since = (this.#untold.get(keyOf(name, period))?.delta ?? 0) + (pending?.period === period ? pending.delta : 0)
    if (subject !== -1 && this.#period.get(subject) === period) this.#used.set(subject, total + since)
    else if (this.#seeds.get(name)?.period === period) this.#seeds.set(name, { period, used: total + since })
  }

  /** A total from the store for a subject that is not held yet. Those of ended periods leave with the next one's. */
  seed(name: string, period: number, used: number): void {
    if (period > this.#seedsFrom) {
      this.#seedsFrom = period
      for (const [other, seed] of this.#seeds) if (seed.period < period) this.#seeds.delete(other)
    }
    this.#seeds.set(name, { period, used })
  }

  /** The subject's number is about to be given to another: its count is kept under its name. */
  park(subject: number, name: string): void {
    const period = this.#period.get(subject)
    if (period === 0) return
    this.#leave(subject, name)
    this.seed(name, period, this.#used.get(subject))
    this.#period.set(subject, 0)
  }

  #begin(subject: number, period: number, name: string): void {
    this.#leave(subject, name)
    const seed = this.#seeds.get(name)
    this.#period.set(subject, period)
    this.#used.set(subject, seed?.period === period ? seed.used : 0)
    this.#seeds.delete(name)
  }

  /** What is pending of the subject stays to be told, under its name. */
  #leave(subject: number, name: string): void {
    const pending = this.#pending.get(subject)
    if (pending === undefined) return
    this.#keep({ name, ...pending })
    this.#pending.delete(subject)
  }

  #keep(counted: CountedDelta): void {
    const key = keyOf(counted.name, counted.period)
    const known = this.#untold.get(key)
    this.#untold.set(key, known === undefined ? counted : { ...counted, delta: known.delta + counted.delta })
  }
}

function keyOf(name: string, period: number): string {
  return `${period} ${name}`
}
