import { sql } from 'kysely'

import type { Migration } from './migrate.ts'

/** What a credential of its own may ask of language models. */
export const main0003: Migration = {
  name: 'main-0003-models',
  async up(db) {
    await sql.raw('alter table credentials add column llm text').execute(db)
  },
}
