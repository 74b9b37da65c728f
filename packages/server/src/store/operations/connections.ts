import { sql } from 'kysely'

import { fail, ok } from '../../base/result.ts'
import type { Connection, SealedConnection } from '../../core/connections/connection.ts'
import type { ConnectionStore, Page, Scope } from '../../core/store.ts'
import type { ConnectionRow, Db } from '../schema.ts'
import { lockAccount } from './account-lock.ts'
import { notFound, refuse, type DraftEvent, type Drafted } from './commit.ts'
import { sealedText, toConnection, toSealedConnection } from './connection-rows.ts'
import { createdBefore, createdKey, toPage } from './page.ts'

type Input<Name extends keyof ConnectionStore> = Parameters<ConnectionStore[Name]>[0]
interface One {
  readonly id: string
  readonly scope: Scope
}

export async function createConnection(tx: Db, { connection, max, by }: Input<'create'>): Drafted<Connection> {
  const { id, account, project, platform, name, settings, sealed } = connection
  if (!(await lockAccount(tx, account))) return notFound
  if (project !== null && !(await belongs(tx, project, account))) return notFound
  const { count } = await tx
    .selectFrom('connections')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('account', '=', account)
    .where('state', '<>', 'deleted')
    .executeTakeFirstOrThrow()
  if (count >= max) return refuse(`The account already has ${max} connections; delete one first.`)
  const row = await tx
    .insertInto('connections')
    .values({
      id,
      account,
      project,
      platform,
      name,
      settings: JSON.stringify(settings),
      sealed: sealedText(sealed),
      secret_version: 1,
      state: 'active',
      state_reason: null,
      last_check: null,
      last_used_at: null,
      created_by: by.actor.id,
      created_at: by.at,
      updated_at: by.at,
      rotated_at: null,
      version: 1,
    })
    .returningAll()
    .executeTakeFirstOrThrow()
  return changed('connection.created', row, null, { platform, name, settings })
}

export async function updateConnection(tx: Db, { id, scope, version, set, by }: Input<'update'>): Drafted<Connection> {
  const before = await visible(tx, { id, scope })
  if (before === undefined) return notFound
  const row = await tx
    .updateTable('connections')
    .set({ name: set.name, updated_at: by.at, version: version + 1 })
    .where('id', '=', id)
    .where('version', '=', version)
    .where('state', '<>', 'deleted')
    .returningAll()
    .executeTakeFirst()
  if (row === undefined) return fail({ code: 'version_mismatch', current: before.version })
  return changed('connection.updated', row, { name: before.name }, { name: row.name })
}

export async function rotateConnection(tx: Db, input: Input<'rotate'>): Drafted<Connection> {
  const { id, scope, secretVersion, settings, sealed, by } = input
  const before = await visible(tx, { id, scope })
  if (before === undefined) return notFound
  const row = await tx
    .updateTable('connections')
    .set((eb) => ({
      settings: JSON.stringify(settings),
      sealed: sealedText(sealed),
      secret_version: secretVersion + 1,
      // A verdict on what is gone says nothing of what is there now.
      last_check: null,
      rotated_at: by.at,
      updated_at: by.at,
      version: eb('version', '+', 1),
    }))
    .where('id', '=', id)
    .where('secret_version', '=', secretVersion)
    .where('state', '<>', 'deleted')
    .returningAll()
    .executeTakeFirst()
  if (row === undefined) return refuse(rotatedMeanwhile)
  const was = toConnection(before)
  return changed(
    'connection.rotated',
    row,
    { secretVersion, settings: was.settings },
    { secretVersion: row.secret_version, settings },
  )
}

const rotatedMeanwhile = 'The secrets of the connection were replaced meanwhile; read it again.'

export async function setConnectionState(tx: Db, input: Input<'setState'>): Drafted<Connection> {
  const { id, scope, state, reason, by } = input
  const before = state === 'active' ? 'disabled' : 'active'
  const row = await tx
    .updateTable('connections')
    .set((eb) => ({ state, state_reason: reason, updated_at: by.at, version: eb('version', '+', 1) }))
    .where('id', '=', id)
    .where('state', '=', before)
    .$if(scope !== null, (query) => query.where('account', '=', scope ?? ''))
    .returningAll()
    .executeTakeFirst()
  if (row === undefined) {
    return (await visible(tx, { id, scope })) === undefined ? notFound : refuse(`The connection is already ${state}.`)
  }
  const action = state === 'active' ? 'connection.enabled' : 'connection.disabled'
  return changed(action, row, { state: before }, { state, reason })
}

export async function deleteConnection(tx: Db, { id, scope, by }: Input<'delete'>): Drafted<Connection> {
  const row = await tx
    .updateTable('connections')
    .set((eb) => ({ state: 'deleted', sealed: '[]', updated_at: by.at, version: eb('version', '+', 1) }))
    .where('id', '=', id)
    .where('state', '<>', 'deleted')
    .$if(scope !== null, (query) => query.where('account', '=', scope ?? ''))
    .returningAll()
    .executeTakeFirst()
  if (row === undefined) return notFound
  return changed('connection.deleted', row, { name: row.name, platform: row.platform }, null)
}

export async function readConnection(tx: Db, { id, scope, by }: Input<'read'>): Drafted<SealedConnection> {
  const row = await tx
    .updateTable('connections')
    .set({ last_used_at: by.at })
    .where('id', '=', id)
    .where('state', '=', 'active')
    .$if(scope !== null, (query) => query.where('account', '=', scope ?? ''))
    .returningAll()
    .executeTakeFirst()
  if (row === undefined) {
    return (await visible(tx, { id, scope })) === undefined
      ? notFound
      : refuse('The connection is disabled; enable it first.')
  }
  const event = connectionEvent('connection.read', row, null, { secretVersion: row.secret_version })
  return ok({ value: toSealedConnection(row), events: [event] })
}

export async function recordCheck(tx: Db, input: Input<'recordCheck'>): Drafted<Connection> {
  const { id, scope, secretVersion, result } = input
  const row = await tx
    .updateTable('connections')
    .set({ last_check: JSON.stringify(result) })
    .where('id', '=', id)
    .where('secret_version', '=', secretVersion)
    .where('state', '<>', 'deleted')
    .$if(scope !== null, (query) => query.where('account', '=', scope ?? ''))
    .returningAll()
    .executeTakeFirst()
  if (row === undefined) {
    return (await visible(tx, { id, scope })) === undefined ? notFound : refuse(rotatedMeanwhile)
  }
  return changed('connection.checked', row, null, { reason: result.reason, status: result.status })
}

export async function findConnection(db: Db, one: One): Promise<Connection | null> {
  const row = await visible(db, one)
  return row === undefined ? null : toConnection(row)
}

export async function findSealedConnection(db: Db, one: One): Promise<SealedConnection | null> {
  const row = await visible(db, one)
  return row === undefined ? null : toSealedConnection(row)
}

export async function listConnections(db: Db, input: Input<'list'>): Promise<Page<Connection>> {
  const { limit, after, scope, account, project, platform, state, name } = input
  const rows = await db
    .selectFrom('connections')
    .selectAll()
    .where('state', '<>', 'deleted')
    .$if(scope !== null, (query) => query.where('account', '=', scope ?? ''))
    .$if(account !== null, (query) => query.where('account', '=', account ?? ''))
    .$if(project !== null, (query) => query.where('project', '=', project ?? ''))
    .$if(platform !== null, (query) => query.where('platform', '=', platform ?? ''))
    .$if(state !== null, (query) => query.where('state', '=', state ?? ''))
    .$if(name !== null, (query) => query.where('name', '=', name ?? ''))
    .$if(after !== null, (query) => query.where(createdBefore('connections', after ?? '')))
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute()
  return toPage<ConnectionRow, Connection>(rows, limit, toConnection, createdKey)
}

/** Of nobody in particular, so no event: the log of requests tells who. */
export async function noteConnectionUses(tx: Db, { uses }: Input<'noteUses'>): Promise<void> {
  for (const { id, at } of uses) {
    await tx
      .updateTable('connections')
      .set({ last_used_at: at })
      .where('id', '=', id)
      .where(sql<boolean>`coalesce(last_used_at, 0) < ${at}`)
      .execute()
  }
}

/** The row as far as this scope may see it; deleted ones are as absent. */
async function visible(db: Db, { id, scope }: One): Promise<ConnectionRow | undefined> {
  return db
    .selectFrom('connections')
    .selectAll()
    .where('id', '=', id)
    .where('state', '<>', 'deleted')
    .$if(scope !== null, (query) => query.where('account', '=', scope ?? ''))
    .executeTakeFirst()
}

async function belongs(db: Db, project: string, account: string): Promise<boolean> {
  const row = await db
    .selectFrom('projects')
    .select('id')
    .where('id', '=', project)
    .where('account', '=', account)
    .executeTakeFirst()
  return row !== undefined
}

async function changed(
  action: string,
  row: ConnectionRow,
  before: DraftEvent['before'],
  after: DraftEvent['after'],
): Drafted<Connection> {
  return ok({ value: toConnection(row), events: [connectionEvent(action, row, before, after)] })
}

function connectionEvent(
  action: string,
  { id, account, project }: ConnectionRow,
  before: DraftEvent['before'],
  after: DraftEvent['after'],
): DraftEvent {
  return { action, targetKind: 'connection', targetId: id, account, project, credential: null, before, after }
}
