import { sql } from 'kysely'

import type { Migration } from './migrate.ts'

/** What makes a credential an OAuth client, as JSON; those that were there before are none. */
export const main0006: Migration = {
  name: 'main-0006-oauth-clients',
  async up(db) {
    await sql`alter table credentials add column oauth text`.execute(db)
  },
}
