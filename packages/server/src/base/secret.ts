const hidden = '[secret]'

/** A secret in clear. It prints as `[secret]` everywhere; only `reveal()` gives the text. */
export class Secret {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  reveal(): string {
    return this.#text
  }

  /** The last four characters, for people to tell secrets apart. */
  hint(): string {
    return this.#text.slice(-4)
  }

  toString(): string {
    return hidden
  }

  toJSON(): string {
    return hidden
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return hidden
  }
}
