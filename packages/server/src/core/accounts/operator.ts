import { wire } from '@postern/contract'

import type { Api, Declaration, Place, Plan, Preset, Route, RouteTable } from '../apis/api.ts'
import { noImpliedScopes } from '../apis/implied-scopes.ts'
import { credentialKinds } from '../credentials/credential.ts'
import type { ApiOAuth } from '../oauth/api-oauth.ts'
import { managementApiId } from './account.ts'
import { operatorPlanId } from './bootstrap.ts'

/** Outside the numbers that declared APIs and routes are given. */
const reservedIndex = 4095

/**
 * The declaration with the reserved API and plan of the operator added. The API has no address, so no gateway
 * reaches it: only the management API names it.
 */
export function withOperator(declaration: Declaration, preset: Preset, noRoutes: RouteTable): Declaration {
  return {
    ...declaration,
    apis: new Map([...declaration.apis, [managementApiId, managementApi(preset, noRoutes)]]),
    plans: new Map([...declaration.plans, [operatorPlanId, operatorPlan(declaration)]]),
  }
}

const bearer: Place = { in: 'bearer', accept: ['key'], kinds: ['management'] }

function managementApi(preset: Preset, routes: RouteTable): Api {
  return {
    id: managementApiId,
    index: reservedIndex,
    preset,
    upstreams: { live: null, sandbox: null },
    upstreamCredentials: { live: null, sandbox: null },
    identityHeaders: true,
    llm: null,
    oauth: noTokens,
    places: [bearer],
    scopes: new Map(Object.entries(wire.rights)),
    implies: noImpliedScopes,
    roles: new Map(),
    // No client acts for people here: operators and accounts have management credentials.
    memberScopes: { owner: [], admin: [], developer: [], viewer: [] },
    routes,
    unmatchedRoute: managementRoute,
    unmatched: 'forward',
    caseInsensitivePaths: false,
    retired: false,
  }
}

/** No token is for the management API. */
const noTokens: ApiOAuth = {
  accessToken: 'opaque',
  ttlMs: 0,
  refresh: { idleMs: 0, absoluteMs: 0 },
  resources: [],
  fromKeys: false,
}

/** Rights of management operations are looked at by the management API itself, from one table. */
const managementRoute: Route = {
  id: 'management',
  index: reservedIndex,
  methods: [],
  pattern: '/**',
  scopes: { any: [], all: [] },
  clientSide: false,
  cost: 1,
  limits: [],
  rawPath: false,
  onStale: 'refuse',
  onRevoke: 'close',
  timeouts: { connectMs: 0, firstByteMs: 0, idleMs: 0, totalMs: null },
  bodyBytesMax: 0,
  headerBytesMax: null,
  maintenance: null,
  title: null,
  contract: null,
  connection: null,
  llm: null,
  local: null,
}

function operatorPlan(declaration: Declaration): Plan {
  return {
    id: operatorPlanId,
    apis: new Set([...declaration.apis.keys(), managementApiId]),
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
  }
}
