import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { loadConfigText } from './load.ts'
import { initTemplate } from './template.ts'

const lines = initTemplate().split('\n')
const odd = [
  '',
  'x',
  '1',
  '-1',
  '1.5',
  'true',
  'null',
  '~',
  '[]',
  '{}',
  '[[]]',
  '{a: b}',
  '"*"',
  '&a [*a]',
  '!!binary x',
  '<<: {}',
  '__proto__',
]

function told(text: string): readonly (number | null)[] {
  const result = loadConfigText(text, { file: '/nowhere/postern.yaml', env: {} })
  return result.ok ? [] : result.error.map(({ line }) => line)
}

describe('reading a configuration', () => {
  it('answers every text with a value or with errors that name a line of it', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'ab1: -[]{}",&*!|>#\n\t'.split('')), maxLength: 60 }),
        (text) => {
          const count = text.split('\n').length
          expect(told(text).every((line) => line !== null && line >= 1 && line <= count)).toBe(true)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('never fails on a good file with any one value replaced', () => {
    fc.assert(
      fc.property(fc.nat(lines.length - 1), fc.nat(10), fc.constantFrom(...odd), (index, nth, value) => {
        let seen = 0
        const line = (lines[index] ?? '').replace(/[A-Za-z0-9_.*-]+/g, (word) => (seen++ === nth ? value : word))
        const text = lines.with(index, line).join('\n')
        expect(told(text).every((at) => at !== null && at >= 1 && at <= lines.length)).toBe(true)
      }),
      { numRuns: 150 },
    )
  })
})
