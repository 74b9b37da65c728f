import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { createMemberReader } from './member-reader.ts'

function found(text: string, cuts: readonly number[] = [], max = 10_000): unknown {
  const bytes = Buffer.from(text)
  const reader = createMemberReader('usage', max)
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b)
  at.forEach((from, i) => reader.push(bytes.subarray(from, at[i + 1] ?? bytes.length)))
  const value = reader.found()
  return value === null ? null : JSON.parse(value)
}

describe('one member of an answer that passes by', () => {
  it.each([
    ['first', '{"usage":{"a":1},"b":2}', { a: 1 }],
    [
      'last, with space around it',
      '{ "b" : [ {"usage":1} ] , "usage" : { "a" : [1,{"usage":2}] } }',
      { a: [1, { usage: 2 }] },
    ],
    ['a bare value', '{"a":"usage","usage":3,"b":"usage"}', 3],
    ['a text with quotes and brackets', '{"a":"\\"usage\\":{","usage":"}\\\\\\""}', '}\\"'],
    ['of the last object of an array', '[{"usage":1,"a":{"usage":9}},{"usage":2}]', 2],
    ['not one within another', '{"data":{"usage":1}}', null],
    ['not a value of that text', '{"a":"usage"}', null],
    ['not one of a longer name', '{"usages":1,"xusage":2,"usage2":3}', null],
    ['of nothing', '', null],
    ['of no object', '"usage"', null],
    ['null', '{"usage":null}', null],
  ])('is found: %s', (_what, text, value) => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 8 }), (cuts) => {
        expect(found(text, cuts)).toEqual(value)
      }),
    )
  })

  it('is found in every answer that JSON.parse reads', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.jsonValue(),
        fc.array(fc.nat()),
        (rest, usage, cuts) => {
          const { usage: _other, ...others } = rest
          const text = JSON.stringify({ ...others, usage, last: rest })
          expect(found(text, cuts, 100_000)).toEqual(JSON.parse(JSON.stringify(usage)))
        },
      ),
    )
  })

  it('is not held beyond the bound', () => {
    const text = `{"usage":"${'a'.repeat(100)}"}`
    expect(found(text, [], 101)).toBeNull()
    expect(found(text, [], 102)).toBe('a'.repeat(100))
  })

  it('holds nothing against an answer that is no JSON', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const reader = createMemberReader('usage', 50)
        reader.push(Buffer.from(bytes))
        expect((reader.found() ?? '').length).toBeLessThanOrEqual(50)
      }),
    )
  })
})
