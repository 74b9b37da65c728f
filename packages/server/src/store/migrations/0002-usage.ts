import { sql } from 'kysely'

import type { Migration } from './migrate.ts'

/** What language models took. */
export const usage0002: Migration = {
  name: 'usage-0002-models',
  async up(db, dialect) {
    for (const unit of ['minutes', 'hours', 'days']) {
      await sql
        .raw(
          `create table model_${unit} (
        at bigint not null, account text not null, project text not null, credential text not null, api text not null,
        model text not null, metric text not null, count bigint not null,
        primary key (at, account, credential, api, model, metric, project)
      ) ${dialect.clustered}`,
        )
        .execute(db)
      await sql.raw(`create index model_${unit}_credential on model_${unit} (credential, at)`).execute(db)
      await sql.raw(`create index model_${unit}_account on model_${unit} (account, at)`).execute(db)
    }
  },
}
