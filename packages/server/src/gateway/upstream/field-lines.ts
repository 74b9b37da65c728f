/** Header lines where they stand in a text: most are passed on as they are, so that few have to be cut out. */
export class FieldLines {
  readonly text: string
  /** Of each line where its name begins and ends, and where its value does. */
  readonly spots: readonly number[]
  #pairs: readonly string[] | null = null

  constructor(text: string, spots: readonly number[]) {
    this.text = text
    this.spots = spots
  }

  /** Lines made of name, value, name, value, … */
  static of(pairs: readonly string[]): FieldLines {
    let text = ''
    const spots: number[] = []
    for (let i = 0; i < pairs.length; i += 2) {
      const [name = '', value = ''] = [pairs[i], pairs[i + 1]]
      const at = text.length
      const valueAt = at + name.length + 2
      spots.push(at, at + name.length, valueAt, valueAt + value.length)
      text += `${name}: ${value}\r\n`
    }
    return new FieldLines(text, spots)
  }

  /** Name, value, name, value, … as sent, one character a byte. */
  get pairs(): readonly string[] {
    return (this.#pairs ??= cutOut(this))
  }

  get count(): number {
    return this.spots.length / 4
  }

  nameStart(line: number): number {
    return this.spots[4 * line] ?? 0
  }

  nameEnd(line: number): number {
    return this.spots[4 * line + 1] ?? 0
  }

  valueStart(line: number): number {
    return this.spots[4 * line + 2] ?? 0
  }

  valueEnd(line: number): number {
    return this.spots[4 * line + 3] ?? 0
  }

  value(line: number): string {
    return this.text.slice(this.valueStart(line), this.valueEnd(line))
  }

  /** Whether it is spelled as it would be here: one space behind the colon, none behind the value. */
  isPlain(line: number): boolean {
    const nameEnd = this.nameEnd(line)
    return (
      this.valueStart(line) === nameEnd + 2 &&
      this.text.charCodeAt(nameEnd + 1) === space &&
      this.text.charCodeAt(this.valueEnd(line)) === cr
    )
  }
}

function cutOut({ text, spots }: FieldLines): readonly string[] {
  const pairs: string[] = []
  for (let i = 0; i < spots.length; i += 2) pairs.push(text.slice(spots[i], spots[i + 1]))
  return pairs
}

/**
 * Header and trailer lines of an upstream, read by the letter of RFC 9112, section 5: CRLF ends a line, a name is a
 * token with the colon right behind it, and nothing is folded. Where names and values stand, without the white space
 * around a value, goes to `spots`.
 *
 * Reads `text` from `at` up to and with the empty line. Returns the index behind that, or -1 where a line is not
 * plain, there are more than `linesMax`, or the empty line is missing.
 */
export function readFieldLines(text: string, at: number, linesMax: number, spots: number[]): number {
  let from = at
  for (let count = 0; ; count++) {
    if (text.charCodeAt(from) === cr) return text.charCodeAt(from + 1) === lf ? from + 2 : -1
    if (count === linesMax) return -1
    let i = from
    while (classOf(text, i) === inName) i++
    if (i === from || text.charCodeAt(i) !== colon) return -1
    const nameEnd = i
    i++
    while (isBlank(text.charCodeAt(i))) i++
    const start = i
    while (classOf(text, i) !== inNothing) i++
    if (text.charCodeAt(i) !== cr || text.charCodeAt(i + 1) !== lf) return -1
    let end = i
    while (end > start && isBlank(text.charCodeAt(end - 1))) end--
    spots.push(from, nameEnd, start, end)
    from = i + 2
  }
}

const cr = 0x0d
const lf = 0x0a
const colon = 0x3a
const space = 0x20

const isBlank = (code: number): boolean => code === space || code === 0x09

const inNothing = 0
const inValue = 1
const inName = 2

/** What each byte may be part of: of names (RFC 9110, section 5.6.2) and so of values, of values alone, of nothing. */
const classes = Uint8Array.from({ length: 256 }, (_, code) => {
  if (/^[!#$%&'*+.^_`|~0-9A-Za-z-]$/.test(String.fromCodePoint(code))) return inName
  return code === 0x09 || (code >= 0x20 && code !== 0x7f) ? inValue : inNothing
})

/** Behind the end of the text: of nothing. */
function classOf(text: string, index: number): number {
  return classes[text.charCodeAt(index)] ?? inNothing
}
