import type { Code } from '@postern/contract'

import { compileIpRanges } from '../../base/ip.ts'
import type { Api, Declaration, Place, Route, UpstreamCredential } from '../../core/apis/api.ts'
import { createRouteTable } from '../../core/apis/route-table.ts'
import { singleUpstream, type Upstream } from '../../core/apis/upstream.ts'
import { answerOf, corsHeaders, limitHeadersOf } from '../../core/decision/answer.ts'
import type { Evaluation } from '../../core/decision/evaluation.ts'
import { extract } from '../../core/decision/extract.ts'
import type { RequestFacts } from '../../core/decision/facts.ts'
import { headerValue } from '../../core/decision/headers.ts'
import { callerHeaders, identityHeaders } from '../../core/decision/identity.ts'
import { refuse } from '../../core/decision/refuse.ts'
import { Trail } from '../../core/decision/trail.ts'
import type { DataPlane, MeterEntry } from '../../core/runtime.ts'

export interface FakeDataPlane extends DataPlane {
  readonly metered: MeterEntry[]
  readonly charged: Evaluation[]
  /** Set: `evaluate` waits for it. */
  gate: Promise<void> | null
}

export interface FakeOptions {
  readonly places?: readonly Place[]
  readonly basePath?: string
  readonly upstreamHost?: string
  /** Instead of the one upstream. */
  readonly upstream?: Upstream
  readonly prefixLength?: number
  readonly route?: Partial<Route>
  readonly corsOrigin?: string
  readonly limits?: boolean
  readonly upstreamCredential?: UpstreamCredential
  readonly identityHeaders?: boolean
}

const anyKind = { accept: ['key'], kinds: null } as const
const everyPlace: readonly Place[] = [
  { in: 'bearer', ...anyKind },
  { in: 'header', name: 'x-api-key', ...anyKind },
  { in: 'query', name: 'api_key', ...anyKind },
  { in: 'basic', ...anyKind },
  { in: 'pair', id: 'x-app-id', secret: 'x-app-token', ...anyKind },
]

/** Allows whoever presents the secret `good`, wherever the API takes credentials, and forwards to one upstream. */
export function fakeDataPlane(upstreamPort: number, options: FakeOptions = {}): FakeDataPlane {
  const route: Route = {
    id: 'any',
    index: 0,
    methods: [],
    pattern: '/**',
    scopes: { any: [], all: [] },
    clientSide: options.corsOrigin !== undefined,
    cost: 1,
    limits: [],
    rawPath: false,
    onStale: 'refuse',
    onRevoke: 'close',
    timeouts: { connectMs: 5_000, firstByteMs: 5_000, idleMs: 5_000, totalMs: null },
    bodyBytesMax: 100 * 1024 * 1024,
    headerBytesMax: null,
    maintenance: null,
    title: null,
    contract: null,
    connection: null,
    llm: null,
    ...options.route,
  }
  const api = anApi(upstreamPort, options, route)
  const declaration: Declaration = {
    brand: 'acme',
    formerBrands: [],
    publicUrl: 'https://postern.example',
    apis: new Map([[api.id, api]]),
    plans: new Map(),
    addresses: { find: () => null, all: [] },
    regions: new Set(),
    transport: { trustedProxies: compileIpRanges([]), plainHttpFrom: compileIpRanges(['127.0.0.0/8']) },
    failures: { attempts: 30, windowMs: 60_000 },
  }
  const standing = {
    name: 'default',
    requests: 100,
    windowMs: 60_000,
    remaining: 99,
    retryAfterMs: 0,
    resetAfterMs: 600,
    kind: 'rate',
  } as const
  const plane: FakeDataPlane = {
    metered: [],
    charged: [],
    gate: null,
    declaration: () => declaration,
    evaluate: (facts) => {
      const evaluation = evaluate(facts, api, route, options)
      return plane.gate === null ? evaluation : plane.gate.then(() => evaluation)
    },
    settle: (evaluation) => evaluation,
    charge: (evaluation) => {
      if (!evaluation.allowed) return null
      plane.charged.push(evaluation)
      return options.limits === true ? standing : null
    },
    answer: (evaluation, at, requestId) => answerOf(evaluation, at, requestId, declaration, 0),
    limitHeaders: (evaluation, at) => limitHeadersOf(evaluation, at, 0),
    corsHeaders,
    identityHeaders,
    callerHeaders,
    meter: (entry) => void plane.metered.push(entry),
  }
  return plane
}

function evaluate(facts: RequestFacts, api: Api, route: Route, options: FakeOptions): Evaluation {
  const mark = facts.target.indexOf('?')
  const query = mark === -1 ? '' : facts.target.slice(mark)
  const { presented, refusal } = extract(facts, api, query, new Trail(false))
  const good = presented?.secret === 'good'
  const origin = headerValue(facts.headers, 'origin')
  const code: Code = 'credential_unknown'
  return {
    allowed: refusal === null && good,
    refusal: refusal ?? (good ? null : refuse(code)),
    api,
    route,
    prefixLength: options.prefixLength ?? 0,
    query,
    environment: null,
    clientIp: facts.peer,
    secure: false,
    presented,
    principal: null,
    charge: null,
    corsOrigin: origin !== null && origin === options.corsOrigin ? origin : null,
    preflight: false,
    checks: 0,
    trace: null,
    exposed: null,
  }
}

function anApi(upstreamPort: number, options: FakeOptions, route: Route): Api {
  const routes = createRouteTable([], { caseInsensitive: false })
  if (!routes.ok) throw new Error('an empty route table has no conflicts')
  const url = new URL(`http://${options.upstreamHost ?? '127.0.0.1'}:${upstreamPort}${options.basePath ?? ''}`)
  const upstream = options.upstream ?? singleUpstream('shop', url)
  return {
    id: 'shop',
    index: 0,
    preset: {
      id: 'fake',
      form: 'key',
      pairShape: 'uuid',
      places: [],
      scopes: {},
      roles: {},
      routes: [],
      unmatched: 'forward',
      defaultPairs: [],
      window: () => 'once',
      wildcardOrigin: false,
      cors: { allowHeaders: [], exposeHeaders: ['x-total'] },
      errorBody: null,
      errorHeaders: null,
      injectionPlace: { in: 'bearer' },
      llm: null,
      limitHeaders: null,
    },
    upstreams: { live: upstream, sandbox: null },
    upstreamCredentials: { live: options.upstreamCredential ?? null, sandbox: null },
    identityHeaders: options.identityHeaders ?? true,
    llm: null,
    places: options.places ?? everyPlace,
    scopes: new Map(),
    roles: new Map(),
    routes: routes.value,
    unmatchedRoute: route,
    unmatched: 'forward',
    caseInsensitivePaths: false,
    retired: false,
  }
}
