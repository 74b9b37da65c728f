import type { Clock } from '../../base/clock.ts'
import type { Target } from '../../core/apis/upstream.ts'
import type { Attempt } from './attempt.ts'
import { Pool, type PoolLimits } from './pool.ts'

/** The gateway's HTTP/1.1 client: no redirects, no retries by itself, one request at a time on a connection. */
export interface Upstreams {
  /** Finds a connection for a request; it hears `connected` or `failed`, at once or later. */
  acquire(target: Target, attempt: Attempt, fresh: boolean): void
  /** Gives up an attempt that has heard neither. */
  cancel(target: Target, attempt: Attempt): void
  close(): void
}

const sweepMs = 1_000

export function createUpstreams(clock: Clock, limits: PoolLimits): Upstreams {
  const pools = new Map<string, Pool>()
  const timer = clock.every(sweepMs, () => {
    for (const [identity, pool] of pools) {
      pool.sweep()
      if (pool.empty) pools.delete(identity)
    }
  })
  const poolOf = (target: Target): Pool => {
    const known = pools.get(target.identity)
    if (known !== undefined) return known
    const made = new Pool(target, clock, limits)
    pools.set(target.identity, made)
    return made
  }
  return {
    acquire: (target, attempt, fresh) => poolOf(target).acquire(attempt, fresh),
    cancel: (target, attempt) => poolOf(target).cancel(attempt),
    close: () => {
      timer.stop()
      for (const pool of pools.values()) pool.close()
    },
  }
}
