import { sql } from 'kysely'

import type { Migration } from './migrate.ts'

export const usage0001: Migration = {
  name: 'usage-0001',
  async up(db, dialect) {
    const run = (text: string) => sql.raw(text).execute(db)
    for (const unit of ['minutes', 'hours', 'days']) {
      await run(`create table usage_${unit} (
        at bigint not null, account text not null, project text not null, credential text not null, api text not null,
        route text not null, outcome text not null, country text not null, count bigint not null,
        primary key (at, account, credential, api, route, outcome, country, project)
      ) ${dialect.clustered}`)
      await run(`create index usage_${unit}_credential on usage_${unit} (credential, at)`)
      await run(`create index usage_${unit}_account on usage_${unit} (account, at)`)
      await run(`create table latency_${unit} (
        at bigint not null, credential text not null, route text not null, bucket integer not null,
        count bigint not null, primary key (at, credential, route, bucket)
      ) ${dialect.clustered}`)
      await run(`create index latency_${unit}_credential on latency_${unit} (credential, at)`)
    }
    for (const unit of ['hours', 'days']) {
      await run(`create table total_${unit} (
        at bigint not null, account text not null, project text not null, api text not null, route text not null,
        outcome text not null, count bigint not null, primary key (at, account, api, route, outcome, project)
      ) ${dialect.clustered}`)
      await run(`create index total_${unit}_account on total_${unit} (account, at)`)
      await run(`create index total_${unit}_project on total_${unit} (project, at)`)
      await run(`create table country_${unit} (
        at bigint not null, account text not null, project text not null, api text not null, outcome text not null,
        country text not null, count bigint not null,
        primary key (at, account, api, outcome, country, project)
      ) ${dialect.clustered}`)
      await run(`create index country_${unit}_account on country_${unit} (account, at)`)
      await run(`create index country_${unit}_project on country_${unit} (project, at)`)
    }
    await run('create table usage_rollup (id integer primary key, through bigint not null)')
    await run('insert into usage_rollup (id, through) values (1, 0)')
    await run('create table usage_dropped (minute bigint primary key, count bigint not null)')
    await run(`create table last_uses (
      secret text primary key, accepted_at bigint, accepted_ip text, accepted_user_agent text, refused_at bigint,
      refused_ip text, refused_user_agent text, refused_code text
    ) ${dialect.clustered}`)
    if (dialect.kind === 'sqlite')
      await run(`create table usage_journal (number ${dialect.counter}, flush text not null)`)
    await run('create table nodes (id text primary key, flushed_at bigint not null)')

    await run(`create table request_blocks (
      block ${dialect.counter}, second bigint not null, rows text not null
    )`)
    await run('create index request_blocks_second on request_blocks (second)')
    await run(`create table request_terms (
      term text not null, hour bigint not null, list bigint not null, blocks text not null,
      primary key (term, hour, list)
    ) ${dialect.clustered}`)
    await run('create index request_terms_hour on request_terms (hour)')
    if (dialect.kind === 'sqlite') {
      await run('create table request_indexed (id integer primary key, through bigint not null)')
      await run('insert into request_indexed (id, through) values (1, 0)')
    }
  },
}
