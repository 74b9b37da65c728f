import { sql } from 'kysely'

import { ok } from '../../base/result.ts'
import type { PeopleStore } from '../../core/people/people-store.ts'
import type { Session } from '../../core/people/user.ts'
import type { Db, SessionRow } from '../schema.ts'
import { notFound, type DraftEvent, type Drafted } from './commit.ts'
import { toSession, toUser } from './people-rows.ts'

type Input<Name extends keyof PeopleStore> = Parameters<PeopleStore[Name]>[0]
type Found = Awaited<ReturnType<PeopleStore['findSession']>>

/** The user's row is locked: whoever changes a proof at this moment ends this session, or was before it. */
export async function startSession(tx: Db, { session, digest, userVersion }: Input<'startSession'>): Promise<boolean> {
  const user = await tx
    .updateTable('users')
    .set({ id: sql`id` })
    .where('id', '=', session.user)
    .where('version', '=', userVersion)
    .where('state', '=', 'active')
    .returning('id')
    .executeTakeFirst()
  if (user === undefined) return false
  await tx
    .insertInto('sessions')
    .values({
      id: session.id,
      digest: Buffer.from(digest),
      user_id: session.user,
      stage: session.stage,
      created_at: session.createdAt,
      last_seen_at: session.lastSeenAt,
      expires_at: session.expiresAt,
      authenticated_at: session.authenticatedAt,
      ip: session.ip,
      user_agent: session.userAgent,
      ended_at: null,
    })
    .execute()
  return true
}

export async function findSession(db: Db, { digest, now, idleMs }: Input<'findSession'>): Promise<Found> {
  const row = await db
    .selectFrom('sessions')
    .selectAll()
    .where('digest', '=', Buffer.from(digest))
    .where('ended_at', 'is', null)
    .where('expires_at', '>', now)
    .where('last_seen_at', '>', now - idleMs)
    .executeTakeFirst()
  if (row === undefined) return null
  const user = await db
    .selectFrom('users')
    .selectAll()
    .where('id', '=', row.user_id)
    .where('state', '=', 'active')
    .executeTakeFirst()
  return user === undefined ? null : { session: toSession(row), user: toUser(user) }
}

export async function rotateSession(tx: Db, input: Input<'rotateSession'>): Promise<boolean> {
  const { id, digest, stage, authenticatedAt } = input
  const row = await tx
    .updateTable('sessions')
    .set({
      digest: Buffer.from(digest),
      stage,
      authenticated_at: authenticatedAt,
      last_seen_at: authenticatedAt,
    })
    .where('id', '=', id)
    .where('ended_at', 'is', null)
    .where('expires_at', '>', authenticatedAt)
    .returning('id')
    .executeTakeFirst()
  return row !== undefined
}

export async function touchSession(tx: Db, { id, at }: Input<'touchSession'>): Promise<void> {
  await tx
    .updateTable('sessions')
    .set({ last_seen_at: at })
    .where('id', '=', id)
    .where('last_seen_at', '<', at)
    .where('ended_at', 'is', null)
    .execute()
}

export async function endSession(tx: Db, { id, user, by }: Input<'endSession'>): Drafted<Session> {
  const row = await tx
    .updateTable('sessions')
    .set({ ended_at: by.at })
    .where('id', '=', id)
    .where('ended_at', 'is', null)
    .$if(user !== null, (query) => query.where('user_id', '=', user ?? ''))
    .returningAll()
    .executeTakeFirst()
  return row === undefined ? notFound : ok({ value: toSession(row), events: [sessionEnded(row)] })
}

export async function endSessions(tx: Db, { user, by }: Input<'endSessions'>): Drafted<number> {
  const sessionsEnded = await endSessionsOf(tx, { user, except: null, at: by.at })
  const event: DraftEvent = {
    ...ofPerson('user.sessions_ended', user, { sessionsEnded }),
    targetKind: 'user',
  }
  return ok({ value: sessionsEnded, events: sessionsEnded === 0 ? [] : [event] })
}

/** Answers how many. */
export async function endSessionsOf(
  tx: Db,
  { user, except, at }: { readonly user: string; readonly except: string | null; readonly at: number },
): Promise<number> {
  const ended = await tx
    .updateTable('sessions')
    .set({ ended_at: at })
    .where('user_id', '=', user)
    .where('ended_at', 'is', null)
    .$if(except !== null, (query) => query.where('id', '<>', except ?? ''))
    .executeTakeFirst()
  return Number(ended.numUpdatedRows)
}

export async function listSessions(db: Db, { user, now, idleMs }: Input<'listSessions'>): Promise<readonly Session[]> {
  const rows = await db
    .selectFrom('sessions')
    .selectAll()
    .where('user_id', '=', user)
    .where('ended_at', 'is', null)
    .where('expires_at', '>', now)
    .where('last_seen_at', '>', now - idleMs)
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .execute()
  return rows.map(toSession)
}

/** So many of each at once. */
const pruneStep = 500

export async function prunePeople(tx: Db, { before }: Input<'prune'>): Promise<number> {
  const sessions = await tx
    .deleteFrom('sessions')
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('sessions')
        .select('id')
        .where((or) => or.or([or('expires_at', '<', before), or('ended_at', '<', before)]))
        .limit(pruneStep),
    )
    .executeTakeFirst()
  const invitations = await tx
    .deleteFrom('invitations')
    .where('id', 'in', (eb) =>
      eb.selectFrom('invitations').select('id').where('expires_at', '<', before).limit(pruneStep),
    )
    .executeTakeFirst()
  const resets = await tx
    .deleteFrom('password_resets')
    .where('id', 'in', (eb) =>
      eb.selectFrom('password_resets').select('id').where('expires_at', '<', before).limit(pruneStep),
    )
    .executeTakeFirst()
  return Number(sessions.numDeletedRows + invitations.numDeletedRows + resets.numDeletedRows)
}

const sessionEnded = (row: SessionRow): DraftEvent => ({
  ...ofPerson('session.ended', row.id, { user: row.user_id }),
  targetKind: 'session',
})

function ofPerson(
  action: string,
  targetId: string,
  after: Readonly<Record<string, unknown>>,
): Omit<DraftEvent, 'targetKind'> {
  return { action, targetId, account: null, project: null, credential: null, before: null, after }
}
