import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { base62Alphabet, encodeBase62, randomBase62 } from './base62.ts'
import { seededRandom } from './random.ts'

describe('randomBase62', () => {
  it('draws every character equally often', () => {
    const counts = new Map<string, number>()
    for (const character of randomBase62(620_000, seededRandom(7)))
      counts.set(character, (counts.get(character) ?? 0) + 1)
    const chiSquared = base62Alphabet
      .split('')
      .reduce((sum, character) => sum + ((counts.get(character) ?? 0) - 10_000) ** 2 / 10_000, 0)
    expect(counts.size).toBe(62)
    // 61 degrees of freedom: above 121 once in a hundred thousand. A bias from `% 62` alone would give thousands.
    expect(chiSquared).toBeLessThan(121)
  })

  it('never takes a byte that would favour the first eight characters', () => {
    let call = 0
    const bytes = [Uint8Array.of(248, 255, 251, 0, 61, 62, 247, 249, 250), Uint8Array.of(1, 2, 3)]
    expect(randomBase62(5, { bytes: () => bytes[call++] ?? new Uint8Array(9) })).toBe('0z0z1')
  })

  it('has the length asked for', () => {
    for (const length of [0, 1, 12, 32, 43]) expect(randomBase62(length, seededRandom(1))).toHaveLength(length)
  })
})

describe('encodeBase62', () => {
  it('pads on the left and never cuts', () => {
    expect(encodeBase62(0, 6)).toBe('000000')
    expect(encodeBase62(61, 6)).toBe('00000z')
    expect(encodeBase62(62, 6)).toBe('000010')
    expect(encodeBase62(0xffff_ffff, 6)).toBe('4gfFC3')
    expect(encodeBase62(3844, 1)).toBe('100')
  })

  it('stands for its number', () => {
    fc.assert(
      fc.property(fc.nat({ max: 0xffff_ffff }), (value) => {
        expect(decoded(encodeBase62(value, 6))).toBe(value)
      }),
    )
  })
})

function decoded(text: string): number {
  return text.split('').reduce((value, character) => value * 62 + base62Alphabet.indexOf(character), 0)
}
