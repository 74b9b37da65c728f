/** Texts as dense numbers. Nothing is ever removed: ids of accounts, projects, profiles, regions are bounded by the data. */
export class Interner {
  readonly #numbers = new Map<string, number>()
  readonly #texts: string[] = []

  numberOf(text: string): number {
    const known = this.#numbers.get(text)
    if (known !== undefined) return known
    const number = this.#texts.length
    this.#texts.push(text)
    this.#numbers.set(text, number)
    return number
  }

  /** The same text in memory for every equal one. */
  shared(text: string): string {
    return this.textOf(this.numberOf(text))
  }

  find(text: string): number | undefined {
    return this.#numbers.get(text)
  }

  textOf(number: number): string {
    return this.#texts[number] ?? ''
  }

  get size(): number {
    return this.#texts.length
  }
}
