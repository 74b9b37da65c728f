import { sql, type Kysely } from 'kysely'

import { genesisHash } from '../../core/audit/chain.ts'
import type { Dialect, Migration } from './migrate.ts'

export const main0001: Migration = {
  name: 'main-0001',
  async up(db, dialect) {
    const run = (text: string) => sql.raw(text).execute(db)
    await run(`create table accounts (
      id text primary key, name text not null, plan text not null, state text not null, suspended_reason text,
      overrides text, metadata text not null, created_at bigint not null, version integer not null
    ) ${dialect.clustered}`)
    await run('create index accounts_created on accounts (created_at, id)')

    await run(`create table projects (
      id text primary key, account text not null, name text not null, environment text not null,
      ip_allow text not null, metadata text not null, created_at bigint not null, version integer not null
    ) ${dialect.clustered}`)
    await run('create index projects_account on projects (account, created_at, id)')
    await run('create index projects_created on projects (created_at, id)')
    await createCredentials(db, dialect)
    await createEvents(db, dialect)

    await run(`create table idempotency (
      key text primary key, body_digest text not null, status integer, body text, started_at bigint not null
    ) ${dialect.clustered}`)
    await run('create index idempotency_started on idempotency (started_at)')
    await run(`create table quotas (
      key text not null, period bigint not null, used bigint not null, primary key (period, key)
    ) ${dialect.clustered}`)
  },
}

/** Credentials and their secrets are clustered by credential id, so that the preload reads both in one sweep. */
async function createCredentials(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const run = (text: string) => sql.raw(text).execute(db)
  await run(`create table credentials (
    id text primary key, public_id text, form text not null, kind text not null, account text not null,
    project text not null, apis text not null, name text not null, scopes text not null, role text,
    ip_allow text not null, origin_allow text, limits text not null, not_before bigint, expires_at bigint,
    state text not null, state_reason text, state_at bigint, blocked_until bigint, is_primary integer not null,
    exposed_at bigint, hidden integer not null, metadata text not null, created_by text not null,
    created_at bigint not null, version integer not null
  ) ${dialect.clustered}`)
  await run('create unique index credentials_public_id on credentials (public_id) where public_id is not null')
  await run('create index credentials_created on credentials (created_at, id)')
  await run('create index credentials_account on credentials (account, created_at, id)')
  await run('create index credentials_project on credentials (project, created_at, id)')
  await run("create index credentials_dead on credentials (state, created_at, id) where state <> 'active'")
  await run("create index credentials_kind on credentials (kind, created_at, id) where kind <> 'secret'")

  await run(`create table secrets (
    credential text not null, id text not null, digest ${dialect.bytes} not null, algorithm text not null, hint text,
    origin text not null, visible_until bigint, not_after bigint, created_at bigint not null,
    primary key (credential, id)
  ) ${dialect.clustered}`)
  await run('create unique index secrets_id on secrets (id)')
  await run('create unique index secrets_digest on secrets (digest)')
  await run('create index secrets_visible on secrets (visible_until) where visible_until is not null')

  await run(`create table sealed_copies (
    secret text primary key, credential text not null, bytes ${dialect.bytes} not null, key text not null,
    visible_until bigint not null
  ) ${dialect.clustered}`)
  await run('create index sealed_copies_visible on sealed_copies (visible_until)')
  await run('create index sealed_copies_credential on sealed_copies (credential)')
}

async function createEvents(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const run = (text: string) => sql.raw(text).execute(db)
  await run(`create table events (
    sequence ${dialect.integerKey} primary key, at bigint not null, actor_kind text not null, actor_id text not null,
    action text not null, target_kind text not null, target_id text not null, account text, project text,
    credential text, before text, after text, request_id text, commitment text not null,
    previous_hash text not null, hash text not null
  )`)
  await run('create index events_at on events (at)')
  await run('create index events_account on events (account, sequence) where account is not null')
  await run('create index events_credential on events (credential, sequence) where credential is not null')
  await run('create index events_action on events (action, sequence)')
  await run(`create table event_personal (
    sequence ${dialect.integerKey} primary key, salt ${dialect.bytes} not null, ip text, user_agent text
  )`)
  await run(`create table event_head (id integer primary key, sequence bigint not null, hash text not null)`)
  await run(`insert into event_head (id, sequence, hash) values (1, 0, '${genesisHash}')`)
}
