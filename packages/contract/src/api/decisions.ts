import Type, { type Static } from 'typebox'

import { closed, Environment, nullable, ref, Region } from './common.ts'
import { CredentialKind } from './credentials.ts'

/** A request as a proxy or middleware saw it. */
export const DescribedRequest = Type.Object(
  {
    api: Type.String({ minLength: 1, maxLength: 100 }),
    method: Type.String({ minLength: 1, maxLength: 40, pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$" }),
    path: Type.String({
      minLength: 1,
      maxLength: 16_384,
      pattern: '^/',
      description: 'Request target: path and query, as received.',
    }),
    headers: Type.Record(
      Type.String({ pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$" }),
      Type.Union([
        Type.String({ maxLength: 16_384, pattern: '^[^\\r\\n\\u0000]*$' }),
        Type.Array(Type.String({ maxLength: 16_384, pattern: '^[^\\r\\n\\u0000]*$' }), { maxItems: 50 }),
      ]),
      {
        maxProperties: 200,
        additionalProperties: false,
        description: 'A text, or an array where the header came more than once.',
      },
    ),
    ip: Type.String({ minLength: 2, maxLength: 45, description: 'Address of the client.' }),
    host: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
    scheme: Type.Optional(Type.Union([Type.Literal('https'), Type.Literal('http')], { default: 'https' })),
    model: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 200,
        pattern: '^[!-~]+$',
        description: 'Language model that the body names. Without it, what depends on the model is refused.',
      }),
    ),
    tokens: Type.Optional(
      Type.Object(
        {
          input: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000_000 })),
          output: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000_000 })),
        },
        {
          ...closed,
          description: 'The most that the request may take of budgets; without `output`, what its API declares.',
        },
      ),
    ),
  },
  { $id: 'DescribedRequest', ...closed },
)
export type DescribedRequest = Static<typeof DescribedRequest>

export const RecordedRequest = Type.Object(
  { request_id: Type.String({ minLength: 1, maxLength: 64 }) },
  { $id: 'RecordedRequest', ...closed, description: 'A refused request that the log has kept.' },
)
export type RecordedRequest = Static<typeof RecordedRequest>

export const TraceStep = Type.Object(
  {
    step: Type.String(),
    outcome: Type.Union([Type.Literal('pass'), Type.Literal('fail'), Type.Literal('skip')]),
    compared: Type.String({ description: 'What was compared, for people. Never a secret or an allowed value.' }),
    code: nullable(Type.String()),
  },
  { $id: 'TraceStep' },
)
export type TraceStep = Static<typeof TraceStep>

export const Principal = Type.Object(
  {
    credential: Type.String(),
    public_id: nullable(Type.String()),
    kind: CredentialKind,
    account: Type.String(),
    project: Type.String(),
    environment: Environment,
    region: nullable(Region),
    scopes: Type.Array(Type.String()),
    token: nullable(Type.String({ description: 'Id of the token that was presented.' })),
    grant: nullable(Type.String({ description: 'The consent that it stands on; `credential` is the client.' })),
    subject: nullable(Type.String({ description: 'Who it is about: the user who consented, or `ISSUER:SUBJECT`.' })),
    label: nullable(Type.String({ description: 'What the token was called when it was minted.' })),
  },
  { $id: 'Principal', description: 'Who the request is.' },
)
export type Principal = Static<typeof Principal>

export const Decision = Type.Object(
  {
    allowed: Type.Boolean(),
    code: nullable(Type.String({ description: 'Null where it is allowed.' })),
    status: Type.Integer({ description: 'The status that the gateway would answer; 200 where it would forward.' }),
    trace: Type.Array(ref(TraceStep)),
    principal: nullable(ref(Principal)),
    headers: Type.Record(Type.String(), Type.Union([Type.String(), Type.Array(Type.String())]), {
      description: 'Allowed: what the upstream should be told. Refused: what belongs on the answer.',
    }),
  },
  { $id: 'Decision' },
)
export type Decision = Static<typeof Decision>
