import { wire } from '@postern/contract'
import type { FastifyRequest } from 'fastify'
import Type from 'typebox'

import { operatorAccountId } from '../core/accounts/account.ts'
import { holds } from '../core/credentials/rights.ts'
import { newLinkSecret, resetLink, resetMs } from '../core/people/link.ts'
import type { User } from '../core/people/user.ts'
import { callerOf, provenance } from './caller.ts'
import { committed, effectOf, found, tagVersion } from './commits.ts'
import { idParameters, operation } from './operation.ts'
import type { ManagementParts, Resource } from './parts.ts'
import { linkView, userView } from './people-views.ts'
import { Refused } from './problems.ts'
import { pageRequest, pageView } from './views.ts'

const tag = 'People'
const Id = idParameters('id')

/** People may be members of several accounts: they are the operator's to look after. */
export const users: Resource = (app, parts) => {
  const { store, clock } = parts

  app.get(
    '/users',
    operation('listUsers', {
      tag,
      summary: 'List people',
      querystring: Type.Object(
        {
          ...wire.listParameters,
          search: Type.Optional(
            Type.String({ minLength: 1, maxLength: 200, description: 'Part of the name or of the address.' }),
          ),
        },
        wire.closed,
      ),
      response: { 200: wire.UserList },
    }),
    async (request) => {
      const { search = null } = request.query
      return pageView(await store.people.listUsers({ ...pageRequest(request.query), search }), userView)
    },
  )

  app.get(
    '/users/:id',
    operation('getUser', { tag, summary: 'Read a person', params: Id, response: { 200: wire.ref(wire.User) } }),
    async (request, reply) => {
      const user = found(await store.people.findUser({ id: request.params.id }))
      tagVersion(reply, user.version)
      return userView(user)
    },
  )

  app.post(
    '/users/:id/disable',
    operation('disableUser', {
      tag,
      summary: 'Keep a person from signing in',
      description: 'Every session ends, and what they have allowed clients is not good while it lasts.',
      params: Id,
      response: { 200: wire.ref(wire.ChangedUser) },
      problems: [409],
    }),
    async (request) => await setState(parts, request, request.params.id, 'disabled'),
  )

  app.post(
    '/users/:id/enable',
    operation('enableUser', {
      tag,
      summary: 'Let a person sign in again',
      params: Id,
      response: { 200: wire.ref(wire.ChangedUser) },
      problems: [409, 507],
    }),
    async (request) => await setState(parts, request, request.params.id, 'active'),
  )

  app.post(
    '/users/:id/reset-password',
    operation('offerPasswordReset', {
      tag,
      summary: 'Offer a link with which a person sets a new password',
      description:
        'The link is in this answer and nowhere else, and earlier ones are void. The second factor is still asked for.',
      params: Id,
      response: { 201: wire.ref(wire.OfferedReset) },
      problems: [409, 507],
    }),
    async (request, reply) => {
      const user = request.params.id
      await refuseOperatorsPeople(parts, request, user)
      const now = clock.now()
      const expiresAt = now + resetMs
      const link = newLinkSecret(parts.random)
      const by = provenance(request, now)
      const offer = { user, id: parts.ids.next('rst'), digest: link.digest, expiresAt, by }
      const { value } = await committed(parts, store.people.offerReset(offer))
      const { publicUrl } = parts.dataPlane.declaration()
      return await reply
        .code(201)
        .send({ user: userView(value), link: linkView(resetLink(publicUrl, link), expiresAt) })
    },
  )

  app.post(
    '/users/:id/remove-factor',
    operation('removeSecondFactor', {
      tag,
      summary: 'Take the second factor of a person away',
      description: 'For somebody who has lost it and the recovery codes. Every session ends.',
      params: Id,
      response: { 200: wire.ref(wire.ChangedUser) },
      problems: [409, 507],
    }),
    async (request) => {
      const user = request.params.id
      await refuseOperatorsPeople(parts, request, user)
      const by = provenance(request, clock.now())
      const write = store.people.setSecondFactor({ user, factor: null, keepSession: null, by })
      const commit = await committed(parts, write)
      return { user: userView(commit.value), ...effectOf(parts, commit) }
    },
  )
}

async function setState(
  parts: ManagementParts,
  request: FastifyRequest,
  user: string,
  state: Exclude<User['state'], 'erased'>,
): Promise<wire.ChangedUser> {
  await refuseOperatorsPeople(parts, request, user)
  const by = provenance(request, parts.clock.now())
  const commit = await committed(parts, parts.store.people.setUserState({ user, state, by }))
  return { user: userView(commit.value), ...effectOf(parts, commit) }
}

/** Whoever can become somebody else has that person's rights: the operator's own people are for who has every right. */
export async function refuseOperatorsPeople(
  parts: ManagementParts,
  request: FastifyRequest,
  user: string,
): Promise<void> {
  if (holds(callerOf(request).principal.scopes, '*')) return
  const places = await parts.store.people.membershipsOf({ user })
  if (!places.some(({ account }) => account === operatorAccountId)) return
  throw new Refused('rights_exceeded', {
    errors: [
      { path: '', message: 'the person is one of the operator’s own, who may have rights that you do not have' },
    ],
  })
}
