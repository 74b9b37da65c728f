import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'

import Database from 'better-sqlite3'

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
