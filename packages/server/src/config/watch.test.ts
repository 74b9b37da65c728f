import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { type FixedClock, fixedClock } from '../base/clock.ts'
import type { Config } from './config.ts'
import { type ConfigError, formatConfigError } from './issue.ts'
import { loadConfig } from './load.ts'
import { watchConfig } from './watch.ts'

const text = (brand: string) => `version: 1\nbrand: ${brand}\n`

let folder: string
let path: string
let clock: FixedClock
let current: Config
let heard: string[]
let watcher: { stop(): void }

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'postern-watch-'))
  path = join(folder, 'postern.yaml')
  writeFileSync(path, text('acme'))
  const first = loadConfig({ path, env: {} })
  if (!first.ok) throw new Error('not valid')
  clock = fixedClock()
  current = first.value
  heard = []
  watcher = watchConfig({
    path,
    env: {},
    clock,
    current: () => current,
    onConfig: (next) => {
      current = next
      heard.push(next.declaration.brand)
    },
    onErrors: (errors: readonly ConfigError[]) => heard.push(...errors.map(formatConfigError)),
  })
})
afterEach(() => {
  watcher.stop()
  rmSync(folder, { recursive: true })
})

/** Lets time pass until something is heard; the operating system tells of changes when it likes. */
const hear = (count: number) =>
  vi.waitFor(() => {
    clock.advance(200)
    expect(heard).toHaveLength(count)
  })

describe('a watched configuration', () => {
  it('is read again when its file changes, or is replaced', async () => {
    writeFileSync(path, text('second'))
    await hear(1)
    writeFileSync(`${path}.new`, text('third'))
    renameSync(`${path}.new`, path)
    await hear(2)
    expect(heard).toEqual(['second', 'third'])
  })

  it('stays in force while the file is not valid, and says so once', async () => {
    writeFileSync(path, 'version: 1\nbrand: X\n')
    await hear(1)
    writeFileSync(join(folder, 'unrelated'), '')
    writeFileSync(path, text('good'))
    await hear(2)
    expect(heard).toEqual([expect.stringContaining('postern.yaml:2:8 brand: must be'), 'good'])
  })

  it('is read at once on SIGHUP, even where nothing changed', () => {
    process.emit('SIGHUP')
    expect(heard).toEqual(['acme'])
  })

  it('is not heard of after stop', () => {
    watcher.stop()
    writeFileSync(path, text('late'))
    process.emit('SIGHUP')
    clock.advance(10_000)
    expect(heard).toEqual([])
  })
})
