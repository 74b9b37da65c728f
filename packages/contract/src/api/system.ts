import Type, { type Static } from 'typebox'

import { closed, nullable, Timestamp } from './common.ts'
import { CredentialKind, CredentialState } from './credentials.ts'

export const System = Type.Object(
  {
    version: Type.String(),
    node: Type.String(),
    started_at: Timestamp,
    time: Timestamp,
    store: Type.Union([Type.Literal('sqlite'), Type.Literal('postgres')]),
    counts: Type.Object({
      accounts: Type.Integer(),
      projects: Type.Integer(),
      credentials: Type.Integer(),
      events: Type.Integer(),
    }),
    feed: Type.Object({
      position: Type.Integer({ description: 'Sequence up to which this node has applied changes.' }),
      head: Type.Integer({ description: 'Sequence of the newest event.' }),
      stale: Type.Boolean({ description: 'The store has not answered for longer than `stale_after`.' }),
    }),
    targets: Type.Array(
      Type.Object({
        upstream: Type.String({ description: 'The API, with environment and region where they differ.' }),
        target: Type.String({ description: 'Its URL.' }),
        state: Type.Union([Type.Literal('up'), Type.Literal('failing'), Type.Literal('down')]),
      }),
      {
        description:
          'What this node knows of the targets of upstreams. `failing`: requests failed there, others are preferred for a while; `down`: its health checks fail.',
      },
    ),
    issuers: Type.Array(
      Type.Object({
        issuer: Type.String({ description: 'Its name in postern.yaml.' }),
        state: Type.Union([Type.Literal('current'), Type.Literal('stale'), Type.Literal('none')]),
        keys: Type.Integer({ description: 'Keys that its tokens may be signed with.' }),
        age_seconds: nullable(Type.Integer({ description: 'Since these keys were asked for.' })),
        failing: nullable(Type.String({ description: 'Why they could not be fetched the last time.' })),
        credential: Type.String({ description: 'The credential that its tokens act as.' }),
        credential_state: nullable(CredentialState),
      }),
      {
        description:
          'Issuers of JWTs as this node knows their keys. `stale`: older than they may be, and used for an hour at most; `none`: their tokens are answered 503. `credential_state` is null where there is no such credential.',
      },
    ),
    space: Type.Object({
      free_bytes: nullable(Type.Integer()),
      ballast: nullable(Type.Union([Type.Literal('whole'), Type.Literal('released')])),
      full: Type.Boolean(),
      database_bytes: Type.Integer(),
    }),
  },
  { $id: 'System' },
)
export type System = Static<typeof System>

export const StartBackup = Type.Object(
  {
    name: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$',
        description: 'Name of the folder; default: the time.',
      }),
    ),
  },
  { $id: 'StartBackup', ...closed },
)
export type StartBackup = Static<typeof StartBackup>

/** Lines of the answer (NDJSON): progress, then the folder, or an error where it failed under way. */
export const BackupLine = Type.Union(
  [
    Type.Object({ done: Type.Integer(), total: Type.Integer() }),
    Type.Object({ folder: Type.String() }),
    Type.Object({ error: Type.Object({ code: Type.String(), detail: Type.String() }) }),
  ],
  { $id: 'BackupLine' },
)
export type BackupLine = Static<typeof BackupLine>

export const Whoami = Type.Object(
  {
    credential: Type.String(),
    bootstrap: Type.Boolean({ description: 'Whether this is POSTERN_MANAGEMENT_KEY.' }),
    kind: CredentialKind,
    account: Type.String(),
    project: Type.String(),
    scopes: Type.Array(Type.String()),
    operator: Type.Boolean({ description: 'Whether it sees every account.' }),
  },
  { $id: 'Whoami' },
)
export type Whoami = Static<typeof Whoami>
