import type { Candidate } from './candidate.ts'
import { type Check, checks, checksOfModels } from './checks.ts'
import type { Refusal } from './evaluation.ts'
import { bitsOf, type Trail } from './trail.ts'

/**
 * Stage 4, pure and synchronous: runs the checks in their order; the first that fails decides. Nothing is charged
 * here; `candidate.charge` is what the caller charges where null is answered.
 */
export function decide(candidate: Candidate, trail: Trail): Refusal | null {
  const list = candidate.api.llm === null ? checks : checksOfModels
  if (trail.trace !== null) return traced(list, candidate, trail)
  let passed = 0
  for (const check of list) {
    const refusal = check.test(candidate)
    if (refusal !== null) {
      trail.pass(bitsOf(list.slice(0, passed).map(({ step }) => step)))
      return refusal
    }
    passed++
  }
  trail.pass(list === checks ? bitsOfChecks : bitsOfModelChecks)
  return null
}

const bitsOfChecks = bitsOf(checks.map(({ step }) => step))
const bitsOfModelChecks = bitsOf(checksOfModels.map(({ step }) => step))

function traced(list: readonly Check[], candidate: Candidate, trail: Trail): Refusal | null {
  for (const check of list) {
    const refusal = check.test(candidate)
    trail.add(check.step, refusal === null, () => check.compared(candidate), refusal?.code ?? 'internal_error')
    if (refusal !== null) return refusal
  }
  return null
}
