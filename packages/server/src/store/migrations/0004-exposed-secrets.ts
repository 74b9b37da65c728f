import { sql } from 'kysely'

import type { Migration } from './migrate.ts'

/** When a secret last came over plain HTTP: the credential's own column is of the first time alone. */
export const main0004: Migration = {
  name: 'main-0004-exposed-secrets',
  async up(db) {
    await sql`alter table secrets add column exposed_at bigint`.execute(db)
  },
}
