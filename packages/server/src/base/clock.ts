/** Time comes in as an argument, so that a test can be at any instant without waiting. */
export interface Clock {
  /** Wall time in epoch milliseconds. */
  now(): number
  /** Milliseconds since an arbitrary start; never goes back. */
  monotonic(): number
  /** Calls `work` every `periodMs` until stopped; does not keep the process alive. */
  every(periodMs: number, work: () => void): Timer
  /** Calls `work` once after `delayMs` unless stopped; does not keep the process alive. */
  after(delayMs: number, work: () => void): Timer
}

export interface Timer {
  stop(): void
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  every: (periodMs, work) => {
    const handle = setInterval(work, periodMs).unref()
    return { stop: () => clearInterval(handle) }
  },
  after: (delayMs, work) => {
    const handle = setTimeout(work, delayMs).unref()
    return { stop: () => clearTimeout(handle) }
  },
}

/** A clock that moves only when told; timers fire in order as it passes them. */
export interface FixedClock extends Clock {
  advance(ms: number): void
  /** Moves wall time alone, as a clock that is set does. */
  setWall(epochMs: number): void
}

export function fixedClock(startMs = 1_000_000): FixedClock {
  let wall = startMs
  let monotonic = 0
  const timers = new Set<{ at: number; periodMs: number | null; work: () => void }>()
  const add = (at: number, periodMs: number | null, work: () => void): Timer => {
    const timer = { at, periodMs, work }
    timers.add(timer)
    return { stop: () => void timers.delete(timer) }
  }
  const nextDue = (until: number) => [...timers].filter((timer) => timer.at <= until).toSorted((a, b) => a.at - b.at)[0]
  return {
    now: () => wall,
    monotonic: () => monotonic,
    every: (periodMs, work) => add(monotonic + periodMs, periodMs, work),
    after: (delayMs, work) => add(monotonic + delayMs, null, work),
    advance: (ms) => {
      const until = monotonic + ms
      for (let timer = nextDue(until); timer !== undefined; timer = nextDue(until)) {
        wall += timer.at - monotonic
        monotonic = timer.at
        if (timer.periodMs === null) timers.delete(timer)
        else timer.at += timer.periodMs
        timer.work()
      }
      wall += until - monotonic
      monotonic = until
    },
    setWall: (epochMs) => {
      wall = epochMs
    },
  }
}
