import { wire } from '@postern/contract'
import Type from 'typebox'

import { callerOf, provenance } from './caller.ts'
import { committed, effectOf, found, tagVersion } from './commits.ts'
import { idParameters, operation } from './operation.ts'
import type { Resource } from './parts.ts'
import { Refused } from './problems.ts'
import { grantView } from './token-views.ts'
import { pageRequest, pageView } from './views.ts'

const tag = 'Grants'
const Id = idParameters('id')
const Filter = Type.Optional(Type.String({ maxLength: 100 }))

export const grants: Resource = (app, parts) => {
  const { store, clock } = parts

  app.get(
    '/grants',
    operation('listGrants', {
      tag,
      summary: 'List what members have allowed clients, newest first',
      description: 'An account sees the grants of its own projects, and those that were given to its own clients.',
      querystring: Type.Object(
        {
          ...wire.listParameters,
          client: Filter,
          user: Filter,
          project: Filter,
          state: Type.Optional(wire.GrantState),
        },
        wire.closed,
      ),
      response: { 200: wire.GrantList },
    }),
    async (request) => {
      const { scope } = callerOf(request)
      const { client = null, user = null, project = null, state = null } = request.query
      const filter = { client, user, project, state, scope }
      return pageView(await store.grants.list({ ...pageRequest(request.query), ...filter }), grantView)
    },
  )

  app.get(
    '/grants/:id',
    operation('getGrant', { tag, summary: 'Read a grant', params: Id, response: { 200: wire.ref(wire.Grant) } }),
    async (request, reply) => {
      const { scope } = callerOf(request)
      const grant = found(await store.grants.find({ id: request.params.id, scope }))
      tagVersion(reply, grant.version)
      return grantView(grant)
    },
  )

  app.post(
    '/grants/:id/withdraw',
    operation('withdrawGrant', {
      tag,
      summary: 'Withdraw a grant for good',
      description: 'Its tokens are dead with the answer. For the account that it is about, and the operator.',
      params: Id,
      response: { 200: wire.ref(wire.ChangedGrant) },
      problems: [409],
    }),
    async (request) => {
      const { scope } = callerOf(request)
      const { id, account } = found(await store.grants.find({ id: request.params.id, scope }))
      if (scope !== null && scope !== account) throw new Refused('conflict', { detail: notTheirs })
      const by = provenance(request, clock.now())
      const write = store.grants.withdraw({ id, user: null, scope, by })
      const commit = await committed(parts, write)
      return { grant: grantView(commit.value), ...effectOf(parts, commit) }
    },
  )
}

/** Whoever made the client sees what it was given, and is not who gave it. */
const notTheirs = 'The grant is about a project of another account; only that account withdraws it.'
