import { describe, expect, it } from 'vitest'

import { Standing } from './standing.ts'

const rule = { failures: 3, windowMs: 1_000, ejectMs: 5_000, statuses: [] }
const health = { path: '/', intervalMs: 1, timeoutMs: 1, expect: [], unhealthyAfter: 3, healthyAfter: 2 }

describe('a target that fails requests', () => {
  it('is left out from the third failure in a row on, until its time is over', () => {
    const target = new Standing()
    expect([target.failed(rule, 0), target.failed(rule, 10)]).toEqual([null, null])
    expect(target.isUp(10)).toBe(true)
    expect(target.failed(rule, 20)).toBe('failing')
    expect([target.isUp(20), target.state(20)]).toEqual([false, 'failing'])
    expect([target.isUp(5_019), target.isUp(5_020), target.state(5_020)]).toEqual([false, true, 'up'])
  })

  it('is not where an answer came in between', () => {
    const target = new Standing()
    for (let i = 0; i < 9; i++) {
      expect([target.failed(rule, i), target.failed(rule, i), target.succeeded()]).toEqual([null, null, null])
    }
    expect(target.isUp(9)).toBe(true)
  })

  it('counts within the window alone: at its end still, after it anew', () => {
    const inside = new Standing()
    inside.failed(rule, 0)
    inside.failed(rule, 0)
    expect(inside.failed(rule, 1_000)).toBe('failing')
    const outside = new Standing()
    outside.failed(rule, 0)
    outside.failed(rule, 0)
    expect(outside.failed(rule, 1_001)).toBeNull()
    expect([outside.failed(rule, 1_500), outside.failed(rule, 2_001)]).toEqual([null, 'failing'])
  })

  it('is on probation afterwards: the next failure leaves it out again, an answer makes it whole', () => {
    const target = new Standing()
    for (let i = 0; i < 3; i++) target.failed(rule, 0)
    expect(target.failed(rule, 4_999)).toBeNull()
    expect(target.failed(rule, 5_000)).toBe('failing')
    expect(target.isUp(9_999)).toBe(false)
    expect(target.succeeded()).toBe('recovered')
    expect(target.isUp(9_999)).toBe(true)
    expect(target.succeeded()).toBeNull()
    expect([target.failed(rule, 10_000), target.failed(rule, 10_000)]).toEqual([null, null])
    expect(target.failed(rule, 10_000)).toBe('failing')
  })
})

describe('a target that is checked', () => {
  it('is down after the third bad check in a row, and up after the second good one', () => {
    const target = new Standing()
    const checks = (...outcomes: boolean[]) => outcomes.map((healthy) => target.checked(health, healthy))
    expect(checks(false, false, true, false, false)).toEqual([null, null, null, null, null])
    expect(target.state(0)).toBe('up')
    expect(checks(false)).toEqual(['down'])
    expect([target.isUp(0), target.state(0)]).toEqual([false, 'down'])
    expect(checks(false, true, false, true)).toEqual([null, null, null, null])
    expect(checks(true)).toEqual(['up'])
    expect(target.isUp(0)).toBe(true)
  })

  it('is well for requests, too, once its checks succeed again, and only then', () => {
    const target = new Standing()
    for (let i = 0; i < 3; i++) target.failed(rule, 0)
    target.checked(health, true)
    expect(target.state(0)).toBe('failing')
    for (let i = 0; i < 3; i++) target.checked(health, false)
    for (let i = 0; i < 2; i++) target.checked(health, true)
    expect(target.state(0)).toBe('up')
  })

  it('is up where it is checked no more', () => {
    const target = new Standing()
    for (let i = 0; i < 3; i++) target.checked(health, false)
    target.unchecked()
    expect(target.isUp(0)).toBe(true)
  })
})
