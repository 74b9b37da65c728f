import type { Clock } from '../base/clock.ts'

/** Something that must have moved on by an instant, which it may put off again and again at no cost. */
export interface Deadline {
  /** Monotonic ms. */
  dueAt: number
  /** Where it is held, `unwatched` where it is not: written by `Deadlines` alone. */
  place: number
  expired(): void
}

export const unwatched = -1

/** All deadlines of the gateway under one timer: a request costs a place in a list, progress costs a number. */
export interface Deadlines {
  watch(deadline: Deadline): void
  unwatch(deadline: Deadline): void
  stop(): void
}

/**
 * A list and not a set: a set that much goes through is made anew again and again, and the old one holds both the new
 * one and what was in it. Once one of them is old in the collector's eyes, every later request outlives its time.
 */
export function createDeadlines(clock: Clock, sweepMs: number): Deadlines {
  const watched: Deadline[] = []
  const unwatch = (deadline: Deadline): void => {
    const { place } = deadline
    if (place === unwatched) return
    deadline.place = unwatched
    const last = watched.pop()
    if (last === undefined || last === deadline) return
    watched[place] = last
    last.place = place
  }
  const timer = clock.every(sweepMs, () => {
    const now = clock.monotonic()
    for (const deadline of watched.filter(({ dueAt }) => dueAt <= now)) {
      // One that expires may end others, or put them off.
      if (deadline.place === unwatched || deadline.dueAt > now) continue
      unwatch(deadline)
      deadline.expired()
    }
  })
  return {
    watch: (deadline) => {
      if (deadline.place === unwatched) deadline.place = watched.push(deadline) - 1
    },
    unwatch,
    stop: () => timer.stop(),
  }
}
