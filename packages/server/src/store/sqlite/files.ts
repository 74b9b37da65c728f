import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'

import Database from 'better-sqlite3'

import { mainMigrations, usageMigrations } from '../migrations/index.ts'
import { migrate, sqliteDialect } from '../migrations/migrate.ts'
import { kyselyOver } from './dialect.ts'

export const mainFile = (folder: string): string => join(folder, 'postern.db')
export const usageFile = (folder: string): string => join(folder, 'usage.db')
export const pageBytes = 4096

/** A connection that writes. FULL: a commit is on the disk when it is answered. */
export function openWriter(path: string, synchronous: 'FULL' | 'NORMAL'): Database.Database {
  makePrivate(path)
  const database = new Database(path, { timeout: 5_000 })
  database.pragma(`page_size = ${pageBytes}`)
  database.pragma('journal_mode = WAL')
  database.pragma(`synchronous = ${synchronous}`)
  database.pragma('wal_autocheckpoint = 0')
  database.pragma('secure_delete = ON')
  database.pragma('cache_size = -16384')
  return database
}

/** Readable by its owner alone from its first byte; SQLite gives the files beside it the same mode. */
export function makePrivate(path: string): void {
  closeSync(openSync(path, 'a', 0o600))
}

export function openReader(path: string): Database.Database {
  const database = new Database(path, { timeout: 5_000, fileMustExist: true })
  database.pragma('query_only = ON')
  database.pragma('cache_size = -8192')
  return database
}

/** Brings both files to the newest form, under the exclusive lock of each. */
export async function migrateFiles(folder: string, now: number): Promise<void> {
  await migrateFile(mainFile(folder), mainMigrations, now)
  await migrateFile(usageFile(folder), usageMigrations, now)
}

async function migrateFile(path: string, migrations: typeof mainMigrations, now: number): Promise<void> {
  const database = openWriter(path, 'FULL')
  try {
    database.exec('begin exclusive')
    await migrate(kyselyOver(database), migrations, sqliteDialect, now)
    database.exec('commit')
    database.pragma('wal_checkpoint(TRUNCATE)')
  } finally {
    // An open transaction is rolled back by closing.
    database.close()
  }
}
