import type { QuotaPeriod } from './rules.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** Start of the calendar period in UTC that holds the instant, epoch ms. Weeks begin on Monday (ISO 8601). */
export function periodStart(period: QuotaPeriod, now: number): number {
  switch (period) {
    case 'hour':
      return Math.floor(now / hourMs) * hourMs
    case 'day':
      return Math.floor(now / dayMs) * dayMs
    case 'week':
      // 1 January 1970 was a Thursday: Monday is four days later.
      return Math.floor((now - 4 * dayMs) / (7 * dayMs)) * 7 * dayMs + 4 * dayMs
    case 'month': {
      const date = new Date(now)
      return Date.UTC(date.getUTCFullYear(), date.getUTCMonth())
    }
    case 'year':
      return Date.UTC(new Date(now).getUTCFullYear(), 0)
  }
}

/** Remembers the period that it answered last, because the next request is nearly always in the same one. */
export class CurrentPeriod {
  readonly #period: QuotaPeriod
  #start = Infinity
  #end = -Infinity

  constructor(period: QuotaPeriod) {
    this.#period = period
  }

  startAt(now: number): number {
    if (now >= this.#end || now < this.#start) {
      this.#start = periodStart(this.#period, now)
      this.#end = periodEnd(this.#period, now)
    }
    return this.#start
  }

  /** Start of the next period. */
  endAt(now: number): number {
    this.startAt(now)
    return this.#end
  }
}

/** Start of the next period: when the quota is whole again. */
export function periodEnd(period: QuotaPeriod, now: number): number {
  const start = periodStart(period, now)
  switch (period) {
    case 'hour':
      return start + hourMs
    case 'day':
      return start + dayMs
    case 'week':
      return start + 7 * dayMs
    case 'month': {
      const date = new Date(start)
      return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1)
    }
    case 'year':
      return Date.UTC(new Date(start).getUTCFullYear() + 1, 0)
  }
}

export const quotaPeriods: readonly QuotaPeriod[] = ['hour', 'day', 'week', 'month', 'year']
