import { hash } from 'node:crypto'

/**
 * SHA-256 of a presented secret as eight little-endian words in `out`. The one-shot hash to a latin1 string is
 * several times cheaper than to a Buffer (`npm run bench -- decide` shows the whole).
 */
export function digestWords(secret: string, out: Int32Array): void {
  const digest = hash('sha256', secret, 'binary')
  for (let i = 0; i < 8; i++) {
    const at = i << 2
    out[i] =
      digest.charCodeAt(at) |
      (digest.charCodeAt(at + 1) << 8) |
      (digest.charCodeAt(at + 2) << 16) |
      (digest.charCodeAt(at + 3) << 24)
  }
}

/** The same words from 32 stored bytes. */
export function wordsOf(digest: Uint8Array, out: Int32Array, offset = 0): void {
  for (let i = 0; i < 8; i++) {
    const at = offset + (i << 2)
    out[i] =
      (digest[at] ?? 0) | ((digest[at + 1] ?? 0) << 8) | ((digest[at + 2] ?? 0) << 16) | ((digest[at + 3] ?? 0) << 24)
  }
}
