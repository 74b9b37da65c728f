import { wire } from '@postern/contract'
import type { FastifyRequest } from 'fastify'
import Type from 'typebox'

import { managementApiId } from '../core/accounts/account.ts'
import type { Api, Declaration, Place, Plan, Route } from '../core/apis/api.ts'
import { budgetView } from './budgets.ts'
import { callerOf } from './caller.ts'
import { found } from './commits.ts'
import { idParameters, operation } from './operation.ts'
import type { ManagementParts, Resource } from './parts.ts'
import { duration } from './times.ts'
import { limitView, pageOfDeclared, pageRequest, pageView } from './views.ts'

const Id = idParameters('id')
const Paging = Type.Object(wire.listParameters, wire.closed)

/** What `postern.yaml` declares. An account sees its own plan and the APIs that it includes. */
export const plans: Resource = (app, parts) => {
  const tag = 'Plans'

  app.get(
    '/plans',
    operation('listPlans', { tag, summary: 'List plans', querystring: Paging, response: { 200: wire.PlanList } }),
    async (request) =>
      pageView(pageOfDeclared(await visiblePlans(parts, request), pageRequest(request.query)), planView),
  )

  app.get(
    '/plans/:id',
    operation('getPlan', { tag, summary: 'Read a plan', params: Id, response: { 200: wire.ref(wire.Plan) } }),
    async (request) => {
      const visible = await visiblePlans(parts, request)
      return planView(found(visible.find(({ id }) => id === request.params.id) ?? null))
    },
  )
}

export const apis: Resource = (app, parts) => {
  const tag = 'APIs'

  app.get(
    '/apis',
    operation('listApis', { tag, summary: 'List APIs', querystring: Paging, response: { 200: wire.ApiList } }),
    async (request) => {
      const { addresses } = parts.dataPlane.declaration()
      const page = pageOfDeclared(await visibleApis(parts, request), pageRequest(request.query))
      return pageView(page, (api) => apiView(api, addresses))
    },
  )

  app.get(
    '/apis/:id',
    operation('getApi', {
      tag,
      summary: 'Read an API: where credentials travel, scopes and roles',
      params: Id,
      response: { 200: wire.ref(wire.Api) },
    }),
    async (request) =>
      apiView(await visibleApi(parts, request, request.params.id), parts.dataPlane.declaration().addresses),
  )

  app.get(
    '/apis/:id/routes',
    operation('listRoutes', {
      tag,
      summary: 'List the routes of an API',
      params: Id,
      querystring: Paging,
      response: { 200: wire.RouteList },
    }),
    async (request) => {
      const api = await visibleApi(parts, request, request.params.id)
      return pageView(pageOfDeclared(api.routes.routes, pageRequest(request.query)), routeView)
    },
  )
}

async function visiblePlans(parts: ManagementParts, request: FastifyRequest): Promise<readonly Plan[]> {
  const all = [...parts.dataPlane.declaration().plans.values()]
  const { scope } = callerOf(request)
  if (scope === null) return all
  const account = await parts.store.accounts.find({ id: scope })
  return all.filter((plan) => plan.id === account?.plan)
}

async function visibleApis(parts: ManagementParts, request: FastifyRequest): Promise<readonly Api[]> {
  const all = [...parts.dataPlane.declaration().apis.values()]
  if (callerOf(request).scope === null) return all
  const [plan] = await visiblePlans(parts, request)
  return all.filter((api) => api.id === managementApiId || plan?.apis.has(api.id) === true)
}

async function visibleApi(parts: ManagementParts, request: FastifyRequest, id: string): Promise<Api> {
  return found((await visibleApis(parts, request)).find((api) => api.id === id) ?? null)
}

function planView(plan: Plan): wire.Plan {
  return {
    id: plan.id,
    apis: [...plan.apis],
    kinds: [...plan.kinds],
    scopes: plan.scopes === null ? ['*'] : [...plan.scopes],
    limits: plan.limits.map(limitView),
    quotas: plan.quotas.map((quota) => ({ ...quota })),
    budgets: plan.budgets.map(budgetView),
    models: plan.models === null ? null : [...plan.models.patterns],
    max_keys: plan.maxKeys,
    max_key_age: plan.maxKeyAgeMs === null ? null : duration(plan.maxKeyAgeMs),
    retired: plan.retired,
  }
}

function apiView(api: Api, addresses: Declaration['addresses']): wire.Api {
  return {
    id: api.id,
    preset: api.preset.id,
    form: api.preset.form,
    credentials: api.places.map(placeView),
    scopes: Object.fromEntries(api.scopes),
    roles: Object.fromEntries([...api.roles].map(([role, scopes]) => [role, [...scopes]])),
    addresses: addresses.all
      .filter((address) => address.api.id === api.id)
      .map(({ host, port, prefix, environment, region }) => ({ host, port, prefix, environment, region })),
    unmatched: api.unmatched,
    retired: api.retired,
  }
}

function placeView(place: Place): wire.Place {
  const { accept, kinds } = place
  const common = { in: place.in, accept: [...accept], kinds: kinds === null ? null : [...kinds] }
  switch (place.in) {
    case 'bearer':
    case 'basic':
      return common
    case 'header':
    case 'query':
      return { ...common, name: place.name }
    case 'pair':
      return { ...common, id: place.id, secret: place.secret }
  }
}

function routeView(route: Route): wire.Route {
  return {
    id: route.id,
    title: route.title,
    methods: [...route.methods],
    path: route.pattern,
    scopes: { any: [...route.scopes.any], all: [...route.scopes.all] },
    client_side: route.clientSide,
    cost: route.cost,
    limits: route.limits.map(limitView),
    validated: route.contract !== null,
  }
}
