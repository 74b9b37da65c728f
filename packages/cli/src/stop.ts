/** Exit codes (`postern help` names them). */
export const exit = {
  done: 0,
  failed: 1,
  usage: 2,
  /** The answer is no: `verify`, `explain` and `connection check`. */
  denied: 3,
  /** No management credential, or it may not do this. */
  notAllowed: 4,
  unreachable: 5,
  interrupted: 130,
} as const

export type ExitCode = (typeof exit)[keyof typeof exit]

/** What a person is told when a command ends early: what happened, why, and what to type next. */
export interface Explanation {
  readonly what: string
  readonly why: string
  readonly next: string
  readonly requestId?: string | undefined
  readonly docs?: string | undefined
}

/** Ends a command with an exit code and a message for people. */
export class Stop extends Error {
  readonly code: ExitCode
  readonly explanation: Explanation

  constructor(code: ExitCode, explanation: Explanation, options?: ErrorOptions) {
    super(explanation.what, options)
    this.name = 'Stop'
    this.code = code
    this.explanation = explanation
  }
}

/** The command line itself is wrong. */
export function wrongUsage(what: string, why: string, next: string): Stop {
  return new Stop(exit.usage, { what, why, next })
}
