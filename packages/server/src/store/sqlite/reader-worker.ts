import { workerData } from 'node:worker_threads'

import { buffersOf } from '../chunks.ts'
import { reads } from '../operations/index.ts'
import type { Db } from '../schema.ts'
import { createChunkReader, type ChunkInput } from './chunk-reader.ts'
import { kyselyOver } from './dialect.ts'
import { mainFile, openReader } from './files.ts'
import { serveCalls } from './worker-end.ts'

/** What the reader is started with. */
export interface ReaderData {
  readonly folder: string
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- sent by `sqlite/store.ts`
const { folder } = workerData as ReaderData
const database = openReader(mainFile(folder))
const db = kyselyOver(database)
const readChunk = createChunkReader(database)

serveCalls(async (calls, end) => {
  for (const { id, name, input } of calls) {
    try {
      if (name === 'close') {
        database.close()
        end.answer(id, null)
      } else if (name === 'records.chunk') {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- sent by `sqlite/store.ts`
        const packed = readChunk(input as ChunkInput)
        end.answer(id, packed, buffersOf(packed.chunk))
      } else {
        end.answer(id, await readTogether(name, input))
      }
    } catch (error) {
      end.reject(id, error)
    }
  }
})

/** All statements of a read see one state of the database. */
async function readTogether(name: string, input: unknown): Promise<unknown> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- name and input are a pair of `Engine.read`
  const read = reads[name as keyof typeof reads] as (db: Db, input: unknown) => Promise<unknown>
  database.exec('begin')
  try {
    return await read(db, input)
  } finally {
    if (database.inTransaction) database.exec('commit')
  }
}
