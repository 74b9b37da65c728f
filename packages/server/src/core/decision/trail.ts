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
    if (passed) this.checks |= bitOf[step]
    this.trace?.push({
      step,
      outcome: passed ? 'pass' : 'fail',
      compared: typeof compared === 'string' ? compared : compared(),
      code: passed ? null : code,
    })
    return passed
  }

  /** Steps that passed, where nobody wants the trace, as their bits. */
  pass(bits: number): void {
    this.checks |= bits
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

/** Looked up once for many requests: it is a dear way to find a number. */
export function bitsOf(passed: readonly Step[]): number {
  return passed.reduce((bits, step) => bits | bitOf[step], 0)
}

// Every step is a key, by construction from the same list.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
const bitOf = Object.fromEntries(steps.map((step, i) => [step, 1 << i])) as Readonly<Record<Step, number>>
