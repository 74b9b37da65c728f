import { sql } from 'kysely'

import { ok } from '../../base/result.ts'
import type { PeopleStore } from '../../core/people/people-store.ts'
import type { User, UserProofs } from '../../core/people/user.ts'
import type { Page } from '../../core/store.ts'
import type { Db, UserRow } from '../schema.ts'
import { batches, notFound, refuse, type DraftEvent, type Drafted } from './commit.ts'
import { createdBefore, createdKey, escapeLike, toPage } from './page.ts'
import { toUser, toUserProofs } from './people-rows.ts'
import { endSessionsOf } from './sessions.ts'

type Input<Name extends keyof PeopleStore> = Parameters<PeopleStore[Name]>[0]

/** Answers what is to be told of it. */
export async function insertUser(
  tx: Db,
  user: { readonly id: string; readonly email: string; readonly name: string; readonly passwordHash: string },
  at: number,
): Promise<readonly DraftEvent[]> {
  const { id, email, name, passwordHash } = user
  await tx
    .insertInto('users')
    .values({
      id,
      email,
      name,
      state: 'active',
      password_hash: passwordHash,
      totp: null,
      totp_key: null,
      totp_step: 0,
      created_at: at,
      version: 1,
    })
    .execute()
  return [userEvent('user.created', id, null, null)]
}

export async function findUser(db: Db, { id }: Input<'findUser'>): Promise<User | null> {
  const row = await userRow(db, id)
  return row === undefined ? null : toUser(row)
}

export async function listUsers(db: Db, { limit, after, search }: Input<'listUsers'>): Promise<Page<User>> {
  const part = `%${escapeLike((search ?? '').toLowerCase())}%`
  const rows = await db
    .selectFrom('users')
    .selectAll()
    .$if(search !== null, (query) =>
      query.where(sql<boolean>`(email like ${part} escape '!' or lower(name) like ${part} escape '!')`),
    )
    .$if(after !== null, (query) => query.where(createdBefore('users', after ?? '')))
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute()
  return toPage<UserRow, User>(rows, limit, toUser, createdKey)
}

export async function proofsOf(db: Db, who: Input<'proofsOf'>): Promise<UserProofs | null> {
  const row = await db
    .selectFrom('users')
    .selectAll()
    .where('state', '<>', 'erased')
    .$if('id' in who, (query) => query.where('id', '=', 'id' in who ? who.id : ''))
    .$if('email' in who, (query) => query.where('email', '=', 'email' in who ? who.email : ''))
    .executeTakeFirst()
  if (row === undefined) return null
  const codes = await db.selectFrom('recovery_codes').select('digest').where('user_id', '=', row.id).execute()
  return toUserProofs(
    row,
    codes.map(({ digest }) => digest),
  )
}

export async function setPassword(tx: Db, input: Input<'setPassword'>): Drafted<User> {
  const { user, passwordHash, keepSession, by } = input
  return replacePassword(tx, { user, passwordHash, keepSession, at: by.at, reset: null })
}

export async function redeemReset(tx: Db, { digest, passwordHash, by }: Input<'redeemReset'>): Drafted<User> {
  const spent = await tx
    .deleteFrom('password_resets')
    .where('digest', '=', Buffer.from(digest))
    .where('expires_at', '>', by.at)
    .returning(['id', 'user_id'])
    .executeTakeFirst()
  if (spent === undefined) return notFound
  const changed = await replacePassword(tx, {
    user: spent.user_id,
    passwordHash,
    keepSession: null,
    at: by.at,
    reset: spent.id,
  })
  return changed.ok ? changed : notFound
}

/** Whoever knew the old one is out: sessions, links to reset it, and what refreshes tokens. */
async function replacePassword(
  tx: Db,
  input: {
    readonly user: string
    readonly passwordHash: string
    readonly keepSession: string | null
    readonly at: number
    /** Id of the link that it is set by. */
    readonly reset: string | null
  },
): Drafted<User> {
  const { user, passwordHash, keepSession, at, reset } = input
  const row = await tx
    .updateTable('users')
    .set((eb) => ({ password_hash: passwordHash, version: eb('version', '+', 1) }))
    .where('id', '=', user)
    .where('state', '=', 'active')
    .returningAll()
    .executeTakeFirst()
  if (row === undefined) return refuseDisabled(tx, user)
  const sessionsEnded = await endSessionsOf(tx, { user, except: keepSession, at })
  await tx.deleteFrom('password_resets').where('user_id', '=', user).execute()
  await endRefreshing(tx, user, at)
  const event = userEvent('user.password_changed', user, null, { sessionsEnded, ...(reset !== null && { reset }) })
  return ok({ value: toUser(row), events: [event] })
}

/** Of every family, at its code. A consent at the same moment waits for the user's row, or is seen. */
async function endRefreshing(tx: Db, user: string, at: number): Promise<void> {
  await tx
    .updateTable('tokens')
    .set({ refresh_ended_at: at })
    .where('kind', '=', 'code')
    .where('refresh_ended_at', 'is', null)
    .where('grant_id', 'in', (eb) => eb.selectFrom('grants').select('id').where('user_id', '=', user))
    .execute()
}

export async function setSecondFactor(tx: Db, input: Input<'setSecondFactor'>): Drafted<User> {
  const { user, factor, keepSession, by } = input
  const row = await tx
    .updateTable('users')
    .set((eb) => ({
      totp: factor === null ? null : Buffer.from(factor.totp.bytes),
      totp_key: factor?.totp.key ?? null,
      ...(factor !== null && { totp_step: factor.step }),
      version: eb('version', '+', 1),
    }))
    .where('id', '=', user)
    .where('state', '=', 'active')
    .returningAll()
    .executeTakeFirst()
  if (row === undefined) return refuseDisabled(tx, user)
  await tx.deleteFrom('recovery_codes').where('user_id', '=', user).execute()
  const codes = (factor?.recoveryDigests ?? []).map((digest) => ({ user_id: user, digest: Buffer.from(digest) }))
  for (const batch of batches(codes)) await tx.insertInto('recovery_codes').values(batch).execute()
  const sessionsEnded = await endSessionsOf(tx, { user, except: keepSession, at: by.at })
  const action = factor === null ? 'user.second_factor_removed' : 'user.second_factor_set'
  return ok({ value: toUser(row), events: [userEvent(action, user, null, { sessionsEnded })] })
}

export async function spendTotpStep(tx: Db, { user, step }: Input<'spendTotpStep'>): Promise<boolean> {
  const row = await tx
    .updateTable('users')
    .set({ totp_step: step })
    .where('id', '=', user)
    .where('totp', 'is not', null)
    .where('totp_step', '<', step)
    .returning('id')
    .executeTakeFirst()
  return row !== undefined
}

export async function spendRecoveryCode(tx: Db, { user, digest }: Input<'spendRecoveryCode'>): Drafted<boolean> {
  const spent = await tx
    .deleteFrom('recovery_codes')
    .where('user_id', '=', user)
    .where('digest', '=', Buffer.from(digest))
    .returning('user_id')
    .executeTakeFirst()
  if (spent === undefined) return ok({ value: false, events: [] })
  const { left } = await tx
    .selectFrom('recovery_codes')
    .select((eb) => eb.fn.countAll<number>().as('left'))
    .where('user_id', '=', user)
    .executeTakeFirstOrThrow()
  return ok({ value: true, events: [userEvent('user.recovery_code_used', user, null, { left })] })
}

export async function setUserState(tx: Db, { user, state, by }: Input<'setUserState'>): Drafted<User> {
  const before = state === 'active' ? 'disabled' : 'active'
  const row = await tx
    .updateTable('users')
    .set((eb) => ({ state, version: eb('version', '+', 1) }))
    .where('id', '=', user)
    .where('state', '=', before)
    .returningAll()
    .executeTakeFirst()
  if (row === undefined) {
    const known = await userRow(tx, user)
    return known === undefined ? notFound : refuse(`The user is already ${known.state}.`)
  }
  if (state === 'active') {
    return ok({ value: toUser(row), events: [userEvent('user.enabled', user, { state: before }, { state })] })
  }
  const sessionsEnded = await endSessionsOf(tx, { user, except: null, at: by.at })
  await tx.deleteFrom('password_resets').where('user_id', '=', user).execute()
  const event = userEvent('user.disabled', user, { state: before }, { state, sessionsEnded })
  return ok({ value: toUser(row), events: [event] })
}

export async function offerReset(tx: Db, input: Input<'offerReset'>): Drafted<User> {
  const { user, id, digest, expiresAt, by } = input
  const row = await tx
    .updateTable('users')
    .set({ id: sql`id` })
    .where('id', '=', user)
    .where('state', '=', 'active')
    .returningAll()
    .executeTakeFirst()
  if (row === undefined) return refuseDisabled(tx, user)
  await tx.deleteFrom('password_resets').where('user_id', '=', user).execute()
  await tx
    .insertInto('password_resets')
    .values({ id, digest: Buffer.from(digest), user_id: user, created_at: by.at, expires_at: expiresAt })
    .execute()
  return ok({ value: toUser(row), events: [userEvent('user.reset_offered', user, null, { reset: id, expiresAt })] })
}

export async function findReset(db: Db, { digest, now }: Input<'findReset'>): Promise<User | null> {
  const row = await db
    .selectFrom('password_resets')
    .innerJoin('users', 'users.id', 'password_resets.user_id')
    .selectAll('users')
    .where('password_resets.digest', '=', Buffer.from(digest))
    .where('password_resets.expires_at', '>', now)
    .where('users.state', '=', 'active')
    .executeTakeFirst()
  return row === undefined ? null : toUser(row)
}

export async function noteUser(tx: Db, { user, action, details }: Input<'note'>): Drafted<null> {
  if ((await userRow(tx, user)) === undefined) return notFound
  return ok({ value: null, events: [userEvent(action, user, null, details)] })
}

async function refuseDisabled(db: Db, user: string): Promise<typeof notFound> {
  return (await userRow(db, user)) === undefined ? notFound : refuse('The user is disabled.')
}

async function userRow(db: Db, id: string): Promise<UserRow | undefined> {
  return db.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst()
}

/** Neither name nor address is in it: a person can be erased, an event cannot. */
function userEvent(action: string, id: string, before: DraftEvent['before'], after: DraftEvent['after']): DraftEvent {
  return { action, targetKind: 'user', targetId: id, account: null, project: null, credential: null, before, after }
}
