import { closeSync, fdatasyncSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** One line of the revocation log: what ended (or came back) and at which place of the chain. */
export interface Ending {
  readonly sequence: number
  readonly at: number
  readonly credential?: string
  readonly account?: string
  readonly connection?: string
  readonly grant?: string
  readonly member?: string
  readonly user?: string
  readonly state:
    | 'active'
    | 'blocked'
    | 'revoked'
    | 'compromised'
    | 'suspended'
    | 'disabled'
    /** The secret before it is not to be used again; of a user: password, second factor or recovery code. */
    | 'rotated'
    | 'deleted'
    | 'withdrawn'
    | 'removed'
    | 'erased'
  /** End of a block, where it has one. */
  readonly until?: number
}

/** Kept beside the checkpoints, outside the database, so that an old backup revives nothing. */
export interface RevocationLog {
  /** Durable when it returns. What could not be written stays pending and goes first the next time. */
  append(endings: readonly Ending[]): void
  close(): void
}

const revocationsFile = (checkpointsFolder: string): string => join(checkpointsFolder, 'revocations.jsonl')

export function openRevocationLog(checkpointsFolder: string): RevocationLog {
  mkdirSync(checkpointsFolder, { recursive: true, mode: 0o700 })
  const file = openSync(revocationsFile(checkpointsFolder), 'a', 0o600)
  let pending = ''
  return {
    append: (endings) => {
      pending += endings.map((ending) => `${JSON.stringify(ending)}\n`).join('')
      if (pending === '') return
      while (pending !== '') {
        const written = writeSync(file, pending)
        pending = Buffer.from(pending).subarray(written).toString()
      }
      fdatasyncSync(file)
    },
    close: () => closeSync(file),
  }
}

/**
 * What was written since the log was last compared with a database that had lost some of it. A line cut short by a
 * crash was never answered; it is left out.
 */
export function readRevocations(checkpointsFolder: string): readonly Ending[] {
  let endings: Ending[] = []
  for (const line of readLines(revocationsFile(checkpointsFolder))) {
    const entry = parseLine(line)
    if (entry === null) continue
    if ('reappliedAt' in entry) endings = []
    else endings.push(entry)
  }
  return endings
}

interface Reapplied {
  readonly reappliedAt: number
}

/** From here on the log and the database agree again: what stands before is in force. */
export function markReapplied(checkpointsFolder: string, now: number): void {
  const file = openSync(revocationsFile(checkpointsFolder), 'a', 0o600)
  try {
    writeSync(file, `${JSON.stringify({ reappliedAt: now } satisfies Reapplied)}\n`)
    fdatasyncSync(file)
  } finally {
    closeSync(file)
  }
}

function parseLine(line: string): Ending | Reapplied | null {
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- lines of our own log
    return JSON.parse(line) as Ending | Reapplied
  } catch {
    return null
  }
}

function readLines(path: string): readonly string[] {
  try {
    return readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}
