import { wire } from '@postern/contract'
import type { FastifyRequest } from 'fastify'
import Type from 'typebox'

import { type Account, operatorAccountId } from '../core/accounts/account.ts'
import { operatorPlanId } from '../core/accounts/bootstrap.ts'
import { nearest } from '../core/credentials/nearest.ts'
import { callerOf, provenance } from './caller.ts'
import { committed, effectOf, expectedVersion, found, tagVersion } from './commits.ts'
import { issuedViews, pairsForProject } from './issuing.ts'
import { idParameters, operation } from './operation.ts'
import type { ManagementParts, Resource } from './parts.ts'
import { Refused } from './problems.ts'
import { refuseUnknownRegion } from './regions.ts'
import { accountView, overridesOf, pageRequest, pageView, projectView } from './views.ts'

const tag = 'Accounts'
const Id = idParameters('id')

export const accounts: Resource = (app, parts) => {
  const { store, clock, ids } = parts

  app.get(
    '/accounts',
    operation('listAccounts', {
      tag,
      summary: 'List accounts',
      querystring: Type.Object(wire.listParameters, wire.closed),
      response: { 200: wire.AccountList },
    }),
    async (request) => {
      const { scope } = callerOf(request)
      return pageView(await store.accounts.list({ ...pageRequest(request.query), scope }), accountView)
    },
  )

  app.post(
    '/accounts',
    operation('createAccount', {
      tag,
      summary: 'Create an account',
      description: 'Makes the live project `default` with it, in `region`, and the pairs of its presets.',
      body: wire.ref(wire.CreateAccount),
      response: { 201: wire.ref(wire.CreatedAccount) },
      problems: [409, 507],
    }),
    async (request, reply) => {
      const { name, plan, region = null, metadata, overrides } = request.body
      refuseUnknownPlan(parts, plan)
      refuseUnknownRegion(parts, region)
      const account = { id: ids.next('acc'), name, plan, overrides: overridesOf(overrides), metadata: metadata ?? {} }
      const now = clock.now()
      const pairs = await pairsForProject(parts, account, 'live')
      const project = {
        id: ids.next('prj'),
        name: 'default',
        environment: 'live',
        region,
        ipAllow: [],
        metadata: {},
        credentials: pairs.issued.map(({ credential }) => credential),
      } as const
      const { value } = await committed(
        parts,
        store.accounts.create({ account, project, by: provenance(request, now) }),
      )
      tagVersion(reply, value.account.version)
      reply.header('location', `/api/v1/accounts/${value.account.id}`)
      return await reply.code(201).send({
        account: accountView(value.account),
        project: projectView(value.project),
        credentials: issuedViews(value.credentials, pairs, now),
        skipped: pairs.skipped.map((skipped) => ({ ...skipped, apis: [...skipped.apis] })),
      })
    },
  )

  app.get(
    '/accounts/:id',
    operation('getAccount', { tag, summary: 'Read an account', params: Id, response: { 200: wire.ref(wire.Account) } }),
    async (request, reply) => {
      const account = await visibleAccount(parts, request, request.params.id)
      tagVersion(reply, account.version)
      return accountView(account)
    },
  )

  app.patch(
    '/accounts/:id',
    operation('updateAccount', {
      tag,
      summary: 'Change an account',
      description: 'A new plan acts on existing credentials at once.',
      params: Id,
      body: wire.ref(wire.UpdateAccount),
      response: { 200: wire.ref(wire.Account) },
      problems: [409, 412, 428, 507],
    }),
    async (request, reply) => {
      const version = expectedVersion(request)
      const account = await visibleAccount(parts, request, request.params.id)
      const { overrides, ...rest } = request.body
      refuseOperatorFields(request, request.body)
      if (rest.plan !== undefined) {
        refuseOperatorAccount(account.id, 'keeps its plan')
        refuseUnknownPlan(parts, rest.plan)
      }
      const set = { ...rest, ...(overrides === undefined ? {} : { overrides: overridesOf(overrides) }) }
      const { value } = await committed(
        parts,
        store.accounts.update({ id: account.id, version, set, by: provenance(request, clock.now()) }),
      )
      tagVersion(reply, value.version)
      return accountView(value)
    },
  )

  app.post(
    '/accounts/:id/suspend',
    operation('suspendAccount', {
      tag,
      summary: 'Suspend an account',
      description: 'Everything of the account stops at once: its credentials are refused until it is resumed.',
      params: Id,
      body: wire.ref(wire.SuspendAccount),
      response: { 200: wire.ref(wire.ChangedAccount) },
      problems: [409],
    }),
    async (request) => await setState(parts, request, request.params.id, 'suspended', request.body.reason),
  )

  app.post(
    '/accounts/:id/resume',
    operation('resumeAccount', {
      tag,
      summary: 'Resume a suspended account',
      params: Id,
      response: { 200: wire.ref(wire.ChangedAccount) },
      problems: [409],
    }),
    async (request) => await setState(parts, request, request.params.id, 'active', null),
  )
}

/** The account if the caller may see it; one of somebody else reads like none. */
export async function visibleAccount(parts: ManagementParts, request: FastifyRequest, id: string): Promise<Account> {
  const { scope } = callerOf(request)
  return found(scope === null || scope === id ? await parts.store.accounts.find({ id }) : null)
}

async function setState(
  parts: ManagementParts,
  request: FastifyRequest,
  id: string,
  state: Account['state'],
  reason: string | null,
): Promise<wire.ChangedAccount> {
  refuseOperatorAccount(id, 'cannot be suspended')
  const by = provenance(request, parts.clock.now())
  const commit = await committed(parts, parts.store.accounts.setState({ id, state, reason, by }))
  return { account: accountView(commit.value), ...effectOf(parts, commit) }
}

function refuseOperatorAccount(id: string, what: string): void {
  if (id === operatorAccountId) throw new Refused('conflict', { detail: `The operator's own account ${what}.` })
}

function refuseUnknownPlan(parts: ManagementParts, id: string): void {
  const plans = new Map([...parts.dataPlane.declaration().plans].filter(([name]) => name !== operatorPlanId))
  const plan = plans.get(id)
  if (plan !== undefined && !plan.retired) return
  const near = nearest(id, [...plans.keys()])
  const message =
    plan === undefined
      ? `is not a declared plan${near === null ? '' : `; did you mean "${near}"?`}`
      : 'is retired: no account can be moved to it'
  throw new Refused('not_acceptable_value', { errors: [{ path: '/plan', message }] })
}

/** What an account is given is the operator's to say. */
function refuseOperatorFields(request: FastifyRequest, body: wire.UpdateAccount): void {
  if (callerOf(request).scope === null) return
  const errors = (['plan', 'overrides'] as const)
    .filter((field) => body[field] !== undefined)
    .map((field) => ({ path: `/${field}`, message: 'only the operator can change this' }))
  if (errors.length > 0) throw new Refused('rights_exceeded', { errors })
}
