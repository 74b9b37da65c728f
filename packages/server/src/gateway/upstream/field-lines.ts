/**
 * Header and trailer lines of an upstream, read by the letter of RFC 9112, section 5: CRLF ends a line, a name is a
 * token with the colon right behind it, and nothing is folded. Names and values go to `lines` in turns, one character
 * a byte, without the white space around a value.
 *
 * Reads `text` from `at` up to and with the empty line. Returns the index behind that, or -1 where a line is not
 * plain, there are more than `linesMax`, or the empty line is missing.
 */
export function readFieldLines(text: string, at: number, linesMax: number, lines: string[]): number {
  let from = at
  for (let count = 0; ; count++) {
    if (text.charCodeAt(from) === cr) return text.charCodeAt(from + 1) === lf ? from + 2 : -1
    if (count === linesMax) return -1
    let i = from
    while (classOf(text, i) === inName) i++
    if (i === from || text.charCodeAt(i) !== colon) return -1
    const name = text.slice(from, i)
    i++
    while (isBlank(text.charCodeAt(i))) i++
    const start = i
    while (classOf(text, i) !== inNothing) i++
    if (text.charCodeAt(i) !== cr || text.charCodeAt(i + 1) !== lf) return -1
    let end = i
    while (end > start && isBlank(text.charCodeAt(end - 1))) end--
    lines.push(name, text.slice(start, end))
    from = i + 2
  }
}

const cr = 0x0d
const lf = 0x0a
const colon = 0x3a

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09

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
