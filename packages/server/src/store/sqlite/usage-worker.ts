import { workerData } from 'node:worker_threads'

import { StorageFull, type Retention } from '../../core/store.ts'
import type { RequestRow, UsageFlush } from '../../core/usage/usage.ts'
import { usageReads } from '../operations/index.ts'
import { flushCounts } from '../operations/usage-flush.ts'
import { pruneStep, rollUpStep } from '../operations/usage-rollup.ts'
import type { Db } from '../schema.ts'
import { backupTo } from './backup.ts'
import { checkpoint, walBytesMax } from './checkpoint.ts'
import { kyselyOver } from './dialect.ts'
import { openWriter, pageBytes, usageFile } from './files.ts'
import type { Call } from './messages.ts'
import { isFull } from './sqlite-errors.ts'
import { serveCalls } from './worker-end.ts'

/** What the usage worker is started with. */
export interface UsageData {
  readonly folder: string
  readonly maxBytes: number | null
  readonly nearFull: Int32Array
}

/** The flush as it crosses the threads: request rows as one text, which costs the sender least. */
export interface PackedFlush {
  readonly flush: Omit<UsageFlush, 'requests'>
  readonly requests: string
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- sent by `sqlite/store.ts`
const { folder, maxBytes, nearFull } = workerData as UsageData
const database = openWriter(usageFile(folder), 'NORMAL')
database.pragma('cache_size = -65536')
// Nothing secret is in it, and pruning deletes much.
database.pragma('secure_delete = OFF')
/**
 * A flush touches the same index pages as the one before: the longer they gather in the log, the fewer are written
 * into the file.
 */
const logBytesMax = 64 * 1024 * 1024
if (maxBytes !== null) database.pragma(`max_page_count = ${Math.floor(maxBytes / pageBytes)}`)
const db = kyselyOver(database)

const columns = [
  'id',
  'at',
  'api',
  'route',
  'method',
  'path',
  'status',
  'code',
  'outcome',
  'account',
  'project',
  'credential',
  'secret',
  'ip',
  'country',
  'userAgent',
  'latencyMs',
  'trace',
] as const satisfies readonly (keyof RequestRow)[]

const insertRequest = database.prepare(
  `insert into requests (${columns.join(', ').replace('userAgent', 'user_agent').replace('latencyMs', 'latency_ms')})
   values (${columns.map(() => '?').join(', ')}) on conflict (id) do nothing`,
)

serveCalls(async (calls, end) => {
  for (const call of calls) {
    try {
      if (call.name === 'backup') void backupTo(database, call, end)
      else end.answer(call.id, await serve(call))
    } catch (error) {
      end.reject(call.id, isFull(error) ? new StorageFull('the disk is full') : error)
    }
  }
})

async function serve({ name, input }: Call): Promise<unknown> {
  switch (name) {
    case 'flush':
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- sent by `sqlite/store.ts`
      return flush(input as PackedFlush)
    case 'maintain':
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- sent by `sqlite/store.ts`
      return maintainStep(input as { readonly now: number; readonly retention: Retention })
    case 'size':
      return Number(database.pragma('page_count', { simple: true })) * pageBytes
    case 'close':
      database.close()
      return null
    default: {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a pair of `Engine.readUsage`
      const read = usageReads[name as keyof typeof usageReads] as (db: Db, input: unknown) => Promise<unknown>
      return inTransaction('begin', () => read(db, input))
    }
  }
}

async function flush({ flush: counts, requests }: PackedFlush): Promise<void> {
  if (Atomics.load(nearFull, 0) === 1) throw new StorageFull('the disk is nearly full')
  await inTransaction('begin immediate', async () => {
    await flushCounts(db, counts)
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- packed by `sqlite/store.ts`
    for (const row of JSON.parse(requests) as RequestRow[]) {
      insertRequest.run(
        row.id,
        row.at,
        row.api,
        row.route,
        row.method,
        row.path,
        row.status,
        row.code,
        row.outcome,
        row.account,
        row.project,
        row.credential,
        row.secret,
        row.ip,
        row.country,
        row.userAgent,
        row.latencyMs,
        row.trace,
      )
    }
  })
  checkpoint(database, 'LARGE', Atomics.load(nearFull, 0) === 1 ? walBytesMax : logBytesMax)
}

/** One bounded step, so that flushes and queries come between. Answers whether there is more to do. */
async function maintainStep(input: { readonly now: number; readonly retention: Retention }): Promise<boolean> {
  const rolled = await inTransaction('begin immediate', () => rollUpStep(db, input))
  const pruned = !rolled && (await inTransaction('begin immediate', () => pruneStep(db, input)))
  checkpoint(database, 'LARGE', Atomics.load(nearFull, 0) === 1 ? walBytesMax : logBytesMax)
  return rolled || pruned
}

async function inTransaction<Value>(begin: string, work: () => Promise<Value>): Promise<Value> {
  database.exec(begin)
  try {
    const value = await work()
    database.exec('commit')
    return value
  } finally {
    if (database.inTransaction) database.exec('rollback')
  }
}
