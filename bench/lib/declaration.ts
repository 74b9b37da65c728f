import { compileIpRanges } from '../../packages/server/src/base/ip.ts'
import { createAddressTable } from '../../packages/server/src/core/apis/address-table.ts'
import type { Api, Declaration, Plan, Route } from '../../packages/server/src/core/apis/api.ts'
import { noImpliedScopes } from '../../packages/server/src/core/apis/implied-scopes.ts'
import { createRouteTable } from '../../packages/server/src/core/apis/route-table.ts'
import { singleUpstream } from '../../packages/server/src/core/apis/upstream.ts'
import { defaultMemberScopes } from '../../packages/server/src/core/people/member.ts'
import { generic } from '../../packages/server/src/presets/generic.ts'

export const brand = 'acme'
export const host = 'shop.example.com'

const route: Route = {
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
  timeouts: { connectMs: 5_000, firstByteMs: 30_000, idleMs: 60_000, totalMs: null },
  bodyBytesMax: 1_048_576,
  headerBytesMax: null,
  maintenance: null,
  title: null,
  contract: null,
  connection: null,
  llm: null,
  local: null,
}

/** One API with one route and one plan, for the benches that need no server. */
export function declarationWith(plan: Pick<Plan, 'limits' | 'quotas'>): {
  declaration: Declaration
  api: Api
  route: Route
} {
  const routes = createRouteTable([route], { caseInsensitive: false })
  if (!routes.ok) throw new Error('the route is in conflict with itself')
  const api: Api = {
    id: 'shop',
    index: 0,
    preset: generic,
    upstreams: { live: singleUpstream('shop', new URL('http://127.0.0.1:3000')), sandbox: null },
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
    places: [{ in: 'bearer', accept: ['key', 'token'], kinds: null }],
    scopes: new Map([['orders.read', 'Read orders']]),
    implies: noImpliedScopes,
    roles: new Map(),
    memberScopes: defaultMemberScopes,
    routes: routes.value,
    unmatchedRoute: { ...route, id: '*', index: 1, methods: [], pattern: '/**' },
    unmatched: 'refuse',
    caseInsensitivePaths: false,
    retired: false,
  }
  const addresses = createAddressTable([{ api, host, port: null, prefix: '', environment: 'live', region: null }], 8080)
  if (!addresses.ok) throw new Error('the address is in conflict with itself')
  const pro: Plan = {
    id: 'pro',
    apis: new Set([api.id]),
    kinds: new Set(['secret']),
    scopes: null,
    ...plan,
    budgets: [],
    models: null,
    maxKeys: null,
    maxKeyAgeMs: null,
    onExposed: null,
    retired: false,
  }
  const declaration: Declaration = {
    brand,
    formerBrands: [],
    publicUrl: 'http://localhost:8081',
    apis: new Map([[api.id, api]]),
    plans: new Map([[pro.id, pro]]),
    addresses: addresses.value,
    regions: new Set(),
    transport: { trustedProxies: compileIpRanges([]), plainHttpFrom: compileIpRanges(['127.0.0.0/8']) },
    failures: { attempts: 30, windowMs: 60_000 },
    issuers: [],
  }
  return { declaration, api, route }
}
