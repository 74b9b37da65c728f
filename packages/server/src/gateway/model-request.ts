import { ok, type Result } from '../base/result.ts'
import type { Evaluation } from '../core/decision/evaluation.ts'
import type { RequestFacts } from '../core/decision/facts.ts'
import { askedModel, type AskedModel } from '../core/decision/model-checks.ts'
import { createAnswerMeter } from '../core/llm/answer-meter.ts'
import { readModelRequest } from '../core/llm/request.ts'
import type { Exchange } from './exchange.ts'
import type { ForwardOptions } from './forward.ts'

/** Whether the decision so far is about the head alone, because the body says what is asked of which model. */
export function asksModelInBody(evaluation: Evaluation, facts: RequestFacts): boolean {
  return askedOf(evaluation, facts)?.pending === true
}

function askedOf({ api, route, preflight }: Evaluation, facts: RequestFacts): AskedModel | null {
  return api === null || route === null || api.llm === null || preflight ? null : askedModel({ api, route, facts })
}

/** What a body that was read says of the model, where one was waited for. The error is for the caller. */
export function modelFacts(
  exchange: Exchange,
  facts: RequestFacts,
  evaluation: Evaluation,
  body: Buffer,
): Result<NonNullable<RequestFacts['llm']>, { readonly hint: string }> {
  const asked = askedOf(evaluation, facts)
  if (asked === null || !asked.pending) return ok(facts.llm ?? 'pending')
  const read = readModelRequest(asked.llm, asked.operation, asked.model, facts.headers, body)
  if (!read.ok) return { ok: false, error: { hint: read.error } }
  exchange.modelRequest = read.value
  return ok(read.value.facts)
}

/** What forwarding has to know of a request to a model, and what hears its answer; undefined where none runs. */
export function modelOptions(
  exchange: Exchange,
  facts: RequestFacts,
  evaluation: Evaluation,
): ForwardOptions | undefined {
  const asked = askedOf(evaluation, facts)
  if (asked === null || evaluation.charge === null) return undefined
  if (asked.pending) throw new Error('what the body asks for is decided before it is sent on')
  const read = exchange.modelRequest
  const meter = createAnswerMeter({
    provider: asked.llm.provider,
    operation: asked.operation,
    input: read?.facts.inputTokens ?? 0,
    output: asked.operation.output ? (read?.facts.outputTokens ?? asked.llm.defaultOutputTokens) : 0,
    asked: read?.asked === true,
  })
  exchange.modelRequest = null
  exchange.modelUse = { charge: evaluation.charge, model: asked.model, meter }
  return { body: read?.body ?? null, tap: meter, filter: read?.asked === true ? meter : null }
}
