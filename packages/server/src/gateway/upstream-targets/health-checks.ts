import type { Clock, Timer } from '../../base/clock.ts'
import type { HealthRule, Target, Upstream } from '../../core/apis/upstream.ts'
import type { Upstreams } from '../upstream/upstreams.ts'
import { Probe } from './probe.ts'

export interface HealthChecks {
  /** Checks the targets of these, where they say so, from now on, and no others. */
  use(upstreams: readonly Upstream[]): void
  stop(): void
}

type Checked = (upstream: Upstream, target: Target, healthy: boolean, why: string) => void

/** Asks each target at once and then again and again, `intervalMs` after its last answer. */
export function createHealthChecks(client: Upstreams, clock: Clock, checked: Checked): HealthChecks {
  let running: readonly Loop[] = []
  const stop = (): void => {
    for (const loop of running) loop.stop()
    running = []
  }
  return {
    use: (upstreams) => {
      stop()
      running = upstreams.flatMap((upstream) => {
        const { health, targets } = upstream
        if (health === null) return []
        return targets.map((target) =>
          startLoop(client, clock, target, health, (healthy, why) => checked(upstream, target, healthy, why)),
        )
      })
    },
    stop,
  }
}

interface Loop {
  stop(): void
}

function startLoop(
  client: Upstreams,
  clock: Clock,
  target: Target,
  rule: HealthRule,
  result: (healthy: boolean, why: string) => void,
): Loop {
  let probe: Probe | null = null
  let timer: Timer | null = null
  const ask = (): void => {
    probe = new Probe(client, clock, target, rule, (healthy, why) => {
      timer = clock.after(rule.intervalMs, ask)
      result(healthy, why)
    })
    probe.start()
  }
  ask()
  return {
    stop: () => {
      timer?.stop()
      probe?.stop()
    },
  }
}
