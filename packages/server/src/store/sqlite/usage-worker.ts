import { workerData } from 'node:worker_threads'

import { StorageFull, type Retention } from '../../core/store.ts'
import type { RequestBlock } from '../../core/usage/request-blocks.ts'
import { usageReads } from '../operations/index.ts'
import { flushCounts } from '../operations/usage-flush.ts'
import { pruneStep, rollUpStep } from '../operations/usage-rollup.ts'
import type { Db } from '../schema.ts'
import { backupTo } from './backup.ts'
import { checkpoint, walBytesMax } from './checkpoint.ts'
import { kyselyOver } from './dialect.ts'
import { openWriter, pageBytes, usageFile } from './files.ts'
import type { Call } from './messages.ts'
import { createRequestLog } from './request-log.ts'
import { isFull } from './sqlite-errors.ts'
import { createUsageJournal } from './usage-journal.ts'
import { serveCalls } from './worker-end.ts'

/** What the usage worker is started with. */
export interface UsageData {
  readonly folder: string
  readonly maxBytes: number | null
  readonly nearFull: Int32Array
}

/** The flush as it crosses the threads. */
export interface PackedFlush {
  /** JSON of `Counts`. */
  readonly counts: string
  readonly blocks: readonly RequestBlock[]
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

const journal = createUsageJournal(database)
const log = createRequestLog(database)

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
      await settle(addJournal, log.index)
      database.close()
      return null
    default: {
      await settle(addJournal, log.index)
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a pair of `Engine.readUsage`
      const read = usageReads[name as keyof typeof usageReads] as (db: Db, input: unknown) => Promise<unknown>
      return inTransaction('begin', () => read(db, input))
    }
  }
}

async function flush({ counts, blocks }: PackedFlush): Promise<void> {
  if (Atomics.load(nearFull, 0) === 1) throw new StorageFull('the disk is nearly full')
  const stored = await inTransaction('begin immediate', async () => {
    journal.append(counts)
    return log.append(blocks)
  })
  journal.keep(counts)
  log.gather(stored)
  if (journal.due) await settle(addJournal)
  if (log.due) await settle(log.index)
  checkpoint(database, 'LARGE', Atomics.load(nearFull, 0) === 1 ? walBytesMax : logBytesMax)
}

async function addJournal(): Promise<void> {
  if (journal.empty) return
  await inTransaction('begin immediate', async () => {
    for (const counts of journal.take()) await flushCounts(db, counts)
  })
  journal.taken()
}

/** What was stored already is put where questions look. On a full disk it waits, and nothing else fails for it. */
async function settle(...steps: readonly (() => void | Promise<void>)[]): Promise<void> {
  try {
    for (const step of steps) await step()
  } catch (error) {
    if (!isFull(error)) throw error
  }
}

/** One bounded step, so that flushes and queries come between. Answers whether there is more to do. */
async function maintainStep(input: { readonly now: number; readonly retention: Retention }): Promise<boolean> {
  await settle(addJournal, log.index)
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
