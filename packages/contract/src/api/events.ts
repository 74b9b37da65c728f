import Type, { type Static } from 'typebox'

import { listOf, nullable, Timestamp } from './common.ts'

const Snapshot = nullable(Type.Record(Type.String(), Type.Unknown()))

export const Event = Type.Object(
  {
    sequence: Type.Integer(),
    at: Timestamp,
    actor: Type.Object({
      kind: Type.Union([
        Type.Literal('credential'),
        Type.Literal('user'),
        Type.Literal('bootstrap'),
        Type.Literal('system'),
      ]),
      id: Type.String(),
    }),
    action: Type.String({ examples: ['credential.revoked'] }),
    target: Type.Object({ kind: Type.String(), id: Type.String() }),
    account: nullable(Type.String()),
    project: nullable(Type.String()),
    before: Snapshot,
    after: Snapshot,
    request_id: nullable(Type.String()),
    ip: nullable(Type.String({ description: 'Null once erased, and where the actor is not of your account.' })),
    user_agent: nullable(Type.String()),
    commitment: Type.String({ description: 'Salted commitment to the personal fields.' }),
    previous_hash: Type.String(),
    hash: Type.String(),
  },
  { $id: 'Event', description: 'One entry of the audit log. Never holds a secret.' },
)
export type Event = Static<typeof Event>
export const EventList = listOf(Event)
export type EventList = Static<typeof EventList>
