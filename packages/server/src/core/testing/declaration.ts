import { compileIpRanges } from '../../base/ip.ts'
import { createAddressTable } from '../apis/address-table.ts'
import type { Address, Api, Declaration, Place, Plan, Preset, Route } from '../apis/api.ts'
import { noImpliedScopes } from '../apis/implied-scopes.ts'
import { createRouteTable } from '../apis/route-table.ts'
import { singleUpstream } from '../apis/upstream.ts'
import { credentialKinds } from '../credentials/credential.ts'
import { defaultMemberScopes } from '../people/member.ts'

/** Places of the builders' API, in order: every kind of place there is. */
const everyPlace: readonly Place[] = [
  { in: 'bearer', accept: ['key'], kinds: null },
  { in: 'header', name: 'x-api-key', accept: ['key'], kinds: null },
  { in: 'query', name: 'api_key', accept: ['key'], kinds: null },
  { in: 'basic', accept: ['key'], kinds: null },
  { in: 'pair', id: 'x-app-id', secret: 'x-app-token', accept: ['key'], kinds: null },
]

export function aRoute(fields: Partial<Route> = {}): Route {
  return {
    id: 'getOrder',
    index: 0,
    methods: ['GET'],
    pattern: '/v1/orders/{id}',
    scopes: { any: ['orders.read'], all: [] },
    clientSide: false,
    cost: 1,
    limits: [],
    rawPath: false,
    onStale: 'refuse',
    onRevoke: 'close',
    timeouts: { connectMs: 1, firstByteMs: 1, idleMs: 1, totalMs: null },
    bodyBytesMax: 1,
    headerBytesMax: null,
    maintenance: null,
    title: null,
    contract: null,
    connection: null,
    llm: null,
    local: null,
    ...fields,
  }
}

/** Server-side and client-side reading, writing that needs two scopes, and a free route without any. */
export const someRoutes: readonly Route[] = [
  aRoute(),
  aRoute({ id: 'listProducts', index: 1, pattern: '/client/products', scopes: { any: [], all: [] }, clientSide: true }),
  aRoute({
    id: 'refund',
    index: 2,
    methods: ['POST'],
    pattern: '/v1/refunds',
    scopes: { any: [], all: ['orders.read', 'refunds.write'] },
  }),
  aRoute({ id: 'status', index: 3, pattern: '/status', scopes: { any: [], all: [] } }),
]

export function aPreset(fields: Partial<Preset> = {}): Preset {
  return {
    id: 'generic',
    form: 'key',
    pairShape: 'base62',
    places: [],
    whenTwo: 'refuse',
    scopes: {},
    includes: {},
    roles: {},
    routes: [],
    unmatched: 'refuse',
    defaultPairs: [],
    window: () => 'once',
    wildcardOrigin: true,
    cors: { allowHeaders: ['authorization', 'x-api-key'], exposeHeaders: [] },
    errorBody: null,
    errorHeaders: null,
    injectionPlace: { in: 'bearer' },
    llm: null,
    oauth: { endpoints: [], fromKeys: false },
    limitHeaders: null,
    ...fields,
  }
}

export function anApi(fields: Partial<Omit<Api, 'routes'>> & { readonly routes?: readonly Route[] } = {}): Api {
  const { routes = someRoutes, ...more } = fields
  const table = createRouteTable(routes, { caseInsensitive: false })
  if (!table.ok) throw new Error('these routes conflict')
  return {
    id: 'shop',
    index: 0,
    preset: aPreset(),
    upstreams: {
      live: singleUpstream('shop/live', new URL('http://up.test')),
      sandbox: singleUpstream('shop/sandbox', new URL('http://sandbox.test')),
    },
    upstreamCredentials: { live: null, sandbox: null },
    identityHeaders: true,
    llm: null,
    oauth: {
      accessToken: 'opaque',
      ttlMs: 900_000,
      refresh: { idleMs: 2_592_000_000, absoluteMs: 7_776_000_000 },
      resources: ['https://console.example.com/apis/shop'],
      fromKeys: false,
    },
    places: everyPlace,
    scopes: new Map([
      ['orders.read', 'Read orders'],
      ['refunds.write', 'Refund'],
    ]),
    implies: noImpliedScopes,
    roles: new Map([['Clerk', ['orders.read']]]),
    memberScopes: defaultMemberScopes,
    routes: table.value,
    unmatchedRoute: aRoute({ id: '*', index: 99, methods: [], pattern: '/**', scopes: { any: [], all: [] } }),
    unmatched: 'refuse',
    caseInsensitivePaths: false,
    retired: false,
    ...more,
  }
}

export function aPlan(fields: Partial<Plan> = {}): Plan {
  return {
    id: 'pro',
    apis: new Set(['shop']),
    kinds: new Set(credentialKinds),
    scopes: null,
    limits: [],
    quotas: [],
    budgets: [],
    models: null,
    maxKeys: null,
    maxKeyAgeMs: null,
    onExposed: null,
    retired: false,
    ...fields,
  }
}

export const gatewayPort = 8080

/** The API `shop` at shop.example.com, HTTPS only but for loopback, and the plan `pro` that allows all of it. */
export function aDeclaration(
  fields: {
    readonly apis?: readonly Api[]
    readonly plans?: readonly Plan[]
    readonly addresses?: readonly Address[]
    readonly trustedProxies?: readonly string[]
    readonly plainHttpFrom?: readonly string[]
    readonly more?: Partial<Declaration>
  } = {},
): Declaration {
  const apis = fields.apis ?? [anApi()]
  const plans = fields.plans ?? [aPlan()]
  const addresses =
    fields.addresses ??
    apis.map((api) => ({ api, host: `${api.id}.example.com`, port: null, prefix: '', environment: null, region: null }))
  const table = createAddressTable(addresses, gatewayPort)
  if (!table.ok) throw new Error('these addresses conflict')
  return {
    brand: 'acme',
    formerBrands: [],
    publicUrl: 'https://console.example.com',
    apis: new Map(apis.map((api) => [api.id, api])),
    plans: new Map(plans.map((plan) => [plan.id, plan])),
    addresses: table.value,
    regions: new Set(addresses.flatMap(({ region }) => region ?? [])),
    transport: {
      trustedProxies: compileIpRanges(fields.trustedProxies ?? []),
      plainHttpFrom: compileIpRanges(fields.plainHttpFrom ?? ['127.0.0.0/8', '::1']),
    },
    failures: { attempts: 30, windowMs: 60_000 },
    issuers: [],
    ...fields.more,
  }
}
