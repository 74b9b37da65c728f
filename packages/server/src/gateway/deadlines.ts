import type { Clock } from '../base/clock.ts'

/** Something that must have moved on by an instant, which it may put off again and again at no cost. */
export interface Deadline {
  /** Monotonic ms. */
  dueAt: number
  expired(): void
}

/** All deadlines of the gateway under one timer: a request costs an entry in a set, progress costs a number. */
export interface Deadlines {
  watch(deadline: Deadline): void
  unwatch(deadline: Deadline): void
  stop(): void
}

export function createDeadlines(clock: Clock, sweepMs: number): Deadlines {
  const watched = new Set<Deadline>()
  const timer = clock.every(sweepMs, () => {
    const now = clock.monotonic()
    for (const deadline of watched) {
      if (deadline.dueAt > now) continue
      watched.delete(deadline)
      deadline.expired()
    }
  })
  return {
    watch: (deadline) => void watched.add(deadline),
    unwatch: (deadline) => void watched.delete(deadline),
    stop: () => timer.stop(),
  }
}
