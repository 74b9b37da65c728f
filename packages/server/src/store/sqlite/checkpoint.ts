import { statSync } from 'node:fs'

import type Database from 'better-sqlite3'

import { isFull } from './sqlite-errors.ts'

/** Above this the write-ahead log is taken into the database between two groups. */
export const walBytesMax = 4 * 1024 * 1024

/**
 * PASSIVE moves what no reader needs, so that the log starts again at its beginning; TRUNCATE also waits for readers
 * and empties the file; LARGE is TRUNCATE without waiting, where the file has grown large. A full disk defers it.
 */
export function checkpoint(
  database: Database.Database,
  mode: 'PASSIVE' | 'TRUNCATE' | 'LARGE',
  largeBytes = walBytesMax,
): void {
  if (mode === 'LARGE' && walBytes(database) <= largeBytes) return
  try {
    if (mode === 'LARGE') database.pragma('busy_timeout = 0')
    database.pragma(`wal_checkpoint(${mode === 'LARGE' ? 'TRUNCATE' : mode})`)
  } catch (error) {
    if (!isFull(error) && !isBusy(error)) throw error
  } finally {
    if (mode === 'LARGE') database.pragma('busy_timeout = 5000')
  }
}

function walBytes(database: Database.Database): number {
  return statSync(`${database.name}-wal`, { throwIfNoEntry: false })?.size ?? 0
}

const isBusy = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'SQLITE_BUSY'
