import { describe, expect, it } from 'vitest'

import { RecentMap } from './recent-map.ts'

const held = (map: RecentMap<number, string>, keys: readonly number[]) =>
  keys.filter((key) => map.get(key) !== undefined)

describe('a map of what was lately used', () => {
  it('holds at most as many as it may', () => {
    const map = new RecentMap<number, string>(10)
    for (let key = 0; key < 100; key++) map.set(key, String(key))
    const all = Array.from({ length: 100 }, (_, key) => key)
    // A look-up is a use as well, so the newest are asked for first.
    expect(held(map, all.toReversed()).length).toBeLessThanOrEqual(10)
    expect(map.get(99)).toBe('99')
  })

  it('keeps what is used again among half as many others', () => {
    const map = new RecentMap<number, string>(10)
    map.set(0, 'kept')
    for (let round = 0; round < 10; round++) {
      for (let key = 1; key <= 4; key++) map.set(10 * round + key, 'other')
      expect([round, map.get(0)]).toEqual([round, 'kept'])
    }
  })

  it('replaces and forgets, in whichever generation it is', () => {
    const map = new RecentMap<number, string>(4)
    for (const key of [1, 2, 3]) map.set(key, 'old')
    map.set(1, 'new')
    expect(map.get(1)).toBe('new')
    map.delete(1)
    map.delete(3)
    expect(held(map, [1, 2, 3])).toEqual([2])
    map.clear()
    expect(held(map, [1, 2, 3])).toEqual([])
  })
})
