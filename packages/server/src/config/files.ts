import { closeSync, openSync, readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'

import { sha256Hex } from '../base/digest.ts'
import { type Result, fail, ok } from '../base/result.ts'

/** Reads the files of one load, relative to the folder of postern.yaml, and remembers what was read. */
export interface Files {
  resolve(path: string): string
  /** The error is a sentence. */
  read(path: string): Result<string, string>
  /** Null where there is a file that this process may read; otherwise a sentence. */
  fault(path: string): string | null
  /** The same for a private key: a file that everyone on the machine may read is refused. */
  readPrivate(path: string): Result<string, string>
  /** Digest of all texts so far. */
  fingerprint(): string
  /** Absolute paths of what was read so far, or could not be. */
  paths(): readonly string[]
}

export function createFiles(folder: string, first: string): Files {
  const texts = [first]
  const paths = new Set<string>()
  const read = (path: string, isPrivate: boolean): Result<string, string> => {
    const full = resolve(folder, path)
    paths.add(full)
    try {
      if (isPrivate && isOpenToAll(full)) {
        return fail(`${full} can be read by every user of this machine; chmod 600 it, or 640`)
      }
      const text = readFileSync(full, 'utf8')
      texts.push(text)
      return ok(text)
    } catch (cause) {
      return fail(`${full} cannot be read: ${reasonOf(cause)}`)
    }
  }
  return {
    resolve: (path) => resolve(folder, path),
    read: (path) => read(path, false),
    readPrivate: (path) => read(path, true),
    fault: (path) => {
      try {
        closeSync(openSync(resolve(folder, path), 'r'))
        return null
      } catch (cause) {
        return `${resolve(folder, path)} cannot be read: ${reasonOf(cause)}`
      }
    },
    fingerprint: () => sha256Hex(texts.map(sha256Hex).join()),
    paths: () => [...paths],
  }
}

/** A group may read it: that is how certificate tools hand a key to a service. */
function isOpenToAll(path: string): boolean {
  return (statSync(path).mode & 0o004) !== 0
}

export function reasonOf(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : null
  switch (code) {
    case 'ENOENT':
      return 'there is no such file'
    case 'EACCES':
      return 'this process may not read it'
    case 'EISDIR':
      return 'it is a folder'
    default:
      return cause instanceof Error ? cause.message : 'unknown reason'
  }
}
