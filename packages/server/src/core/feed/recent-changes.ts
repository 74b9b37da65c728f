/** Latest changes that are remembered, to know whether one overtook a load. */
const recentMax = 10_000

/**
 * Which of the latest changes concerned what. Whoever loads something remembers `count` before it asks; what was
 * overtaken meanwhile counts for nothing and is asked for again.
 */
export class RecentChanges {
  #count = 0
  readonly #last = new Map<string, number>()

  get count(): number {
    return this.#count
  }

  note(name: string): void {
    this.#last.delete(name)
    this.#last.set(name, ++this.#count)
    for (const oldest of this.#last.keys()) {
      if (this.#last.size <= recentMax) break
      this.#last.delete(oldest)
    }
  }

  /** Whether it has changed since the count was `began`, or so much has that it cannot be told. */
  overtook(name: string, began: number): boolean {
    return (this.#last.get(name) ?? 0) > began || this.#count - began > recentMax
  }

  /** Whether one of the changes that are remembered was of it. */
  has(name: string): boolean {
    return this.#last.has(name)
  }
}
