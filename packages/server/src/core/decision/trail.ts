import type { Code } from '@postern/contract'

import { withoutKeys } from '../credentials/masking.ts'
import { steps, type Step, type TraceStep } from './evaluation.ts'

/**
 * Records the checks of one decision: always as one bit each, and, where the whole trace is wanted, with what was
 * compared. A function is asked for it only then.
 */
export class Trail {
  checks = 0
  readonly trace: TraceStep[] | null

  constructor(whole: boolean) {
    this.trace = whole ? [] : null
  }

  /** Notes the outcome of a step and answers it. */
  add(step: Step, passed: boolean, compared: string | (() => string), code: Code): boolean {
    if (passed) this.checks |= bitOf[step] ?? 0
    this.trace?.push({
      step,
      outcome: passed ? 'pass' : 'fail',
      compared: typeof compared === 'string' ? compared : compared(),
      code: passed ? null : code,
    })
    return passed
  }

  /** `add` of a step that passed, where nobody wants the trace. */
  pass(step: Step): void {
    this.checks |= bitOf[step] ?? 0
  }

  skip(step: Step, compared: () => string): void {
    this.trace?.push({ step, outcome: 'skip', compared: compared(), code: null })
  }
}

/** What the client sent, for a trace that is stored: no key of ours, and cut where it is long. */
export function shown(sent: string | null): string {
  if (sent === null) return 'absent'
  const masked = withoutKeys(sent)
  return masked.length > shownMax ? `${masked.slice(0, shownMax)}…` : masked
}

const shownMax = 256

const bitOf: Readonly<Partial<Record<Step, number>>> = Object.fromEntries(steps.map((step, i) => [step, 1 << i]))
