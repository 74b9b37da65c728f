import { describe, expect, it } from 'vitest'

import { fixedClock } from './clock.ts'
import { createIds, firstIdAt, idTime } from './ids.ts'
import { seededRandom } from './random.ts'

describe('ids of rows', () => {
  it('are UUIDs of version 7 behind their prefix', () => {
    const ids = createIds(fixedClock(1_700_000_000_000), seededRandom(1))
    expect(ids.next('sec')).toMatch(/^sec_018bcfe568007000[89ab][0-9a-f]{15}$/)
  })

  it('ascend and differ, within a millisecond too', () => {
    const clock = fixedClock(1_700_000_000_000)
    const ids = createIds(clock, seededRandom(1))
    const made: string[] = []
    for (let i = 0; i < 20_000; i++) {
      made.push(ids.next('req'))
      if (i % 1000 === 0) clock.advance(1)
    }
    expect(made).toEqual(made.toSorted())
    expect(new Set(made).size).toBe(made.length)
  })

  it('go on ascending where more are made than a millisecond has room for', () => {
    const ids = createIds(fixedClock(1000), seededRandom(1))
    const made = Array.from({ length: 10_000 }, () => ids.next('req'))
    expect(made).toEqual(made.toSorted())
    expect(new Set(made).size).toBe(made.length)
    expect(idTime(made.at(-1) ?? '')).toBe(1002)
  })

  it('go on ascending after the wall clock was set back', () => {
    const clock = fixedClock(10_000)
    const ids = createIds(clock, seededRandom(1))
    const before = ids.next('req')
    clock.setWall(5000)
    const after = ids.next('req')
    expect(after > before).toBe(true)
    expect(idTime(after)).toBe(10_000)
  })

  it('hold their instant, and a range over time begins at its first possible id', () => {
    const clock = fixedClock(1_700_000_000_123)
    const id = createIds(clock, seededRandom(1)).next('acc')
    expect(idTime(id)).toBe(1_700_000_000_123)
    expect(firstIdAt('acc', 1_700_000_000_123) <= id).toBe(true)
    expect(firstIdAt('acc', 1_700_000_000_124) > id).toBe(true)
    expect(firstIdAt('acc', -5)).toBe('acc_000000000000')
  })

  it('of credentials are 12 characters of base 62', () => {
    const ids = createIds(fixedClock(), seededRandom(1))
    const made = Array.from({ length: 1000 }, () => ids.credential())
    for (const id of made) expect(id).toMatch(/^[0-9A-Za-z]{12}$/)
    expect(new Set(made).size).toBe(1000)
  })
})
