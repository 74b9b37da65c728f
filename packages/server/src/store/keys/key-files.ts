import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'

import type { Random } from '../../base/random.ts'

/** Keys in files: outside the database and its backups, mode 0600, one secret each. */
export interface KeyFiles {
  /** The bytes of a key; made where it is not there, durable when this returns. `make` is asked at most once. */
  ensure(name: string, make: () => Uint8Array): Uint8Array
  /** Null: there is no such key (any more). */
  read(name: string): Uint8Array | null
  remove(name: string): void
  list(folder: 'windows' | 'standing'): readonly string[]
}

/**
 * Keys are made by temporary file, fsync and `link()`, so that of two that make the same key at once one wins and the
 * other reads the winner's, and no reader ever sees half a key. Throws where a key is readable by others.
 */
export function openKeyFiles(folder: string, random: Random): KeyFiles {
  for (const path of [folder, join(folder, 'windows'), join(folder, 'standing')]) {
    mkdirSync(path, { recursive: true, mode: 0o700 })
  }
  const list: KeyFiles['list'] = (kind) =>
    readdirSync(join(folder, kind))
      .filter((name) => name.endsWith('.key'))
      .map((name) => `${kind}/${name.slice(0, -'.key'.length)}`)
      .toSorted()
  const pathOf = (name: string) => {
    if (!/^(windows|standing)\/[a-z0-9-]+$/.test(name)) throw new Error('not the name of a key')
    return join(folder, `${name}.key`)
  }
  const read = (name: string) => readKey(pathOf(name))
  for (const name of [...list('windows'), ...list('standing')]) read(name)
  return {
    list,
    read,
    ensure: (name, make) => read(name) ?? makeKey(pathOf(name), make(), random),
    remove: (name) => {
      // Another node that shares the folder may have done it.
      rmSync(pathOf(name), { force: true })
      syncFolder(join(pathOf(name), '..'))
    },
  }
}

function readKey(path: string): Uint8Array | null {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return null
  if ((stat.mode & 0o077) !== 0) {
    throw new Error(`${path} is readable by group or others: set its mode to 0600, or replace what it protects`)
  }
  return readFileSync(path)
}

function makeKey(path: string, bytes: Uint8Array, random: Random): Uint8Array {
  const temporary = `${path}.${Buffer.from(random.bytes(8)).toString('hex')}.new`
  const file = openSync(temporary, 'wx', 0o600)
  try {
    writeFileSync(file, bytes)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  try {
    linkSync(temporary, path)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  } finally {
    unlinkSync(temporary)
  }
  syncFolder(join(path, '..'))
  const winner = readKey(path)
  if (winner === null) throw new Error(`${path} vanished while it was made`)
  return winner
}

function syncFolder(path: string): void {
  const file = openSync(path, 'r')
  fsyncSync(file)
  closeSync(file)
}
