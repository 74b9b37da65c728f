import { sql, type Kysely } from 'kysely'

import type { Dialect, Migration } from './migrate.ts'

/** Tokens and grants; people, their places in accounts, and what they sign in with. */
export const main0007: Migration = {
  name: 'main-0007-tokens-people',
  async up(db, dialect) {
    await createTokens(db, dialect)
    await createGrants(db, dialect)
    await createPeople(db, dialect)
    await createLinks(db, dialect)
  },
}

/**
 * Minting is one insert, and its cost is that of the pages that it writes. Ids and ends ascend, so that all indexes
 * but those of digest and credential grow at their end, and that of grants holds grants' tokens alone. Measured on
 * SQLite in groups of eight, over a doubling of the table: 3.7 pages each; clustered by id 4.1 (each index then
 * carries the id), clustered by digest 4.6. Of these 0.2 are the index of ends, without which what has ended could
 * not be found among what lives long; one more by account would be 0.4. A family has no index: it is revoked at its
 * code.
 */
async function createTokens(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const run = (text: string) => sql.raw(text).execute(db)
  await run(`create table tokens (
    id text primary key, digest ${dialect.bytes} not null, kind text not null, format text not null,
    credential text not null, grant_id text, family text, account text not null, project text not null,
    api text not null, scopes text not null, label text, created_at bigint not null, expires_at bigint not null,
    ends_at bigint not null, spent_at bigint, revoked_at bigint, family_ends_at bigint, refresh_ended_at bigint,
    redirect_uri text, challenge text
  )`)
  await run('create unique index tokens_digest on tokens (digest)')
  await run('create index tokens_credential on tokens (credential, id)')
  await run('create index tokens_grant on tokens (grant_id, id) where grant_id is not null')
  await run('create index tokens_ends on tokens (ends_at)')
}

async function createGrants(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const run = (text: string) => sql.raw(text).execute(db)
  await run(`create table grants (
    id text primary key, client text not null, user_id text not null, account text not null, project text not null,
    apis text not null, scopes text not null, state text not null, created_at bigint not null,
    updated_at bigint not null, withdrawn_at bigint, version integer not null
  ) ${dialect.clustered}`)
  await run("create unique index grants_active on grants (user_id, client, project) where state = 'active'")
  await run('create index grants_created on grants (created_at, id)')
  await run('create index grants_client on grants (client, created_at, id)')
  await run('create index grants_account on grants (account, created_at, id)')
  await run('create index grants_user on grants (user_id, created_at, id)')
}

async function createPeople(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const run = (text: string) => sql.raw(text).execute(db)
  await run(`create table users (
    id text primary key, email text not null, name text not null, state text not null, password_hash text not null,
    totp ${dialect.bytes}, totp_key text, totp_step bigint not null, created_at bigint not null,
    version integer not null
  ) ${dialect.clustered}`)
  await run('create unique index users_email on users (email)')
  await run('create index users_created on users (created_at, id)')
  await run(`create table recovery_codes (
    user_id text not null, digest ${dialect.bytes} not null, primary key (user_id, digest)
  ) ${dialect.clustered}`)
  await run(`create table members (
    id text primary key, account text not null, user_id text not null, role text not null, state text not null,
    created_at bigint not null, version integer not null
  ) ${dialect.clustered}`)
  await run('create unique index members_person on members (account, user_id)')
  await run('create index members_created on members (created_at, id)')
  await run('create index members_account on members (account, created_at, id)')
  await run('create index members_user on members (user_id, created_at, id)')
  await run(`create table sessions (
    id text primary key, digest ${dialect.bytes} not null, user_id text not null, stage text not null,
    created_at bigint not null, last_seen_at bigint not null, expires_at bigint not null,
    authenticated_at bigint not null, ip text not null, user_agent text, ended_at bigint
  ) ${dialect.clustered}`)
  await run('create unique index sessions_digest on sessions (digest)')
  await run('create index sessions_user on sessions (user_id, created_at, id)')
  await run('create index sessions_expires on sessions (expires_at)')
  await run('create index sessions_ended on sessions (ended_at) where ended_at is not null')
}

/** What is sent to people as a link: known by its digest alone. */
async function createLinks(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const run = (text: string) => sql.raw(text).execute(db)
  await run(`create table invitations (
    id text primary key, digest ${dialect.bytes} not null, account text not null, email text not null,
    role text not null, created_by text not null, created_at bigint not null, expires_at bigint not null,
    accepted_at bigint, revoked_at bigint
  ) ${dialect.clustered}`)
  await run('create unique index invitations_digest on invitations (digest)')
  await run(`create unique index invitations_open on invitations (account, email)
    where accepted_at is null and revoked_at is null`)
  await run('create index invitations_created on invitations (created_at, id)')
  await run('create index invitations_account on invitations (account, created_at, id)')
  await run('create index invitations_expires on invitations (expires_at)')
  await run(`create table password_resets (
    id text primary key, digest ${dialect.bytes} not null, user_id text not null, created_at bigint not null,
    expires_at bigint not null
  ) ${dialect.clustered}`)
  await run('create unique index password_resets_digest on password_resets (digest)')
  await run('create unique index password_resets_user on password_resets (user_id)')
}
