import { closeSync, openSync, readFileSync } from 'node:fs'
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
  /** Digest of all texts so far. */
  fingerprint(): string
}

export function createFiles(folder: string, first: string): Files {
  const texts = [first]
  return {
    resolve: (path) => resolve(folder, path),
    read: (path) => {
      try {
        const text = readFileSync(resolve(folder, path), 'utf8')
        texts.push(text)
        return ok(text)
      } catch (cause) {
        return fail(`${resolve(folder, path)} cannot be read: ${reasonOf(cause)}`)
      }
    },
    fault: (path) => {
      try {
        closeSync(openSync(resolve(folder, path), 'r'))
        return null
      } catch (cause) {
        return `${resolve(folder, path)} cannot be read: ${reasonOf(cause)}`
      }
    },
    fingerprint: () => sha256Hex(texts.map(sha256Hex).join()),
  }
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
