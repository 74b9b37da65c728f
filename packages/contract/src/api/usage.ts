import Type, { type Static } from 'typebox'

import { listOf, nullable, ref, Timestamp } from './common.ts'
import { TraceStep } from './decisions.ts'

export const usageSteps = ['minute', 'hour', 'day'] as const
export const usageGroups = ['credential', 'account', 'route', 'outcome', 'country', 'api'] as const

export const UsagePoint = Type.Object(
  {
    at: Timestamp,
    group: Type.Record(Type.String(), Type.String(), { description: 'One field for each name in `group_by`.' }),
    count: Type.Integer(),
  },
  { $id: 'UsagePoint' },
)
export type UsagePoint = Static<typeof UsagePoint>

export const ModelUsage = Type.Object(
  {
    at: Timestamp,
    group: Type.Record(Type.String(), Type.String(), {
      description: '`model`, and one field for each of credential, account and api in `group_by`.',
    }),
    requests: Type.Integer(),
    input_tokens: Type.Integer(),
    cached_input_tokens: Type.Integer(),
    output_tokens: Type.Integer(),
    reasoning_tokens: Type.Integer(),
    cost: Type.Record(Type.String(), Type.Number(), { description: 'By currency, at the declared prices.' }),
  },
  { $id: 'ModelUsage' },
)
export type ModelUsage = Static<typeof ModelUsage>

export const Usage = Type.Object(
  {
    from: Timestamp,
    to: Timestamp,
    step: Type.Union([Type.Literal('minute'), Type.Literal('hour'), Type.Literal('day')]),
    data: Type.Array(ref(UsagePoint)),
    models: Type.Array(ref(ModelUsage), { description: 'What language models took.' }),
    latency_ms: nullable(
      Type.Object(
        { p50: Type.Number(), p90: Type.Number(), p95: Type.Number(), p99: Type.Number(), count: Type.Integer() },
        {
          description:
            'Of allowed requests, from a histogram. Null: nothing was measured, or more than one account would be mixed.',
        },
      ),
    ),
    dropped_requests: nullable(
      Type.Integer({ description: 'Request rows that the log could not keep. Only the operator sees it.' }),
    ),
    observed_through: nullable(Timestamp),
  },
  { $id: 'Usage' },
)
export type Usage = Static<typeof Usage>

export const Request = Type.Object(
  {
    id: Type.String(),
    at: Timestamp,
    via: nullable(
      Type.Union(
        [Type.Literal('gateway'), Type.Literal('forward_auth'), Type.Literal('verify'), Type.Literal('management')],
        {
          description:
            'Who took it: the gateway, another proxy that asked about it (forward_auth, verify), or this API. Null in the log of before this was kept.',
        },
      ),
    ),
    api: nullable(Type.String()),
    route: nullable(Type.String()),
    method: Type.String(),
    path: Type.String(),
    status: Type.Integer(),
    code: nullable(Type.String({ description: 'Null where it was allowed.' })),
    outcome: Type.String(),
    account: nullable(Type.String()),
    project: nullable(Type.String()),
    credential: nullable(Type.String()),
    secret: nullable(Type.String({ description: 'Id of the secret that was presented; null where it was a token.' })),
    token: nullable(Type.String({ description: 'Id of the token that was presented.' })),
    grant: nullable(Type.String({ description: 'The consent that the token stands on; `credential` is the client.' })),
    label: nullable(Type.String({ description: 'What the token was called when it was minted.' })),
    ip: Type.String(),
    country: Type.String(),
    user_agent: nullable(Type.String()),
    latency_ms: Type.Number(),
    llm: nullable(
      Type.Object(
        {
          model: nullable(Type.String()),
          input_tokens: Type.Integer(),
          cached_input_tokens: Type.Integer(),
          output_tokens: Type.Integer(),
          reasoning_tokens: Type.Integer(),
          cost: nullable(Type.Number()),
          currency: nullable(Type.String()),
          estimated: Type.Boolean({ description: 'The provider did not say, or not all of it.' }),
        },
        { description: 'What it took of a language model; null: none was asked.' },
      ),
    ),
  },
  { $id: 'Request' },
)
export type Request = Static<typeof Request>
export const RequestList = listOf(Request)
export type RequestList = Static<typeof RequestList>

export const RequestDetail = Type.Object(
  {
    ...Request.properties,
    trace: nullable(Type.Array(ref(TraceStep), { description: 'Of a refusal: every check that was made.' })),
  },
  { $id: 'RequestDetail' },
)
export type RequestDetail = Static<typeof RequestDetail>
