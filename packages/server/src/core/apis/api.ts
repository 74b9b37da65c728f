import type { Code } from '@postern/contract'

import type { IpRanges } from '../../base/ip.ts'
import type { Secret } from '../../base/secret.ts'
import type { CredentialKind } from '../credentials/credential.ts'
import type { Issuer } from '../issuers/issuer.ts'
import type { BudgetRule, LimitRule, QuotaRule } from '../limits/rules.ts'
import type { LlmApi } from '../llm/api.ts'
import type { ModelList } from '../llm/models.ts'
import type { LlmOperation, LlmProvider } from '../llm/provider.ts'
import type { ApiOAuth, PresetOAuth } from '../oauth/api-oauth.ts'
import type { LocalRoute } from '../oauth/local-route.ts'
import type { MemberRole } from '../people/member.ts'
import type { Environment, SecretOrigin } from '../vocabulary.ts'
import type { ImpliedScopes } from './implied-scopes.ts'
import type { RequestContract } from './request-contract.ts'
import type { Upstream } from './upstream.ts'

/** What the operator declares, compiled and frozen. A reload makes a new one; nothing in it is ever changed. */
export interface Declaration {
  readonly brand: string
  readonly formerBrands: readonly string[]
  readonly publicUrl: string
  readonly apis: ReadonlyMap<string, Api>
  readonly plans: ReadonlyMap<string, Plan>
  readonly addresses: AddressTable
  /** Those that a project may be in. */
  readonly regions: ReadonlySet<string>
  readonly transport: TransportRules
  readonly failures: FailureBudgetRule
  /** Whose JWTs are taken beside our own. */
  readonly issuers: readonly Issuer[]
}

/** Peers whose forwarding headers are believed, and peers that may send credentials over plain HTTP. */
export interface TransportRules {
  readonly trustedProxies: IpRanges
  readonly plainHttpFrom: IpRanges
}

export interface FailureBudgetRule {
  /** Failed attempts allowed per window and peer (IPv4 address or IPv6 /64). */
  readonly attempts: number
  readonly windowMs: number
}

export type { Environment, SecretOrigin } from '../vocabulary.ts'

export interface Api {
  readonly id: string
  /** Dense number for counters, stable across reloads while the API stays declared. */
  readonly index: number
  readonly preset: Preset
  /**
   * Where requests of each environment are sent: to one upstream, or to that of the project's region. Null: that
   * environment has no upstream. Read by `upstreamOf`.
   */
  readonly upstreams: Readonly<Record<Environment, Upstream | RegionalUpstreams | null>>
  /** What the gateway itself presents to the upstream. Null: nothing. */
  readonly upstreamCredentials: Readonly<Record<Environment, UpstreamCredential | null>>
  /** Whether the upstream is told who calls: `X-Postern-*`, and the client's address in `X-Forwarded-*`. */
  readonly identityHeaders: boolean
  /** Null: it runs no language models. */
  readonly llm: LlmApi | null
  readonly oauth: ApiOAuth
  /** Places where a credential may travel, in order. */
  readonly places: readonly Place[]
  /** Scope → description. */
  readonly scopes: ReadonlyMap<string, string>
  readonly implies: ImpliedScopes
  /** Role → the scopes it stands for. */
  readonly roles: ReadonlyMap<string, readonly string[]>
  /** What a member of that role may allow an OAuth client on this API; "*" stands for all. */
  readonly memberScopes: Readonly<Record<MemberRole, readonly string[]>>
  readonly routes: RouteTable
  /** Stands in for the route of a path that matches none: the API's defaults. */
  readonly unmatchedRoute: Route
  readonly unmatched: 'refuse' | 'forward'
  readonly caseInsensitivePaths: boolean
  readonly retired: boolean
}

interface RegionalUpstreams {
  readonly byRegion: ReadonlyMap<string, Upstream>
}

export interface UpstreamCredential {
  readonly place: InjectionPlace
  /** For `basic`: user and password with a colon between them. */
  readonly secret: Secret
}

/** Header names are lower-case. */
export type InjectionPlace =
  | { readonly in: 'bearer' }
  | { readonly in: 'basic' }
  | { readonly in: 'header'; readonly name: string }
  | { readonly in: 'query'; readonly name: string }

export interface Route {
  readonly id: string
  /** What people call it; null where nobody named it. */
  readonly title: string | null
  /** Dense number within the process, stable across reloads while (API, route id) stays declared. */
  readonly index: number
  /** Upper-case methods; empty means every method. */
  readonly methods: readonly string[]
  readonly pattern: string
  readonly scopes: ScopeRule
  readonly clientSide: boolean
  readonly cost: number
  readonly limits: readonly LimitRule[]
  readonly rawPath: boolean
  readonly onStale: 'refuse' | 'serve'
  /** Event streams and upgraded connections whose credential dies: closed, or left to end by themselves. */
  readonly onRevoke: 'close' | 'finish'
  readonly timeouts: Timeouts
  readonly bodyBytesMax: number
  /** Of names and values of all header lines; null: what the listener takes. */
  readonly headerBytesMax: number | null
  /** Null: it is served. */
  readonly maintenance: Maintenance | null
  /** What requests are held against before they are forwarded; null: they are not validated. */
  readonly contract: RequestContract | null
  /** The connection whose credential is injected, for each environment. Null: none is. */
  readonly connection: Readonly<Record<Environment, ConnectionUse | null>> | null
  /** What it does with language models; null where the API runs none. */
  readonly llm: LlmOperation | null
  /** What Postern serves here itself; null: requests are forwarded. */
  readonly local: LocalRoute | null
}

/** One of the operator's own by its name, or that of the credential's project (or account) to a platform. */
export type ConnectionUse = { readonly name: string } | { readonly platform: string }

/** An API or a route that is paused: whoever may call it is told so, and when to come again. */
export interface Maintenance {
  readonly retryAfterMs: number
  /** One more sentence for callers. */
  readonly message: string | null
}

/** The routes of one API, ready to be matched. */
export interface RouteTable {
  /** In declared order. */
  readonly routes: readonly Route[]
  /**
   * The most specific route for the path that `canonicalPath` gave. At each segment a literal goes before `{x}`
   * and `{x}` before a tail; a pattern that lacks the method gives way to the next one; HEAD is served by GET's
   * route. One trailing slash is not looked at.
   */
  match(method: string, path: string): RouteMatch | null
  /**
   * For a path that is not canonical: only routes with `raw_path` are asked, on the raw path. None is found if the
   * path, as a generous upstream would resolve it, leaves the pattern's leading literals or reaches another route.
   */
  matchRaw(method: string, rawPath: string): RouteMatch | null
}

export type RouteMatch =
  | { readonly methodMatched: true; readonly route: Route }
  /** The path is declared, the method is not. `allow`: upper case and sorted, for the Allow header. */
  | { readonly methodMatched: false; readonly allow: readonly string[] }

export interface Timeouts {
  readonly connectMs: number
  /** Until the upstream's status line. */
  readonly firstByteMs: number
  /** Between two chunks of either body. */
  readonly idleMs: number
  /** From the arrival of the head to the last byte of the answer, streams included. Null: no bound. */
  readonly totalMs: number | null
}

/** `any`: one of them suffices. `all`: every one is needed. Both empty: no scope is needed. */
export interface ScopeRule {
  readonly any: readonly string[]
  readonly all: readonly string[]
}

export type Accept = 'key' | 'token' | 'jwt'

interface PlaceBase {
  readonly accept: readonly Accept[]
  /** Null: every kind. */
  readonly kinds: readonly CredentialKind[] | null
}

/** Header names are lower-case. */
export type Place =
  | (PlaceBase & { readonly in: 'bearer' })
  | (PlaceBase & { readonly in: 'header'; readonly name: string })
  | (PlaceBase & { readonly in: 'query'; readonly name: string })
  | (PlaceBase & { readonly in: 'basic' })
  | (PlaceBase & { readonly in: 'pair'; readonly id: string; readonly secret: string })

export interface Plan {
  readonly id: string
  readonly apis: ReadonlySet<string>
  readonly kinds: ReadonlySet<CredentialKind>
  /** Null: every scope ("*"). */
  readonly scopes: ReadonlySet<string> | null
  readonly limits: readonly LimitRule[]
  readonly quotas: readonly QuotaRule[]
  /** Of tokens or money, for language models. */
  readonly budgets: readonly BudgetRule[]
  /** Language models that may be asked for; null: every one. */
  readonly models: ModelList | null
  /** Live credentials per account; null: no bound. */
  readonly maxKeys: number | null
  readonly maxKeyAgeMs: number | null
  /** What becomes of a credential that came over plain HTTP; null: what the file says for all plans. */
  readonly onExposed: ExposurePolicy | null
  readonly retired: boolean
}

export type ExposurePolicy = 'flag' | 'revoke'

/** One listener address of an API: host (lower-case, no port) or null for any host on `port`. */
export interface Address {
  readonly api: Api
  readonly host: string | null
  /** Own listener port for the ":9001" form; null: the gateway's. */
  readonly port: number | null
  /** '' or '/prefix' without a trailing slash; longest wins. */
  readonly prefix: string
  /** Fixed by the address, or null where one address serves both. */
  readonly environment: Environment | null
  /** Fixed by the address, or null where one address serves all regions. */
  readonly region: string | null
}

export interface AddressTable {
  /** `host` as received, with or without port; `localPort` of the listener that took it; `path` canonical. */
  find(host: string, localPort: number, path: string): Address | null
  readonly all: readonly Address[]
}

// ---- presets -------------------------------------------------------------------------------------------

/** What a vendor's API authentication looks like: one typed module per vendor in `presets/`. */
export interface Preset {
  readonly id: string
  /** `key`: one string in our format. `pair`: public id and secret. APIs of one credential share the form. */
  readonly form: 'key' | 'pair'
  /** Shape of the ids and secrets of pairs that we make. */
  readonly pairShape: 'uuid' | 'base62'
  readonly places: readonly Place[]
  /**
   * A Bearer and a pair in one request: ambiguous, or the Bearer decides, provided that both are of one project
   * (otherwise 401).
   */
  readonly whenTwo: 'refuse' | 'bearer_decides'
  readonly scopes: Readonly<Record<string, string>>
  /** Scope → those that it stands for as well. */
  readonly includes: Readonly<Record<string, readonly string[]>>
  readonly roles: Readonly<Record<string, readonly string[]>>
  /** Routes that the preset declares by itself; the operator's own come first and may replace one by id. */
  readonly routes: readonly PresetRoute[]
  readonly unmatched: 'refuse' | 'forward'
  /** Kinds of the pairs made with each project. */
  readonly defaultPairs: readonly DefaultPair[]
  /** How long a secret can be shown again. */
  window(secret: WindowFacts): VisibilityWindow
  /** Whether the origin "*" may stand in origin_allow. */
  readonly wildcardOrigin: boolean
  /** Request headers that a client-side page may send, and response headers that it may read (lower-case). */
  readonly cors: { readonly allowHeaders: readonly string[]; readonly exposeHeaders: readonly string[] }
  /** The vendor's own error body instead of RFC 9457; null: ours. */
  readonly errorBody: ((error: ErrorFacts) => { readonly contentType: string; readonly body: string }) | null
  /** Header lines that the vendor's clients look for in an error. */
  readonly errorHeaders: ((error: ErrorFacts) => readonly string[]) | null
  /** Where the vendor's own API takes a credential that the gateway presents. */
  readonly injectionPlace: InjectionPlace
  /** Null: it is no language model's. */
  readonly llm: LlmProvider | null
  readonly oauth: PresetOAuth
  /** The vendor's own limit headers, on every answer, beside the standard ones. */
  readonly limitHeaders: ((limits: LimitStanding, now: number) => readonly string[]) | null
}

export interface PresetRoute {
  readonly id: string
  readonly methods: readonly string[]
  readonly path: string
  readonly scopes: ScopeRule
  readonly clientSide: boolean
  readonly llm?: LlmOperation
}

export interface DefaultPair {
  readonly name: string
  readonly kind: CredentialKind
}

export interface WindowFacts {
  readonly kind: CredentialKind
  readonly primary: boolean
  readonly origin: SecretOrigin
  readonly environment: Environment
}

/** `once`: never again. A number: milliseconds from its making. `always`: for as long as it lives. */
export type VisibilityWindow = 'once' | number | 'always'

export interface ErrorFacts {
  readonly code: Code
  readonly status: number
  readonly title: string
  readonly detail: string
  readonly requestId: string
  readonly missingScopes: readonly string[]
  readonly allowMethods: readonly string[]
}

/** The tightest rate limit of the request after it was charged (or refused). */
export interface LimitStanding {
  readonly name: string
  readonly requests: number
  readonly windowMs: number
  readonly remaining: number
  /** Milliseconds until one more request is allowed; 0 now. */
  readonly retryAfterMs: number
  /** Milliseconds until the limit is whole again. */
  readonly resetAfterMs: number
  readonly kind: 'rate' | 'quota' | 'budget'
  /** What a budget's `requests` and `remaining` count: `tokens`, or millionths of a currency such as `micro-USD`. */
  readonly unit?: string
}
