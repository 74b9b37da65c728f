import { canonicalJson } from './chain.ts'
import type { SigningKey } from './signing.ts'

/** The head of the chain at one instant, signed, kept outside the database. */
export interface Checkpoint {
  readonly sequence: number
  readonly hash: string
  readonly at: number
  readonly node: string
  /** Ed25519 over the canonical JSON of the other fields, base64url. */
  readonly signature: string
}

export function signCheckpoint(head: Omit<Checkpoint, 'signature'>, key: SigningKey): Checkpoint {
  return { ...head, signature: key.sign(messageOf(head)) }
}

export function isSignedBy(checkpoint: Checkpoint, key: Pick<SigningKey, 'verify'>): boolean {
  return key.verify(messageOf(checkpoint), checkpoint.signature)
}

function messageOf({ sequence, hash, at, node }: Omit<Checkpoint, 'signature'>): string {
  return canonicalJson({ sequence, hash, at, node })
}

/** Reads a checkpoint file: one JSON object a line. A last line that was cut off by a crash is left out. */
export function parseCheckpoints(text: string): readonly (Checkpoint | { readonly malformedLine: number })[] {
  const lines = text.split('\n')
  const complete = lines.slice(0, -1)
  return complete.flatMap((line, i) => (line === '' ? [] : [parseLine(line) ?? { malformedLine: i + 1 }]))
}

function parseLine(line: string): Checkpoint | null {
  try {
    const value: unknown = JSON.parse(line)
    return isCheckpoint(value) ? value : null
  } catch {
    return null
  }
}

function isCheckpoint(value: unknown): value is Checkpoint {
  if (typeof value !== 'object' || value === null) return false
  return (
    'sequence' in value &&
    Number.isSafeInteger(value.sequence) &&
    'hash' in value &&
    typeof value.hash === 'string' &&
    'at' in value &&
    Number.isSafeInteger(value.at) &&
    'node' in value &&
    typeof value.node === 'string' &&
    'signature' in value &&
    typeof value.signature === 'string'
  )
}
