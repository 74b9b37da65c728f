import type { FastifyReply, FastifyRequest } from 'fastify'

import { sha256Hex } from '../base/digest.ts'
import { Secret } from '../base/secret.ts'
import { StorageFull, type IdempotencyStart } from '../core/store.ts'
import { callerOf } from './caller.ts'
import { notReplayed } from './operation.ts'
import type { ManagementParts } from './parts.ts'
import { Refused } from './problems.ts'
import type { Operation } from './rights.ts'

declare module 'fastify' {
  interface FastifyRequest {
    idempotencyKey: string | null
  }
}

/** Before the handler of a POST: answers again what was answered, or notes that it runs now. */
export function beginIdempotent(parts: ManagementParts) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    const header = request.headers['idempotency-key']
    if (
      request.method !== 'POST' ||
      header === undefined ||
      notReplayed.includes(request.routeOptions.config.operation)
    ) {
      return undefined
    }
    if (typeof header !== 'string' || !/^[!-~]{1,255}$/.test(header)) {
      throw new Refused('body_invalid', {
        errors: [{ path: 'Idempotency-Key', message: 'must be 1 to 255 visible ASCII characters' }],
      })
    }
    const key = sha256Hex(JSON.stringify([callerOf(request).principal.credential, request.raw.url, header]))
    const bodyDigest = sha256Hex(JSON.stringify(withFingerprints(request.body ?? null, parts, key)))
    const start = await startOf(parts, request, { key, bodyDigest, now: parts.clock.now() })
    switch (start.state) {
      case 'running':
        throw new Refused('idempotency_running', { headers: { 'retry-after': '1' } })
      case 'other_body':
        throw new Refused('idempotency_mismatch')
      case 'done':
        reply.header('idempotent-replayed', 'true').header('content-type', 'application/json; charset=utf-8')
        return await reply
          .code(start.status)
          .serializer((text: unknown) => String(text))
          .send(start.body)
      case 'not_kept':
        return undefined
      case 'started':
        request.idempotencyKey = key
        return undefined
    }
  }
}

/** The digest of a body is stored: of a guessable secret in it, it must not tell whether a guess was right. */
function withFingerprints(body: unknown, { connections }: ManagementParts, key: string): unknown {
  if (typeof body !== 'object' || body === null || !('secrets' in body)) return body
  return { ...body, secrets: connections.fingerprint(new Secret(JSON.stringify(body.secrets)), key) }
}

/** On a full disk what ends something goes on without being kept: doing it twice does no harm. */
async function startOf(
  { store }: ManagementParts,
  request: FastifyRequest,
  input: Parameters<ManagementParts['store']['idempotency']['start']>[0],
): Promise<IdempotencyStart | { readonly state: 'not_kept' }> {
  try {
    return await store.idempotency.start(input)
  } catch (error) {
    const { operation } = request.routeOptions.config
    if (error instanceof StorageFull && operation !== undefined && ending.includes(operation))
      return { state: 'not_kept' }
    throw error
  }
}

const ending: readonly Operation[] = [
  'blockCredential',
  'revokeCredential',
  'compromiseCredential',
  'suspendAccount',
  'revokeToken',
  'withdrawGrant',
  'revokeInvitation',
  'disableUser',
  'endSession',
  'endSessions',
  'rotateSigningKeys',
]

/**
 * After the handler: keeps what was answered, without secrets. What was refused left nothing behind, so it may be
 * tried again under the same key; after a fault it is not known what was done, so the fault is kept.
 */
export function finishIdempotent(parts: ManagementParts) {
  return async (request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> => {
    const key = request.idempotencyKey
    if (key === null) return payload
    request.idempotencyKey = null
    const { statusCode: status } = reply
    const kept = typeof payload === 'string' && (status < 300 || status === 500) ? payload : null
    const { idempotency } = parts.store
    try {
      if (kept === null) await idempotency.abandon({ key })
      else await idempotency.finish({ key, status, body: replayOf(kept), now: parts.clock.now() })
    } catch (error) {
      // The change is made; that its replay is not kept must not make it look undone.
      parts.reportFault('management.idempotency_lost', { requestId: request.id }, error)
    }
    return payload
  }
}

function replayOf(payload: string): string {
  const body: unknown = JSON.parse(payload)
  return JSON.stringify(withoutSecrets(body))
}

/** Every object that carries a secret has `value` beside `visible_until`; its replay says that it is gone. */
export function withoutSecrets(body: unknown): unknown {
  if (Array.isArray(body)) return body.map(withoutSecrets)
  if (typeof body !== 'object' || body === null) return body
  const fields = Object.entries(body).map(([name, value]) => [name, withoutSecrets(value)] as const)
  const copy = Object.fromEntries(fields)
  return 'value' in copy && 'visible_until' in copy ? { ...copy, value: null, secret_unavailable: true } : copy
}
