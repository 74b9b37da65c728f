import type { Candidate } from './candidate.ts'
import { checks, checksOfModels } from './checks.ts'
import type { Refusal } from './evaluation.ts'
import type { Trail } from './trail.ts'

/**
 * Stage 4, pure and synchronous: runs the checks in their order; the first that fails decides. Nothing is charged
 * here; `candidate.charge` is what the caller charges where null is answered.
 */
export function decide(candidate: Candidate, trail: Trail): Refusal | null {
  for (const check of candidate.api.llm === null ? checks : checksOfModels) {
    const refusal = check.test(candidate)
    if (refusal === null && trail.trace === null) trail.pass(check.step)
    else trail.add(check.step, refusal === null, () => check.compared(candidate), refusal?.code ?? 'internal_error')
    if (refusal !== null) return refusal
  }
  return null
}
