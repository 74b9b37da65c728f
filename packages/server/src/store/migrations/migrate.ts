import { sql, type Kysely } from 'kysely'

import type { Db } from '../schema.ts'

export interface Dialect {
  readonly kind: 'sqlite' | 'postgres'
  /** Column type of bytes. */
  readonly bytes: 'blob' | 'bytea'
  /** Column type of an integer key: SQLite's row id is an `integer`, PostgreSQL needs eight bytes. */
  readonly integerKey: 'integer' | 'bigint'
  /** A primary key that the database counts up, never giving a number twice. */
  readonly counter: string
  /** Appended to a table that is clustered by its primary key. */
  readonly clustered: 'without rowid' | ''
}

export const sqliteDialect: Dialect = {
  kind: 'sqlite',
  bytes: 'blob',
  integerKey: 'integer',
  counter: 'integer primary key autoincrement',
  clustered: 'without rowid',
}
export const postgresDialect: Dialect = {
  kind: 'postgres',
  bytes: 'bytea',
  integerKey: 'bigint',
  counter: 'bigint generated always as identity primary key',
  clustered: '',
}

/** A step that never changes once it has been released; a later one follows it. */
export interface Migration {
  readonly name: string
  up(db: Kysely<unknown>, dialect: Dialect): Promise<void>
}

interface MigrationTable {
  postern_migrations: { name: string; applied_at: number }
}

/**
 * Applies what is missing, in order. The caller holds the lock (an exclusive transaction on SQLite, an advisory lock
 * in a transaction on PostgreSQL), so a second process waits and then finds nothing to do.
 */
export async function migrate(
  connection: Db,
  migrations: readonly Migration[],
  dialect: Dialect,
  now: number,
): Promise<readonly string[]> {
  // The table of migrations is known to this file alone.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
  const db = connection as unknown as Kysely<MigrationTable>
  await sql`create table if not exists postern_migrations (name text primary key, applied_at bigint not null)`.execute(
    db,
  )
  const rows = await db.selectFrom('postern_migrations').select('name').execute()
  const applied = new Set(rows.map(({ name }) => name))
  const missing = migrations.filter(({ name }) => !applied.has(name))
  for (const migration of missing) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- migrations write their statements as text
    await migration.up(db as unknown as Kysely<unknown>, dialect)
    await db.insertInto('postern_migrations').values({ name: migration.name, applied_at: now }).execute()
  }
  return missing.map(({ name }) => name)
}
