import type Database from 'better-sqlite3'

import { chunkStatements, packChunk, type CredentialColumns, type Packed, type SecretColumns } from '../chunks.ts'

export interface ChunkInput {
  readonly after: string
  /** The last id that may be in it. */
  readonly upTo: string
  readonly deadSince: number
  readonly max: number
}

/** Two sweeps over primary keys, in one state of the database. */
export function createChunkReader(database: Database.Database): (input: ChunkInput) => Packed {
  const texts = chunkStatements('sqlite')
  const credentials = database.prepare<unknown[], CredentialColumns>(texts.credentials).raw()
  const secrets = database.prepare<unknown[], SecretColumns>(texts.secrets).raw()
  return database.transaction(({ after, upTo, deadSince, max }: ChunkInput): Packed => {
    const found = credentials.get(after, upTo, deadSince, deadSince, max)
    const last = found?.[1] ?? ''
    const owned = secrets.get(after, last, deadSince)
    if (found === undefined || owned === undefined) throw new Error('an aggregate answered no row')
    return { chunk: packChunk(found, owned), last: found[0] < max ? null : last }
  })
}
