import { hash } from 'node:crypto'

// `crypto.hash` writes any encoding that Buffer knows; its types list only those that are text for people.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
const twoBytesEach = 'utf16le' as 'hex'

/**
 * SHA-256 of a presented secret as eight little-endian words in `out`. The one-shot hash into a string of two bytes a
 * character is several times cheaper than into a Buffer, and half as many characters have to be read as of latin1.
 */
export function digestWords(secret: string, out: Int32Array): void {
  const digest: string = hash('sha256', secret, twoBytesEach)
  for (let i = 0; i < 8; i++) out[i] = digest.charCodeAt(2 * i) | (digest.charCodeAt(2 * i + 1) << 16)
}

/** The same words from 32 stored bytes. */
export function wordsOf(digest: Uint8Array, out: Int32Array, offset = 0): void {
  for (let i = 0; i < 8; i++) {
    const at = offset + (i << 2)
    out[i] =
      (digest[at] ?? 0) | ((digest[at + 1] ?? 0) << 8) | ((digest[at + 2] ?? 0) << 16) | ((digest[at + 3] ?? 0) << 24)
  }
}

/** The 32 bytes of such words. */
export function bytesOf(words: Int32Array): Uint8Array {
  const bytes = new Uint8Array(32)
  words.forEach((word, i) => {
    for (let b = 0; b < 4; b++) bytes[i * 4 + b] = (word >>> (8 * b)) & 0xff
  })
  return bytes
}
