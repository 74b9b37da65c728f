import type { Target } from '../../core/apis/upstream.ts'
import type { Choice } from '../upstream/target.ts'
import type { Standing } from './standing.ts'

/** A target with what is known of it. */
export interface Member extends Choice {
  readonly target: Target
  readonly standing: Standing
  /** Of smooth weighted round robin: rises by the weight with each choice, falls by the sum of weights when chosen. */
  current: number
}

/**
 * Smooth weighted round robin: within as many choices as the weights add up to, each target is chosen as often as its
 * weight says, and never all of them in a row. Targets that are not up are passed over; where none is up, nothing is
 * known that would be better than asking them, and each gets its share. Null: every one was tried.
 */
export function choose(members: readonly Member[], tried: readonly Choice[], now: number): Member | null {
  const anyUp = members.some(({ target, standing }) => target.weight > 0 && standing.isUp(now))
  let best: Member | null = null
  let total = 0
  for (const member of members) {
    const { weight } = member.target
    if (weight === 0 || (anyUp && !member.standing.isUp(now)) || tried.includes(member)) continue
    member.current += weight
    total += weight
    if (best === null || member.current > best.current) best = member
  }
  if (best !== null) best.current -= total
  return best
}
