import { fail, ok } from '../../base/result.ts'
import type { Account, Project } from '../../core/accounts/account.ts'
import type { Credential } from '../../core/credentials/credential.ts'
import type { AccountStore, Page, PageRequest, Scope } from '../../core/store.ts'
import type { AccountRow, Db } from '../schema.ts'
import { notFound, refuse, type DraftEvent, type Drafted } from './commit.ts'
import { createdBefore, createdKey, toPage } from './page.ts'
import { insertProject } from './projects.ts'
import { toAccount } from './rows.ts'

type Create = Parameters<AccountStore['create']>[0]
type Update = Parameters<AccountStore['update']>[0]
type SetState = Parameters<AccountStore['setState']>[0]

export async function createAccount(
  tx: Db,
  { account, project, by }: Create,
): Drafted<{ readonly account: Account; readonly project: Project; readonly credentials: readonly Credential[] }> {
  const row = await tx
    .insertInto('accounts')
    .values({
      id: account.id,
      name: account.name,
      plan: account.plan,
      state: 'active',
      suspended_reason: null,
      overrides: account.overrides === null ? null : JSON.stringify(account.overrides),
      metadata: JSON.stringify(account.metadata),
      created_at: by.at,
      version: 1,
    })
    .returningAll()
    .executeTakeFirstOrThrow()
  const made = await insertProject(tx, account.id, project, by)
  const created = toAccount(row)
  return ok({
    value: { account: created, project: made.project, credentials: made.credentials },
    events: [accountEvent('account.created', created, null, describe(created)), ...made.events],
  })
}

export async function updateAccount(tx: Db, { id, version, set }: Update): Drafted<Account> {
  const before = await tx.selectFrom('accounts').selectAll().where('id', '=', id).executeTakeFirst()
  if (before === undefined) return notFound
  // What was read is what is replaced: the version in the condition says so.
  const row = await tx
    .updateTable('accounts')
    .set({
      ...(set.name !== undefined && { name: set.name }),
      ...(set.plan !== undefined && { plan: set.plan }),
      ...(set.overrides !== undefined && { overrides: set.overrides === null ? null : JSON.stringify(set.overrides) }),
      ...(set.metadata !== undefined && { metadata: JSON.stringify(set.metadata) }),
      version: version + 1,
    })
    .where('id', '=', id)
    .where('version', '=', version)
    .returningAll()
    .executeTakeFirst()
  if (row === undefined) return fail({ code: 'version_mismatch', current: before.version })
  const updated = toAccount(row)
  return ok({
    value: updated,
    events: [accountEvent('account.updated', updated, describe(toAccount(before)), describe(updated))],
  })
}

export async function setAccountState(tx: Db, { id, state, reason }: SetState): Drafted<Account> {
  const row = await tx
    .updateTable('accounts')
    .set((eb) => ({
      state,
      suspended_reason: state === 'suspended' ? reason : null,
      version: eb('version', '+', 1),
    }))
    .where('id', '=', id)
    .where('state', '<>', state)
    .returningAll()
    .executeTakeFirst()
  if (row === undefined) {
    return (await findAccount(tx, { id })) === null ? notFound : refuse(`The account is already ${state}.`)
  }
  const before = state === 'suspended' ? 'active' : 'suspended'
  const action = state === 'suspended' ? 'account.suspended' : 'account.resumed'
  const account = toAccount(row)
  return ok({ value: account, events: [accountEvent(action, account, { state: before }, { state, reason })] })
}

export async function findAccount(db: Db, { id }: { readonly id: string }): Promise<Account | null> {
  const row = await db.selectFrom('accounts').selectAll().where('id', '=', id).executeTakeFirst()
  return row === undefined ? null : toAccount(row)
}

export async function listAccounts(
  db: Db,
  { limit, after, scope }: PageRequest & { readonly scope: Scope },
): Promise<Page<Account>> {
  const rows = await db
    .selectFrom('accounts')
    .selectAll()
    .$if(scope !== null, (query) => query.where('id', '=', scope))
    .$if(after !== null, (query) => query.where(createdBefore('accounts', after ?? '')))
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute()
  return toPage<AccountRow, Account>(rows, limit, toAccount, createdKey)
}

function accountEvent(
  action: string,
  account: Account,
  before: DraftEvent['before'],
  after: DraftEvent['after'],
): DraftEvent {
  return {
    action,
    targetKind: 'account',
    targetId: account.id,
    account: account.id,
    project: null,
    credential: null,
    before,
    after,
  }
}

function describe({ name, plan, overrides, metadata }: Account): Readonly<Record<string, unknown>> {
  return { name, plan, overrides, metadata }
}
