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
  /** Four numbers a subject, beside each other because each request asks for all: see `at`. */
  #cells = new Float64Array(0)
  /** Subjects with something pending. */
  #dirty: number[] = []
  /** Not told yet of periods that ended, of subjects that lost their number, and what could not be told. */
  #untold = new Map<string, CountedDelta>()
  /** What is used by subjects that are not held. */
  readonly #seeds = new Map<string, { readonly period: number; readonly used: number }>()
  #seedsFrom = 0

  /** `name` is asked only at the first touch of a period. */
  used(subject: number, period: number, name: () => string): number {
    if (this.#get(subject, at.period) !== period) this.#begin(subject, period, name())
    return this.#get(subject, at.used)
  }

  /** Answers what is used with it. */
  add(subject: number, period: number, cost: number, name: () => string): number {
    const used = this.used(subject, period, name) + cost
    const pending = this.#get(subject, at.pending)
    if (pending === 0 && cost !== 0) this.#dirty.push(subject)
    this.#cells[subject * width + at.used] = used
    this.#cells[subject * width + at.pending] = pending + cost
    return used
  }

  /**
   * Corrects what was counted in a period, which may have ended since, of a subject that may have left memory since:
   * `subject` is -1 then. What is not held is told to the store all the same.
   */
  adjust(subject: number, { name, period, delta }: CountedDelta): void {
    if (delta === 0) return
    if (subject !== -1 && this.#get(subject, at.period) === period) {
      this.add(subject, period, delta, () => name)
      return
    }
    this.#keep({ name, period, delta })
    const seed = this.#seeds.get(name)
    if (seed?.period === period) this.#seeds.set(name, { period, used: seed.used + delta })
  }

  /** Takes what the store has to be told; `restore` gives it back when telling failed. */
  takePending(nameOf: (subject: number) => string): readonly CountedDelta[] {
    for (const subject of this.#dirty) if (this.#get(subject, at.pending) !== 0) this.#leave(subject, nameOf(subject))
    const taken = [...this.#untold.values()]
    this.#dirty = []
    this.#untold = new Map()
    return taken
  }

  restore(taken: readonly CountedDelta[]): void {
    for (const delta of taken) this.#keep(delta)
  }

  /** The store's total after our delta: other nodes' counts become visible here. `subject` is -1 where none is held. */
  settle(subject: number, { name, period }: CountedDelta, total: number): void {
    const held = subject !== -1 && this.#get(subject, at.period) === period
    const since = (this.#untold.get(keyOf(name, period))?.delta ?? 0) + (held ? this.#get(subject, at.pending) : 0)
    if (held) this.#cells[subject * width + at.used] = total + since
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
    const period = this.#get(subject, at.period)
    if (period === 0) return
    this.#leave(subject, name)
    this.seed(name, period, this.#get(subject, at.used))
    this.#cells[subject * width + at.period] = 0
  }

  #begin(subject: number, period: number, name: string): void {
    this.#leave(subject, name)
    const seed = this.#seeds.get(name)
    this.#grow(subject)
    this.#cells[subject * width + at.period] = period
    this.#cells[subject * width + at.used] = seed?.period === period ? seed.used : 0
    this.#seeds.delete(name)
  }

  /** What is pending of the subject stays to be told, under its name. */
  #leave(subject: number, name: string): void {
    const delta = this.#get(subject, at.pending)
    if (delta === 0) return
    this.#keep({ name, period: this.#get(subject, at.period), delta })
    this.#cells[subject * width + at.pending] = 0
  }

  /** Zero for a subject that was never counted: no period begins at 0, and nothing is pending. */
  #get(subject: number, field: number): number {
    return this.#cells[subject * width + field] ?? 0
  }

  #grow(subject: number): void {
    if (subject * width < this.#cells.length) return
    const larger = new Float64Array(Math.max(1024, Math.ceil(subject * 1.5) + 1) * width)
    larger.set(this.#cells)
    this.#cells = larger
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

/** Places of a subject's numbers: the start of its period, what is used of it, and what is pending of that. */
const at = { period: 0, used: 1, pending: 2 } as const
const width = 4
