/** TATs by dense number: a row, an account, a project, a route. */
export class NumberedTats {
  #tats = new Float64Array(0)

  get(subject: number): number {
    return this.#tats[subject] ?? 0
  }

  set(subject: number, tat: number): void {
    if (subject >= this.#tats.length) {
      if (tat === 0) return
      const larger = new Float64Array(Math.max(1024, Math.ceil(subject * 1.5) + 1))
      larger.set(this.#tats)
      this.#tats = larger
    }
    this.#tats[subject] = tat
  }
}

/**
 * TATs by a key that clients choose, at most `max` of them: the one that was charged longest ago leaves first, so
 * that nobody can make memory grow by sending from many addresses.
 */
export class BoundedTats<Key> {
  readonly #tats = new Map<Key, number>()
  readonly #max: number

  constructor(max: number) {
    this.#max = max
  }

  get(key: Key): number {
    return this.#tats.get(key) ?? 0
  }

  set(key: Key, tat: number): void {
    this.#tats.delete(key)
    this.#tats.set(key, tat)
    if (this.#tats.size <= this.#max) return
    for (const oldest of this.#tats.keys()) {
      this.#tats.delete(oldest)
      return
    }
  }

  get size(): number {
    return this.#tats.size
  }
}
