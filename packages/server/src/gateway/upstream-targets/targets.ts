import type { Clock } from '../../base/clock.ts'
import type { Upstream } from '../../core/apis/upstream.ts'
import type { Targets } from '../upstream/target.ts'
import { createUpstreams } from '../upstream/upstreams.ts'
import { createTargetGroups, type TargetChange, type TargetView } from './groups.ts'
import { createHealthChecks } from './health-checks.ts'

/** The targets of all upstreams: the choice among them, what is known of each, and the checks that ask them. */
export interface UpstreamTargets extends Targets {
  /** These are in force, and no others. */
  use(upstreams: readonly Upstream[]): void
  views(): readonly TargetView[]
  close(): void
}

/** Connections of checks are their own, so that neither takes the place of the other. */
const connectionsOfChecks = { connectionsMax: 4, waitingMax: 0 }

export function createUpstreamTargets(clock: Clock, tell: (change: TargetChange) => void): UpstreamTargets {
  const groups = createTargetGroups(clock, tell)
  const client = createUpstreams(clock, connectionsOfChecks)
  const checks = createHealthChecks(client, clock, (...told) => groups.checked(...told))
  return {
    pick: (upstream, tried) => groups.pick(upstream, tried),
    views: () => groups.views(),
    use: (upstreams) => {
      groups.use(upstreams)
      checks.use(upstreams)
    },
    close: () => {
      checks.stop()
      client.close()
    },
  }
}
