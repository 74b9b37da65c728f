import type { Target, Upstream } from '../../core/apis/upstream.ts'

/**
 * How an attempt ended. `answered`: with a whole answer. `unreachable`: no connection. `broken`: closed, or not to be
 * read as HTTP. `timed_out`: too slow. `abandoned`: the client left, its request was bad, or an idle connection had
 * been closed; says nothing of the target.
 */
export type AttemptOutcome = 'answered' | 'unreachable' | 'broken' | 'timed_out' | 'abandoned'

/** A target that was chosen for one attempt. */
export interface Choice {
  readonly target: Target
  /** Once for each attempt. `status` is 0 where there was no answer. */
  report(outcome: AttemptOutcome, status: number): void
}

/** Chooses among the targets of an upstream. */
export interface Targets {
  /**
   * A target for the first attempt, or for another one after those that failed and may be made again (nothing was
   * sent, or nothing that matters if it is done twice, and no byte of an answer has come). Null: none is left.
   */
  pick(upstream: Upstream, tried: readonly Choice[]): Choice | null
}
