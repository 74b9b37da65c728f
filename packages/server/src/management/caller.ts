import type { FastifyRequest } from 'fastify'

import { formatIp, type Ip } from '../base/ip.ts'
import { operatorAccountId } from '../core/accounts/account.ts'
import type { Actor, Provenance } from '../core/audit/event.ts'
import { withoutKeys } from '../core/credentials/masking.ts'
import type { Evaluation } from '../core/decision/evaluation.ts'
import type { RequestFacts } from '../core/decision/facts.ts'
import type { Principal } from '../core/records/principal.ts'
import type { Scope } from '../core/store.ts'

/** Who calls: taken from the decision alone, never from the body. */
export interface Caller {
  readonly principal: Principal
  readonly bootstrap: boolean
  /** Restricts every read and write; null: the operator sees all. */
  readonly scope: Scope
  readonly ip: Ip
  readonly evaluation: Evaluation
  readonly facts: RequestFacts
}

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller | null
  }
}

/** The caller of an authenticated request. A handler that is reached without one is a fault of ours. */
export function callerOf(request: FastifyRequest): Caller {
  if (request.caller === null) throw new Error('An operation was reached without a decision')
  return request.caller
}

export function scopeOf(principal: Principal): Scope {
  return principal.account === operatorAccountId ? null : principal.account
}

export function provenance(request: FastifyRequest, now: number): Provenance {
  const caller = callerOf(request)
  const actor: Actor = caller.bootstrap
    ? { kind: 'bootstrap', id: 'POSTERN_MANAGEMENT_KEY' }
    : { kind: 'credential', id: caller.principal.credential }
  const userAgent = withoutKeys(request.headers['user-agent'] ?? '').slice(0, 512) || null
  return { actor, at: now, ip: formatIp(caller.ip), userAgent, requestId: request.id }
}
