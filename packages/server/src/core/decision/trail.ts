import type { Code } from '@postern/contract'
import { steps, type Step, type TraceStep } from './evaluation.ts'

/**
 * Records the checks of one decision: always as one bit each, and, where the whole trace is wanted, with what was
 * compared. `compared` is asked for only then.
 */
export class Trail {
  checks = 0
  readonly trace: TraceStep[] | null

  constructor(whole: boolean) {
    this.trace = whole ? [] : null
  }

  /** Notes the outcome of a step and answers it. */
  add(step: Step, passed: boolean, compared: () => string, code: Code): boolean {
    if (passed) this.checks |= bitOf[step]
    this.trace?.push({ step, outcome: passed ? 'pass' : 'fail', compared: compared(), code: passed ? null : code })
    return passed
  }

  /** `add` of a step that passed, where nobody wants the trace. */
  pass(step: Step): void {
    this.checks |= bitOf[step]
  }

  skip(step: Step, compared: () => string): void {
    this.trace?.push({ step, outcome: 'skip', compared: compared(), code: null })
  }
}

const bitOf: Readonly<Record<Step, number>> = Object.fromEntries(
  steps.map((step, i) => [step, 1 << i]),
  // Every step is a key, by construction from the same list.
) as Record<Step, number>
