import type { Code } from '@postern/contract'

import type { Ip } from '../../base/ip.ts'
import type { Api, Environment, LimitStanding, Place, Route } from '../apis/api.ts'
import type { Charge } from '../limits/limiter.ts'
import type { Principal } from '../records/principal.ts'

/** Why a request is refused, with what the answer may say beyond the code's row. */
export interface Refusal {
  readonly code: Code
  /** One more sentence for the caller: a recognised mistake, an instant, a name that was sent. Never a secret. */
  readonly hint: string | null
  readonly retryAfterMs: number | null
  readonly missingScopes: readonly string[]
  /** For 405. */
  readonly allowMethods: readonly string[]
  /** The limit that refused. */
  readonly limit: LimitStanding | null
}

/** One check, in the order in which it was made. Values never hold a secret or an allowed value. */
export interface TraceStep {
  readonly step: Step
  readonly outcome: 'pass' | 'fail' | 'skip'
  /** What was compared, for people: `client 203.0.113.7, 2 ranges`. */
  readonly compared: string
  readonly code: Code | null
}

/** Every check of the decision, in order. The index is the bit of `checks`. */
export const steps = [
  'transport',
  'api',
  'path',
  'route',
  'present',
  'shape',
  'fresh',
  'known',
  'state',
  'expiry',
  'not_before',
  'rotation',
  'token',
  'grant',
  'beside',
  'api_fit',
  'environment',
  'region',
  'account',
  'plan',
  'ip',
  'origin',
  'kind',
  'scopes',
  'unmatched',
  'contract',
  'model',
  'rate_limits',
  'quotas',
  'budgets',
] as const
export type Step = (typeof steps)[number] | OAuthStep

/** Checks of the endpoints for tokens; a trace has them, and no bit. */
type OAuthStep =
  | 'parameters'
  | 'client'
  | 'grant_type'
  | 'resource'
  | 'scope_request'
  | 'code'
  | 'verifier'
  | 'refresh_token'
  | 'redirect_uri'
  | 'consent'

/** What was presented, and where: so that it can be cut out before the upstream sees the request. */
export interface Presented {
  readonly place: Place
  /** Id half of a pair or user of Basic; null for keys. */
  readonly publicId: string | null
  readonly secret: string
}

/** The whole outcome of `evaluate`. Allowed ones are charged by the caller in the same synchronous turn. */
export interface Evaluation {
  readonly allowed: boolean
  readonly refusal: Refusal | null
  readonly api: Api | null
  readonly route: Route | null
  /** Length of the address prefix that is not sent upstream. */
  readonly prefixLength: number
  /** Raw query with its `?`; '' where there is none. */
  readonly query: string
  /** Fixed by the address, else the credential's project's; null where neither is known. */
  readonly environment: Environment | null
  readonly clientIp: Ip
  readonly secure: boolean
  readonly presented: Presented | null
  readonly principal: Principal | null
  /** What to charge when it is forwarded; null for refusals. */
  readonly charge: Charge | null
  /** Origin of the request if it may read the answer (client-side routes); for CORS. */
  readonly corsOrigin: string | null
  /** A CORS preflight that is answered here, without a credential. */
  readonly preflight: boolean
  /** One bit for each step that passed. */
  readonly checks: number
  readonly trace: readonly TraceStep[] | null
  /** The credential travelled over plain HTTP from a peer outside `plain_http_from` and was real. */
  readonly exposed: Principal | null
}

/** Limits as they stand after the charge (or the refusal): for the headers of the answer. */
export type Standing = LimitStanding | null
