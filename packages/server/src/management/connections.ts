import { wire } from '@postern/contract'
import type { FastifyReply, FastifyRequest } from 'fastify'
import Type from 'typebox'

import type { Secret } from '../base/secret.ts'
import { operatorAccountId } from '../core/accounts/account.ts'
import type { SealedField } from '../core/connections/connection.ts'
import { acceptInput, type ConnectionInput } from '../core/connections/input.ts'
import type { Platform } from '../core/connections/platform.ts'
import { platformOf } from '../core/connections/platforms/index.ts'
import { visibleAccount } from './accounts.ts'
import { callerOf, provenance } from './caller.ts'
import { committed, effectOf, expectedVersion, found, tagVersion } from './commits.ts'
import { connectionView } from './connection-views.ts'
import { idParameters, operation } from './operation.ts'
import type { ManagementParts, Resource } from './parts.ts'
import { Refused } from './problems.ts'
import { pageRequest, pageView } from './views.ts'

const tag = 'Connections'
const Id = idParameters('id')
const Filter = Type.Optional(Type.String({ maxLength: 100 }))
/** Of one account: what the gateway holds in memory has a bound. */
const connectionsMax = 1_000

export const connections: Resource = (app, parts) => {
  const { store, clock } = parts

  app.get(
    '/connections',
    operation('listConnections', {
      tag,
      summary: 'List connections to third parties',
      querystring: Type.Object(
        {
          ...wire.listParameters,
          account: Filter,
          project: Filter,
          platform: Filter,
          name: Filter,
          state: Type.Optional(Type.Union([Type.Literal('active'), Type.Literal('disabled')])),
        },
        wire.closed,
      ),
      response: { 200: wire.ConnectionList },
    }),
    async (request) => {
      const { account = null, project = null, platform = null, name = null, state = null } = request.query
      const filter = { account, project, platform, name, state }
      const { scope } = callerOf(request)
      return pageView(await store.connections.list({ ...pageRequest(request.query), ...filter, scope }), connectionView)
    },
  )

  const created = {
    tag,
    body: wire.ref(wire.CreateConnection),
    response: { 201: wire.ref(wire.ChangedConnection) },
    problems: [409, 507],
  } as const
  const sealedNote = 'The secrets are sealed, and never answered again but to services of the operator.'

  app.post(
    '/connections',
    operation('createConnection', {
      ...created,
      summary: 'Keep the credential of a third party for your own account',
      description: `${sealedNote} Those of the operator’s account are what routes name in postern.yaml.`,
    }),
    async (request, reply) => {
      const { account } = callerOf(request).principal
      return await create(parts, request, reply, request.body, { account, project: null })
    },
  )

  app.post(
    '/accounts/:id/connections',
    operation('createConnectionOfAccount', {
      ...created,
      summary: 'Keep the credential of a third party for an account',
      description: `${sealedNote} It serves all projects of the account that have none of their own.`,
      params: Id,
    }),
    async (request, reply) => {
      const { id: account } = await visibleAccount(parts, request, request.params.id)
      return await create(parts, request, reply, request.body, { account, project: null })
    },
  )

  app.post(
    '/projects/:id/connections',
    operation('createConnectionOfProject', {
      ...created,
      summary: 'Keep the credential of a third party for a project',
      description: sealedNote,
      params: Id,
    }),
    async (request, reply) => {
      const { scope } = callerOf(request)
      const { id: project, account } = found(await store.projects.find({ id: request.params.id, scope }))
      if (account === operatorAccountId) {
        throw new Refused('conflict', {
          detail:
            'Connections of the operator belong to its account, so that postern.yaml can name them: POST /connections.',
        })
      }
      return await create(parts, request, reply, request.body, { account, project })
    },
  )

  app.get(
    '/connections/:id',
    operation('getConnection', {
      tag,
      summary: 'Read a connection, without its secrets',
      params: Id,
      response: { 200: wire.ref(wire.Connection) },
    }),
    async (request, reply) => {
      const { scope } = callerOf(request)
      const connection = found(await store.connections.find({ id: request.params.id, scope }))
      tagVersion(reply, connection.version)
      return connectionView(connection)
    },
  )

  app.patch(
    '/connections/:id',
    operation('updateConnection', {
      tag,
      summary: 'Rename a connection',
      description: 'Routes that name it in postern.yaml have to follow.',
      params: Id,
      body: wire.ref(wire.UpdateConnection),
      response: { 200: wire.ref(wire.Connection) },
      problems: [409, 412, 428, 507],
    }),
    async (request, reply) => {
      const version = expectedVersion(request)
      const { scope } = callerOf(request)
      const set = { name: request.body.name }
      const by = provenance(request, clock.now())
      const write = store.connections.update({ id: request.params.id, scope, version, set, by })
      const { value } = await committed(parts, write)
      tagVersion(reply, value.version)
      return connectionView(value)
    },
  )

  app.post(
    '/connections/:id/rotate',
    operation('rotateConnection', {
      tag,
      summary: 'Replace the secrets of a connection at once',
      description:
        'The old ones are gone with the answer. The platform says how a new one is made: GET /platforms/{id}.',
      params: Id,
      body: wire.ref(wire.RotateConnection),
      response: { 200: wire.ref(wire.ChangedConnection) },
      problems: [409, 507],
    }),
    async (request, reply) => {
      const { scope } = callerOf(request)
      const before = found(await store.connections.find({ id: request.params.id, scope }))
      const { id, account, project, secretVersion } = before
      const platform = declaredPlatform(before.platform)
      const input = accepted(platform, {
        name: before.name,
        settings: request.body.settings ?? before.settings,
        secrets: request.body.secrets,
      })
      const place = { connection: id, account, project, secretVersion: secretVersion + 1 }
      const sealed = seal(parts, input.secrets, place)
      const by = provenance(request, clock.now())
      const write = store.connections.rotate({ id, scope, secretVersion, settings: input.settings, sealed, by })
      const commit = await committed(parts, write)
      tagVersion(reply, commit.value.version)
      return { connection: connectionView(commit.value), ...effectOf(parts, commit) }
    },
  )

  app.post(
    '/connections/:id/disable',
    operation('disableConnection', {
      tag,
      summary: 'Stop the use of a connection',
      description: 'Routes that need it answer `connection_unavailable`, and it cannot be read.',
      params: Id,
      body: wire.ref(wire.DisableConnection),
      response: { 200: wire.ref(wire.ChangedConnection) },
      problems: [409, 507],
    }),
    async (request) => await setState(parts, request, request.params.id, 'disabled', request.body.reason ?? null),
  )

  app.post(
    '/connections/:id/enable',
    operation('enableConnection', {
      tag,
      summary: 'Use a connection again',
      params: Id,
      response: { 200: wire.ref(wire.ChangedConnection) },
      problems: [409, 507],
    }),
    async (request) => await setState(parts, request, request.params.id, 'active', null),
  )

  app.delete(
    '/connections/:id',
    operation('deleteConnection', {
      tag,
      summary: 'Delete a connection and its secrets for good',
      params: Id,
      response: { 200: wire.ref(wire.ChangedConnection) },
      problems: [507],
    }),
    async (request) => {
      const { scope } = callerOf(request)
      const by = provenance(request, clock.now())
      const commit = await committed(parts, store.connections.delete({ id: request.params.id, scope, by }))
      return {
        connection: connectionView({ ...commit.value, state: 'disabled', stateReason: 'deleted' }),
        ...effectOf(parts, commit),
      }
    },
  )
}

async function setState(
  parts: ManagementParts,
  request: FastifyRequest,
  id: string,
  state: 'active' | 'disabled',
  reason: string | null,
): Promise<wire.ChangedConnection> {
  const { scope } = callerOf(request)
  const by = provenance(request, parts.clock.now())
  const commit = await committed(parts, parts.store.connections.setState({ id, scope, state, reason, by }))
  return { connection: connectionView(commit.value), ...effectOf(parts, commit) }
}

interface Owner {
  readonly account: string
  readonly project: string | null
}

async function create(
  parts: ManagementParts,
  request: FastifyRequest,
  reply: FastifyReply,
  body: wire.CreateConnection,
  owner: Owner,
): Promise<FastifyReply> {
  const { store, clock, ids } = parts
  const { name, settings = {}, secrets } = body
  const platform = declaredPlatform(body.platform)
  const input = accepted(platform, { name, settings, secrets })
  const id = ids.next('conn')
  const sealed = seal(parts, input.secrets, { connection: id, ...owner, secretVersion: 1 })
  const connection = { id, ...owner, platform: platform.id, name, settings: input.settings, sealed }
  const by = provenance(request, clock.now())
  const commit = await committed(parts, store.connections.create({ connection, max: connectionsMax, by }))
  tagVersion(reply, commit.value.version)
  reply.header('location', `/api/v1/connections/${id}`)
  return await reply.code(201).send({ connection: connectionView(commit.value), ...effectOf(parts, commit) })
}

function declaredPlatform(id: string): Platform {
  const platform = platformOf(id)
  if (platform !== null) return platform
  throw new Refused('not_acceptable_value', {
    errors: [{ path: '/platform', message: 'is not a platform; GET /api/v1/platforms lists them' }],
  })
}

function accepted(platform: Platform, sent: Parameters<typeof acceptInput>[1]): ConnectionInput {
  const input = acceptInput(platform, sent)
  if (!input.ok) throw new Refused('not_acceptable_value', { errors: input.error })
  return input.value
}

function seal(
  parts: ManagementParts,
  secrets: ReadonlyMap<string, Secret>,
  place: Owner & { readonly connection: string; readonly secretVersion: number },
): readonly SealedField[] {
  return [...secrets].map(([field, secret]) => parts.connections.seal(secret, { ...place, field }))
}
