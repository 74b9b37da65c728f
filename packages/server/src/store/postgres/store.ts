import { Kysely, PostgresDialect, sql, type Transaction } from 'kysely'
import pg from 'pg'

import type { Clock } from '../../base/clock.ts'
import { fail, ok, type Result } from '../../base/result.ts'
import type { Provenance } from '../../core/audit/event.ts'
import type { RecordChunk } from '../../core/records/record.ts'
import { StorageFull, StoreUnavailable, type Committed, type Store, type WriteRefusal } from '../../core/store.ts'
import type { UsageFlush } from '../../core/usage/usage.ts'
import {
  chunkStatements,
  credentialsPerChunk,
  packChunk,
  pastEveryId,
  type CredentialColumns,
  type Packed,
  type SecretColumns,
} from '../chunks.ts'
import { storeOf, type Engine } from '../engine.ts'
import { mainMigrations, usageMigrations } from '../migrations/index.ts'
import { migrate, postgresDialect } from '../migrations/migrate.ts'
import { runWrite, type WriteOperation, type Written } from '../operations/commit.ts'
import { chores, reads, usageReads, writes } from '../operations/index.ts'
import { flushCounts } from '../operations/usage-flush.ts'
import { insertBlocks } from '../operations/usage-requests.ts'
import { pruneStep, rollUpStep } from '../operations/usage-rollup.ts'
import { openRevocationLog, type Ending, type RevocationLog } from '../revocations.ts'
import type { Db, Tables } from '../schema.ts'
import { violationOf } from '../violations.ts'
import { startListening, channel, type Listening } from './listen.ts'
import { createPool, patientConfig, unavailable, type Pool } from './pool.ts'

export interface PostgresOptions {
  readonly url: string
  readonly checkpointsFolder: string
  readonly clock: Clock
}

/** Any number of nodes on one database: truth and change feed. */
export async function openPostgresStore({ url, checkpointsFolder, clock }: PostgresOptions): Promise<Store> {
  await migrateDatabase(url, clock.now())
  const pool = createPool(url)
  // Kysely asks no more of a pool than this one has; its type also wants cursors.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: pool as never }) })
  const log = openRevocationLog(checkpointsFolder)
  return storeOf(engineOf({ db, pool, log, url, clock }))
}

/** Any number that no other program uses for its advisory locks. */
const migrationLock = 7_067_332_946

/** The lock goes with the transaction, so with the process as well. */
async function migrateDatabase(url: string, now: number): Promise<void> {
  const pool = new pg.Pool({ ...patientConfig(url), max: 1 })
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
  try {
    await db.transaction().execute(async (tx) => {
      await sql`select pg_advisory_xact_lock(${sql.lit(migrationLock)})`.execute(tx)
      await migrate(tx, [...mainMigrations, ...usageMigrations], postgresDialect, now)
    })
  } catch (error) {
    throw error instanceof Error && 'code' in error && /^E[A-Z]+$/.test(String(error.code)) ? unavailable(error) : error
  } finally {
    await db.destroy()
  }
}

interface Parts {
  readonly db: Db
  readonly pool: Pool
  readonly log: RevocationLog
  readonly url: string
  readonly clock: Clock
}

function engineOf({ db, pool, log, url, clock }: Parts): Engine {
  let listening: Listening | null = null
  return {
    kind: 'postgres',
    // Names, inputs and answers are pairs by the types of `Engine`; a look-up by name loses that.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
    write: (name, input) => write(db, log, writes[name] as never, input),
    chore: (name, input) =>
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
      inTransaction(db, (tx) => (chores[name] as (tx: Db, input: unknown) => Promise<never>)(tx, input)),
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
    read: (name, input) => mapped(() => (reads[name] as (db: Db, input: unknown) => Promise<never>)(db, input)),
    readUsage: (name, input) =>
      mapped(() =>
        db
          .transaction()
          .setIsolationLevel('repeatable read')
          .setAccessMode('read only')
          // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
          .execute((tx) => (usageReads[name] as (db: Db, input: unknown) => Promise<never>)(tx, input)),
      ),
    flush: (flush) => inTransaction(db, (tx) => flushAll(tx, flush)),
    maintain: async (input) => {
      while (await inTransaction(db, (tx) => rollUpStep(tx, input)));
      while (await inTransaction(db, (tx) => pruneStep(tx, input)));
    },
    chunks: (input) => readChunks(pool, input),
    backup: () => {
      throw new Error('a PostgreSQL database is backed up with its own tools, such as pg_dump')
    },
    space: async () => {
      const { rows } = await mapped(() =>
        sql<{ bytes: number }>`select pg_database_size(current_database()) as bytes`.execute(db),
      )
      return { freeBytes: null, ballast: null, full: false, databaseBytes: rows[0]?.bytes ?? 0 }
    },
    listen: (onHint) => {
      listening = startListening(url, clock, onHint)
    },
    close: async () => {
      await listening?.stop()
      await db.destroy()
      log.close()
    },
  }
}

/** Thrown through Kysely's transaction to roll it back. */
class Refused extends Error {
  readonly refusal: WriteRefusal

  constructor(refusal: WriteRefusal) {
    super(refusal.code)
    this.refusal = refusal
  }
}

async function write(
  db: Db,
  log: RevocationLog,
  operation: WriteOperation<{ readonly by: Provenance }, never>,
  input: { readonly by: Provenance },
): Promise<Result<Committed<never>, WriteRefusal>> {
  try {
    const { committed, endings } = await inTransaction(db, async (tx): Promise<Written<never>> => {
      const result = await runWrite(tx, operation, input)
      if (!result.ok) throw new Refused(result.error)
      await sql`select pg_notify(${sql.lit(channel)}, '')`.execute(tx)
      return result.value
    })
    logEndings(log, endings)
    return ok(committed)
  } catch (error) {
    if (error instanceof Refused) return fail(error.refusal)
    if (error instanceof StorageFull) return fail({ code: 'storage_full' })
    const sentence = violationOf(error)
    if (sentence !== null) return fail({ code: 'conflict', what: sentence })
    throw error
  }
}

function logEndings(log: RevocationLog, endings: readonly Ending[]): void {
  try {
    log.append(endings)
  } catch (cause) {
    throw new StoreUnavailable('the change is stored, but the revocation log could not be written', { cause })
  }
}

const attemptsMax = 3

/** A deadlock between two writes is nobody's fault: one of them was rolled back, and goes again. */
async function inTransaction<Value>(db: Db, work: (tx: Transaction<Tables>) => Promise<Value>): Promise<Value> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await mapped(() => db.transaction().execute(work))
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : null
      if (attempt === attemptsMax || (code !== '40P01' && code !== '40001')) throw error
    }
  }
}

async function mapped<Value>(work: () => Promise<Value>): Promise<Value> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === '53100') {
      throw new StorageFull('the disk of the database is full', { cause: error })
    }
    throw error
  }
}

async function flushAll(tx: Db, { requests, ...flush }: UsageFlush): Promise<void> {
  // The rollup waits until this is stored, and this until the rollup is.
  await tx.selectFrom('usage_rollup').select('through').forShare().execute()
  await flushCounts(tx, flush)
  await insertBlocks(tx, requests)
}

async function* readChunks(
  pool: Pool,
  { deadSince, max }: { readonly deadSince: number; readonly max: number },
): AsyncGenerator<RecordChunk> {
  let left = max
  let after: string | null = ''
  while (after !== null && left > 0) {
    const { chunk, last }: Packed = await readChunk(pool, after, deadSince, Math.min(left, credentialsPerChunk))
    left -= chunk.credentialCount
    after = last
    if (chunk.credentialCount > 0) yield chunk
  }
}

const chunkTexts = chunkStatements('postgres')

/** Both statements see one state of the database. */
async function readChunk(pool: Pool, after: string, deadSince: number, max: number): Promise<Packed> {
  const client = await pool.connect()
  try {
    await client.query('begin isolation level repeatable read read only', [])
    const [found] = await client.arrays<CredentialColumns>(chunkTexts.credentials, [
      after,
      pastEveryId,
      deadSince,
      deadSince,
      max,
    ])
    const last = found?.[1] ?? ''
    const [owned] = await client.arrays<SecretColumns>(chunkTexts.secrets, [after, last, deadSince])
    await client.query('commit', [])
    if (found === undefined || owned === undefined) throw new Error('an aggregate answered no row')
    return { chunk: packChunk(found, owned), last: found[0] < max ? null : last }
  } catch (error) {
    await client.query('rollback', []).catch(() => {})
    throw error
  } finally {
    client.release()
  }
}
