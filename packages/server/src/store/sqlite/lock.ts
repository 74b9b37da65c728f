import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'

import Database from 'better-sqlite3'

import { fail, ok, type Result } from '../../base/result.ts'
import { makePrivate } from './files.ts'

export interface LockInfo {
  readonly started: number
  /** Where the owner listens, for people to find it. */
  readonly addresses: readonly string[]
}

export interface LockOwner extends LockInfo {
  readonly pid: number
  readonly host: string
}

export interface DataLock {
  release(): void
}

/**
 * One server per data folder: an exclusive transaction held open on `lock.db`, which the system ends with the
 * process, however it dies. A refusal names the owner, where it could be read.
 */
export function acquireDataLock(
  folder: string,
  info: LockInfo,
): Result<DataLock, { readonly code: 'locked'; readonly owner: LockOwner | null }> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const file = join(folder, 'lock.db')
  makePrivate(file)
  const database = new Database(file, { timeout: 0 })
  try {
    database.exec('begin exclusive')
  } catch (error) {
    database.close()
    if (!(error instanceof Error && 'code' in error && error.code === 'SQLITE_BUSY')) throw error
    return fail({ code: 'locked', owner: readOwner(folder) })
  }
  const path = join(folder, 'lock.json')
  const owner: LockOwner = { pid: process.pid, host: hostname(), ...info }
  writeFileSync(`${path}.new`, `${JSON.stringify(owner)}\n`, { mode: 0o600 })
  renameSync(`${path}.new`, path)
  return ok({
    release: () => {
      rmSync(path, { force: true })
      database.close()
    },
  })
}

function readOwner(folder: string): LockOwner | null {
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written above
    return JSON.parse(readFileSync(join(folder, 'lock.json'), 'utf8')) as LockOwner
  } catch {
    return null
  }
}
