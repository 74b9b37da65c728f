import type { Random } from './random.ts'

export const base62Alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** `length` characters, each uniform over the 62, by rejecting bytes of 248 and above. */
export function randomBase62(length: number, random: Random): string {
  let text = ''
  while (text.length < length) {
    for (const byte of random.bytes(length + 8)) {
      if (byte < 248 && text.length < length) text += base62Alphabet[byte % 62]
    }
  }
  return text
}

/** A non-negative integer in base 62, left-padded with `0` to `length`. */
export function encodeBase62(value: number, length: number): string {
  let rest = value
  let text = ''
  do {
    text = base62Alphabet[rest % 62] + text
    rest = Math.floor(rest / 62)
  } while (rest > 0)
  return text.padStart(length, '0')
}
