import { closeSync, fsyncSync, openSync } from 'node:fs'

import Database from 'better-sqlite3'

import { makePrivate } from './files.ts'
import type { Call } from './messages.ts'
import type { WorkerEnd } from './worker-end.ts'

/** Pages per step; between steps the worker serves its calls. */
const pagesPerStep = 500

/**
 * Copies the whole file while it is written to: on the writer's own connection, so that a write between two steps
 * goes into the copy as well and nothing starts again. Answers when the copy is one file, durable and closed.
 */
export async function backupTo(database: Database.Database, { id, input }: Call, end: WorkerEnd): Promise<void> {
  try {
    const path = String(input)
    makePrivate(path)
    await database.backup(path, {
      progress: ({ totalPages, remainingPages }) => {
        end.progress(id, { done: totalPages - remainingPages, total: totalPages })
        return pagesPerStep
      },
    })
    const copy = new Database(path)
    copy.pragma('journal_mode = DELETE')
    copy.close()
    syncFile(path)
    end.answer(id, null)
  } catch (error) {
    end.reject(id, error)
  }
}

export function syncFile(path: string): void {
  const file = openSync(path, 'r')
  fsyncSync(file)
  closeSync(file)
}
