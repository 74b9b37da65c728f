import { wire } from '@postern/contract'
import Type from 'typebox'

import { ipFaults } from '../core/credentials/terms.ts'
import { visibleAccount } from './accounts.ts'
import { callerOf, provenance } from './caller.ts'
import { committed, expectedVersion, found, tagVersion } from './commits.ts'
import { issuedViews, pairsForProject, planOf } from './issuing.ts'
import { idParameters, operation } from './operation.ts'
import type { Resource } from './parts.ts'
import { Refused } from './problems.ts'
import { refuseUnknownRegion } from './regions.ts'
import { pageRequest, pageView, projectView } from './views.ts'

const tag = 'Projects'
const Id = idParameters('id')

export const projects: Resource = (app, parts) => {
  const { store, clock, ids } = parts

  app.get(
    '/projects',
    operation('listProjects', {
      tag,
      summary: 'List projects',
      querystring: Type.Object(
        { ...wire.listParameters, account: Type.Optional(Type.String({ maxLength: 100 })) },
        wire.closed,
      ),
      response: { 200: wire.ProjectList },
    }),
    async (request) => {
      const { scope } = callerOf(request)
      const account = request.query.account ?? null
      return pageView(await store.projects.list({ ...pageRequest(request.query), account, scope }), projectView)
    },
  )

  app.get(
    '/accounts/:id/projects',
    operation('listProjectsOfAccount', {
      tag,
      summary: 'List the projects of an account',
      params: Id,
      querystring: Type.Object(wire.listParameters, wire.closed),
      response: { 200: wire.ProjectList },
    }),
    async (request) => {
      const account = await visibleAccount(parts, request, request.params.id)
      const { scope } = callerOf(request)
      return pageView(
        await store.projects.list({ ...pageRequest(request.query), account: account.id, scope }),
        projectView,
      )
    },
  )

  app.post(
    '/accounts/:id/projects',
    operation('createProject', {
      tag,
      summary: 'Create a project',
      description:
        'The pairs that a preset makes with a project come with their secrets; `skipped` names those that the plan does not allow.',
      params: Id,
      body: wire.ref(wire.CreateProject),
      response: { 201: wire.ref(wire.CreatedProject) },
      problems: [409, 507],
    }),
    async (request, reply) => {
      const account = await visibleAccount(parts, request, request.params.id)
      const { name, environment, region = null, ip_allow: ipAllow = [], metadata = {} } = request.body
      refuseBadAddresses(ipAllow)
      refuseUnknownRegion(parts, region)
      const now = clock.now()
      const pairs = await pairsForProject(parts, account, environment)
      const credentials = pairs.issued.map(({ credential }) => credential)
      const project = { id: ids.next('prj'), name, environment, region, ipAllow, metadata, credentials }
      const maxKeys = planOf(parts.dataPlane.declaration(), account)?.maxKeys ?? null
      const write = store.projects.create({ account: account.id, project, maxKeys, by: provenance(request, now) })
      const { value } = await committed(parts, write)
      tagVersion(reply, value.project.version)
      reply.header('location', `/api/v1/projects/${value.project.id}`)
      return await reply.code(201).send({
        project: projectView(value.project),
        credentials: issuedViews(value.credentials, pairs, now),
        skipped: pairs.skipped.map((skipped) => ({ ...skipped, apis: [...skipped.apis] })),
      })
    },
  )

  app.get(
    '/projects/:id',
    operation('getProject', { tag, summary: 'Read a project', params: Id, response: { 200: wire.ref(wire.Project) } }),
    async (request, reply) => {
      const { scope } = callerOf(request)
      const project = found(await store.projects.find({ id: request.params.id, scope }))
      tagVersion(reply, project.version)
      return projectView(project)
    },
  )

  app.patch(
    '/projects/:id',
    operation('updateProject', {
      tag,
      summary: 'Change a project',
      description:
        '`ip_allow` acts on existing credentials at once. `region` can be given to a project that has none; once a project with a region has credentials it stays there.',
      params: Id,
      body: wire.ref(wire.UpdateProject),
      response: { 200: wire.ref(wire.Project) },
      problems: [409, 412, 428, 507],
    }),
    async (request, reply) => {
      const version = expectedVersion(request)
      const { scope } = callerOf(request)
      const { ip_allow: ipAllow, ...rest } = request.body
      refuseBadAddresses(ipAllow ?? [])
      refuseUnknownRegion(parts, rest.region ?? null)
      const set = { ...rest, ...(ipAllow === undefined ? {} : { ipAllow }) }
      const by = provenance(request, clock.now())
      const { value } = await committed(
        parts,
        store.projects.update({ id: request.params.id, scope, version, set, by }),
      )
      tagVersion(reply, value.version)
      return projectView(value)
    },
  )
}

function refuseBadAddresses(ipAllow: readonly string[]): void {
  const errors = [...ipFaults(ipAllow)]
  if (errors.length > 0) throw new Refused('not_acceptable_value', { errors })
}
