import type { LimitRule } from './rules.ts'

/**
 * The generic cell rate algorithm: one number per subject, the theoretical arrival time (TAT), in monotonic ms.
 * A request of cost c passes when max(TAT, now) + c·interval − now ≤ burst·interval; no window edges, an exact
 * Retry-After, and a steady client at the declared rate is never refused.
 */
export interface Gcra {
  readonly intervalMs: number
  /** How far the TAT may lie ahead of now. */
  readonly toleranceMs: number
}

export function gcraOf(rule: Pick<LimitRule, 'requests' | 'windowMs' | 'burst'>): Gcra {
  const intervalMs = rule.windowMs / rule.requests
  return { intervalMs, toleranceMs: intervalMs * rule.burst }
}

/** The TAT after a charge of `cost`. */
export function charged(tat: number, now: number, cost: number, gcra: Gcra): number {
  return (tat > now ? tat : now) + cost * gcra.intervalMs
}

/**
 * Milliseconds to wait until `cost` passes; 0 or less where it passes now. A request that costs more than the whole
 * burst passes where nothing is used: otherwise it never would.
 */
export function waitMs(tat: number, now: number, cost: number, gcra: Gcra): number {
  const toleranceMs = Math.max(gcra.toleranceMs, cost * gcra.intervalMs)
  return charged(tat, now, cost, gcra) - now - toleranceMs - roundingMs(now, gcra)
}

/** What sums of doubles may be off by: a millionth of an interval, and more where the clock has run for long. */
function roundingMs(now: number, gcra: Gcra): number {
  return Math.max(gcra.intervalMs * 1e-6, 1e-6, now * 1e-12)
}

/** Whole requests of cost 1 that would pass at once now. */
export function remaining(tat: number, now: number, gcra: Gcra): number {
  const ahead = tat > now ? tat - now : 0
  return Math.max(0, Math.floor((gcra.toleranceMs - ahead) / gcra.intervalMs + 1e-6))
}

/** Milliseconds until the limit is whole again. */
export function resetMs(tat: number, now: number): number {
  return tat > now ? tat - now : 0
}
