import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { memberValue, readJsonObject } from './json-object.ts'

function read(text: string | Buffer) {
  return readJsonObject(typeof text === 'string' ? Buffer.from(text) : text)
}

function errorOf(text: string | Buffer): string | null {
  const result = read(text)
  return result.ok ? null : result.error
}

/** What JSON.parse says of it, with the one rule of ours. */
function isGoodObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}

describe('reading the object that a body is', () => {
  it('finds each member where it stands, whatever is around it', () => {
    const result = read('\r\n{ "model" : "m" ,\t"a":[1,{"model":"inner"}],"n":-0.5e+3,"t":true,"\\u0078":null}\n ')
    if (!result.ok) throw new Error(result.error)
    expect([...result.value.members.keys()]).toEqual(['model', 'a', 'n', 't', 'x'])
    expect(['model', 'a', 'n', 't', 'x', 'none'].map((name) => memberValue(result.value, name))).toEqual([
      'm',
      [1, { model: 'inner' }],
      -500,
      true,
      null,
      undefined,
    ])
  })

  it.each([
    ['nothing', ''],
    ['an array', '[{"model":"m"}]'],
    ['a text', '"model"'],
    ['a mark of the byte order', '\ufeff{}'],
    ['a comment', '{/* */"a":1}'],
    ['a comma too many', '{"a":1,}'],
    ['a comma before', '{,"a":1}'],
    ['two objects', '{"a":1}{"a":2}'],
    ['something after it', '{"a":1} x'],
    ['a nul after it', '{"a":1}\0'],
    ['a name without quotes', '{a:1}'],
    ['single quotes', "{'a':1}"],
    ['a control character in a text', '{"a":"\n"}'],
    ['an unknown escape', '{"a":"\\x"}'],
    ['a short escape', '{"a":"\\u12g4"}'],
    ['a leading zero', '{"a":01}'],
    ['NaN', '{"a":NaN}'],
    ['a number that ends in a dot', '{"a":1.}'],
    ['a bare minus', '{"a":-}'],
    ['a wrong bracket', '{"a":[1}}'],
    ['a missing end', '{"a":[1,2'],
    ['a missing value', '{"a":}'],
    ['a text that does not end', '{"a":"b'],
  ])('refuses %s', (_what, text) => {
    expect(isGoodObject(text)).toBe(false)
    expect(errorOf(text)).toMatch(/^The body is not/)
  })

  it('refuses bytes that are not UTF-8', () => {
    expect(errorOf(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))).toBe('The body is not UTF-8.')
    expect(errorOf(Buffer.from('{"a":1}', 'utf16le'))).not.toBeNull()
  })

  it('refuses a name twice, also in another case or spelt with escapes: who reads it next may take the other', () => {
    expect(errorOf('{"model":"cheap","model":"dear"}')).toBe('The body has the field "model" twice.')
    expect(errorOf('{"model":"cheap","Model":"dear"}')).toBe('The body has the field "Model" twice.')
    expect(errorOf('{"model":"cheap","mod\\u0065l":"dear"}')).toBe('The body has the field "model" twice.')
    expect(errorOf('{"max_tokens":1,"max_to\u212aen\u017f":2}')).not.toBeNull()
    expect(errorOf('{"model":"cheap","x":{"model":"dear","model":"dear"}}')).toBeNull()
  })

  it('is bounded in depth and in fields', () => {
    const nested = (depth: number) => `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`
    expect(errorOf(nested(256))).toBeNull()
    expect(errorOf(nested(257))).toBe('The body is not valid JSON, or is nested too deeply.')
    expect(errorOf(nested(1_000_000))).not.toBeNull()
    const wide = (count: number) => `{${Array.from({ length: count }, (_, i) => `"${i}":0`).join()}}`
    expect(errorOf(wide(1_000))).toBeNull()
    expect(errorOf(wide(1_001))).toBe('The body has more than 1000 fields.')
  })

  it('tells text from blobs', () => {
    const picture = `data:image/png;base64,${Buffer.alloc(6_000, 7).toString('base64')}`
    const words = 'many words '.repeat(1_000)
    const result = read(JSON.stringify({ model: 'm', messages: [{ a: picture }, { b: words }] }))
    if (!result.ok) throw new Error(result.error)
    expect(result.value.blobs).toBe(1)
    // The text, "m", and the names within values.
    expect(result.value.textBytes).toBe(words.length + 3)
  })

  it('agrees with JSON.parse on every value', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat({ max: 3 }), (object, indent) => {
        const text = JSON.stringify(object, null, indent)
        const folds = new Set(Object.keys(object).map((name) => name.toUpperCase().toLowerCase()))
        fc.pre(folds.size === Object.keys(object).length)
        const result = read(text)
        if (!result.ok) throw new Error(`${result.error} ${text}`)
        const parsed = JSON.parse(text) as Record<string, unknown>
        expect([...result.value.members.keys()].toSorted()).toEqual(Object.keys(parsed).toSorted())
        for (const [name, value] of Object.entries(parsed)) expect(memberValue(result.value, name)).toEqual(value)
      }),
    )
  })

  it('accepts what JSON.parse accepts and nothing else, whatever is done to a text', () => {
    const base = '{"model":"m\\u00e9\\n","a":[1,-2.5e3,{"b":null}],"c":true,"d":{}}'
    const part = fc.constantFrom(...'{}[]",:\\ \n\t0123456789.eE+-truefalsn\u0001é'.split(''))
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat({ max: base.length }), fc.nat({ max: 2 }), part), { minLength: 1, maxLength: 4 }),
        (edits) => {
          let text = base
          for (const [at, cut, put] of edits) text = text.slice(0, at) + put + text.slice(at + cut)
          const error = errorOf(text)
          fc.pre(error === null || !error.endsWith('twice.'))
          expect(error === null, text).toBe(isGoodObject(text))
        },
      ),
      { numRuns: 3_000 },
    )
  })
})
