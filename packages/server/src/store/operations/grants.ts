import { sql } from 'kysely'

import { ok } from '../../base/result.ts'
import type { Provenance } from '../../core/audit/event.ts'
import type { GrantStore } from '../../core/grants/grant-store.ts'
import type { Grant } from '../../core/grants/grant.ts'
import type { Page, Scope } from '../../core/store.ts'
import type { Db, GrantRow } from '../schema.ts'
import { notFound, refuse, type DraftEvent, type Drafted } from './commit.ts'
import { toGrant } from './grant-rows.ts'
import { createdBefore, createdKey, toPage } from './page.ts'
import { findProject } from './projects.ts'
import { insertTokens, toTokenRow } from './token-rows.ts'

type Input<Name extends keyof GrantStore> = Parameters<GrantStore[Name]>[0]
interface One {
  readonly id: string
  readonly scope: Scope
}

export async function consent(tx: Db, { grant, code, by }: Input<'consent'>): Drafted<Grant> {
  const { user, account, project } = grant
  if (!(await lockMember(tx, account, user))) {
    return refuse('The person is no active member of the account any more.')
  }
  if ((await findProject(tx, { id: project, scope: account })) === null) return notFound
  const given = await give(tx, grant, by)
  if (given === null) return refuse('The grant was withdrawn meanwhile; ask for consent again.')
  const { row, events } = given
  await insertTokens(tx, [
    { ...toTokenRow(code), credential: row.client, grant_id: row.id, family: code.id, account, project },
  ])
  return ok({ value: toGrant(row), events })
}

/**
 * Whoever removes the member or shuts the person out waits until the grant is there, and sees it; or was before, and
 * nothing is granted.
 */
async function lockMember(tx: Db, account: string, user: string): Promise<boolean> {
  const person = await tx
    .updateTable('users')
    .set({ id: sql`id` })
    .where('id', '=', user)
    .where('state', '=', 'active')
    .returning('id')
    .executeTakeFirst()
  if (person === undefined) return false
  const member = await tx
    .updateTable('members')
    .set({ id: sql`id` })
    .where('account', '=', account)
    .where('user_id', '=', user)
    .where('state', '=', 'active')
    .where((eb) =>
      eb.exists(eb.selectFrom('accounts').select('id').where('id', '=', account).where('state', '=', 'active')),
    )
    .returning('id')
    .executeTakeFirst()
  return member !== undefined
}

/** A new grant, or the one that there is, widened where that is needed. Null: it was withdrawn at this moment. */
async function give(
  tx: Db,
  { id, client, user, account, project, apis, scopes }: Input<'consent'>['grant'],
  by: Provenance,
): Promise<{ readonly row: GrantRow; readonly events: readonly DraftEvent[] } | null> {
  const before = await tx
    .selectFrom('grants')
    .selectAll()
    .where('user_id', '=', user)
    .where('client', '=', client)
    .where('project', '=', project)
    .where('state', '=', 'active')
    .executeTakeFirst()
  if (before === undefined) {
    const row: GrantRow = {
      id,
      client,
      user_id: user,
      account,
      project,
      apis: JSON.stringify(apis),
      scopes: JSON.stringify(scopes),
      state: 'active',
      created_at: by.at,
      updated_at: by.at,
      withdrawn_at: null,
      version: 1,
    }
    await tx.insertInto('grants').values(row).execute()
    return { row, events: [grantEvent('grant.created', row, null, { client, user, apis, scopes })] }
  }
  const was = toGrant(before)
  const wider = { apis: union(was.apis, apis), scopes: union(was.scopes, scopes) }
  const same = wider.apis.length === was.apis.length && wider.scopes.length === was.scopes.length
  if (same) return { row: before, events: [] }
  const row = await tx
    .updateTable('grants')
    .set({
      apis: JSON.stringify(wider.apis),
      scopes: JSON.stringify(wider.scopes),
      updated_at: by.at,
      version: before.version + 1,
    })
    .where('id', '=', before.id)
    .where('version', '=', before.version)
    .where('state', '=', 'active')
    .returningAll()
    .executeTakeFirst()
  if (row === undefined) return null
  return { row, events: [grantEvent('grant.widened', row, { apis: was.apis, scopes: was.scopes }, wider)] }
}

const union = (one: readonly string[], other: readonly string[]): readonly string[] => [...new Set([...one, ...other])]

export async function withdrawGrant(tx: Db, { id, user, scope, by }: Input<'withdraw'>): Drafted<Grant> {
  const before = await visibleGrant(tx, { id, scope })
  if (before === undefined || (user !== null && before.user_id !== user)) return notFound
  // Whose it is never changes; the state is in the condition.
  const row = await tx
    .updateTable('grants')
    .set((eb) => ({ state: 'withdrawn', withdrawn_at: by.at, updated_at: by.at, version: eb('version', '+', 1) }))
    .where('id', '=', id)
    .where('state', '=', 'active')
    .returningAll()
    .executeTakeFirst()
  if (row === undefined) return refuse('The grant is already withdrawn; that is final.')
  return ok({ value: toGrant(row), events: [grantWithdrawn(row)] })
}

/** Answers what is to be told of each. */
export async function withdrawGrantsOf(
  tx: Db,
  { account, user, at }: { readonly account: string; readonly user: string; readonly at: number },
): Promise<readonly DraftEvent[]> {
  const rows = await tx
    .updateTable('grants')
    .set((eb) => ({ state: 'withdrawn', withdrawn_at: at, updated_at: at, version: eb('version', '+', 1) }))
    .where('account', '=', account)
    .where('user_id', '=', user)
    .where('state', '=', 'active')
    .returningAll()
    .execute()
  return rows.map(grantWithdrawn)
}

const grantWithdrawn = (row: GrantRow): DraftEvent =>
  grantEvent('grant.withdrawn', row, { state: 'active' }, { state: 'withdrawn', client: row.client, user: row.user_id })

export async function findGrant(db: Db, one: One): Promise<Grant | null> {
  const row = await visibleGrant(db, one)
  return row === undefined ? null : toGrant(row)
}

export async function listGrants(db: Db, input: Input<'list'>): Promise<Page<Grant>> {
  const { limit, after, scope, client, user, project, state } = input
  const rows = await grantsIn(db, scope)
    .$if(client !== null, (query) => query.where('grants.client', '=', client ?? ''))
    .$if(user !== null, (query) => query.where('grants.user_id', '=', user ?? ''))
    .$if(project !== null, (query) => query.where('grants.project', '=', project ?? ''))
    .$if(state !== null, (query) => query.where('grants.state', '=', state ?? ''))
    .$if(after !== null, (query) => query.where(createdBefore('grants', after ?? '')))
    .orderBy('grants.created_at', 'desc')
    .orderBy('grants.id', 'desc')
    .limit(limit + 1)
    .execute()
  return toPage<GrantRow, Grant>(rows, limit, toGrant, createdKey)
}

async function visibleGrant(db: Db, { id, scope }: One): Promise<GrantRow | undefined> {
  return grantsIn(db, scope).where('grants.id', '=', id).executeTakeFirst()
}

/** Those of the account's projects, and those that its clients were given. */
// oxlint-disable-next-line typescript/explicit-function-return-type -- the builder's type is its definition
function grantsIn(db: Db, scope: Scope) {
  return db
    .selectFrom('grants')
    .selectAll('grants')
    .$if(scope !== null, (query) =>
      query.where((eb) =>
        eb.or([
          eb('grants.account', '=', scope ?? ''),
          eb(
            'grants.client',
            'in',
            eb
              .selectFrom('credentials')
              .select('id')
              .where('account', '=', scope ?? ''),
          ),
        ]),
      ),
    )
}

function grantEvent(
  action: string,
  { id, account, project, client }: GrantRow,
  before: DraftEvent['before'],
  after: DraftEvent['after'],
): DraftEvent {
  return { action, targetKind: 'grant', targetId: id, account, project, credential: client, before, after }
}
