import { describe, expect, it } from 'vitest'

import { durationMs, instant, relative } from './durations.ts'

const now = Date.parse('2026-03-01T12:00:00.000Z')

describe('durationMs', () => {
  it.each([
    ['0s', 0],
    ['500ms', 500],
    ['30s', 30_000],
    ['15m', 900_000],
    ['24h', 86_400_000],
    ['90d', 7_776_000_000],
  ])('%s is %i', (text, ms) => {
    expect(durationMs(text)).toBe(ms)
  })

  it.each(['', '5', 's', '05s', '-5s', '1.5h', '5 s', '5w'])('"%s" is none', (text) => {
    expect(durationMs(text)).toBeNull()
  })
})

describe('instant', () => {
  it('counts a duration back or ahead', () => {
    expect(instant('24h', '--from', now, 'ago')).toBe('2026-02-28T12:00:00.000Z')
    expect(instant('24h', '--expires', now, 'ahead')).toBe('2026-03-02T12:00:00.000Z')
  })

  it('takes a time with its offset', () => {
    expect(instant('2026-03-01T09:30:00+02:00', '--from', now, 'ago')).toBe('2026-03-01T07:30:00.000Z')
  })

  it('names the option where it is neither', () => {
    expect(() => instant('soon', '--expires', now, 'ahead')).toThrow('--expires is not a time')
  })
})

describe('relative', () => {
  it.each([
    ['2026-03-01T11:59:57Z', '3 s ago'],
    ['2026-03-01T13:00:00Z', 'in 1 h'],
    ['2026-02-01T12:00:00Z', '28 d ago'],
  ])('%s is %s', (text, said) => {
    expect(relative(text, now)).toBe(said)
  })
})
