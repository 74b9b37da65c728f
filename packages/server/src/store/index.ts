import type { Store } from '../core/store.ts'
import type { Clock } from '../base/clock.ts'
import { openSqliteStore } from './sqlite/store.ts'

export { createKeyFiles, type KeyFolder } from './keys/index.ts'
export { acquireDataLock, type DataLock, type LockInfo } from './sqlite/lock.ts'

export interface StoreOptions {
  /** `sqlite`, or the address of a PostgreSQL database. */
  readonly url: string
  readonly dataFolder: string
  readonly checkpointsFolder: string
  readonly clock: Clock
  /** For tests: a limit of each SQLite file. */
  readonly maxBytes?: number
}

export async function openStore(options: StoreOptions): Promise<Store> {
  return openSqliteStore({ ...options, maxBytes: options.maxBytes ?? null })
}
