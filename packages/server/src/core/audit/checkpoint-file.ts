import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'

import { parseCheckpoints, signCheckpoint, type Checkpoint } from './checkpoint.ts'
import type { SigningKey } from './signing.ts'

/** Name of the checkpoint file in the folder beside the database. */
export const checkpointFile = 'audit.jsonl'

/** Appends signed heads to the checkpoint file; a head that is already there is not written twice. */
export class CheckpointWriter {
  readonly #path: string
  readonly #key: SigningKey
  readonly #node: string
  #last: { readonly sequence: number; readonly at: number } | null = null

  constructor(folder: string, key: SigningKey, node: string) {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    this.#path = join(folder, checkpointFile)
    this.#key = key
    this.#node = node
  }

  get last(): { readonly sequence: number; readonly at: number } | null {
    return this.#last
  }

  /** Durable when it returns. */
  write(head: { readonly sequence: number; readonly hash: string }, now: number): void {
    if (head.sequence === 0 || head.sequence === this.#last?.sequence) return
    const checkpoint = signCheckpoint({ ...head, at: now, node: this.#node }, this.#key)
    const file = openSync(this.#path, 'a', 0o600)
    try {
      writeSync(file, `${JSON.stringify(checkpoint)}\n`)
      fdatasyncSync(file)
    } finally {
      closeSync(file)
    }
    this.#last = { sequence: head.sequence, at: now }
  }
}

/** The checkpoints of a folder, none where there is no file yet. */
export function readCheckpoints(folder: string): readonly (Checkpoint | { readonly malformedLine: number })[] {
  const path = join(folder, checkpointFile)
  return existsSync(path) ? parseCheckpoints(readFileSync(path, 'utf8')) : []
}

/** Several times the longest line. */
const tailBytes = 8 * 1024

/** The newest checkpoint, without reading all of the file; null where there is none. */
export function newestCheckpoint(folder: string): Checkpoint | null {
  const path = join(folder, checkpointFile)
  if (!existsSync(path)) return null
  const file = openSync(path, 'r')
  try {
    const { size } = fstatSync(file)
    const tail = Buffer.alloc(Math.min(size, tailBytes))
    readSync(file, tail, 0, tail.length, size - tail.length)
    const checkpoints = parseCheckpoints(tail.toString()).flatMap((each) => ('sequence' in each ? [each] : []))
    return checkpoints.at(-1) ?? null
  } finally {
    closeSync(file)
  }
}
