import type { Clock } from '../base/clock.ts'
import type { Store } from '../core/store.ts'
import { openPostgresStore } from './postgres/store.ts'
import { reapplyLostEndings } from './rollback.ts'
import { openSqliteStore } from './sqlite/store.ts'

export { createKeyFiles, type KeyFolder } from './keys/index.ts'
export { acquireDataLock, type DataLock, type LockInfo, type LockOwner } from './sqlite/lock.ts'
export { offlineEvents } from './sqlite/offline.ts'
export { restore, RestoreRefused, type Restored, type RestoreOptions } from './sqlite/restore.ts'

export interface StoreOptions {
  /** `sqlite`, or the address of a PostgreSQL database: `postgres://…`. */
  readonly url: string
  readonly dataFolder: string
  /** Where audit checkpoints lie, and beside them the log of revocations. */
  readonly checkpointsFolder: string
  readonly clock: Clock
  /** For tests: a limit of each SQLite file. */
  readonly maxBytes?: number
}

/** Opens the store, brings its tables to the newest form, and revives nothing that was revoked since an old backup. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { url, dataFolder, checkpointsFolder, clock, maxBytes = null } = options
  const store =
    url === 'sqlite'
      ? await openSqliteStore({ dataFolder, checkpointsFolder, clock, maxBytes })
      : await openPostgresStore({ url: postgresUrl(url), checkpointsFolder, clock })
  await reapplyLostEndings(store, checkpointsFolder, clock)
  return store
}

function postgresUrl(url: string): string {
  if (/^postgres(ql)?:\/\//.test(url)) return url
  throw new Error('the store is "sqlite" or the address of a PostgreSQL database (postgres://…)')
}
