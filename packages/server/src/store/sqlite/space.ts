import { closeSync, fsyncSync, openSync, statSync, statfsSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'

import type Database from 'better-sqlite3'

import { systemRandom } from '../../base/random.ts'
import { pageBytes } from './files.ts'

const ballastBytes = 16 * 1024 * 1024
/** Below this, logs, imports and issuing stop. */
const nearFullBytes = 8 * 1024 * 1024

export interface SpaceState {
  readonly freeBytes: number
  readonly ballast: 'whole' | 'released'
  /** Logs, imports and issuing stop. */
  readonly full: boolean
}

/** The room that is left, and the reserve that only an emergency may touch. */
export interface Space {
  /** Refills the ballast where room came back. */
  check(): SpaceState
  /** Gives the reserve up; false where it is already gone. */
  release(): boolean
}

/** A file of real bytes beside the database: what it holds is there to be had when nothing else is. */
export function createDiskSpace(folder: string): Space {
  const path = join(folder, 'ballast')
  let whole = sizeOf(path) === ballastBytes
  const free = () => {
    const { bavail, bsize } = statfsSync(folder)
    return bavail * bsize
  }
  const refill = () => {
    if (whole || free() < ballastBytes + nearFullBytes) return
    whole = writeBallast(path)
  }
  return {
    check: () => {
      refill()
      const freeBytes = free()
      return { freeBytes, ballast: whole ? 'whole' : 'released', full: !whole || freeBytes < nearFullBytes }
    },
    release: () => {
      if (!whole) return false
      whole = false
      unlinkSync(path)
      return true
    },
  }
}

function writeBallast(path: string): boolean {
  const file = openSync(path, 'w', 0o600)
  try {
    // Random, so that no file system makes it smaller than it is.
    const block = systemRandom.bytes(1024 * 1024)
    for (let written = 0; written < ballastBytes;) written += writeSync(file, block)
    fsyncSync(file)
    return true
  } catch {
    unlinkSync(path)
    return false
  } finally {
    closeSync(file)
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

/** The same rules under a limit of the database's own, of which the ballast is a part. */
export function createLimitedSpace(database: Database.Database, maxBytes: number): Space {
  let whole = true
  const limit = (bytes: number) => database.pragma(`max_page_count = ${Math.floor(bytes / pageBytes)}`)
  const free = () => {
    const used =
      Number(database.pragma('page_count', { simple: true })) -
      Number(database.pragma('freelist_count', { simple: true }))
    return maxBytes - used * pageBytes - (whole ? ballastBytes : 0)
  }
  limit(maxBytes - ballastBytes)
  return {
    check: () => {
      if (!whole && free() >= ballastBytes + nearFullBytes) {
        whole = true
        limit(maxBytes - ballastBytes)
      }
      const freeBytes = free()
      return { freeBytes, ballast: whole ? 'whole' : 'released', full: !whole || freeBytes < nearFullBytes }
    },
    release: () => {
      if (!whole) return false
      whole = false
      limit(maxBytes)
      return true
    },
  }
}
