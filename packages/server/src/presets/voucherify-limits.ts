import type { LimitStanding } from '../core/apis/api.ts'

/** `X-Rate-Limit-*` on every answer; `Retry` is the Unix second of the next request that is allowed. */
export function voucherifyLimitHeaders(limits: LimitStanding, now: number): readonly string[] {
  const headers = [
    'X-Rate-Limit-Limit',
    String(limits.requests),
    'X-Rate-Limit-Remaining',
    String(limits.remaining),
    'X-Rate-Limit-Retry',
    String(Math.ceil((now + limits.retryAfterMs) / 1000)),
  ]
  if (limits.remaining > 0) return headers
  return [...headers, 'X-Rate-Limit-Type', limits.kind === 'rate' ? 'api_calls' : 'api_calls_cycle']
}
