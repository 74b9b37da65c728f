import { describe, expect, it } from 'vitest'

import { sha256, sha256Hex } from './digest.ts'

describe('sha256', () => {
  it('gives the digests of FIPS 180-4, "abc" and the empty text', () => {
    expect(sha256Hex('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
    expect(sha256Hex('')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  })

  it('reads text as UTF-8 and gives 32 bytes', () => {
    expect(sha256('é')).toHaveLength(32)
    expect(Buffer.from(sha256('é')).toString('hex')).toBe(sha256Hex(Uint8Array.of(0xc3, 0xa9)))
  })
})
