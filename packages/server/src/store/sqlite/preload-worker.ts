import { workerData } from 'node:worker_threads'

import { buffersOf } from '../chunks.ts'
import { createChunkReader, type ChunkInput } from './chunk-reader.ts'
import { mainFile, openReader } from './files.ts'
import type { ReaderData } from './reader-worker.ts'
import { serveCalls } from './worker-end.ts'

// A second reader while the records are loaded. It imports little, because it lives for seconds.

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- sent by `sqlite/store.ts`
const { folder } = workerData as ReaderData
const database = openReader(mainFile(folder))
const readChunk = createChunkReader(database)

serveCalls(async (calls, end) => {
  for (const { id, name, input } of calls) {
    try {
      if (name === 'close') {
        database.close()
        end.answer(id, null)
      } else {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- sent by `sqlite/store.ts`
        const packed = readChunk(input as ChunkInput)
        end.answer(id, packed, buffersOf(packed.chunk))
      }
    } catch (error) {
      end.reject(id, error)
    }
  }
})
