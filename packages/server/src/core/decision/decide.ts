import type { Candidate } from './candidate.ts'
import { checks } from './checks.ts'
import type { Refusal } from './evaluation.ts'
import type { Trail } from './trail.ts'

/**
 * Stage 4, pure and synchronous: runs the checks in their order; the first that fails decides. Nothing is charged
 * here; `candidate.charge` is what the caller charges where null is answered.
 */
export function decide(candidate: Candidate, trail: Trail): Refusal | null {
  for (const check of checks) {
    const refusal = check.test(candidate)
    const passed = refusal === null
    trail.add(check.step, passed, () => check.compared(candidate), refusal?.code ?? 'internal_error')
    if (!passed) return refusal
  }
  return null
}
