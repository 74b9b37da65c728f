/**
 * The JSON of one column of many rows, written as they come, outside of the heap: what waits for the next flush would
 * otherwise be copied by the collector again and again, and then be turned into text all the same.
 */
export class JsonColumn {
  #bytes = Buffer.allocUnsafeSlow(4_096)
  #length = 0

  /** A whole number from zero on. */
  integer(value: number): void {
    this.#next(18)
    this.#digits(value)
  }

  /** With two places behind the point. */
  hundredths(value: number): void {
    const hundredths = Math.round(value * 100)
    const whole = Math.floor(hundredths / 100)
    const rest = hundredths - whole * 100
    this.#next(21)
    this.#digits(whole)
    if (rest === 0) return
    this.#bytes[this.#length++] = point
    this.#bytes[this.#length++] = zero + Math.floor(rest / 10)
    this.#bytes[this.#length++] = zero + (rest % 10)
  }

  text(value: string): void {
    this.#next(value.length + 3)
    const bytes = this.#bytes
    let at = this.#length
    bytes[at++] = quote
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i)
      if (code < 0x20 || code > 0x7e || code === quote || code === backslash) return this.#escaped(value)
      bytes[at++] = code
    }
    bytes[at++] = quote
    this.#length = at
  }

  /** The array, and begins anew. */
  take(): string {
    const items = this.#bytes.toString('utf8', 0, this.#length)
    this.#length = 0
    return `[${items}]`
  }

  #escaped(value: string): void {
    const json = JSON.stringify(value)
    this.#reserve(3 * json.length)
    this.#length += this.#bytes.write(json, this.#length, 'utf8')
  }

  /** The comma behind the item before, and room for one of that many characters. */
  #next(characters: number): void {
    this.#reserve(characters + 1)
    if (this.#length > 0) this.#bytes[this.#length++] = comma
  }

  #digits(value: number): void {
    if (value >= tenMillions) {
      const high = Math.floor(value / tenMillions)
      this.#digits(high)
      return this.#padded(value - high * tenMillions, 7)
    }
    let places = 1
    for (let rest = value; rest >= 10; rest /= 10) places++
    this.#padded(value, places)
  }

  #padded(value: number, places: number): void {
    const bytes = this.#bytes
    let rest = value | 0
    for (let at = this.#length + places - 1; at >= this.#length; at--) {
      const next = (rest / 10) | 0
      bytes[at] = zero + rest - next * 10
      rest = next
    }
    this.#length += places
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return
    const larger = Buffer.allocUnsafeSlow(2 * (this.#length + more))
    this.#bytes.copy(larger, 0, 0, this.#length)
    this.#bytes = larger
  }
}

const tenMillions = 10_000_000
const zero = 0x30
const point = 0x2e
const comma = 0x2c
const quote = 0x22
const backslash = 0x5c
