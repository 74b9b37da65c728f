import Type, { type Static } from 'typebox'

import { closed, Duration, effect, nullable, ref, Timestamp } from './common.ts'

const VisibleUntil = nullable(
  Type.Union([Timestamp, Type.Literal('always')], {
    description: 'Until when it can be revealed; null: not, or no longer.',
  }),
)

export const LastUse = Type.Object(
  { at: Timestamp, ip: Type.String(), user_agent: nullable(Type.String()) },
  { $id: 'LastUse' },
)
export type LastUse = Static<typeof LastUse>

export const LastRefusal = Type.Object({ ...LastUse.properties, code: Type.String() }, { $id: 'LastRefusal' })
export type LastRefusal = Static<typeof LastRefusal>

export const Secret = Type.Object(
  {
    id: Type.String(),
    credential: Type.String(),
    algorithm: Type.Literal('sha256'),
    hint: nullable(Type.String({ description: 'The last four characters.' })),
    origin: Type.Union([Type.Literal('first'), Type.Literal('regenerated'), Type.Literal('imported')]),
    visible_until: VisibleUntil,
    not_after: nullable(Timestamp),
    created_at: Timestamp,
    exposed_at: nullable(
      Type.String({ format: 'date-time', description: 'When it last came over plain HTTP. Rotate it.' }),
    ),
    last_accepted: nullable(ref(LastUse)),
    last_refused: nullable(ref(LastRefusal)),
  },
  { $id: 'Secret', description: 'The description of a secret; its value is not in it.' },
)
export type Secret = Static<typeof Secret>

export const SecretList = Type.Object(
  { data: Type.Array(ref(Secret)), next_cursor: Type.Null(), observed_through: nullable(Timestamp) },
  { $id: 'SecretList' },
)
export type SecretList = Static<typeof SecretList>

/** The one kind of object on the wire that carries a secret in clear. */
export const IssuedSecret = Type.Object(
  {
    id: Type.String(),
    public_id: Type.Optional(Type.String({ description: 'Of a pair: its id half.' })),
    value: nullable(Type.String({ description: 'Null only in the replay of an Idempotency-Key.' })),
    visible_until: VisibleUntil,
    hint: nullable(Type.String()),
    secret_unavailable: Type.Optional(
      Type.Literal(true, { description: 'No secret is kept for a replay. Rotate to get a new one.' }),
    ),
  },
  { $id: 'IssuedSecret' },
)
export type IssuedSecret = Static<typeof IssuedSecret>

export const RotateCredential = Type.Object(
  { overlap: Type.Optional(Duration) },
  {
    $id: 'RotateCredential',
    ...closed,
    description: '`overlap`: how long the other secrets still work; default 24h, `0s` ends them at once.',
  },
)
export type RotateCredential = Static<typeof RotateCredential>

export const EndSecret = Type.Object({ at: Type.Optional(nullable(Timestamp)) }, { $id: 'EndSecret', ...closed })
export type EndSecret = Static<typeof EndSecret>

export const ChangedSecret = Type.Object({ secret: ref(Secret), ...effect }, { $id: 'ChangedSecret' })
export type ChangedSecret = Static<typeof ChangedSecret>
