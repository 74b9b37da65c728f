import { sql } from 'kysely'

import type { Migration } from './migrate.ts'

/**
 * What people did, and what was done about them and what is theirs, is found without walking through all events. Both
 * indexes hold those events alone: credentials have an index of their own.
 */
export const main0008: Migration = {
  name: 'main-0008-events-about-people',
  async up(db) {
    await sql
      .raw(`create index events_actor on events (actor_id, sequence) where actor_kind in ('user', 'system')`)
      .execute(db)
    await sql
      .raw(`create index events_target on events (target_id, sequence)
        where target_kind in ('user', 'member', 'invitation', 'session', 'grant', 'token')`)
      .execute(db)
  },
}
