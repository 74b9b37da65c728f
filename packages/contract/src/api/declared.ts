import Type, { type Static } from 'typebox'

import { BudgetRule, Environment, LimitRule, listOf, nullable, QuotaRule, ref, Region } from './common.ts'
import { CredentialKind } from './credentials.ts'

/** What `postern.yaml` declares, as read through the API. */
export const Plan = Type.Object(
  {
    id: Type.String(),
    apis: Type.Array(Type.String()),
    kinds: Type.Array(CredentialKind),
    scopes: Type.Array(Type.String(), { description: '`["*"]`: every scope of its APIs.' }),
    limits: Type.Array(ref(LimitRule)),
    quotas: Type.Array(ref(QuotaRule)),
    budgets: Type.Array(ref(BudgetRule)),
    models: nullable(Type.Array(Type.String(), { description: 'Language models; null: every one.' })),
    max_keys: nullable(Type.Integer()),
    max_key_age: nullable(Type.String()),
    retired: Type.Boolean(),
  },
  { $id: 'Plan' },
)
export type Plan = Static<typeof Plan>
export const PlanList = listOf(Plan)
export type PlanList = Static<typeof PlanList>

export const Place = Type.Object(
  {
    in: Type.Union([
      Type.Literal('bearer'),
      Type.Literal('header'),
      Type.Literal('query'),
      Type.Literal('basic'),
      Type.Literal('pair'),
    ]),
    name: Type.Optional(Type.String({ description: 'Of the header or query parameter.' })),
    id: Type.Optional(Type.String({ description: 'Header of the id half of a pair.' })),
    secret: Type.Optional(Type.String({ description: 'Header of the secret half of a pair.' })),
    accept: Type.Array(Type.Union([Type.Literal('key'), Type.Literal('token'), Type.Literal('jwt')])),
    kinds: nullable(Type.Array(CredentialKind)),
  },
  { $id: 'Place' },
)
export type Place = Static<typeof Place>

export const Api = Type.Object(
  {
    id: Type.String(),
    preset: Type.String(),
    form: Type.Union([Type.Literal('key'), Type.Literal('pair')]),
    credentials: Type.Array(ref(Place)),
    scopes: Type.Record(Type.String(), Type.String()),
    roles: Type.Record(Type.String(), Type.Array(Type.String())),
    addresses: Type.Array(
      Type.Object({
        host: nullable(Type.String()),
        port: nullable(Type.Integer()),
        prefix: Type.String(),
        environment: nullable(Environment),
        region: nullable(Region),
      }),
    ),
    unmatched: Type.Union([Type.Literal('refuse'), Type.Literal('forward')]),
    retired: Type.Boolean(),
  },
  { $id: 'Api' },
)
export type Api = Static<typeof Api>
export const ApiList = listOf(Api)
export type ApiList = Static<typeof ApiList>

export const Route = Type.Object(
  {
    id: Type.String(),
    title: nullable(Type.String({ description: 'From the OpenAPI document.' })),
    methods: Type.Array(Type.String(), { description: 'Empty: every method.' }),
    path: Type.String(),
    scopes: Type.Object({ any: Type.Array(Type.String()), all: Type.Array(Type.String()) }),
    client_side: Type.Boolean(),
    cost: Type.Integer(),
    limits: Type.Array(ref(LimitRule)),
    validated: Type.Boolean({ description: 'Whether requests are held against the OpenAPI document.' }),
  },
  { $id: 'Route' },
)
export type Route = Static<typeof Route>
export const RouteList = listOf(Route)
export type RouteList = Static<typeof RouteList>
