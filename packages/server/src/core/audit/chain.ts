import { createHash } from 'node:crypto'

import type { AuditEvent } from './event.ts'

/** The hash before the first event. */
export const genesisHash = '0'.repeat(64)

export type HashedFields = Omit<AuditEvent, 'personal' | 'previousHash' | 'hash'>

/**
 * SHA-256(0x01 || previous hash || canonical JSON of the event), hex. The commitment stands in for the personal
 * fields, so that these can be erased without breaking the chain.
 */
export function eventHash(previousHash: string, event: HashedFields): string {
  const { sequence, at, actor, action, targetKind, targetId, account, project, before, after } = event
  const { requestId, commitment } = event
  const hashed = {
    sequence,
    at,
    actor,
    action,
    targetKind,
    targetId,
    account,
    project,
    before,
    after,
    requestId,
    commitment,
  }
  return createHash('sha256')
    .update(Uint8Array.of(1))
    .update(previousHash, 'hex')
    .update(canonicalJson(hashed))
    .digest('hex')
}

/** SHA-256(salt || canonical JSON of the personal fields), hex. */
export function commitmentOf(
  salt: Uint8Array,
  personal: { readonly ip: string | null; readonly userAgent: string | null },
): string {
  const { ip, userAgent } = personal
  return createHash('sha256').update(salt).update(canonicalJson({ ip, userAgent })).digest('hex')
}

/** JSON with the keys of every object in code-unit order and no white space; what JSON drops is dropped. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) {
    return `[${value.map((item: unknown) => (item === undefined ? 'null' : canonicalJson(item))).join(',')}]`
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const entries = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(',')}}`
}
