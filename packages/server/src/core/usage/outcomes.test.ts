import { codes } from '@postern/contract'
import { describe, expect, it } from 'vitest'

import { outcomeNumber, outcomes } from './outcomes.ts'
import { outcomesMax } from './recorder.ts'

describe('outcomes', () => {
  it('are every code, and how allowed requests end', () => {
    expect(outcomes).toEqual(expect.arrayContaining(Object.keys(codes)))
    expect(outcomes).toHaveLength(Object.keys(codes).length + 7)
  })

  it('have each a number of its own, and all fit into the key of a count', () => {
    const numbers = outcomes.map(outcomeNumber)
    expect(new Set(numbers).size).toBe(outcomes.length)
    expect(Math.min(...numbers)).toBe(0)
    expect(Math.max(...numbers)).toBeLessThan(outcomesMax)
  })
})
