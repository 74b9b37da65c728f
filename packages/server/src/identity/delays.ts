import type { Clock } from '../base/clock.ts'

/** So many failures cost no time: people mistype. */
const free = 5
const firstMs = 1000
const longestMs = 15 * 60_000
/** What is older than this is forgotten. */
const rememberedMs = 24 * 3_600_000

/** A delay that doubles with every failure of the same key. */
export interface Delays {
  waitMs(key: string): number
  lengthen(key: string): void
  forget(key: string): void
}

/** At most `keysMax` keys are remembered: the one that failed longest ago leaves first. */
export function createDelays({ keysMax, clock }: { readonly keysMax: number; readonly clock: Clock }): Delays {
  const known = new Map<string, { readonly failures: number; readonly at: number }>()
  const find = (key: string) => {
    const entry = known.get(key)
    return entry === undefined || clock.monotonic() - entry.at >= rememberedMs ? { failures: 0, at: 0 } : entry
  }
  return {
    waitMs: (key) => {
      const { failures, at } = find(key)
      return Math.max(0, at + delayAfter(failures) - clock.monotonic())
    },
    lengthen: (key) => {
      const { failures } = find(key)
      known.delete(key)
      known.set(key, { failures: failures + 1, at: clock.monotonic() })
      if (known.size <= keysMax) return
      for (const oldest of known.keys()) {
        known.delete(oldest)
        return
      }
    },
    forget: (key) => void known.delete(key),
  }
}

function delayAfter(failures: number): number {
  return failures < free ? 0 : Math.min(longestMs, firstMs * 2 ** (failures - free))
}
