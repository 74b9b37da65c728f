/** RFC 3339 in UTC with milliseconds. */
export function timestamp(epochMs: number): string {
  return new Date(epochMs).toISOString()
}

export function timestampOrNull(epochMs: number | null): string | null {
  return epochMs === null ? null : timestamp(epochMs)
}

/** The schema has checked the shape. */
export function instant(text: string): number {
  return Date.parse(text)
}

export function instantOrNull(text: string | null | undefined): number | null {
  return text === null || text === undefined ? null : instant(text)
}

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
type Unit = keyof typeof unitMs

/** `90d` as milliseconds. The schema has checked the shape. */
export function durationMs(text: string): number {
  const unit = text.replace(/^[0-9]+/, '')
  return Number.parseInt(text, 10) * (isUnit(unit) ? unitMs[unit] : Number.NaN)
}

function isUnit(text: string): text is Unit {
  return Object.hasOwn(unitMs, text)
}

/** In the largest unit that divides it. */
export function duration(ms: number): string {
  const units: readonly Unit[] = ['d', 'h', 'm', 's']
  const unit = units.find((candidate) => ms > 0 && ms % unitMs[candidate] === 0) ?? 'ms'
  return `${ms / unitMs[unit]}${unit}`
}
