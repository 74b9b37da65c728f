import { mkdirSync } from 'node:fs'

import type { Clock } from '../../base/clock.ts'
import type { RecordChunk } from '../../core/records/record.ts'
import type { Store } from '../../core/store.ts'
import { credentialsPerChunk, pastEveryId, type Packed } from '../chunks.ts'
import { storeOf, type Engine } from '../engine.ts'
import { backupFiles } from './backup-files.ts'
import type { ChunkInput } from './chunk-reader.ts'
import { merged } from './merged.ts'
import { migrateFiles } from './migrate-files.ts'
import type { ReaderData } from './reader-worker.ts'
import type { SpaceState } from './space.ts'
import type { Counts } from './usage-journal.ts'
import type { PackedFlush, UsageData } from './usage-worker.ts'
import { startWorker, type WorkerClient } from './worker-client.ts'
import type { WriterData } from './writer-worker.ts'

export interface SqliteOptions {
  readonly dataFolder: string
  readonly checkpointsFolder: string
  readonly clock: Clock
  /** A limit of each file, for tests; null: the disk's own. */
  readonly maxBytes: number | null
}

/** Three workers on two files: a writer with group commit, a reader, and one for usage and the request log. */
export async function openSqliteStore({
  dataFolder,
  checkpointsFolder,
  clock,
  maxBytes,
}: SqliteOptions): Promise<Store> {
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 })
  await migrateFiles(dataFolder, clock.now())
  const nearFull = new Int32Array(new SharedArrayBuffer(4))
  const writer = startWorker('writer-worker', {
    folder: dataFolder,
    checkpointsFolder,
    maxBytes,
    nearFull,
  } satisfies WriterData)
  const reader = startWorker('reader-worker', { folder: dataFolder } satisfies ReaderData)
  const usage = startWorker('usage-worker', { folder: dataFolder, maxBytes, nearFull } satisfies UsageData)
  const workers = { writer, reader, usage }
  return storeOf(engineOf(workers, dataFolder))
}

interface Workers {
  readonly writer: WorkerClient
  readonly reader: WorkerClient
  readonly usage: WorkerClient
}

/** Names, inputs and answers are pairs by the types of `Engine`; what crosses the threads has lost them. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- as above
function send<Answer>(worker: WorkerClient, name: string, input: unknown): Promise<Answer> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
  return worker.call(name, input) as Promise<Answer>
}

function engineOf({ writer, reader, usage }: Workers, folder: string): Engine {
  return {
    kind: 'sqlite',
    write: (name, input) => send(writer, name, input),
    chore: (name, input) => send(writer, name, input),
    read: (name, input) => send(reader, name, input),
    readUsage: (name, input) => send(usage, name, input),
    flush: async ({ requests, ...counts }) => {
      const flush = { counts: JSON.stringify(counts satisfies Counts), blocks: requests }
      await usage.call('flush', flush satisfies PackedFlush)
    },
    maintain: async (input) => {
      while ((await usage.call('maintain', input)) === true);
    },
    chunks: (input) => readAll(reader, folder, input),
    backup: (input) => backupFiles({ writer, usage }, input.folder),
    space: async () => {
      const state = await send<SpaceState & { readonly databaseBytes: number }>(writer, 'space', undefined)
      return { ...state, databaseBytes: state.databaseBytes + (await send<number>(usage, 'size', undefined)) }
    },
    // One process owns the file: nobody else commits.
    listen: () => {},
    close: async () => {
      await usage.close()
      await reader.close()
      await writer.close()
    },
  }
}

/** So many a single reader packs in about a third of a second; a second one would cost more memory than time. */
const aloneMax = 120_000

/**
 * Packing costs more than taking in: beyond `aloneMax` the rest is read in two halves of the ids, which are random, on
 * two cores. The helper goes when it is done.
 */
async function* readAll(
  reader: WorkerClient,
  folder: string,
  { deadSince, max }: { readonly deadSince: number; readonly max: number },
): AsyncGenerator<RecordChunk> {
  const all = { after: '', upTo: pastEveryId, deadSince }
  const first = Math.min(max, aloneMax)
  const alone = { left: first }
  const last = yield* readChunks(reader, all, alone)
  const budget = { left: max - first + alone.left }
  if (last === null || budget.left <= 0) return
  const helper = startWorker('preload-worker', { folder } satisfies ReaderData)
  try {
    const middle = last > middleId ? last : middleId
    yield* merged(
      readChunks(reader, { ...all, after: last, upTo: middle }, budget),
      readChunks(helper, { ...all, after: middle }, budget),
    )
  } finally {
    await helper.close()
  }
}

/** Half of the base62 digits stand before `V`. */
const middleId = 'cred_V'

/**
 * `budget` is how many more credentials may be taken, by all who read; a chunk that does not fit is left out. Answers
 * the last id where it ended for want of room, null where no more are there.
 */
async function* readChunks(
  worker: WorkerClient,
  range: Omit<ChunkInput, 'max'>,
  budget: { left: number },
): AsyncGenerator<RecordChunk, string | null> {
  let after = range.after
  let ahead: Promise<Packed> | null = null
  const ask = () => askChunk(worker, { ...range, after, max: Math.min(budget.left, credentialsPerChunk) })
  while (budget.left > 0) {
    const { chunk, last }: Packed = await (ahead ?? ask())
    if (chunk.credentialCount > budget.left) return after
    budget.left -= chunk.credentialCount
    if (last !== null) after = last
    // The worker packs the next chunk while the caller takes in this one.
    ahead = last !== null && budget.left > 0 ? ask() : null
    if (chunk.credentialCount > 0) yield chunk
    if (last === null) return null
  }
  return after
}

function askChunk(worker: WorkerClient, input: ChunkInput): Promise<Packed> {
  return send<Packed>(worker, 'records.chunk', input)
}
