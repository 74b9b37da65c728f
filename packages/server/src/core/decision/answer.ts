import { codeRow } from '@postern/contract'

import type { Api, Declaration, LimitStanding } from '../apis/api.ts'
import type { Evaluation, Refusal, Standing } from './evaluation.ts'

/** An HTTP answer as values: status, header lines (name, value, …), body. */
export interface Answer {
  readonly status: number
  readonly headers: readonly string[]
  readonly body: string
}

/** The answer of the wire to a refusal or a preflight: RFC 9457 or the preset's body, challenges, limits, CORS. */
export function answerOf(
  evaluation: Evaluation,
  standing: Standing,
  requestId: string,
  declaration: Pick<Declaration, 'publicUrl'>,
  now: number,
): Answer {
  const { refusal } = evaluation
  return refusal === null
    ? preflightAnswer(evaluation, requestId)
    : refusalAnswer(evaluation, refusal, standing, requestId, declaration, now)
}

function preflightAnswer(evaluation: Evaluation, requestId: string): Answer {
  const { api, route, corsOrigin } = evaluation
  const methods =
    route === null || route.methods.length === 0 ? ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] : route.methods
  return {
    status: 204,
    headers: [
      'X-Request-Id',
      requestId,
      'Access-Control-Allow-Origin',
      corsOrigin ?? '',
      'Access-Control-Allow-Methods',
      methods.join(', '),
      'Access-Control-Allow-Headers',
      (api === null ? [] : allowedHeaders(api)).join(', '),
      'Access-Control-Max-Age',
      '600',
      'Vary',
      'Origin, Access-Control-Request-Method, Access-Control-Request-Headers',
    ],
    body: '',
  }
}

/** What the preset's clients send, and what carries a token where the API takes one. */
function allowedHeaders({ places, preset }: Api): readonly string[] {
  const { allowHeaders } = preset.cors
  const asBearer = places.some((place) => place.in === 'bearer')
  return asBearer && !allowHeaders.includes('authorization') ? [...allowHeaders, 'authorization'] : allowHeaders
}

function refusalAnswer(
  evaluation: Evaluation,
  refusal: Refusal,
  standing: Standing,
  requestId: string,
  declaration: Pick<Declaration, 'publicUrl'>,
  now: number,
): Answer {
  const row = codeRow(refusal.code)
  const detail = refusal.hint === null ? row.detail : `${row.detail} ${refusal.hint}`
  const error = {
    code: refusal.code,
    status: row.status,
    title: row.title,
    detail,
    requestId,
    missingScopes: refusal.missingScopes,
    allowMethods: refusal.allowMethods,
  }
  const own = evaluation.api?.preset.errorBody?.(error)
  const { contentType, body } = own ?? problem(refusal, detail, requestId, declaration)
  return {
    status: row.status,
    headers: [
      'Content-Type',
      contentType,
      'Cache-Control',
      'no-store',
      'X-Request-Id',
      requestId,
      'X-Content-Type-Options',
      'nosniff',
      ...challenges(evaluation, refusal, row.status, detail),
      ...(refusal.allowMethods.length === 0 ? [] : ['Allow', refusal.allowMethods.join(', ')]),
      ...(refusal.retryAfterMs === null ? [] : ['Retry-After', String(retryAfterSeconds(refusal.retryAfterMs))]),
      ...limitHeadersOf(evaluation, standing, now),
      ...(evaluation.api?.preset.errorHeaders?.(error) ?? []),
      ...corsHeaders(evaluation),
    ],
    body,
  }
}

/** RFC 9457. `code` and `request_id` are extension members. */
function problem(refusal: Refusal, detail: string, requestId: string, declaration: Pick<Declaration, 'publicUrl'>) {
  const row = codeRow(refusal.code)
  return {
    contentType: 'application/problem+json',
    body: JSON.stringify({
      type: `${declaration.publicUrl}/docs/errors/${refusal.code}`,
      title: row.title,
      status: row.status,
      detail,
      code: refusal.code,
      request_id: requestId,
      ...(refusal.missingScopes.length > 0 && { missing_scopes: refusal.missingScopes }),
    }),
  }
}

/** One challenge for each way in (RFC 9110, section 11.6.1; RFC 6750, section 3). */
function challenges({ api, presented }: Evaluation, refusal: Refusal, status: number, detail: string): string[] {
  const insufficient = refusal.code === 'scope_missing'
  if (api === null || (status !== 401 && !insufficient)) return []
  const realm = `realm="${api.id}"`
  // What was sent in another way, or not at all, was no token: nothing is said of one (RFC 6750, section 3.1).
  const asBearer = refusal.code !== 'credential_missing' && (presented === null || presented.place.in === 'bearer')
  const bearerError = insufficient
    ? `, error="insufficient_scope", scope="${refusal.missingScopes.join(' ')}"`
    : asBearer
      ? `, error="invalid_token", error_description="${quotable(detail)}"`
      : ''
  const lines: string[] = []
  for (const place of api.places) {
    switch (place.in) {
      case 'bearer':
        lines.push(`Bearer ${realm}${bearerError}`)
        break
      case 'basic':
        if (!insufficient) lines.push(`Basic ${realm}, charset="UTF-8"`)
        break
      case 'header':
        if (!insufficient) lines.push(`ApiKey ${realm}, in="header", name="${place.name}"`)
        break
      case 'query':
        if (!insufficient) lines.push(`ApiKey ${realm}, in="query", name="${place.name}"`)
        break
      case 'pair':
        if (!insufficient) lines.push(`ApiKey ${realm}, in="header", name="${place.id} ${place.secret}"`)
        break
    }
  }
  return lines.flatMap((value) => ['WWW-Authenticate', value])
}

/** The characters of an error_description (RFC 6750, section 3): neither quotes nor backslashes. */
function quotable(text: string): string {
  return text.replaceAll('"', "'").replaceAll(/[^ !#-[\]-~]/g, '')
}

/** Seconds until one more request would pass, at least 1: for Retry-After (RFC 9110, section 10.2.3). */
export function retryAfterSeconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1000))
}

/** `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-11), and the preset's own. */
export function limitHeadersOf(evaluation: Evaluation, standing: Standing, now: number): readonly string[] {
  const llm = evaluation.charge?.llm ?? null
  if (llm !== null && llm.standings.length > 0) {
    return (standing === null ? llm.standings : [standing, ...llm.standings]).flatMap(standardLimitHeaders)
  }
  if (standing === null) return []
  const own = evaluation.api?.preset.limitHeaders ?? null
  return own === null ? standardLimitHeaders(standing) : [...standardLimitHeaders(standing), ...own(standing, now)]
}

function standardLimitHeaders(standing: LimitStanding): string[] {
  const name = `"${standing.name}"`
  const unit = standing.unit === undefined ? '' : `;qu="${standing.unit}"`
  return [
    'RateLimit-Policy',
    `${name};q=${standing.requests}${unit};w=${Math.ceil(standing.windowMs / 1000)}`,
    'RateLimit',
    `${name};r=${standing.remaining};t=${Math.ceil(standing.resetAfterMs / 1000)}`,
  ]
}

/** For answers that a page of a listed origin may read; never with credentials (cookies). */
export function corsHeaders(evaluation: Evaluation): readonly string[] {
  const { api, corsOrigin, route } = evaluation
  if (route === null || !route.clientSide) return []
  if (api === null || corsOrigin === null) return ['Vary', 'Origin']
  return [
    'Access-Control-Allow-Origin',
    corsOrigin,
    'Access-Control-Expose-Headers',
    ['X-Request-Id', 'Retry-After', 'RateLimit', 'RateLimit-Policy', ...api.preset.cors.exposeHeaders].join(', '),
    'Vary',
    'Origin',
  ]
}
