import { mkdirSync } from 'node:fs'

import type { Clock } from '../../base/clock.ts'
import type { RecordChunk } from '../../core/records/record.ts'
import type { Store } from '../../core/store.ts'
import type { Packed } from '../chunks.ts'
import { credentialsPerChunk } from '../chunks.ts'
import { storeOf, type Engine } from '../engine.ts'
import { backupFiles } from './backup-files.ts'
import { migrateFiles } from './files.ts'
import type { ChunkInput, ReaderData } from './reader-worker.ts'
import type { SpaceState } from './space.ts'
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
  return storeOf(engineOf(workers))
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

function engineOf({ writer, reader, usage }: Workers): Engine {
  return {
    kind: 'sqlite',
    write: (name, input) => send(writer, name, input),
    chore: (name, input) => send(writer, name, input),
    read: (name, input) => send(reader, name, input),
    readUsage: (name, input) => send(usage, name, input),
    flush: async ({ requests, ...flush }) => {
      await usage.call('flush', { flush, requests: JSON.stringify(requests) } satisfies PackedFlush)
    },
    maintain: async (input) => {
      while ((await usage.call('maintain', input)) === true);
    },
    chunks: (input) => readChunks(reader, input),
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

async function* readChunks(
  reader: WorkerClient,
  { deadSince, max }: { readonly deadSince: number; readonly max: number },
): AsyncGenerator<RecordChunk> {
  let left = max
  let after: string | null = ''
  let ahead: Promise<Packed> | null = null
  const ask = (from: string, room: number): Promise<Packed> => {
    const input: ChunkInput = { after: from, deadSince, max: Math.min(room, credentialsPerChunk) }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the answer of `records.chunk`
    return reader.call('records.chunk', input) as Promise<Packed>
  }
  while (after !== null && left > 0) {
    const packed: Packed = await (ahead ?? ask(after, left))
    const { chunk, last } = packed
    left -= chunk.credentialCount
    after = last
    // The worker packs the next chunk while the caller takes in this one.
    ahead = last !== null && left > 0 ? ask(last, left) : null
    if (chunk.credentialCount > 0) yield chunk
  }
}
