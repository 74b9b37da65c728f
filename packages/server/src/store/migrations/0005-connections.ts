import { sql } from 'kysely'

import type { Migration } from './migrate.ts'

/** Sealed secrets stand in the row of their connection: replacing or deleting them is one statement. */
export const main0005: Migration = {
  name: 'main-0005',
  async up(db, dialect) {
    const run = (text: string) => sql.raw(text).execute(db)
    await run(`create table connections (
      id text primary key, account text not null, project text, platform text not null, name text not null,
      settings text not null, sealed text not null, secret_version integer not null, state text not null,
      state_reason text, last_check text, last_used_at bigint, created_by text not null, created_at bigint not null,
      updated_at bigint not null, rotated_at bigint, version integer not null
    ) ${dialect.clustered}`)
    await run(`create unique index connections_name on connections (account, coalesce(project, ''), name)
      where state <> 'deleted'`)
    await run('create index connections_created on connections (created_at, id)')
    await run('create index connections_account on connections (account, created_at, id)')
  },
}
