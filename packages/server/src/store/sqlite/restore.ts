import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { basename, join } from 'node:path'

import Database from 'better-sqlite3'

import type { Clock } from '../../base/clock.ts'
import { checkpointFile } from '../../core/audit/checkpoint-file.ts'
import { dropLent } from '../operations/lent.ts'
import { reapplyLostEndings } from '../rollback.ts'
import { fileDigest, type Manifest } from './backup-files.ts'
import { syncFile } from './backup.ts'
import { kyselyOver } from './dialect.ts'
import { mainFile, usageFile } from './files.ts'
import { acquireDataLock, type LockOwner } from './lock.ts'
import { openSqliteStore } from './store.ts'

export interface RestoreOptions {
  /** The folder that `backup` wrote. */
  readonly folder: string
  readonly dataFolder: string
  readonly checkpointsFolder: string
  readonly clock: Clock
  readonly onProgress?: (step: string) => void
}

export interface Restored {
  /** The head of the backup, before anything was applied. */
  readonly sequence: number
  /** Revocations, blocks and suspensions newer than the backup, now in force again. */
  readonly applied: number
}

/** Thrown where the backup must not replace what is there; nothing was changed. */
export class RestoreRefused extends Error {
  override readonly name = 'RestoreRefused'
}

/**
 * Replaces the data by a backup, while no server runs, and applies what was revoked since: an old backup revives
 * nothing, and tokens, sessions and open links of it are dropped. What it is made of is checked before anything of the present is touched. Should it be interrupted, the
 * next server that opens the folder applies the revocations before it serves.
 */
export async function restore(options: RestoreOptions): Promise<Restored> {
  const { folder, dataFolder, clock, onProgress = () => {} } = options
  const lock = acquireDataLock(dataFolder, { started: clock.now(), addresses: [] })
  if (!lock.ok) throw new RestoreRefused(`a server is running on this data folder${named(lock.error.owner)}`)
  try {
    onProgress('verify')
    const manifest = await verified(folder)
    onProgress('copy')
    setCheckpointsAside(options)
    await replaceFiles(folder, dataFolder)
    onProgress('revocations')
    const applied = await applyRevocations(options)
    return { sequence: manifest.head.sequence, applied }
  } finally {
    lock.value.release()
  }
}

const named = (owner: LockOwner | null): string => (owner === null ? '' : `: process ${owner.pid} on ${owner.host}`)

async function verified(folder: string): Promise<Manifest> {
  const manifest = readManifest(folder)
  for (const path of [mainFile(folder), usageFile(folder)]) {
    const name = basename(path)
    const expected = manifest.files[name]
    if (expected === undefined || (await fileDigest(path)).sha256 !== expected.sha256) {
      throw new RestoreRefused(`${name} is not the file that the manifest describes`)
    }
    const database = new Database(path, { readonly: true })
    const health = database.pragma('integrity_check', { simple: true })
    database.close()
    if (health !== 'ok') throw new RestoreRefused(`${name} is damaged: ${String(health)}`)
  }
  return manifest
}

function readManifest(folder: string): Manifest {
  let manifest: Partial<Manifest>
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what it lacks is found below
    manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as Partial<Manifest>
  } catch (cause) {
    throw new RestoreRefused('this folder holds no backup: its manifest.json cannot be read', { cause })
  }
  const { version, created_at, head, files } = manifest
  if (version !== 1 || created_at === undefined || head === undefined || files === undefined) {
    throw new RestoreRefused('the manifest is of a kind that this version does not know')
  }
  return { version, created_at, head, files }
}

/** By temporary name, so that the folder never holds half a file under its own name. */
async function replaceFiles(folder: string, dataFolder: string): Promise<void> {
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 })
  const paths = [
    [mainFile(folder), mainFile(dataFolder)],
    [usageFile(folder), usageFile(dataFolder)],
  ] as const
  for (const [from, to] of paths) {
    copyFileSync(from, `${to}.restoring`)
  }
  await dropLentFrom(`${mainFile(dataFolder)}.restoring`)
  for (const [, to] of paths) syncFile(`${to}.restoring`)
  for (const [, to] of paths) {
    // The log of the replaced file must never be played into the new one.
    for (const rest of [`${to}-wal`, `${to}-shm`]) rmSync(rest, { force: true })
    renameSync(`${to}.restoring`, to)
  }
  const directory = openSync(dataFolder, 'r')
  fsyncSync(directory)
  closeSync(directory)
}

/** Before the file is the server's: nobody who opens it finds a token or a session of before. */
async function dropLentFrom(path: string): Promise<void> {
  const database = new Database(path)
  try {
    const known = database.prepare("select 1 from sqlite_master where name = 'tokens'").get()
    // Backups of before there were tokens hold none.
    if (known === undefined) return
    database.exec('begin exclusive')
    await dropLent(kyselyOver(database))
    database.exec('commit')
  } finally {
    database.close()
  }
}

/**
 * The checkpoints of what is replaced prove nothing about what replaces it. They are kept under another name, for
 * whoever wants to compare.
 */
function setCheckpointsAside({ checkpointsFolder, clock }: RestoreOptions): void {
  const path = join(checkpointsFolder, checkpointFile)
  if (!existsSync(path)) return
  const time = new Date(clock.now()).toISOString().replaceAll(':', '-')
  renameSync(path, join(checkpointsFolder, `before-restore-${time}.jsonl`))
}

async function applyRevocations({ dataFolder, checkpointsFolder, clock }: RestoreOptions): Promise<number> {
  const store = await openSqliteStore({ dataFolder, checkpointsFolder, clock, maxBytes: null })
  try {
    return await reapplyLostEndings(store, checkpointsFolder, clock)
  } finally {
    await store.close()
  }
}
