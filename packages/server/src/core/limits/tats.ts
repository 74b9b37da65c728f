import type { Ip } from '../../base/ip.ts'

/** TATs by dense number: a row, an account, a project, a route. */
export class NumberedTats {
  #tats = new Float64Array(0)

  get(subject: number): number {
    return this.#tats[subject] ?? 0
  }

  set(subject: number, tat: number): void {
    if (subject >= this.#tats.length) {
      const larger = new Float64Array(Math.max(1024, Math.ceil(subject * 1.5) + 1))
      larger.set(this.#tats)
      this.#tats = larger
    }
    this.#tats[subject] = tat
  }
}

/**
 * TATs by address, at most `max` of them: the one that was touched longest ago leaves first, so that nobody can
 * make memory grow by sending from many addresses.
 */
export class AddressTats {
  readonly #tats = new Map<Ip, number>()
  readonly #max: number

  constructor(max: number) {
    this.#max = max
  }

  get(ip: Ip): number {
    return this.#tats.get(ip) ?? 0
  }

  set(ip: Ip, tat: number): void {
    this.#tats.delete(ip)
    this.#tats.set(ip, tat)
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
