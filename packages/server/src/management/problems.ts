import { type Code, codeRow, type wire } from '@postern/contract'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'

import { BadCursor, StorageFull, StoreUnavailable, type WriteRefusal } from '../core/store.ts'
import type { ManagementParts } from './parts.ts'

export interface ProblemDetails {
  readonly detail?: string
  readonly errors?: readonly { readonly path: string; readonly message: string }[]
  readonly missingScopes?: readonly string[]
  readonly headers?: Readonly<Record<string, string>>
}

/** A refusal on its way to the edge, which turns it into an RFC 9457 body. */
export class Refused extends Error {
  override readonly name = 'Refused'
  readonly code: Code
  readonly details: ProblemDetails

  constructor(code: Code, details: ProblemDetails = {}) {
    super(code)
    this.code = code
    this.details = details
  }
}

/** What a store's refusal is on the wire. */
export function refusalOf(refusal: WriteRefusal): Refused {
  switch (refusal.code) {
    case 'not_found':
      return new Refused('not_found')
    case 'version_mismatch':
      return new Refused('version_mismatch', { headers: { etag: `"${refusal.current}"` } })
    case 'conflict':
      return new Refused('conflict', { detail: refusal.what })
    case 'actor_dead':
      return new Refused('credential_revoked')
    case 'storage_full':
      return new Refused('storage_full')
  }
}

export function problem(code: Code, requestId: string, publicUrl: string, details: ProblemDetails): wire.Problem {
  const row = codeRow(code)
  return {
    type: `${publicUrl}/docs/errors/${code}`,
    title: row.title,
    status: row.status,
    detail: details.detail ?? row.detail,
    code,
    request_id: requestId,
    ...(details.errors === undefined ? {} : { errors: [...details.errors] }),
    ...(details.missingScopes === undefined ? {} : { missing_scopes: [...details.missingScopes] }),
  }
}

export async function sendProblem(
  request: FastifyRequest,
  reply: FastifyReply,
  parts: ManagementParts,
  code: Code,
  details: ProblemDetails = {},
): Promise<void> {
  const body = problem(code, request.id, parts.dataPlane.declaration().publicUrl, details)
  await reply
    .code(body.status)
    .headers(details.headers ?? {})
    .header('content-type', 'application/problem+json; charset=utf-8')
    .serializer((value: unknown) => JSON.stringify(value))
    .send(body)
}

/** Every thrown thing ends here. What is not a refusal is a fault: reported whole, answered without detail. */
export function answerError(parts: ManagementParts) {
  return async (error: FastifyError, request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const refused = asRefused(error)
    if (refused !== null) return await sendProblem(request, reply, parts, refused.code, refused.details)
    parts.reportFault('management.fault', { requestId: request.id, operation: request.routeOptions.url }, error)
    await sendProblem(request, reply, parts, 'internal_error')
  }
}

const retryAfterSeconds = '2'

function asRefused(error: unknown): Refused | null {
  if (error instanceof Refused) return error
  if (error instanceof StoreUnavailable)
    return new Refused('store_unavailable', { headers: { 'retry-after': retryAfterSeconds } })
  if (error instanceof StorageFull) return new Refused('storage_full')
  if (error instanceof BadCursor) {
    return new Refused('body_invalid', { errors: [{ path: 'cursor', message: 'is not a cursor of this list' }] })
  }
  switch (codeOf(error)) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new Refused('request_too_large')
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new Refused('media_type_unsupported')
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new Refused('request_malformed')
    default:
      return null
  }
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''
}
