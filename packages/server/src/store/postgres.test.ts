import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, inject } from 'vitest'

import { fixedClock } from '../base/clock.ts'
import type { Store } from '../core/store.ts'
import { conformance, type Opened } from './conformance.ts'
import { openStore } from './index.ts'

describe('the store on PostgreSQL', () => {
  let root: string
  let opened: Store[] = []
  const open = async (): Promise<Opened> => {
    const checkpointsFolder = mkdtempSync(join(root, 'checkpoints-'))
    const url = await aDatabase()
    const store = await openStore({ url, dataFolder: root, checkpointsFolder, clock: fixedClock() })
    opened.push(store)
    return { store, checkpointsFolder }
  }
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'postern-postgres-'))
  })
  afterEach(async () => {
    await Promise.all(opened.map((store) => store.close()))
    opened = []
  })
  afterAll(() => rmSync(root, { recursive: true, force: true }))

  conformance(open)
})

/** A new, empty database; answers its address. */
export async function aDatabase(): Promise<string> {
  const url = inject('postgresUrl')
  const name = `test_${randomBytes(6).toString('hex')}`
  const client = new pg.Client(url)
  await client.connect()
  await client.query(`create database ${name}`)
  await client.end()
  return url.replace(/\/[^/]*$/, `/${name}`)
}
