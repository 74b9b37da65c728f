/** Texts that the schema has checked already, as numbers. */

/** `500ms`, `30s`, `15m`, `1h`, `90d` in milliseconds. */
export function durationMs(text: string): number {
  const [, amount = '0', unit = 'ms'] = /^([0-9]+)(ms|s|m|h|d)$/.exec(text) ?? []
  return Number(amount) * (msOfUnit[unit] ?? 1)
}

/** `512B`, `16KiB`, `10MiB`, `1GiB` in bytes. */
export function sizeBytes(text: string): number {
  const [, amount = '0', unit = 'B'] = /^([0-9]+)(B|KiB|MiB|GiB)$/.exec(text) ?? []
  return Number(amount) * (bytesOfUnit[unit] ?? 1)
}

const msOfUnit: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const bytesOfUnit: Readonly<Record<string, number>> = { B: 1, KiB: 1_024, MiB: 1_024 ** 2, GiB: 1_024 ** 3 }
