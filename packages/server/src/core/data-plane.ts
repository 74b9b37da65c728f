import type { Clock } from '../base/clock.ts'
import type { Declaration } from './apis/api.ts'
import { answerOf, corsHeaders, limitHeadersOf } from './decision/answer.ts'
import { Decider, type Freshness } from './decision/decider.ts'
import { callerHeaders, identityHeaders } from './decision/identity.ts'
import { FailureBudget } from './limits/failure-budget.ts'
import { Limiter } from './limits/limiter.ts'
import type { RecordTable } from './records/table.ts'
import type { DataPlane, MeterEntry } from './runtime.ts'
import type { UsageRecorder } from './usage/recorder.ts'

/** Puts the parts of the data plane together. `onExposed`: what was refused carried a real credential over plain HTTP. */
export function createDataPlane(parts: {
  readonly declaration: () => Declaration
  readonly table: RecordTable
  readonly limiter: Limiter
  readonly freshness: Freshness
  readonly recorder: UsageRecorder
  readonly clock: Clock
  readonly onExposed: (entry: MeterEntry) => void
}): DataPlane {
  const decider = new Decider({ ...parts, failures: new FailureBudget() })
  return {
    declaration: parts.declaration,
    evaluate: (facts, trace) => decider.evaluate(facts, trace),
    settle: (evaluation, facts) => decider.settle(evaluation, facts),
    charge: (evaluation, facts) => decider.charge(evaluation, facts),
    answer: (evaluation, standing, requestId) =>
      answerOf(evaluation, standing, requestId, parts.declaration(), parts.clock.now()),
    limitHeaders: (evaluation, standing) => limitHeadersOf(evaluation, standing, parts.clock.now()),
    corsHeaders,
    identityHeaders,
    callerHeaders,
    meter: (entry) => {
      if (entry.llm !== null) parts.limiter.settle(entry.llm.charge, entry.llm.tokens)
      parts.recorder.record(entry)
      if (entry.evaluation.exposed !== null) parts.onExposed(entry)
    },
  }
}
