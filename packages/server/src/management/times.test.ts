import { expect, it } from 'vitest'

import { duration, durationMs, timestamp } from './times.ts'

it.each([
  ['0s', 0],
  ['250ms', 250],
  ['90s', 90_000],
  ['15m', 900_000],
  ['24h', 86_400_000],
  ['90d', 7_776_000_000],
])('reads %s as %i ms', (text, ms) => expect(durationMs(text)).toBe(ms))

it.each([
  [0, '0ms'],
  [250, '250ms'],
  [90_000, '90s'],
  [3_600_000, '1h'],
  [86_400_000, '1d'],
])('writes %i ms as %s', (ms, text) => expect(duration(ms)).toBe(text))

it('writes instants in UTC with milliseconds', () => expect(timestamp(1_000)).toBe('1970-01-01T00:00:01.000Z'))
