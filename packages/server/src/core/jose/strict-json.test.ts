import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { memberOf, readStrictObject } from './strict-json.ts'

const read = (text: string) => readStrictObject(Buffer.from(text))
const nested = (depth: number) => `${'{"a":'.repeat(depth - 1)}{}${'}'.repeat(depth - 1)}`

describe('an object that everybody reads in the same way', () => {
  it.each([
    ['{}', {}],
    [
      ' {"a": 1, "b": {"a": 2}, "c": [{"a": 3}, {"a": 4}, "a", "a"]} ',
      { a: 1, b: { a: 2 }, c: [{ a: 3 }, { a: 4 }, 'a', 'a'] },
    ],
    ['{"a":"\\"a\\",\\"a\\":1","b":"{\\\\"}', { a: '"a","a":1', b: '{\\' }],
    ['{"aa":1,"a":2,"A":3}', { aa: 1, a: 2, A: 3 }],
    ['{"é":"ü"}', { é: 'ü' }],
  ])('is read: %s', (text, value) => {
    expect(read(text)).toEqual(value)
  })

  it.each([
    ['{"a":1,"a":1}'],
    ['{"a":1,"\\u0061":2}'],
    ['{"b":{"a":1,"c":[],"a":2}}'],
    ['{"b":[{"a":1,"a":2}]}'],
    ['{"__proto__":1,"__proto__":2}'],
    ['[]'],
    ['null'],
    ['"a"'],
    ['1'],
    [''],
    ['{"a":1}{}'],
    ['{"a":1,}'],
    ["{'a':1}"],
    ['{"a":NaN}'],
    ['{"a":01}'],
    ['{"a" 1}'],
    ['{"a'],
    ['{"a\\'],
    ['{"a\\x":1}'],
    ['}'],
    ['\ufeff{}'],
    [nested(33)],
    ['['.repeat(8_000)],
  ])('is none where it could be read in two ways, or is no JSON: %s', (text) => {
    expect(read(text)).toBeNull()
  })

  it('may be 32 objects deep', () => {
    expect(read(nested(32))).not.toBeNull()
  })

  it('is UTF-8', () => {
    expect(readStrictObject(Buffer.from('{"a":"\xff"}', 'latin1'))).toBeNull()
    expect(readStrictObject(Buffer.from('{"a":"\xc0\xaf"}', 'latin1'))).toBeNull()
  })

  it('has only the members that were sent', () => {
    const object = read('{"__proto__":{"iss":"x"},"a":1}') ?? {}
    expect(['a', 'iss', 'constructor', 'toString'].map((name) => memberOf(object, name))).toEqual([
      1,
      undefined,
      undefined,
      undefined,
    ])
    expect(memberOf(object, '__proto__')).toEqual({ iss: 'x' })
  })

  it('is read as any reader of JSON does, where no name stands twice', () => {
    const keys = fc.oneof(fc.string(), fc.constantFrom('a', '"', '\\', '{', '}', ',', ':'))
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.jsonValue({ maxDepth: 0 }),
        fc.array(tie('tree'), { maxLength: 4 }),
        fc.dictionary(keys, tie('tree'), { maxKeys: 4 }),
      ),
    }))
    fc.assert(
      fc.property(fc.dictionary(keys, tree), (value) => {
        const text = JSON.stringify(value)
        expect(read(text)).toEqual(JSON.parse(text))
      }),
    )
  })
})
