import { describe, expect, it } from 'vitest'

import { fixedClock } from '../base/clock.ts'
import { createRarely } from './rarely.ts'

describe('what is told rarely', () => {
  it('is due once in ten minutes for each key', () => {
    const clock = fixedClock()
    const rarely = createRarely({ everyMs: 600_000, keysMax: 100, clock })
    expect([rarely.isDue('a'), rarely.isDue('a'), rarely.isDue('b')]).toEqual([true, false, true])
    clock.advance(599_999)
    expect(rarely.isDue('a')).toBe(false)
    clock.advance(1)
    expect(rarely.isDue('a')).toBe(true)
  })

  it('is remembered of so many keys, and forgotten of the oldest', () => {
    const rarely = createRarely({ everyMs: 600_000, keysMax: 2, clock: fixedClock() })
    for (const key of ['a', 'b', 'c']) rarely.isDue(key)
    expect([rarely.isDue('c'), rarely.isDue('b'), rarely.isDue('a')]).toEqual([false, false, true])
  })
})
