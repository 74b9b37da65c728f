import { expect, test } from 'vitest'

import { fixedClock } from '../base/clock.ts'
import { createDeadlines, type Deadline, unwatched } from './deadlines.ts'

function made() {
  const clock = fixedClock()
  const deadlines = createDeadlines(clock, 10)
  const expired: string[] = []
  const watch = (name: string, dueAt: number, more: () => void = () => {}): Deadline => {
    const deadline: Deadline = {
      dueAt,
      place: unwatched,
      expired: () => {
        expired.push(name)
        more()
      },
    }
    deadlines.watch(deadline)
    return deadline
  }
  return { clock, deadlines, expired, watch }
}

test('each expires once, whatever was ended before it', () => {
  const { clock, deadlines, expired, watch } = made()
  const [first, second] = [watch('first', 15), watch('second', 15)]
  watch('third', 15)
  watch('later', 35)
  deadlines.unwatch(first)
  deadlines.unwatch(first)
  deadlines.watch(second)
  clock.advance(20)
  expect(expired.toSorted()).toEqual(['second', 'third'])
  clock.advance(40)
  expect(expired.at(-1)).toBe('later')
  expect(expired).toHaveLength(3)
})

test('one that expires may end another, put it off, or watch itself again', () => {
  const { clock, deadlines, expired, watch } = made()
  const again = watch('again', 5, () => {
    again.dueAt = 25
    deadlines.unwatch(ended)
    putOff.dueAt = 25
    if (expired.length === 1) deadlines.watch(again)
  })
  const ended = watch('ended', 5)
  const putOff = watch('put off', 5)
  clock.advance(20)
  expect(expired).toEqual(['again'])
  clock.advance(20)
  expect(expired.toSorted()).toEqual(['again', 'again', 'put off'])
})
