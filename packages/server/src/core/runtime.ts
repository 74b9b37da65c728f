import type { Declaration } from './apis/api.ts'
import type { Answer } from './decision/answer.ts'
import type { Evaluation, Standing } from './decision/evaluation.ts'
import type { RequestFacts } from './decision/facts.ts'
import type { Principal } from './records/principal.ts'
import type { RecordChanges } from './records/record.ts'
import type { MeterEntry } from './usage/meter-entry.ts'

export type { MeterEntry } from './usage/meter-entry.ts'

/**
 * The decision and what stands around it, as the gateway and the management API get it from `app.ts`.
 * There is one of it in a process, and no second opinion anywhere.
 */
export interface DataPlane {
  /** The declaration in force; a reload replaces it. */
  declaration(): Declaration
  /** Answers at once unless `resolve` has to wait. `trace`: record every step even where it is allowed. */
  evaluate(facts: RequestFacts, trace: boolean): Evaluation | Promise<Evaluation>
  /** After an await of `evaluate`: the same where its record did not change meanwhile, otherwise a new one. */
  settle(evaluation: Evaluation, facts: RequestFacts): Evaluation
  /**
   * Takes what the evaluation charges, in the same synchronous turn as the look at `allowed`. Answers the tightest
   * limit for the headers. A refusal charges no limit, but a bad credential charges its peer's failure budget.
   */
  charge(evaluation: Evaluation, facts: RequestFacts): Standing
  /** The wire answer of a refusal or of a preflight. */
  answer(evaluation: Evaluation, standing: Standing, requestId: string): Answer
  /** `RateLimit`, `RateLimit-Policy` and the preset's, for answers that were forwarded. */
  limitHeaders(evaluation: Evaluation, standing: Standing): readonly string[]
  /** `Access-Control-*` and `Vary` for answers that a listed page may read. */
  corsHeaders(evaluation: Evaluation): readonly string[]
  /** `X-Postern-*` for the upstream: every one of them, empty where there is no value. */
  identityHeaders(evaluation: Evaluation, requestId: string): readonly string[]
  /** The same less the request's own id: of the same object as principal and the same id of an API it is the same. */
  callerHeaders(principal: Principal | null, api: string): readonly string[]
  /** Counts, last use, request log; memory only. */
  meter(entry: MeterEntry): void
}

/** Applies a commit's own after-images here before its answer is given (design, section 5). */
export type ApplyChanges = (changes: RecordChanges, sequence: number) => void
