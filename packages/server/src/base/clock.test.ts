import { describe, expect, it } from 'vitest'

import { fixedClock, systemClock } from './clock.ts'

describe('the fixed clock', () => {
  it('moves only when told, wall and monotonic alike', () => {
    const clock = fixedClock(5000)
    expect([clock.now(), clock.monotonic()]).toEqual([5000, 0])
    clock.advance(7)
    expect([clock.now(), clock.monotonic()]).toEqual([5007, 7])
  })

  it('can be set without time passing', () => {
    const clock = fixedClock(5000)
    clock.advance(10)
    clock.setWall(1000)
    expect([clock.now(), clock.monotonic()]).toEqual([1000, 10])
    clock.advance(1)
    expect([clock.now(), clock.monotonic()]).toEqual([1001, 11])
  })

  it('rings timers in order, each at its own instant', () => {
    const clock = fixedClock(0)
    const rung: string[] = []
    clock.every(10, () => rung.push(`every ${clock.monotonic()}`))
    clock.after(15, () => rung.push(`after ${clock.monotonic()}`))
    clock.advance(9)
    expect(rung).toEqual([])
    clock.advance(16)
    expect(rung).toEqual(['every 10', 'after 15', 'every 20'])
    expect(clock.monotonic()).toBe(25)
  })

  it('rings timers that timers set, and none that was stopped', () => {
    const clock = fixedClock(0)
    const rung: number[] = []
    clock.after(5, () => void clock.after(5, () => rung.push(clock.monotonic())))
    const stopped = clock.after(7, () => rung.push(-1))
    const every = clock.every(3, () => {
      rung.push(clock.monotonic())
      every.stop()
    })
    stopped.stop()
    clock.advance(20)
    expect(rung).toEqual([3, 10])
  })
})

describe('the system clock', () => {
  it('tells epoch milliseconds, and a monotonic time that does not go back', () => {
    expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1000)
    const first = systemClock.monotonic()
    expect(systemClock.monotonic()).toBeGreaterThanOrEqual(first)
  })

  it('stops its timers', () => {
    systemClock.every(1, () => expect.unreachable()).stop()
    systemClock.after(1, () => expect.unreachable()).stop()
  })
})
