import type { Refusal } from '../../core/decision/evaluation.ts'
import { aRoute, anApi } from '../../core/testing/declaration.ts'
import type { MeterEntry } from '../../core/usage/meter-entry.ts'

export interface RequestOfTest extends Partial<Omit<MeterEntry, 'evaluation' | 'facts'>> {
  readonly api?: string | null
  readonly route?: string | null
  /** The route's number. */
  readonly index?: number
  readonly refusal?: Refusal
  readonly target?: string
  readonly headers?: readonly string[]
  readonly secret?: string
  readonly now?: number
}

/** A request that has ended: allowed and answered with 200 where nothing else is said. */
export function aRequest(more: RequestOfTest = {}): MeterEntry {
  const {
    api = 'shop',
    route = 'getOrder',
    index = 0,
    refusal = null,
    target = '/',
    headers = [],
    secret,
    now = 0,
  } = more
  const place = { in: 'bearer', accept: ['key'], kinds: null } as const
  return {
    evaluation: {
      allowed: refusal === null,
      refusal,
      api: api === null ? null : anApi({ id: api }),
      route: route === null ? null : aRoute({ id: route, index }),
      prefixLength: 0,
      query: '',
      environment: null,
      clientIp: 1,
      secure: false,
      presented: secret === undefined ? null : { place, publicId: null, secret },
      principal: null,
      charge: null,
      corsOrigin: null,
      preflight: false,
      checks: 0,
      trace: null,
      exposed: null,
    },
    facts: { method: 'GET', target, host: 'a', localPort: 1, headers, peer: 1, encrypted: false, now, monotonic: 0 },
    requestId: more.requestId ?? 'req_1',
    status: more.status ?? 200,
    ended: more.ended ?? 'answered',
    latencyMs: more.latencyMs ?? 1,
    upstreamMs: more.upstreamMs ?? null,
    received: more.received ?? 0,
    sent: more.sent ?? 0,
    llm: null,
  }
}
