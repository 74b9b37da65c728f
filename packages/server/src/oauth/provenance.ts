import { formatIp } from '../base/ip.ts'
import type { Provenance } from '../core/audit/event.ts'
import { withoutKeys } from '../core/credentials/masking.ts'
import type { Client } from '../core/decision/clients.ts'
import { headerValue } from '../core/decision/headers.ts'
import type { Call } from './call.ts'

/** The client did it, from where its request came. */
export function provenanceOf({ facts, at, request }: Call, client: Client, now: number): Provenance {
  return {
    actor: { kind: 'credential', id: client.credential },
    at: now,
    ip: formatIp(at.clientIp),
    userAgent: withoutKeys(headerValue(facts.headers, 'user-agent') ?? '').slice(0, 512) || null,
    requestId: request.requestId,
  }
}
