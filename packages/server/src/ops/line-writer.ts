import { closeSync, openSync, write } from 'node:fs'

import type { Clock } from '../base/clock.ts'

/**
 * Appends lines to a file or to standard output: what came in one turn of the event loop is one write, and nobody
 * waits for it. Where the other end does not take them any more, lines are dropped and counted.
 */
export interface LineWriter {
  /** The line ends with its line break. */
  write(line: string): void
  readonly dropped: number
  /** Writes what is held, for as long as the other end takes it, and closes the file. */
  close(): Promise<void>
}

export interface LineWriterParts {
  /** Absolute path; null: standard output. */
  readonly file: string | null
  readonly clock: Clock
  /** Told once, until a write succeeds again. */
  readonly onFault: (error: unknown) => void
  /** Characters that may wait. */
  readonly heldMax?: number
}

const heldMaxDefault = 8 * 1024 * 1024
const retryMs = 100
/** A reader that has stopped reading does not keep the server from stopping. */
const closeMs = 2_000
const stdout = 1

/** Throws where the file cannot be opened. */
export function createLineWriter({ file, clock, onFault, heldMax = heldMaxDefault }: LineWriterParts): LineWriter {
  const fd = file === null ? stdout : openSync(file, 'a', 0o600)
  const ended = Promise.withResolvers<void>()
  let held = ''
  let scheduled = false
  let writing = false
  let dropped = 0
  let faulty = false
  let closing = false

  const flush = (): void => {
    scheduled = false
    if (writing) return
    if (held !== '') {
      writing = true
      const bytes = Buffer.from(held)
      held = ''
      send(bytes)
    } else if (closing) end()
  }
  const send = (bytes: Buffer): void => {
    write(fd, bytes, (error, count) => {
      if (error !== null) return failed(error, bytes)
      faulty = false
      if (count < bytes.length) return send(bytes.subarray(count))
      writing = false
      flush()
    })
  }
  const failed = (error: NodeJS.ErrnoException, bytes: Buffer): void => {
    // A pipe whose reader is slow; anything else is for people to look at.
    if (!faulty && error.code !== 'EAGAIN') onFault(error)
    faulty = true
    if (closing) return end()
    clock.after(retryMs, () => send(bytes))
  }
  const end = (): void => {
    if (fd !== stdout) closeSync(fd)
    ended.resolve()
  }
  return {
    write: (line) => {
      if (closing || held.length + line.length > heldMax) {
        dropped++
        return
      }
      held += line
      if (scheduled) return
      scheduled = true
      setImmediate(flush)
    },
    get dropped() {
      return dropped
    },
    close: async () => {
      if (closing) return await ended.promise
      closing = true
      const given = clock.after(closeMs, () => ended.resolve())
      flush()
      await ended.promise
      given.stop()
    },
  }
}
