import { expect, it } from 'vitest'

import { fixedClock } from '../base/clock.ts'
import { createHttpDate } from './http-date.ts'

it('the time of a Date line is that of the second, and never that of the one before', () => {
  const clock = fixedClock(784_111_777_000)
  const date = createHttpDate(clock)
  expect(date()).toBe('Sun, 06 Nov 1994 08:49:37 GMT')
  clock.advance(999)
  expect(date()).toBe('Sun, 06 Nov 1994 08:49:37 GMT')
  clock.advance(1)
  expect(date()).toBe('Sun, 06 Nov 1994 08:49:38 GMT')
  clock.setWall(784_111_777_000)
  expect(date()).toBe('Sun, 06 Nov 1994 08:49:37 GMT')
})
