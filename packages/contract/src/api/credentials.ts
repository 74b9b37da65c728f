import Type, { type Static } from 'typebox'

import {
  BudgetRule,
  closed,
  effect,
  LimitRule,
  listOf,
  Metadata,
  Models,
  Name,
  nullable,
  Reason,
  ref,
  Timestamp,
} from './common.ts'
import { CreateOAuthClient, OAuthClient, UpdateOAuthClient } from './oauth-clients.ts'
import { IssuedSecret, Secret } from './secrets.ts'

export const CredentialKind = Type.Union([
  Type.Literal('secret'),
  Type.Literal('publishable'),
  Type.Literal('integration'),
  Type.Literal('management'),
  Type.Literal('oauth_client'),
])

/** As the decision sees it now: `expired` and `not_yet_valid` follow from the times. */
export const CredentialState = Type.Union([
  Type.Literal('active'),
  Type.Literal('blocked'),
  Type.Literal('revoked'),
  Type.Literal('compromised'),
  Type.Literal('expired'),
  Type.Literal('not_yet_valid'),
])

const Names = Type.Array(Type.String({ minLength: 1, maxLength: 100 }), { maxItems: 200, uniqueItems: true })
const Apis = Type.Array(Type.String({ minLength: 1, maxLength: 100 }), { minItems: 1, maxItems: 50, uniqueItems: true })
const IpAllow = Type.Array(Type.String({ minLength: 2, maxLength: 50 }), {
  maxItems: 100,
  description: 'Addresses and CIDR ranges; empty: from everywhere.',
})
const OriginAllow = nullable(
  Type.Array(Type.String({ minLength: 1, maxLength: 255 }), {
    maxItems: 100,
    description: 'Web and app origins; null: not checked; empty: none is allowed.',
  }),
)
const Limits = Type.Array(ref(LimitRule), { maxItems: 20 })
const OwnBudgets = Type.Array(ref(BudgetRule), {
  maxItems: 20,
  description: 'For language models, beside those of the plan; each is per credential.',
})

export const Credential = Type.Object(
  {
    id: Type.String({ examples: ['cred_0123456789ab'] }),
    public_id: nullable(Type.String()),
    client_id: nullable(Type.String({ description: 'Of an OAuth client: its public id, as OAuth calls it.' })),
    form: Type.Union([Type.Literal('key'), Type.Literal('pair')]),
    kind: CredentialKind,
    account: Type.String(),
    project: Type.String(),
    apis: Type.Array(Type.String()),
    name: Type.String(),
    scopes: Type.Array(Type.String()),
    role: nullable(Type.String()),
    ip_allow: Type.Array(Type.String()),
    origin_allow: nullable(Type.Array(Type.String())),
    limits: Type.Array(ref(LimitRule)),
    models: nullable(Type.Array(Type.String(), { description: 'Language models; null: every one of the plan.' })),
    budgets: Type.Array(ref(BudgetRule)),
    oauth: nullable(ref(OAuthClient)),
    not_before: nullable(Timestamp),
    expires_at: nullable(Timestamp),
    state: CredentialState,
    state_reason: nullable(Type.String()),
    state_at: nullable(Timestamp),
    blocked_until: nullable(Timestamp),
    primary: Type.Boolean(),
    exposed_at: nullable(Timestamp),
    metadata: Metadata,
    created_by: Type.String(),
    created_at: Timestamp,
    version: Type.Integer(),
  },
  { $id: 'Credential', description: 'Never holds a secret.' },
)
export type Credential = Static<typeof Credential>
export const CredentialList = listOf(Credential)
export type CredentialList = Static<typeof CredentialList>

/** One credential with its secrets: `observed_through` is until when "not used" is known. */
export const CredentialDetail = Type.Object(
  { ...Credential.properties, secrets: Type.Array(ref(Secret)), observed_through: nullable(Timestamp) },
  { $id: 'CredentialDetail' },
)
export type CredentialDetail = Static<typeof CredentialDetail>

export const CreateCredential = Type.Object(
  {
    name: Name,
    kind: CredentialKind,
    apis: Apis,
    scopes: Names,
    role: Type.Optional(nullable(Type.String({ minLength: 1, maxLength: 100 }))),
    ip_allow: Type.Optional(IpAllow),
    origin_allow: Type.Optional(OriginAllow),
    not_before: Type.Optional(nullable(Timestamp)),
    expires_at: Type.Optional(nullable(Timestamp)),
    limits: Type.Optional(Limits),
    models: Type.Optional(nullable(Models)),
    budgets: Type.Optional(OwnBudgets),
    oauth: Type.Optional(ref(CreateOAuthClient)),
    metadata: Type.Optional(Metadata),
  },
  { $id: 'CreateCredential', ...closed, description: '`oauth` is for the kind `oauth_client`, which needs it.' },
)
export type CreateCredential = Static<typeof CreateCredential>

export const UpdateCredential = Type.Object(
  {
    name: Type.Optional(Name),
    apis: Type.Optional(Apis),
    scopes: Type.Optional(Names),
    role: Type.Optional(nullable(Type.String({ minLength: 1, maxLength: 100 }))),
    ip_allow: Type.Optional(IpAllow),
    origin_allow: Type.Optional(OriginAllow),
    not_before: Type.Optional(nullable(Timestamp)),
    expires_at: Type.Optional(nullable(Timestamp)),
    limits: Type.Optional(Limits),
    models: Type.Optional(nullable(Models)),
    budgets: Type.Optional(OwnBudgets),
    oauth: Type.Optional(ref(UpdateOAuthClient)),
    metadata: Type.Optional(Metadata),
  },
  { $id: 'UpdateCredential', ...closed, minProperties: 1 },
)
export type UpdateCredential = Static<typeof UpdateCredential>

export const IssuedCredential = Type.Object(
  {
    credential: ref(Credential),
    secret: Type.Unsafe<IssuedSecret | null>(
      Type.Union([ref(IssuedSecret), Type.Null()], { description: 'Null: a public OAuth client has none.' }),
    ),
  },
  { $id: 'IssuedCredential' },
)
export type IssuedCredential = Static<typeof IssuedCredential>

/** A default pair that was not made with its project, and the code that says why. */
export const Skipped = Type.Object(
  { name: Type.String(), kind: CredentialKind, apis: Type.Array(Type.String()), code: Type.String() },
  { $id: 'Skipped' },
)
export type Skipped = Static<typeof Skipped>

export const ChangedCredential = Type.Object({ credential: ref(Credential), ...effect }, { $id: 'ChangedCredential' })
export type ChangedCredential = Static<typeof ChangedCredential>

export const BlockCredential = Type.Object(
  { reason: Reason, until: Type.Optional(nullable(Timestamp)) },
  { $id: 'BlockCredential', ...closed },
)
export type BlockCredential = Static<typeof BlockCredential>

export const RevokeCredential = Type.Object(
  { reason: Type.Optional(nullable(Reason)) },
  { $id: 'RevokeCredential', ...closed },
)
export type RevokeCredential = Static<typeof RevokeCredential>

export const CompromiseCredential = Type.Object(
  { reason: Type.Optional(nullable(Reason)), since: Type.Optional(nullable(Timestamp)) },
  { $id: 'CompromiseCredential', ...closed },
)
export type CompromiseCredential = Static<typeof CompromiseCredential>

/** One credential of an existing system, known by the SHA-256 of what its holder presents. */
export const ImportedCredential = Type.Object(
  {
    digest: Type.String({
      minLength: 43,
      maxLength: 64,
      description: 'SHA-256 of the presented secret: 64 hex digits or base64.',
    }),
    public_id: Type.Optional(nullable(Type.String({ minLength: 1, maxLength: 200, pattern: '^[\\u0021-\\u007e]+$' }))),
    name: Name,
    kind: CredentialKind,
    apis: Apis,
    scopes: Names,
    role: Type.Optional(nullable(Type.String({ minLength: 1, maxLength: 100 }))),
    ip_allow: Type.Optional(IpAllow),
    origin_allow: Type.Optional(OriginAllow),
    not_before: Type.Optional(nullable(Timestamp)),
    expires_at: Type.Optional(nullable(Timestamp)),
    limits: Type.Optional(Limits),
    models: Type.Optional(nullable(Models)),
    budgets: Type.Optional(OwnBudgets),
    oauth: Type.Optional(ref(CreateOAuthClient)),
    metadata: Type.Optional(Metadata),
  },
  { $id: 'ImportedCredential', ...closed },
)
export type ImportedCredential = Static<typeof ImportedCredential>

export const ImportCredentials = Type.Object(
  {
    dry_run: Type.Optional(Type.Boolean({ default: false })),
    partial: Type.Optional(
      Type.Boolean({ default: false, description: 'Import the good ones although others are refused.' }),
    ),
    credentials: Type.Array(ref(ImportedCredential), { minItems: 1, maxItems: 1000 }),
  },
  { $id: 'ImportCredentials', ...closed },
)
export type ImportCredentials = Static<typeof ImportCredentials>

export const ImportReport = Type.Object(
  {
    dry_run: Type.Boolean(),
    imported: Type.Array(Type.String(), { description: 'Ids of the credentials, in the order of the request.' }),
    skipped: Type.Array(Type.Integer(), { description: 'Indexes of those that were imported before.' }),
    refused: Type.Array(Type.Object({ index: Type.Integer(), reason: Type.String() })),
  },
  { $id: 'ImportReport' },
)
export type ImportReport = Static<typeof ImportReport>
