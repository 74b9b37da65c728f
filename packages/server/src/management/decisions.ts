import { wire } from '@postern/contract'
import type { FastifyRequest } from 'fastify'
import Type from 'typebox'

import type { Evaluation } from '../core/decision/evaluation.ts'
import type { RequestFacts } from '../core/decision/facts.ts'
import { callerOf } from './caller.ts'
import { chargedTo, decisionView, factsOf, refuseUndeclared, withoutForeign } from './described.ts'
import { operation } from './operation.ts'
import type { ManagementParts, Resource } from './parts.ts'
import { traceOf, visibleRequest } from './requests.ts'

const tag = 'Decisions'

/** Asks the one decision about a request that arrived somewhere else: limits are charged and last use is metered. */
export const verify: Resource = (app, parts) => {
  app.post(
    '/verify',
    operation('verifyRequest', {
      tag,
      summary: 'Decide a request for a proxy or middleware',
      description: 'Charges limits, budgets by the estimate in `tokens`, and counts as a use of the credential.',
      body: wire.ref(wire.DescribedRequest),
      response: { 200: wire.ref(wire.Decision) },
    }),
    async (request) => {
      const { dataPlane, clock, ids } = parts
      const facts = describedFacts(parts, request, request.body)
      const evaluation = await decided(parts, request, facts)
      const standing = dataPlane.charge(chargedTo(callerOf(request), evaluation), facts)
      const requestId = ids.next('req')
      const answered = !evaluation.allowed || evaluation.preflight
      const answer = answered
        ? dataPlane.answer(evaluation, standing, requestId)
        : {
            status: 200,
            headers: [
              ...dataPlane.identityHeaders(evaluation, requestId),
              ...dataPlane.limitHeaders(evaluation, standing),
            ],
          }
      const latencyMs = clock.monotonic() - facts.monotonic
      dataPlane.meter({
        evaluation,
        facts,
        requestId,
        via: 'verify',
        status: answer.status,
        ended: 'answered',
        latencyMs,
        received: 0,
        upstreamMs: null,
        sent: 0,
        llm: null,
      })
      return decisionView(evaluation, answer)
    },
  )
}

/** The same question without any effect; and the answer that was given to a refused request. */
export const explain: Resource = (app, parts) => {
  app.post(
    '/explain',
    operation('explainRequest', {
      tag,
      summary: 'Ask why a request is allowed or refused',
      description: 'Never charges. With `request_id`: the trace that was stored with a refused request.',
      body: Type.Union([wire.ref(wire.DescribedRequest), wire.ref(wire.RecordedRequest)]),
      response: { 200: wire.ref(wire.Decision) },
      problems: [404],
    }),
    async (request) => {
      const { body } = request
      if ('request_id' in body) return await explainRecorded(parts, request, body.request_id)
      const facts = describedFacts(parts, request, body)
      const evaluation = await decided(parts, request, facts)
      const standing = evaluation.refusal?.limit ?? null
      const requestId = request.id
      const answered = !evaluation.allowed || evaluation.preflight
      const answer = answered
        ? parts.dataPlane.answer(evaluation, standing, requestId)
        : { status: 200, headers: parts.dataPlane.identityHeaders(evaluation, requestId) }
      return decisionView(evaluation, answer)
    },
  )
}

function describedFacts(parts: ManagementParts, request: FastifyRequest, body: wire.DescribedRequest): RequestFacts {
  refuseUndeclared(parts, body.api, callerOf(request).scope)
  return factsOf(parts, body)
}

/** With the whole trace; settled, so that what follows in the same turn acts on what holds now. */
async function decided(parts: ManagementParts, request: FastifyRequest, facts: RequestFacts): Promise<Evaluation> {
  const evaluation = parts.dataPlane.settle(await parts.dataPlane.evaluate(facts, true), facts)
  return withoutForeign(evaluation, callerOf(request).scope)
}

async function explainRecorded(parts: ManagementParts, request: FastifyRequest, id: string): Promise<wire.Decision> {
  const row = await visibleRequest(parts.store, callerOf(request).scope, id)
  return {
    allowed: row.code === null,
    code: row.code,
    status: row.status,
    trace: traceOf(row) ?? [],
    principal: null,
    headers: {},
  }
}
