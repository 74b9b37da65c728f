import { wire } from '@postern/contract'
import type { FastifyRequest } from 'fastify'
import Type from 'typebox'

import type { Account, Project } from '../core/accounts/account.ts'
import type { Credential } from '../core/credentials/credential.ts'
import { issueCredential } from '../core/credentials/issue.ts'
import { standingOf } from '../core/credentials/state.ts'
import type { AcceptedTerms, Terms } from '../core/credentials/terms.ts'
import { modelTerms } from '../core/llm/terms.ts'
import type { CredentialFilter, Page, Scope, StateChange } from '../core/store.ts'
import { visibleAccount } from './accounts.ts'
import { budgetRules } from './budgets.ts'
import { callerOf, provenance } from './caller.ts'
import { committed, effectOf, expectedVersion, found, tagVersion } from './commits.ts'
import { accept, circumstances, issuedView, mintOf, planOf, refuseMoreRights, termsOf } from './issuing.ts'
import { idParameters, operation } from './operation.ts'
import type { ManagementParts, Resource } from './parts.ts'
import { Refused } from './problems.ts'
import { instantOrNull, timestampOrNull } from './times.ts'
import { credentialView, limitRules, pageRequest, pageView, secretView } from './views.ts'

const tag = 'Credentials'
const Id = idParameters('id')

const filters = {
  ...wire.listParameters,
  kind: Type.Optional(wire.CredentialKind),
  state: Type.Optional(wire.CredentialState),
  api: Type.Optional(Type.String({ maxLength: 100 })),
  search: Type.Optional(
    Type.String({ minLength: 1, maxLength: 200, description: 'Part of the name, or a public id in full.' }),
  ),
}

export const credentials: Resource = (app, parts) => {
  const { store, clock } = parts

  app.get(
    '/credentials',
    operation('listCredentials', {
      tag,
      summary: 'List credentials',
      querystring: Type.Object(
        {
          ...filters,
          account: Type.Optional(Type.String({ maxLength: 100 })),
          project: Type.Optional(Type.String({ maxLength: 100 })),
        },
        wire.closed,
      ),
      response: { 200: wire.CredentialList },
    }),
    async (request) => {
      const { account = null, project = null } = request.query
      return await listed(parts, request, request.query, { account, project })
    },
  )

  app.get(
    '/projects/:id/credentials',
    operation('listCredentialsOfProject', {
      tag,
      summary: 'List the credentials of a project',
      params: Id,
      querystring: Type.Object(filters, wire.closed),
      response: { 200: wire.CredentialList },
    }),
    async (request) => {
      const project = await visibleProject(parts, request, request.params.id)
      return await listed(parts, request, request.query, { account: null, project: project.id })
    },
  )

  app.post(
    '/projects/:id/credentials',
    operation('createCredential', {
      tag,
      summary: 'Issue a credential',
      description: 'The secret is in this answer and, outside its visibility window, nowhere else.',
      params: Id,
      body: wire.ref(wire.CreateCredential),
      response: { 201: wire.ref(wire.IssuedCredential) },
      problems: [409, 507],
    }),
    async (request, reply) => {
      const project = await visibleProject(parts, request, request.params.id)
      const issued = await issue(parts, request, project, request.body)
      tagVersion(reply, issued.credential.version)
      reply.header('location', `/api/v1/credentials/${issued.credential.id}`)
      return await reply.code(201).send(issued)
    },
  )

  app.post(
    '/accounts/:id/credentials',
    operation('createCredentialOfAccount', {
      tag,
      summary: "Issue a credential in an account's first live project",
      params: Id,
      body: wire.ref(wire.CreateCredential),
      response: { 201: wire.ref(wire.IssuedCredential) },
      problems: [409, 507],
    }),
    async (request, reply) => {
      const account = await visibleAccount(parts, request, request.params.id)
      const project = await defaultProject(parts, account)
      const issued = await issue(parts, request, project, request.body)
      tagVersion(reply, issued.credential.version)
      reply.header('location', `/api/v1/credentials/${issued.credential.id}`)
      return await reply.code(201).send(issued)
    },
  )

  app.get(
    '/credentials/:id',
    operation('getCredential', {
      tag,
      summary: 'Read a credential, its secrets and their last use',
      params: Id,
      response: { 200: wire.ref(wire.CredentialDetail) },
    }),
    async (request, reply) => {
      const { scope } = callerOf(request)
      const { id } = request.params
      const now = clock.now()
      const credential = found(await store.credentials.find({ id, scope }))
      const secrets = await store.credentials.secrets({ id, scope })
      const observedThrough = await store.usage.observedThrough({ now })
      tagVersion(reply, credential.version)
      return {
        ...credentialView(credential, now),
        secrets: secrets.map((secret) => secretView(secret, now)),
        observed_through: timestampOrNull(observedThrough),
      }
    },
  )

  app.patch(
    '/credentials/:id',
    operation('updateCredential', {
      tag,
      summary: 'Change a credential',
      params: Id,
      body: wire.ref(wire.UpdateCredential),
      response: { 200: wire.ref(wire.Credential) },
      problems: [409, 412, 428, 507],
    }),
    async (request, reply) => {
      const version = expectedVersion(request)
      const { scope } = callerOf(request)
      const credential = found(await store.credentials.find({ id: request.params.id, scope }))
      const account = found(await store.accounts.find({ id: credential.account }))
      refuseMoreRights(request, credential, parts.dataPlane.declaration())
      const around = {
        ...circumstances(parts, request, account),
        madeAt: credential.createdAt,
        touched: new Set(Object.keys(request.body)),
      }
      const terms = accept(changedTerms(credential, request.body), around)
      const set = changedFields(request.body, terms)
      const write = store.credentials.update({
        id: credential.id,
        scope,
        version,
        set,
        by: provenance(request, clock.now()),
      })
      const { value } = await committed(parts, write)
      tagVersion(reply, value.version)
      return credentialView(value, clock.now())
    },
  )

  app.delete(
    '/credentials/:id',
    operation('deleteCredential', {
      tag,
      summary: 'Revoke a credential and hide it',
      params: Id,
      response: { 200: wire.ref(wire.ChangedCredential) },
      problems: [409],
    }),
    async (request) =>
      await changeState(parts, request, request.params.id, { to: 'revoked', reason: null, hide: true }),
  )

  app.post(
    '/credentials/:id/block',
    operation('blockCredential', {
      tag,
      summary: 'Block a credential, for a time or until it is unblocked',
      params: Id,
      body: wire.ref(wire.BlockCredential),
      response: { 200: wire.ref(wire.ChangedCredential) },
      problems: [409],
    }),
    async (request) => {
      const { reason, until } = request.body
      const end = instantOrNull(until)
      if (end !== null && end <= clock.now()) {
        throw new Refused('not_acceptable_value', { errors: [{ path: '/until', message: 'is not in the future' }] })
      }
      return await changeState(parts, request, request.params.id, { to: 'blocked', reason, until: end })
    },
  )

  app.post(
    '/credentials/:id/unblock',
    operation('unblockCredential', {
      tag,
      summary: 'Unblock a credential',
      params: Id,
      response: { 200: wire.ref(wire.ChangedCredential) },
      problems: [409],
    }),
    async (request) => await changeState(parts, request, request.params.id, { to: 'active' }),
  )

  app.post(
    '/credentials/:id/revoke',
    operation('revokeCredential', {
      tag,
      summary: 'Revoke a credential for good',
      params: Id,
      body: wire.ref(wire.RevokeCredential),
      response: { 200: wire.ref(wire.ChangedCredential) },
      problems: [409],
    }),
    async (request) => {
      const reason = request.body.reason ?? null
      return await changeState(parts, request, request.params.id, { to: 'revoked', reason, hide: false })
    },
  )

  app.post(
    '/credentials/:id/compromise',
    operation('compromiseCredential', {
      tag,
      summary: 'Report a credential as compromised; it is dead for good',
      params: Id,
      body: wire.ref(wire.CompromiseCredential),
      response: { 200: wire.ref(wire.ChangedCredential) },
      problems: [409],
    }),
    async (request) => {
      const { reason = null, since } = request.body
      const from = instantOrNull(since)
      if (from !== null && from > clock.now()) {
        throw new Refused('not_acceptable_value', { errors: [{ path: '/since', message: 'is in the future' }] })
      }
      return await changeState(parts, request, request.params.id, { to: 'compromised', reason, since: from })
    },
  )
}

export async function visibleProject(parts: ManagementParts, request: FastifyRequest, id: string): Promise<Project> {
  return found(await parts.store.projects.find({ id, scope: callerOf(request).scope }))
}

/** The oldest live project, which was made with the account. */
async function defaultProject(parts: ManagementParts, account: Account): Promise<Project> {
  let after: string | null = null
  let oldest: Project | null = null
  do {
    const page = await parts.store.projects.list({ account: account.id, scope: account.id, limit: 100, after })
    for (const project of page.items) {
      if (project.environment !== 'live') continue
      if (oldest === null || project.createdAt < oldest.createdAt) oldest = project
    }
    after = page.next
  } while (after !== null)
  if (oldest === null) throw new Refused('conflict', { detail: 'The account has no live project.' })
  return oldest
}

async function issue(
  parts: ManagementParts,
  request: FastifyRequest,
  project: Project,
  body: wire.CreateCredential,
): Promise<wire.IssuedCredential> {
  const account = found(await parts.store.accounts.find({ id: project.account }))
  const terms = accept(termsOf(body), circumstances(parts, request, account))
  const mint = mintOf(parts)
  const issued = issueCredential(terms, { environment: project.environment, primary: false }, mint)
  const write = parts.store.credentials.create({
    account: account.id,
    project: project.id,
    credential: issued.credential,
    maxKeys: planOf(parts.dataPlane.declaration(), account)?.maxKeys ?? null,
    by: provenance(request, mint.now),
  })
  const { value } = await committed(parts, write)
  return issuedView(value, issued, mint.now)
}

interface Filters {
  readonly limit?: number
  readonly cursor?: string
  readonly kind?: Credential['kind']
  readonly state?: string
  readonly api?: string
  readonly search?: string
}

async function listed(
  parts: ManagementParts,
  request: FastifyRequest,
  query: Filters,
  within: { readonly account: string | null; readonly project: string | null },
): Promise<wire.CredentialList> {
  const { scope } = callerOf(request)
  const now = parts.clock.now()
  const { state = null } = query
  const derived = state !== null && state !== 'revoked' && state !== 'compromised'
  const filter = {
    ...within,
    kind: query.kind ?? null,
    state: derived ? null : state,
    api: query.api ?? null,
    search: query.search ?? null,
    scope,
  }
  const { limit, after } = pageRequest(query)
  const page = derived
    ? await standingPage(parts, filter, state, { limit, after, now })
    : await parts.store.credentials.list({ ...filter, limit, after })
  return pageView(page, (credential) => credentialView(credential, now))
}

/** Pages that one request reads at most, where the state asked for follows from the time. */
const pagesMax = 10

/** States that follow from the time are no column: pages are read and sifted until one is full. */
async function standingPage(
  parts: ManagementParts,
  filter: CredentialFilter & { readonly scope: Scope },
  state: string,
  { limit, after, now }: { readonly limit: number; readonly after: string | null; readonly now: number },
): Promise<Page<Credential>> {
  const items: Credential[] = []
  let next = after
  for (let read = 0; read < pagesMax; read++) {
    const page = await parts.store.credentials.list({ ...filter, limit: limit - items.length, after: next })
    items.push(...page.items.filter((credential) => standingOf(credential, now) === state))
    next = page.next
    if (next === null || items.length === limit) break
  }
  return { items, next }
}

async function changeState(
  parts: ManagementParts,
  request: FastifyRequest,
  id: string,
  change: StateChange,
): Promise<wire.ChangedCredential> {
  const now = parts.clock.now()
  const { scope } = callerOf(request)
  const commit = await committed(
    parts,
    parts.store.credentials.setState({ id, scope, change, by: provenance(request, now) }),
  )
  return { credential: credentialView(commit.value, now), ...effectOf(parts, commit) }
}

/** The terms as they would stand after the change: all of them are checked again. */
function changedTerms(credential: Credential, body: wire.UpdateCredential): Terms {
  return {
    name: body.name ?? credential.name,
    kind: credential.kind,
    apis: body.apis ?? credential.apis,
    scopes: body.scopes ?? credential.scopes,
    role: body.role === undefined ? credential.role : body.role,
    ipAllow: body.ip_allow ?? credential.ipAllow,
    originAllow: body.origin_allow === undefined ? credential.originAllow : body.origin_allow,
    limits: body.limits === undefined ? credential.limits : limitRules(body.limits),
    llm: changedModelTerms(credential.llm, body),
    oauth: changedClientTerms(credential.oauth, body.oauth),
    notBefore: body.not_before === undefined ? credential.notBefore : instantOrNull(body.not_before),
    expiresAt: body.expires_at === undefined ? credential.expiresAt : instantOrNull(body.expires_at),
    metadata: body.metadata ?? credential.metadata,
  }
}

function changedModelTerms(held: Credential['llm'], { models, budgets }: wire.UpdateCredential): Terms['llm'] {
  return modelTerms(
    models === undefined ? (held?.models ?? null) : models,
    budgets === undefined ? (held?.budgets ?? []) : budgetRules(budgets, '/budgets'),
  )
}

/** The type stays. Terms for what is no client are refused with the other faults. */
function changedClientTerms(held: Credential['oauth'], change: wire.UpdateCredential['oauth']): Terms['oauth'] {
  if (change === undefined) return held
  return {
    type: held?.type ?? 'confidential',
    grantTypes: change.grant_types ?? held?.grantTypes,
    redirectUris: change.redirect_uris ?? held?.redirectUris ?? [],
  }
}

function changedFields(
  body: wire.UpdateCredential,
  terms: AcceptedTerms,
): Partial<Omit<AcceptedTerms, 'kind' | 'form' | 'declaredApis'>> {
  return {
    ...(body.name === undefined ? {} : { name: terms.name }),
    ...(body.apis === undefined ? {} : { apis: terms.apis }),
    ...(body.scopes === undefined ? {} : { scopes: terms.scopes }),
    ...(body.role === undefined ? {} : { role: terms.role }),
    ...(body.ip_allow === undefined ? {} : { ipAllow: terms.ipAllow }),
    ...(body.origin_allow === undefined ? {} : { originAllow: terms.originAllow }),
    ...(body.limits === undefined ? {} : { limits: terms.limits }),
    ...(body.oauth === undefined ? {} : { oauth: terms.oauth }),
    ...(body.models === undefined && body.budgets === undefined ? {} : { llm: terms.llm }),
    ...(body.not_before === undefined ? {} : { notBefore: terms.notBefore }),
    ...(body.expires_at === undefined ? {} : { expiresAt: terms.expiresAt }),
    ...(body.metadata === undefined ? {} : { metadata: terms.metadata }),
  }
}
