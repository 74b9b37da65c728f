import type { Provenance } from '../core/audit/event.ts'
import { ipText, type PageRequest } from './request.ts'

/** Who did it: a person, or (`null`) these pages for somebody who is not signed in. */
export function provenance(request: PageRequest, user: string | null): Provenance {
  return {
    actor: user === null ? { kind: 'system', id: 'identity' } : { kind: 'user', id: user },
    at: request.now,
    ip: ipText(request),
    userAgent: request.userAgent,
    requestId: request.requestId,
  }
}
