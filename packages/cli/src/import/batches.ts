import type { wire } from '@postern/contract'

import type { NumberedLine } from './file.ts'

export interface Batch {
  readonly numbers: readonly number[]
  readonly credentials: readonly wire.ImportedCredential[]
}

export interface RefusedLine {
  readonly number: number
  readonly reason: string
}

/** What one call may hold. */
const batchMax = 1_000
const batchBytesMax = 3_000_000

/** Groups good lines for calls; `onRefused` hears of the others, and of a digest that the file has twice. */
export async function* inBatches(
  lines: AsyncIterable<NumberedLine>,
  onRefused: (line: RefusedLine) => void,
): AsyncGenerator<Batch> {
  const seen = new Map<string, number>()
  let numbers: number[] = []
  let credentials: wire.ImportedCredential[] = []
  let bytes = 0
  for await (const { number, read } of lines) {
    if (!read.ok) {
      onRefused({ number, reason: read.reason })
      continue
    }
    const digest = canonical(read.credential.digest)
    const before = seen.get(digest)
    if (before !== undefined) {
      onRefused({ number, reason: `has the same digest as line ${before}` })
      continue
    }
    seen.set(digest, number)
    const size = Buffer.byteLength(JSON.stringify(read.credential)) + 1
    if (credentials.length === batchMax || bytes + size > batchBytesMax) {
      yield { numbers, credentials }
      ;[numbers, credentials, bytes] = [[], [], 0]
    }
    numbers.push(number)
    credentials.push(read.credential)
    bytes += size
  }
  if (credentials.length > 0) yield { numbers, credentials }
}

/** Hex and both kinds of base64 of one digest are the same digest. */
function canonical(digest: string): string {
  return digest.length === 64
    ? Buffer.from(digest, 'hex').toString('base64')
    : Buffer.from(digest, 'base64').toString('base64')
}
