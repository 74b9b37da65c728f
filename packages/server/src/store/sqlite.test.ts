import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, afterEach, beforeAll, describe } from 'vitest'

import { fixedClock } from '../base/clock.ts'
import type { Store } from '../core/store.ts'
import type { Opened } from './conformance-data.ts'
import { conformance } from './conformance.ts'
import { openStore } from './index.ts'

describe('the store on SQLite', () => {
  let root: string
  let opened: Store[] = []
  let count = 0
  const open = async (): Promise<Opened> => {
    const dataFolder = join(root, String(count++))
    const checkpointsFolder = join(dataFolder, 'checkpoints')
    const store = await openStore({ url: 'sqlite', dataFolder, checkpointsFolder, clock: fixedClock() })
    opened.push(store)
    return { store, checkpointsFolder }
  }
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'postern-sqlite-'))
  })
  afterEach(async () => {
    await Promise.all(opened.map((store) => store.close()))
    opened = []
    rmSync(root, { recursive: true, force: true })
  })
  afterAll(() => rmSync(root, { recursive: true, force: true }))

  conformance(open)
})
