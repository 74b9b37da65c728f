import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { charged, gcraOf, remaining, resetMs, waitMs } from './gcra.ts'

const someRule = fc.record({
  requests: fc.integer({ min: 1, max: 1000 }),
  windowMs: fc.integer({ min: 1000, max: 3_600_000 }),
  burst: fc.integer({ min: 1, max: 1000 }),
})

describe('a limit', () => {
  it('never refuses a client that keeps to the declared rate', () => {
    fc.assert(
      fc.property(someRule, fc.integer({ min: 0, max: 1_000_000_000 }), (rule, start) => {
        const gcra = gcraOf(rule)
        let tat = 0
        for (let i = 0; i < 300; i++) {
          const now = start + (i * rule.windowMs) / rule.requests
          expect(waitMs(tat, now, 1, gcra)).toBeLessThanOrEqual(0)
          tat = charged(tat, now, 1, gcra)
        }
      }),
    )
  })

  it('lets at most rate × time + burst pass in any stretch of time', () => {
    const gaps = fc.array(fc.nat({ max: 2000 }), { minLength: 1, maxLength: 150 })
    fc.assert(
      fc.property(someRule, gaps, (rule, waits) => {
        const gcra = gcraOf(rule)
        const passed: number[] = []
        let now = 0
        let tat = 0
        for (const wait of waits) {
          now += wait
          while (waitMs(tat, now, 1, gcra) <= 0 && passed.length < 3000) {
            tat = charged(tat, now, 1, gcra)
            passed.push(now)
          }
        }
        for (let first = 0; first < passed.length; first += 7) {
          for (let last = first; last < passed.length; last += 5) {
            const stretch = (passed[last] ?? 0) - (passed[first] ?? 0)
            expect(last - first + 1).toBeLessThanOrEqual((stretch * rule.requests) / rule.windowMs + rule.burst + 1e-3)
          }
        }
      }),
    )
  })

  it('says exactly when the next request passes: refused a millisecond before, allowed at it', () => {
    fc.assert(
      fc.property(someRule, fc.nat({ max: 1_000_000 }), fc.integer({ min: 1, max: 50 }), (rule, now, cost) => {
        const gcra = gcraOf(rule)
        let tat = 0
        while (waitMs(tat, now, cost, gcra) <= 0) tat = charged(tat, now, cost, gcra)
        const wait = waitMs(tat, now, cost, gcra)
        expect(waitMs(tat, now + wait, cost, gcra)).toBeLessThanOrEqual(1e-6)
        expect(waitMs(tat, now + Math.ceil(wait), cost, gcra)).toBeLessThanOrEqual(0)
        expect(waitMs(tat, now + wait - 1, cost, gcra)).toBeGreaterThan(0)
      }),
    )
  })

  it('is not restarted by being asked while it refuses', () => {
    const gcra = gcraOf({ requests: 60, windowMs: 60_000, burst: 1 })
    const tat = charged(0, 0, 1, gcra)
    for (let now = 0; now < 999; now++) expect(waitMs(tat, now, 1, gcra)).toBeGreaterThan(0)
    expect(waitMs(tat, 1000, 1, gcra)).toBeLessThanOrEqual(0)
  })

  it('of 100 a minute with a burst of 20: 20 at once, then one each 600 ms', () => {
    const gcra = gcraOf({ requests: 100, windowMs: 60_000, burst: 20 })
    let tat = 0
    for (let left = 20; left > 0; left--) {
      expect(remaining(tat, 5000, gcra)).toBe(left)
      expect(waitMs(tat, 5000, 1, gcra)).toBeLessThanOrEqual(0)
      tat = charged(tat, 5000, 1, gcra)
    }
    expect(remaining(tat, 5000, gcra)).toBe(0)
    expect(waitMs(tat, 5000, 1, gcra)).toBeCloseTo(600, 2)
    expect(waitMs(tat, 5599, 1, gcra)).toBeGreaterThan(0)
    expect(waitMs(tat, 5600, 1, gcra)).toBeLessThanOrEqual(0)
    expect(remaining(tat, 5600, gcra)).toBe(1)
    expect(resetMs(tat, 5000)).toBe(12_000)
    expect(resetMs(tat, 20_000)).toBe(0)
  })

  it('charges a request by its cost', () => {
    const gcra = gcraOf({ requests: 10, windowMs: 10_000, burst: 10 })
    const tat = charged(charged(0, 0, 4, gcra), 0, 4, gcra)
    expect(remaining(tat, 0, gcra)).toBe(2)
    expect(waitMs(tat, 0, 2, gcra)).toBeLessThanOrEqual(0)
    expect(waitMs(tat, 0, 4, gcra)).toBeCloseTo(2000, 1)
  })

  it('lets a request that costs more than the whole burst pass once all is whole again', () => {
    const gcra = gcraOf({ requests: 10, windowMs: 10_000, burst: 2 })
    expect(waitMs(0, 0, 5, gcra)).toBeLessThanOrEqual(0)
    const tat = charged(0, 0, 5, gcra)
    expect(waitMs(tat, 4999, 5, gcra)).toBeGreaterThan(0)
    expect(waitMs(tat, 5000, 5, gcra)).toBeLessThanOrEqual(0)
  })
})
