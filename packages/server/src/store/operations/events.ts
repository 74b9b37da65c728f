import { sql, type Expression, type SqlBool } from 'kysely'

import type { AuditEvent } from '../../core/audit/event.ts'
import type { EventStore, Page } from '../../core/store.ts'
import type { Db } from '../schema.ts'
import { numberCursor, toPage } from './page.ts'
import { toAuditEvent, type EventWithPersonal } from './rows.ts'

export async function listEvents(db: Db, input: Parameters<EventStore['list']>[0]): Promise<Page<AuditEvent>> {
  const { account, credential, action, about = [], from, to, scope, after, limit } = input
  const rows = await withPersonal(db)
    .$if(scope !== null, (query) => query.where('events.account', '=', scope))
    .$if(account !== null, (query) => query.where('events.account', '=', account))
    .$if(credential !== null, (query) => query.where('events.credential', '=', credential))
    .$if(action !== null, (query) => query.where('events.action', '=', action ?? ''))
    .$if(about.length > 0, (query) => query.where((eb) => eb.and(about.map((ids) => isAbout(ids)))))
    .$if(from !== null, (query) => query.where('events.at', '>=', from ?? 0))
    .$if(to !== null, (query) => query.where('events.at', '<', to ?? 0))
    .$if(after !== null, (query) => query.where('events.sequence', '<', numberCursor(after ?? '')))
    .orderBy('events.sequence', 'desc')
    .limit(limit + 1)
    .execute()
  return toPage<EventWithPersonal, AuditEvent>(rows, limit, toAuditEvent, ({ sequence }) => [sequence])
}

/** The conditions of the partial indexes, word for word: no planner infers them from a parameter. */
function isAbout(ids: readonly string[]): Expression<SqlBool> {
  if (ids.length === 0) return sql<SqlBool>`1 = 0`
  return sql<SqlBool>`(
    (events.actor_kind in ('user', 'system') and events.actor_id in (${sql.join(ids)}))
    or (events.target_kind in ('user', 'member', 'invitation', 'session', 'grant', 'token')
      and events.target_id in (${sql.join(ids)})))`
}

export async function eventRange(
  db: Db,
  { after, limit }: Parameters<EventStore['range']>[0],
): Promise<readonly AuditEvent[]> {
  const rows = await withPersonal(db)
    .where('events.sequence', '>', after)
    .orderBy('events.sequence')
    .limit(limit)
    .execute()
  return rows.map(toAuditEvent)
}

export async function eventHead(db: Db): Promise<{ readonly sequence: number; readonly hash: string }> {
  return db.selectFrom('event_head').select(['sequence', 'hash']).executeTakeFirstOrThrow()
}

// oxlint-disable-next-line typescript/explicit-function-return-type -- the builder's type is its definition
function withPersonal(db: Db) {
  return db
    .selectFrom('events')
    .leftJoin('event_personal', 'event_personal.sequence', 'events.sequence')
    .selectAll('events')
    .select(['event_personal.ip', 'event_personal.user_agent', 'event_personal.salt'])
}
