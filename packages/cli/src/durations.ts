import { wrongUsage } from './stop.ts'

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Milliseconds of `30s`, `15m`, `24h` or `90d`; null for anything else. */
export function durationMs(text: string): number | null {
  const match = /^(0|[1-9][0-9]{0,8})(ms|s|m|h|d)$/.exec(text)
  return match === null ? null : Number(match[1]) * (unitMs[match[2] ?? ''] ?? 0)
}

/** RFC 3339 from a date, or from a duration counted from now: backwards for the past, forwards for an end. */
export function instant(text: string, option: string, now: number, direction: 'ago' | 'ahead'): string {
  const span = durationMs(text)
  if (span !== null) return new Date(direction === 'ago' ? now - span : now + span).toISOString()
  const at = /^[0-9]{4}-[0-9]{2}-[0-9]{2}/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(at)) {
    throw wrongUsage(
      `${option} is not a time`,
      'It takes a duration such as 30m, 24h or 90d, or a time such as 2026-03-01T09:30:00Z.',
      `${option} 24h`,
    )
  }
  return new Date(at).toISOString()
}

/** `3 s ago`, `in 2 h`: for people; programs get the time itself. */
export function relative(instantText: string, now: number): string {
  const distance = Date.parse(instantText) - now
  const size = Math.abs(distance)
  const amount =
    size < 60_000
      ? `${Math.round(size / 1_000)} s`
      : size < 3_600_000
        ? `${Math.round(size / 60_000)} min`
        : size < 172_800_000
          ? `${Math.round(size / 3_600_000)} h`
          : `${Math.round(size / 86_400_000)} d`
  return distance > 0 ? `in ${amount}` : `${amount} ago`
}
