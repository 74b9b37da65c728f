import { wire } from '@postern/contract'
import Type from 'typebox'
import { Compile } from 'typebox/compile'

import type { Page, Scope, Store } from '../core/store.ts'
import type { RequestModel, RequestRow } from '../core/usage/usage.ts'
import { callerOf } from './caller.ts'
import { found } from './commits.ts'
import { idParameters, operation } from './operation.ts'
import type { Resource } from './parts.ts'
import { instantOrNull, timestamp } from './times.ts'
import { pageRequest, pageView } from './views.ts'

const tag = 'Requests'
const Id = Type.Optional(Type.String({ maxLength: 100 }))

export const requests: Resource = (app, parts) => {
  app.get(
    '/requests',
    operation('listRequests', {
      tag,
      summary: 'Read the request log, newest first',
      querystring: Type.Object(
        {
          ...wire.listParameters,
          account: Id,
          project: Id,
          credential: Id,
          token: Id,
          grant: Id,
          label: Type.Optional(Type.String({ maxLength: 200 })),
          api: Id,
          code: Id,
          status: Type.Optional(Type.Integer({ minimum: 100, maximum: 599 })),
          from: Type.Optional(wire.Timestamp),
          to: Type.Optional(wire.Timestamp),
        },
        wire.closed,
      ),
      response: { 200: wire.RequestList },
    }),
    async (request) => {
      const { query } = request
      const account = accountWithin(callerOf(request).scope, query.account ?? null)
      if (isNobody(account)) return pageView(noRows, requestView)
      const page = await parts.store.usage.requests({
        ...pageRequest(query),
        account,
        project: query.project ?? null,
        credential: query.credential ?? null,
        token: query.token ?? null,
        grant: query.grant ?? null,
        label: query.label ?? null,
        api: query.api ?? null,
        code: query.code ?? null,
        status: query.status ?? null,
        from: instantOrNull(query.from),
        to: instantOrNull(query.to),
      })
      return pageView(page, requestView)
    },
  )

  app.get(
    '/requests/:id',
    operation('getRequest', {
      tag,
      summary: 'Read one request, with the trace of a refusal',
      params: idParameters('id'),
      response: { 200: wire.ref(wire.RequestDetail) },
    }),
    async (request) => {
      const row = await visibleRequest(parts.store, callerOf(request).scope, request.params.id)
      return { ...requestView(row), trace: traceOf(row) }
    },
  )
}

const noRows: Page<RequestRow> = { items: [], next: null }
const nobody = Symbol('no account')

/** The account that a query is about: a caller's own, whatever it asks for; `nobody` where it asks for another. */
export function accountWithin(scope: Scope, asked: string | null): string | null | typeof nobody {
  if (scope === null) return asked
  return asked === null || asked === scope ? scope : nobody
}

export function isNobody(account: string | null | typeof nobody): account is typeof nobody {
  return account === nobody
}

/** Requests whose credential was not known belong to no account: the operator's alone. */
export async function visibleRequest(store: Store, scope: Scope, id: string): Promise<RequestRow> {
  const row = found(await store.usage.request({ id }))
  return found(scope === null || row.account === scope ? row : null)
}

/** As it was stored: whole, or null where the request was allowed. */
export function traceOf(row: RequestRow): wire.TraceStep[] | null {
  const trace: unknown = row.trace === null ? null : JSON.parse(row.trace)
  return Array.isArray(trace) ? trace.filter(isTraceStep) : null
}

const TraceStep = Compile(wire.TraceStep)

function isTraceStep(step: unknown): step is wire.TraceStep {
  return TraceStep.Check(step)
}

function requestView(row: RequestRow): wire.Request {
  return {
    id: row.id,
    at: timestamp(row.at),
    via: row.via,
    api: row.api,
    route: row.route,
    method: row.method,
    path: row.path,
    status: row.status,
    code: row.code,
    outcome: row.outcome,
    account: row.account,
    project: row.project,
    credential: row.credential,
    secret: row.secret,
    token: row.token,
    grant: row.grant,
    label: row.label,
    ip: row.ip,
    country: row.country,
    user_agent: row.userAgent,
    latency_ms: row.latencyMs,
    llm: row.llm === undefined ? null : modelView(row.llm),
  }
}

function modelView(llm: RequestModel): wire.Request['llm'] {
  return {
    model: llm.model,
    input_tokens: llm.input,
    cached_input_tokens: llm.cachedInput,
    output_tokens: llm.output,
    reasoning_tokens: llm.reasoning,
    cost: llm.cost === null ? null : llm.cost / 1_000_000,
    currency: llm.currency,
    estimated: llm.estimated,
  }
}
