import type { Clock } from '../../base/clock.ts'
import { inStatusRanges, type StatusRanges, type Target, type Upstream } from '../../core/apis/upstream.ts'
import type { AttemptOutcome, Targets } from '../upstream/target.ts'
import { choose, type Member } from './balance.ts'
import { type Change, Standing, type State } from './standing.ts'

/** A target whose state changed, and why. `alone`: its upstream has no other, so that it is used all the same. */
export interface TargetChange {
  readonly upstream: string
  readonly target: string
  readonly change: Change
  readonly why: string
  readonly alone: boolean
}

/** A target of an upstream, for metrics and people. */
export interface TargetView {
  readonly upstream: string
  readonly target: string
  readonly state: State
}

export interface TargetGroups extends Targets {
  /** These are in force: what is known of their targets stays known, all else is forgotten. */
  use(upstreams: readonly Upstream[]): void
  /** A target was asked how it is. */
  checked(upstream: Upstream, target: Target, healthy: boolean, why: string): void
  views(): readonly TargetView[]
}

/** What is known of all targets, and the choice among them. */
export function createTargetGroups(clock: Clock, tell: (change: TargetChange) => void): TargetGroups {
  let inForce: readonly Upstream[] = []
  /** Also of upstreams that are no longer in force, for requests that still are on their way there. */
  const groups = new WeakMap<Upstream, readonly Member[]>()

  const membersOf = (upstream: Upstream): readonly Member[] => {
    const known = groups.get(upstream)
    if (known !== undefined) return known
    const before = inForce.find(({ name }) => name === upstream.name)
    const former = before === undefined ? [] : (groups.get(before) ?? [])
    const made = upstream.targets.map((target) => {
      const standing = former.find((member) => member.target.url === target.url)?.standing ?? new Standing()
      if (upstream.health === null) standing.unchecked()
      return memberOf(upstream, target, standing)
    })
    groups.set(upstream, made)
    return made
  }

  const memberOf = (upstream: Upstream, target: Target, standing: Standing): Member => ({
    target,
    standing,
    current: 0,
    report: (outcome, status) => {
      const { passive } = upstream
      if (passive === null || outcome === 'abandoned') return
      const failure = failureOf(outcome, status, passive.statuses)
      const change = failure === null ? standing.succeeded() : standing.failed(passive, clock.monotonic())
      if (change !== null) tellOf(upstream, target, change, failure ?? 'it answered')
    },
  })

  const tellOf = ({ name, targets }: Upstream, { url }: Target, change: Change, why: string): void =>
    tell({ upstream: name, target: url, change, why, alone: targets.length === 1 })

  return {
    use: (upstreams) => {
      for (const upstream of upstreams) membersOf(upstream)
      inForce = upstreams
    },
    pick: (upstream, tried) => {
      const members = membersOf(upstream)
      if (members.length === 1) return tried.length === 0 ? (members[0] ?? null) : null
      return tried.length > upstream.retries ? null : choose(members, tried, clock.monotonic())
    },
    checked: (upstream, target, healthy, why) => {
      const member = membersOf(upstream).find((each) => each.target === target)
      const change = upstream.health === null ? null : (member?.standing.checked(upstream.health, healthy) ?? null)
      if (change !== null) tellOf(upstream, target, change, why)
    },
    views: () => {
      const now = clock.monotonic()
      return inForce.flatMap((upstream) =>
        membersOf(upstream).map(({ target, standing }) => ({
          upstream: upstream.name,
          target: target.url,
          state: standing.state(now),
        })),
      )
    },
  }
}

/** In words why an attempt speaks against its target; null where it does not. */
function failureOf(outcome: AttemptOutcome, status: number, statuses: StatusRanges): string | null {
  switch (outcome) {
    case 'answered':
      return inStatusRanges(statuses, status) ? `it answered ${status}` : null
    case 'unreachable':
      return 'no connection could be made'
    case 'broken':
      return 'it closed the connection, or did not speak HTTP'
    case 'timed_out':
      return 'it was too slow'
    case 'abandoned':
      return null
  }
}
