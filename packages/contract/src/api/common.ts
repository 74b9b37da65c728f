import Type, { type Static, type TObject, type TSchema, type TUnsafe } from 'typebox'

/**
 * What every resource of `/api/v1` shares. Names on the wire are snake_case; times are RFC 3339 in UTC with
 * milliseconds; a schema with `$id` is a component of the OpenAPI document.
 */

/** A reference to a component that keeps its type: `$ref` in the document, the static type in the code. */
export function ref<Schema extends TSchema>(schema: Schema & { readonly $id?: string }): TUnsafe<Static<Schema>> {
  if (schema.$id === undefined) throw new TypeError('Only a schema with an $id can be referred to')
  return Type.Unsafe<Static<Schema>>(Type.Ref(schema.$id))
}

export function nullable<Schema extends TSchema>(schema: Schema): TUnsafe<Static<Schema> | null> {
  return Type.Unsafe<Static<Schema> | null>(Type.Union([schema, Type.Null()]))
}

/** The body of a request: fields that are not declared are refused. */
export const closed = { additionalProperties: false } as const

export const Timestamp = Type.String({
  format: 'date-time',
  description: 'RFC 3339; answers are in UTC with milliseconds.',
  examples: ['2026-03-01T09:30:00.000Z'],
})

/** A length of time as in postern.yaml: a number and ms, s, m, h or d. */
export const Duration = Type.String({
  pattern: '^(0|[1-9][0-9]{0,9})(ms|s|m|h|d)$',
  description: 'A number and its unit: ms, s, m, h or d.',
  examples: ['24h'],
})

/** A name for people: no control characters. */
export const Name = Type.String({ minLength: 1, maxLength: 100, pattern: '^[^\\u0000-\\u001f\\u007f-\\u009f]+$' })

/** A sentence for people that is kept with the change. */
export const Reason = Type.String({ minLength: 1, maxLength: 500, pattern: '^[^\\u0000-\\u001f\\u007f-\\u009f]+$' })

export const Metadata = Type.Record(
  Type.String({ pattern: '^[A-Za-z0-9_.:-]{1,64}$' }),
  Type.String({ maxLength: 500 }),
  {
    maxProperties: 50,
    additionalProperties: false,
    description: 'Up to 50 texts of your own.',
  },
)

export const Environment = Type.Union([Type.Literal('live'), Type.Literal('sandbox')])

export const Region = Type.String({ pattern: '^[a-z][a-z0-9-]{0,31}$', examples: ['eu'] })

export const Problem = Type.Object(
  {
    type: Type.String({ format: 'uri', description: 'Page that explains the code.' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    code: Type.String({ description: 'Stable; see /docs/errors.' }),
    request_id: Type.String(),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          path: Type.String({ description: 'JSON pointer into the body, or the name of a parameter.' }),
          message: Type.String(),
        }),
      ),
    ),
    missing_scopes: Type.Optional(Type.Array(Type.String())),
  },
  { $id: 'Problem', description: 'RFC 9457 problem details, with a code.' },
)
export type Problem = Static<typeof Problem>

/** `{data, next_cursor}` over a component. */
export function listOf<Schema extends TSchema>(
  item: Schema & { readonly $id?: string },
): TObject<{ data: TUnsafe<Static<Schema>[]>; next_cursor: TUnsafe<string | null> }> {
  return Type.Object({
    data: Type.Unsafe<Static<Schema>[]>(Type.Array(ref(item))),
    next_cursor: nullable(Type.String({ description: 'Pass as `cursor` for the next page; null: this was the last.' })),
  })
}

export const listParameters = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 50 })),
  cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 512 })),
} as const

export const LimitRule = Type.Object(
  {
    name: Type.String({ pattern: '^[a-z][a-z0-9_-]{0,39}$' }),
    per: Type.Union([
      Type.Literal('credential'),
      Type.Literal('account'),
      Type.Literal('project'),
      Type.Literal('route'),
      Type.Literal('ip'),
    ]),
    requests: Type.Integer({ minimum: 1, maximum: 1_000_000_000 }),
    window: Duration,
    burst: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_000_000_000,
        description: 'How many may come at once; default: `requests`.',
      }),
    ),
  },
  { $id: 'LimitRule', ...closed },
)
export type LimitRule = Static<typeof LimitRule>

export const QuotaRule = Type.Object(
  {
    name: Type.String({ pattern: '^[a-z][a-z0-9_-]{0,39}$' }),
    per: Type.Union([Type.Literal('credential'), Type.Literal('account'), Type.Literal('project')]),
    requests: Type.Integer({ minimum: 1, maximum: 1_000_000_000_000 }),
    period: Type.Union([
      Type.Literal('hour'),
      Type.Literal('day'),
      Type.Literal('week'),
      Type.Literal('month'),
      Type.Literal('year'),
    ]),
  },
  { $id: 'QuotaRule', ...closed },
)
export type QuotaRule = Static<typeof QuotaRule>

/** Tokens or money that language models may take in a period. */
export const BudgetRule = Type.Object(
  {
    name: Type.String({ pattern: '^[a-z][a-z0-9_-]{0,39}$' }),
    per: Type.Union([Type.Literal('credential'), Type.Literal('account'), Type.Literal('project')]),
    tokens: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000_000_000 })),
    money: Type.Optional(
      Type.Number({ exclusiveMinimum: 0, maximum: 1_000_000_000, description: 'Up to six decimals; with `currency`.' }),
    ),
    currency: Type.Optional(Type.String({ pattern: '^[A-Z]{3}$', examples: ['USD'] })),
    period: Type.Union([
      Type.Literal('hour'),
      Type.Literal('day'),
      Type.Literal('week'),
      Type.Literal('month'),
      Type.Literal('year'),
    ]),
  },
  { $id: 'BudgetRule', ...closed, description: 'Either `tokens` or `money`.' },
)
export type BudgetRule = Static<typeof BudgetRule>

/** Names of language models; a final `*` stands for any rest. */
export const Models = Type.Array(Type.String({ minLength: 1, maxLength: 201, pattern: '^[!-~]+$' }), {
  minItems: 1,
  maxItems: 100,
  uniqueItems: true,
  description: 'Language models by name; a final `*` stands for any rest.',
})

/** Beside every change that must take effect: when it has, everywhere. */
export const effect = {
  sequence: Type.Integer({ description: 'Of the event that recorded the change.' }),
  effective_everywhere_by: nullable(Timestamp),
} as const
