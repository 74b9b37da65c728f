import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { CurrentPeriod, periodEnd, periodStart, quotaPeriods } from './period.ts'
import type { QuotaPeriod } from './rules.ts'

function edges(period: QuotaPeriod, instant: string): readonly string[] {
  const now = Date.parse(instant)
  return [periodStart(period, now), periodEnd(period, now)].map((at) => new Date(at).toISOString().slice(0, 16))
}

describe('calendar periods in UTC', () => {
  it.each([
    ['hour', '2026-03-29T01:59:59.999Z', '2026-03-29T01:00', '2026-03-29T02:00'],
    ['hour', '2026-03-29T02:00:00.000Z', '2026-03-29T02:00', '2026-03-29T03:00'],
    ['day', '2026-10-25T23:59:59.999Z', '2026-10-25T00:00', '2026-10-26T00:00'],
    ['day', '2028-02-29T12:00:00.000Z', '2028-02-29T00:00', '2028-03-01T00:00'],
    ['week', '2026-11-22T23:59:59.999Z', '2026-11-16T00:00', '2026-11-23T00:00'],
    ['week', '2026-11-23T00:00:00.000Z', '2026-11-23T00:00', '2026-11-30T00:00'],
    ['week', '2027-01-01T00:00:00.000Z', '2026-12-28T00:00', '2027-01-04T00:00'],
    ['week', '1970-01-01T00:00:00.000Z', '1969-12-29T00:00', '1970-01-05T00:00'],
    ['month', '2028-02-29T23:59:59.999Z', '2028-02-01T00:00', '2028-03-01T00:00'],
    ['month', '2027-02-28T23:59:59.999Z', '2027-02-01T00:00', '2027-03-01T00:00'],
    ['month', '2026-12-31T23:59:59.999Z', '2026-12-01T00:00', '2027-01-01T00:00'],
    ['month', '2027-01-01T00:00:00.000Z', '2027-01-01T00:00', '2027-02-01T00:00'],
    ['year', '2028-12-31T23:59:59.999Z', '2028-01-01T00:00', '2029-01-01T00:00'],
    ['year', '2029-01-01T00:00:00.000Z', '2029-01-01T00:00', '2030-01-01T00:00'],
  ] as const)('the %s of %s is from %s to %s', (period, instant, start, end) => {
    expect(edges(period, instant)).toEqual([start, end])
  })

  it('every instant is in exactly one of each, and they follow without a gap', () => {
    const instant = fc.integer({ min: 0, max: Date.parse('2100-01-01T00:00:00Z') })
    fc.assert(
      fc.property(fc.constantFrom(...quotaPeriods), instant, (period, now) => {
        const [start, end] = [periodStart(period, now), periodEnd(period, now)]
        expect(start <= now && now < end).toBe(true)
        expect(periodStart(period, start)).toBe(start)
        expect(periodStart(period, end - 1)).toBe(start)
        expect(periodStart(period, end)).toBe(end)
      }),
    )
  })

  it('are the same where the last one is remembered, forth and back', () => {
    const instant = fc.integer({ min: 0, max: Date.parse('2100-01-01T00:00:00Z') })
    fc.assert(
      fc.property(fc.constantFrom(...quotaPeriods), fc.array(instant), (period, instants) => {
        const current = new CurrentPeriod(period)
        const around = instants.flatMap((now) => [now, periodEnd(period, now) - 1, periodEnd(period, now), now])
        expect(around.map((now) => current.startAt(now))).toEqual(around.map((now) => periodStart(period, now)))
      }),
    )
  })
})
