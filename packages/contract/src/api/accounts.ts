import Type, { type Static } from 'typebox'

import {
  BudgetRule,
  closed,
  effect,
  LimitRule,
  listOf,
  Metadata,
  Name,
  nullable,
  QuotaRule,
  Reason,
  ref,
  Region,
  Timestamp,
} from './common.ts'
import { IssuedCredential, Skipped } from './credentials.ts'
import { Project } from './projects.ts'

export const Overrides = Type.Object(
  {
    limits: Type.Optional(Type.Array(ref(LimitRule), { maxItems: 20 })),
    quotas: Type.Optional(Type.Array(ref(QuotaRule), { maxItems: 20 })),
    budgets: Type.Optional(Type.Array(ref(BudgetRule), { maxItems: 20 })),
    until: Type.Optional(nullable(Timestamp)),
  },
  {
    $id: 'Overrides',
    ...closed,
    description: 'Replace limits, quotas and budgets of the plan that have the same name, until `until`.',
  },
)
export type Overrides = Static<typeof Overrides>

export const Account = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    plan: Type.String(),
    state: Type.Union([Type.Literal('active'), Type.Literal('suspended')]),
    suspended_reason: nullable(Type.String()),
    overrides: nullable(ref(Overrides)),
    metadata: Metadata,
    created_at: Timestamp,
    version: Type.Integer(),
  },
  { $id: 'Account' },
)
export type Account = Static<typeof Account>
export const AccountList = listOf(Account)
export type AccountList = Static<typeof AccountList>

export const CreateAccount = Type.Object(
  {
    name: Name,
    plan: Type.String({ minLength: 1, maxLength: 100 }),
    region: Type.Optional(nullable(Region)),
    metadata: Type.Optional(Metadata),
    overrides: Type.Optional(nullable(ref(Overrides))),
  },
  { $id: 'CreateAccount', ...closed },
)
export type CreateAccount = Static<typeof CreateAccount>

/** An account comes with its first project, `default`, and the pairs that its preset makes with a project. */
export const CreatedAccount = Type.Object(
  {
    account: ref(Account),
    project: ref(Project),
    credentials: Type.Array(ref(IssuedCredential)),
    skipped: Type.Array(ref(Skipped)),
  },
  { $id: 'CreatedAccount' },
)
export type CreatedAccount = Static<typeof CreatedAccount>

export const UpdateAccount = Type.Object(
  {
    name: Type.Optional(Name),
    plan: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
    metadata: Type.Optional(Metadata),
    overrides: Type.Optional(nullable(ref(Overrides))),
  },
  { $id: 'UpdateAccount', ...closed, minProperties: 1 },
)
export type UpdateAccount = Static<typeof UpdateAccount>

export const SuspendAccount = Type.Object({ reason: Reason }, { $id: 'SuspendAccount', ...closed })
export type SuspendAccount = Static<typeof SuspendAccount>

export const ChangedAccount = Type.Object({ account: ref(Account), ...effect }, { $id: 'ChangedAccount' })
export type ChangedAccount = Static<typeof ChangedAccount>
