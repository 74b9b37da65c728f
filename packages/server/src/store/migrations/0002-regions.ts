import { sql } from 'kysely'

import type { Migration } from './migrate.ts'

/** Projects that were there before are in no region. */
export const main0002: Migration = {
  name: 'main-0002',
  async up(db) {
    await sql`alter table projects add column region text`.execute(db)
  },
}
