/**
 * A strict walk over JSON text (RFC 8259) in bytes that are known to be UTF-8. Each function takes the place where
 * something begins and answers the place behind it, or -1 where it is not what the grammar says.
 */

/** Deeper than any request of a person or program; a stack has its price. */
const depthMax = 256

export const byte = {
  space: 0x20,
  quote: 0x22,
  comma: 0x2c,
  colon: 0x3a,
  openArray: 0x5b,
  backslash: 0x5c,
  closeArray: 0x5d,
  openObject: 0x7b,
  closeObject: 0x7d,
} as const

export function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from
  for (; ; at++) {
    const c = bytes[at]
    if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return at
  }
}

/** From the opening quote. */
export function skipString(bytes: Uint8Array, from: number): number {
  if (bytes[from] !== byte.quote) return -1
  for (let at = from + 1; at < bytes.length; at++) {
    const c = bytes[at] ?? 0
    if (c === byte.quote) return at + 1
    if (c < 0x20) return -1
    if (c !== byte.backslash) continue
    at++
    const escaped = bytes[at] ?? 0
    if (escaped === 0x75) {
      for (let i = 1; i <= 4; i++) if (!isHex(bytes[at + i] ?? 0)) return -1
      at += 4
    } else if (!simpleEscapes.includes(escaped)) return -1
  }
  return -1
}

/** `"` `\` `/` `b` `f` `n` `r` `t` */
const simpleEscapes: readonly number[] = [0x22, 0x5c, 0x2f, 0x62, 0x66, 0x6e, 0x72, 0x74]

function isHex(c: number): boolean {
  return (c >= 0x30 && c <= 0x39) || (c >= 0x41 && c <= 0x46) || (c >= 0x61 && c <= 0x66)
}

function skipNumber(bytes: Uint8Array, from: number): number {
  let at = bytes[from] === 0x2d ? from + 1 : from
  if (bytes[at] === 0x30) at++
  else if ((at = skipDigits(bytes, at)) === -1) return -1
  if (bytes[at] === 0x2e && (at = skipDigits(bytes, at + 1)) === -1) return -1
  if (bytes[at] !== 0x65 && bytes[at] !== 0x45) return at
  const sign = bytes[at + 1]
  return skipDigits(bytes, sign === 0x2b || sign === 0x2d ? at + 2 : at + 1)
}

function skipDigits(bytes: Uint8Array, from: number): number {
  let at = from
  for (let c = bytes[at] ?? 0; c >= 0x30 && c <= 0x39; c = bytes[at] ?? 0) at++
  return at === from ? -1 : at
}

const literals = ['true', 'false', 'null'].map((word) => Buffer.from(word))

function skipLiteral(bytes: Uint8Array, from: number): number {
  const word = literals.find((each) => each[0] === bytes[from])
  if (word === undefined) return -1
  for (let i = 0; i < word.length; i++) if (bytes[from + i] !== word[i]) return -1
  return from + word.length
}

/** Any value, from its first byte. `onString` is told where each string in it stands, quotes included. */
export function skipValue(bytes: Uint8Array, from: number, onString: (start: number, end: number) => void): number {
  const open: number[] = []
  let at = from
  for (;;) {
    const c = bytes[at]
    if (c === byte.openObject || c === byte.openArray) {
      if (open.length === depthMax) return -1
      const inner = skipSpace(bytes, at + 1)
      if (bytes[inner] === c + 2) at = inner + 1
      else {
        open.push(c)
        at = c === byte.openObject ? skipName(bytes, inner, onString) : inner
        if (at === -1) return -1
        continue
      }
    } else if (c === byte.quote) {
      const end = skipString(bytes, at)
      if (end === -1) return -1
      onString(at, end)
      at = end
    } else {
      at = c === 0x2d || (c !== undefined && c >= 0x30 && c <= 0x39) ? skipNumber(bytes, at) : skipLiteral(bytes, at)
      if (at === -1) return -1
    }
    // A value has ended: what stands around it goes on, or ends as well.
    for (;;) {
      const around = open.at(-1)
      if (around === undefined) return at
      at = skipSpace(bytes, at)
      if (bytes[at] === byte.comma) {
        at = skipSpace(bytes, at + 1)
        if (around === byte.openObject) at = skipName(bytes, at, onString)
        if (at === -1) return -1
        break
      }
      if (bytes[at] !== around + 2) return -1
      open.pop()
      at++
    }
  }
}

/** The name of a member, its colon and the space around that: to the first byte of its value. */
function skipName(bytes: Uint8Array, from: number, onString: (start: number, end: number) => void): number {
  const end = skipString(bytes, from)
  if (end === -1) return -1
  onString(from, end)
  const colon = skipSpace(bytes, end)
  return bytes[colon] === byte.colon ? skipSpace(bytes, colon + 1) : -1
}
