import { fail, type Result } from '../base/result.ts'
import type { OAuthDialect } from '../core/oauth/dialect.ts'
import type { Endpoint, Served } from '../core/oauth/endpoint.ts'
import { StorageFull, StoreUnavailable } from '../core/store.ts'
import { preflightAnswer } from './browser.ts'
import { Call } from './call.ts'
import { oauthRefusal, type OAuthRefusal } from './refusal.ts'

/** Turns what one endpoint does into answers: refusals in the dialect's words, pages' preflights, a store that is gone. */
export function endpointOf(
  dialect: OAuthDialect,
  serve: (call: Call) => Promise<Result<Served, OAuthRefusal>>,
): Endpoint {
  return async (request) => {
    const call = new Call(request, dialect)
    const preflight = request.facts.method === 'OPTIONS' ? preflightAnswer(request.facts, request.requestId) : null
    if (preflight !== null) return call.with(preflight)
    const served = await serve(call).catch((error: unknown) => fail(unavailable(error)))
    return served.ok ? served.value : call.refused(served.error)
  }
}

function unavailable(error: unknown): OAuthRefusal {
  if (error instanceof StoreUnavailable) return oauthRefusal('store_unavailable', { retryAfterMs: 2_000 })
  if (error instanceof StorageFull) return oauthRefusal('storage_full')
  throw error
}
