import type { Answer } from '../core/decision/answer.ts'

/**
 * Sends the browser back. 303, so that what was posted is not posted again (RFC 9700, section 4.12); nothing of the
 * address, which has a code in it, goes on to anybody else (section 4.2.4).
 */
export function redirectAnswer(
  redirectUri: string,
  parameters: Readonly<Record<string, string | null>>,
  requestId: string,
): Answer {
  const said = Object.entries(parameters).flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]))
  const joint = redirectUri.includes('?') ? (/[?&]$/.test(redirectUri) ? '' : '&') : '?'
  return {
    status: 303,
    headers: [
      'Location',
      redirectUri + joint + new URLSearchParams(Object.fromEntries(said)).toString(),
      'Cache-Control',
      'no-store',
      'Pragma',
      'no-cache',
      'X-Request-Id',
      requestId,
      'X-Content-Type-Options',
      'nosniff',
      'Referrer-Policy',
      'no-referrer',
    ],
    body: '',
  }
}
