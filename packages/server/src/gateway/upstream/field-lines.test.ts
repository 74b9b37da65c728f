import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { FieldLines, readFieldLines } from './field-lines.ts'

function read(text: string): FieldLines | null {
  const spots: number[] = []
  return readFieldLines(text, 0, 256, spots) === text.length ? new FieldLines(text, spots) : null
}

const name = fc.string({ unit: fc.constantFrom('a', 'Z', '-', '_', '0'), minLength: 1, maxLength: 20 })
const value = fc
  .string({ unit: fc.constantFrom('a', ' ', ':', '\t', '\xff', ','), maxLength: 30 })
  .map((text) => text.trim())
const blank = fc.string({ unit: fc.constantFrom(' ', '\t'), maxLength: 2 })

describe('header lines where they stand', () => {
  it('are names and values without the space around them', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(name, blank, value, blank)), (lines) => {
        const text = lines.map(([before, left, after, right]) => `${before}:${left}${after}${right}\r\n`).join('')
        const fields = read(`${text}\r\n`)
        expect(fields?.pairs).toEqual(lines.flatMap(([before, , after]) => [before, after]))
        expect(fields?.count).toBe(lines.length)
        for (const [line, [, left, after, right]] of lines.entries())
          expect(fields?.isPlain(line)).toBe(`${left}${after}${right}` === ` ${after}`)
      }),
    )
  })

  it('can be made of names and values, and are plain then', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value)), (lines) => {
        const made = FieldLines.of(lines.flat())
        expect(made.pairs).toEqual(lines.flat())
        expect(made.text).toBe(lines.map(([before, after]) => `${before}: ${after}\r\n`).join(''))
        for (let line = 0; line < made.count; line++) expect(made.isPlain(line)).toBe(true)
        expect(read(`${made.text}\r\n`)?.spots).toEqual(made.spots)
      }),
    )
  })
})
