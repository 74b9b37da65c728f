import type { Answer } from '../core/decision/answer.ts'

/** No cache keeps what an endpoint for tokens says (RFC 6749, section 5.1). */
export function jsonAnswer(
  status: number,
  body: Readonly<Record<string, unknown>> | null,
  requestId: string,
  more: readonly string[],
): Answer {
  return {
    status,
    headers: [
      ...(body === null ? [] : ['Content-Type', 'application/json']),
      'Cache-Control',
      'no-store',
      'Pragma',
      'no-cache',
      'X-Request-Id',
      requestId,
      'X-Content-Type-Options',
      'nosniff',
      ...more,
    ],
    body: body === null ? '' : JSON.stringify(body),
  }
}
