import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'

import Database from 'better-sqlite3'

import { mainFile, usageFile } from './files.ts'
import type { WorkerClient } from './worker-client.ts'

export interface Manifest {
  readonly version: 1
  readonly created_at: string
  readonly head: { readonly sequence: number; readonly hash: string }
  readonly files: Readonly<Record<string, { readonly bytes: number; readonly sha256: string }>>
}

interface Progress {
  readonly done: number
  readonly total: number
}

/** Copies both files while serving, into a new folder. Key files are never in it. */
export async function* backupFiles(
  workers: { readonly writer: WorkerClient; readonly usage: WorkerClient },
  folder: string,
): AsyncGenerator<Progress> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  if ((await readdir(folder)).length > 0) throw new Error('the backup folder is not empty')
  const pages = { main: { done: 0, total: 0 }, usage: { done: 0, total: 0 } }
  yield* copying(workers.usage, usageFile(folder), pages, 'usage')
  yield* copying(workers.writer, mainFile(folder), pages, 'main')
  await writeManifest(folder)
}

async function* copying(
  worker: WorkerClient,
  path: string,
  pages: Record<'main' | 'usage', Progress>,
  file: 'main' | 'usage',
): AsyncGenerator<Progress> {
  const state = { ended: false, wake: nobody }
  const copy = worker.call('backup', path, (progress) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- sent by `backupTo`
    pages[file] = progress as Progress
    state.wake()
  })
  const end = copy.finally(() => {
    state.ended = true
    state.wake()
  })
  // The caller sees the failure below, when it awaits the same promise.
  end.catch(() => {})
  while (!state.ended) {
    await new Promise<void>((resolve) => (state.wake = resolve))
    yield { done: pages.main.done + pages.usage.done, total: pages.main.total + pages.usage.total }
  }
  await end
  pages[file] = { done: pages[file].total, total: pages[file].total }
  yield { done: pages.main.done + pages.usage.done, total: pages.main.total + pages.usage.total }
}

const nobody = (): void => {}

async function writeManifest(folder: string): Promise<void> {
  const copy = new Database(mainFile(folder), { readonly: true })
  const head = copy.prepare<[], Manifest['head']>('select sequence, hash from event_head').get()
  copy.close()
  if (head === undefined) throw new Error('the copy has no head')
  const manifest: Manifest = {
    version: 1,
    created_at: new Date().toISOString(),
    head,
    files: {
      'postern.db': await fileDigest(mainFile(folder)),
      'usage.db': await fileDigest(usageFile(folder)),
    },
  }
  const path = join(folder, 'manifest.json')
  await writeFile(path, `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600 })
  const file = await open(path)
  await file.sync()
  await file.close()
}

/** Read as a stream, so that a large file neither fills memory nor holds the thread. */
export async function fileDigest(path: string): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const digest = createHash('sha256')
  let bytes = 0
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), async (source: AsyncIterable<Buffer>) => {
    for await (const part of source) {
      bytes += part.length
      digest.update(part)
    }
  })
  return { bytes, sha256: digest.digest('hex') }
}
