import type { FastifyReply, FastifyRequest } from 'fastify'

import type { Committed, Write } from '../core/store.ts'
import type { ManagementParts } from './parts.ts'
import { Refused, refusalOf } from './problems.ts'
import { timestampOrNull } from './times.ts'

/** Waits for a write and applies its after-images here, so that the answer is given only when it holds. */
export async function committed<Value>(parts: ManagementParts, write: Write<Value>): Promise<Committed<Value>> {
  const result = await write
  if (!result.ok) throw refusalOf(result.error)
  parts.apply(result.value.changes, result.value.sequence)
  return result.value
}

/** When the change holds everywhere: beside every answer to a change that takes something away. */
export function effectOf(
  parts: ManagementParts,
  commit: Committed<unknown>,
): { sequence: number; effective_everywhere_by: string | null } {
  const by = parts.effectiveEverywhereBy(parts.clock.now())
  return { sequence: commit.sequence, effective_everywhere_by: timestampOrNull(by) }
}

/** The version that a change builds on, from If-Match (RFC 9110, section 13.1.1). */
export function expectedVersion(request: FastifyRequest): number {
  const header = request.headers['if-match']
  if (header === undefined) throw new Refused('precondition_required')
  const version = /^"([0-9]{1,15})"$/.exec(header.trim())?.[1]
  if (version === undefined) throw new Refused('version_mismatch')
  return Number(version)
}

export function tagVersion(reply: FastifyReply, version: number): void {
  reply.header('etag', `"${version}"`)
}

/** What was not found reads like what is not yours. */
export function found<Value>(value: Value | null): Value {
  if (value === null) throw new Refused('not_found')
  return value
}
