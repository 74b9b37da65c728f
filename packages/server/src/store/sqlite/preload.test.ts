import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { fixedClock } from '../../base/clock.ts'
import { createIds } from '../../base/ids.ts'
import { systemRandom } from '../../base/random.ts'
import { wordsOf } from '../../core/records/digest-words.ts'
import { RecordTable } from '../../core/records/table.ts'
import type { Store } from '../../core/store.ts'
import { credentialsPerChunk } from '../chunks.ts'
import { openStore } from '../index.ts'
import { mainFile } from './files.ts'

/** More than one reader takes alone. */
const credentials = 127_000
const ids = createIds(fixedClock(), systemRandom)

interface Stored {
  readonly id: string
  readonly expiresAt: number | null
  readonly digests: readonly Uint8Array[]
}

describe('more records than one chunk holds', () => {
  let folder: string
  let store: Store
  let stored: readonly Stored[]

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'postern-preload-'))
    const open = () =>
      openStore({
        url: 'sqlite',
        dataFolder: folder,
        checkpointsFolder: join(folder, 'checkpoints'),
        clock: fixedClock(),
      })
    await (await open()).close()
    stored = fill(mainFile(folder))
    store = await open()
  })
  afterAll(async () => {
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it('are all loaded, each with its own secrets', async () => {
    const table = new RecordTable()
    for await (const chunk of store.records.chunks({ deadSince: 0, max: 1_000_000 })) table.addChunk(chunk)
    expect([table.size, table.secretCount]).toEqual([credentials, stored.flatMap(({ digests }) => digests).length])
    const words = new Int32Array(8)
    const wrong = stored.filter(({ id, expiresAt, digests }) => {
      const row = table.findCredential(id)
      const owned = digests.every((digest) => {
        wordsOf(digest, words)
        return table.owner(table.findSecret(words)) === row
      })
      return row === -1 || !owned || !Object.is(table.expiresAt(row), expiresAt ?? Number.NaN)
    })
    expect(wrong).toEqual([])
  })

  it('are never more than the maximum', async () => {
    for (const max of [credentialsPerChunk, credentialsPerChunk + 1, credentials - 1]) {
      const table = new RecordTable()
      for await (const chunk of store.records.chunks({ deadSince: 0, max })) table.addChunk(chunk)
      expect(table.size).toBeGreaterThanOrEqual(credentialsPerChunk)
      expect(table.size).toBeLessThanOrEqual(max)
    }
  })
})

/** Every hundredth has two secrets more, every tenth expires. */
function fill(path: string): readonly Stored[] {
  const database = new Database(path)
  const insertCredential = database.prepare(
    `insert into credentials values (?, ?, 'key', 'secret', 'acc_1', 'prj_1', '["shop"]', 'key', '[]', null, '[]', null,
       '[]', null, ?, 'active', null, null, null, 0, null, 0, '{}', 'test', 5, 1, null, null)`,
  )
  const insertSecret = database.prepare(
    `insert into secrets (credential, id, digest, algorithm, origin, created_at)
       values (?, ?, ?, 'sha256', 'first', 5)`,
  )
  const all = Array.from({ length: credentials }, (_, number): Stored => ({
    id: `cred_${ids.credential()}`,
    expiresAt: number % 10 === 0 ? 1_000 + number : null,
    digests: Array.from({ length: number % 100 === 0 ? 3 : 1 }, () => randomBytes(32)),
  }))
  database.transaction(() => {
    for (const { id, expiresAt, digests } of all) {
      insertCredential.run(id, id.slice(5), expiresAt)
      for (const digest of digests) insertSecret.run(id, ids.next('sec'), digest)
    }
  })()
  database.close()
  return all
}
