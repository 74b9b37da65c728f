import type { Clock } from '../base/clock.ts'

/** Says at most once in a while that something is due, for each key; the keys that it remembers are bounded. */
export interface Rarely {
  isDue(key: string): boolean
}

export function createRarely(options: {
  readonly everyMs: number
  readonly keysMax: number
  readonly clock: Clock
}): Rarely {
  const last = new Map<string, number>()
  return {
    isDue: (key) => {
      const now = options.clock.monotonic()
      const before = last.get(key)
      if (before !== undefined && now - before < options.everyMs) return false
      last.delete(key)
      last.set(key, now)
      if (last.size > options.keysMax) last.delete(last.keys().next().value ?? key)
      return true
    },
  }
}
