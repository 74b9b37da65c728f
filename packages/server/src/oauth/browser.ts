import type { Answer } from '../core/decision/answer.ts'
import type { Client } from '../core/decision/clients.ts'
import type { RequestFacts } from '../core/decision/facts.ts'
import { headerValue } from '../core/decision/headers.ts'

/**
 * Which pages may read an answer: those of a public client, at the origin of one of its redirect URIs. Confidential
 * clients do not run in browsers. Never with cookies.
 */
export function browserHeaders({ headers }: RequestFacts, client: Client | null): readonly string[] {
  const origin = headerValue(headers, 'origin')
  if (origin === null) return []
  const readable = client?.oauth?.type === 'public' && client.oauth.redirectUris.some((uri) => originOf(uri) === origin)
  return readable
    ? ['Access-Control-Allow-Origin', origin, 'Access-Control-Expose-Headers', 'X-Request-Id, Retry-After', ...vary]
    : vary
}

/** Before a client is known, any page may ask; what it then reads is decided with the answer. */
export function preflightAnswer({ headers }: RequestFacts, requestId: string): Answer | null {
  const origin = headerValue(headers, 'origin')
  const method = headerValue(headers, 'access-control-request-method')
  if (origin === null || method !== 'POST' || originOf(origin) !== origin) return null
  return {
    status: 204,
    headers: [
      'X-Request-Id',
      requestId,
      'Access-Control-Allow-Origin',
      origin,
      'Access-Control-Allow-Methods',
      'POST',
      'Access-Control-Allow-Headers',
      'Content-Type',
      'Access-Control-Max-Age',
      '600',
      ...vary,
    ],
    body: '',
  }
}

const vary: readonly string[] = ['Vary', 'Origin']

/** Null where a page cannot be at it. */
function originOf(uri: string): string | null {
  const url = URL.parse(uri)
  return url === null || (url.protocol !== 'https:' && url.protocol !== 'http:') ? null : url.origin
}
