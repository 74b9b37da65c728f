import Type, { type Static } from 'typebox'

import { closed, effect, listOf, nullable, Reason, ref, Timestamp } from './common.ts'

/** `postern.yaml` names the operator's own connections, so a name is written like an id. */
const ConnectionName = Type.String({
  pattern: '^[a-z][a-z0-9_-]{0,62}$',
  description: 'Lower-case letters, digits, "-" and "_", a letter first; unique within its account and project.',
  examples: ['openai'],
})

/** Values are checked against what the platform asks for; no answer repeats one. */
const Settings = Type.Record(Type.String(), Type.String({ maxLength: 2048 }), {
  maxProperties: 20,
  description: 'Fields of the platform that are not secret.',
})
const Secrets = Type.Record(Type.String(), Type.String({ minLength: 1, maxLength: 4096 }), {
  maxProperties: 20,
  description: 'Secret fields of the platform. They are sealed, and shown to nobody but services of the operator.',
})

const Injectable = Type.Boolean({
  description:
    'Whether a route can inject it. False: the platform takes its credential in the body, which the gateway does not rewrite; services of the operator read it instead.',
})

export const PlatformField = Type.Object(
  {
    name: Type.String(),
    label: Type.String(),
    secret: Type.Boolean({ description: 'Goes into `secrets`; otherwise into `settings`.' }),
    required: Type.Boolean(),
    expects: Type.String(),
    example: Type.String(),
  },
  { $id: 'PlatformField' },
)

export const Platform = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    fields: Type.Array(ref(PlatformField)),
    injectable: Injectable,
    checkable: Type.Boolean({ description: 'Whether the platform has a call that tells if the credential is good.' }),
    check_note: nullable(Type.String({ description: 'What the call needs, or why there is none.' })),
    rotation: Type.Object({
      how: Type.String(),
      overlap: nullable(Type.Boolean({ description: 'Whether old and new can live side by side; null: not known.' })),
    }),
    sources: Type.Array(Type.String(), { description: 'Pages of the platform that this is known from.' }),
  },
  { $id: 'Platform', description: 'What a third party’s API asks of its callers.' },
)
export type Platform = Static<typeof Platform>
export const PlatformList = listOf(Platform)
export type PlatformList = Static<typeof PlatformList>

export const ConnectionSecret = Type.Object(
  {
    field: Type.String(),
    hint: nullable(Type.String({ description: 'The last four characters; null for a short secret.' })),
    fingerprint: Type.String({ description: 'The same for equal secrets of one account, and for nothing else.' }),
  },
  { $id: 'ConnectionSecret' },
)

export const ConnectionCheck = Type.Object(
  {
    at: Timestamp,
    ok: Type.Boolean(),
    reason: Type.String({ examples: ['credential_refused'] }),
    status: nullable(Type.Integer({ description: 'What the platform answered; null: nothing.' })),
    detail: Type.String({ description: 'What happened and what to do next.' }),
  },
  { $id: 'ConnectionCheck' },
)
export type ConnectionCheck = Static<typeof ConnectionCheck>

export const Connection = Type.Object(
  {
    id: Type.String(),
    account: Type.String(),
    project: nullable(Type.String({ description: 'Null: for the whole account.' })),
    platform: Type.String(),
    name: ConnectionName,
    injectable: Injectable,
    settings: Settings,
    secrets: Type.Array(ref(ConnectionSecret)),
    state: Type.Union([Type.Literal('active'), Type.Literal('disabled')]),
    state_reason: nullable(Type.String()),
    last_check: nullable(ref(ConnectionCheck)),
    last_used_at: nullable(Timestamp),
    created_by: Type.String(),
    created_at: Timestamp,
    updated_at: Timestamp,
    rotated_at: nullable(Timestamp),
    version: Type.Integer(),
  },
  { $id: 'Connection', description: 'The credential of a third party, without its secrets.' },
)
export type Connection = Static<typeof Connection>
export const ConnectionList = listOf(Connection)
export type ConnectionList = Static<typeof ConnectionList>

export const CreateConnection = Type.Object(
  {
    platform: Type.String({ minLength: 1, maxLength: 100, examples: ['braze'] }),
    name: ConnectionName,
    settings: Type.Optional(Settings),
    secrets: Secrets,
  },
  { $id: 'CreateConnection', ...closed },
)
export type CreateConnection = Static<typeof CreateConnection>

export const UpdateConnection = Type.Object({ name: ConnectionName }, { $id: 'UpdateConnection', ...closed })
export type UpdateConnection = Static<typeof UpdateConnection>

export const RotateConnection = Type.Object(
  { secrets: Secrets, settings: Type.Optional(Settings) },
  {
    $id: 'RotateConnection',
    ...closed,
    description:
      'Replaces all secrets at once. `settings` replaces them as well; they say where the secrets are sent, so they change with them alone.',
  },
)
export type RotateConnection = Static<typeof RotateConnection>

export const DisableConnection = Type.Object({ reason: Type.Optional(Reason) }, { $id: 'DisableConnection', ...closed })
export type DisableConnection = Static<typeof DisableConnection>

export const ChangedConnection = Type.Object({ connection: ref(Connection), ...effect }, { $id: 'ChangedConnection' })
export type ChangedConnection = Static<typeof ChangedConnection>

/** The one answer that carries secrets of third parties in clear. */
export const RevealedConnection = Type.Object(
  { id: Type.String(), platform: Type.String(), settings: Settings, secrets: Secrets, version: Type.Integer() },
  { $id: 'RevealedConnection' },
)
export type RevealedConnection = Static<typeof RevealedConnection>
