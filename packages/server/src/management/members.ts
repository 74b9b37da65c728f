import { wire } from '@postern/contract'
import type { FastifyRequest } from 'fastify'
import Type from 'typebox'

import { holds } from '../core/credentials/rights.ts'
import type { MemberRole } from '../core/people/member.ts'
import { visibleAccount } from './accounts.ts'
import { callerOf, provenance } from './caller.ts'
import { committed, effectOf, expectedVersion, found, tagVersion } from './commits.ts'
import { idParameters, operation } from './operation.ts'
import type { Resource } from './parts.ts'
import { memberView } from './people-views.ts'
import { Refused } from './problems.ts'
import { pageRequest, pageView } from './views.ts'

const tag = 'Members'
const Id = idParameters('id')
const Filter = Type.Optional(Type.String({ maxLength: 100 }))

export const members: Resource = (app, parts) => {
  const { store, clock } = parts

  app.get(
    '/members',
    operation('listMembers', {
      tag,
      summary: 'List the members of accounts',
      querystring: Type.Object({ ...wire.listParameters, account: Filter, user: Filter }, wire.closed),
      response: { 200: wire.MemberList },
    }),
    async (request) => {
      const { scope } = callerOf(request)
      const { account = null, user = null } = request.query
      return pageView(
        await store.people.listMembers({ ...pageRequest(request.query), account, user, scope }),
        memberView,
      )
    },
  )

  app.get(
    '/accounts/:id/members',
    operation('listMembersOfAccount', {
      tag,
      summary: 'List the members of an account',
      params: Id,
      querystring: Type.Object(wire.listParameters, wire.closed),
      response: { 200: wire.MemberList },
    }),
    async (request) => {
      const { scope } = callerOf(request)
      const { id: account } = await visibleAccount(parts, request, request.params.id)
      const filter = { account, user: null, scope }
      return pageView(await store.people.listMembers({ ...pageRequest(request.query), ...filter }), memberView)
    },
  )

  app.get(
    '/members/:id',
    operation('getMember', { tag, summary: 'Read a member', params: Id, response: { 200: wire.ref(wire.Member) } }),
    async (request, reply) => {
      const { scope } = callerOf(request)
      const member = found(await store.people.findMember({ id: request.params.id, scope }))
      tagVersion(reply, member.version)
      return memberView(member)
    },
  )

  app.patch(
    '/members/:id',
    operation('updateMember', {
      tag,
      summary: 'Change the role of a member',
      description: 'What the member has allowed clients follows at once. The last owner of an account stays one.',
      params: Id,
      body: wire.ref(wire.UpdateMember),
      response: { 200: wire.ref(wire.ChangedMember) },
      problems: [409, 412, 428, 507],
    }),
    async (request, reply) => {
      const version = expectedVersion(request)
      const { scope } = callerOf(request)
      const { role } = request.body
      const { id, account } = found(await store.people.findMember({ id: request.params.id, scope }))
      refuseHigherRole(request, account, role)
      const by = provenance(request, clock.now())
      const commit = await committed(parts, store.people.setRole({ member: id, scope, version, role, by }))
      tagVersion(reply, commit.value.version)
      return { member: memberView(commit.value), ...effectOf(parts, commit) }
    },
  )

  app.delete(
    '/members/:id',
    operation('deleteMember', {
      tag,
      summary: 'Remove a member from an account',
      description: 'What the member has allowed clients in this account is withdrawn. The last owner stays.',
      params: Id,
      response: { 200: wire.ref(wire.ChangedMember) },
      problems: [409],
    }),
    async (request) => {
      const { scope } = callerOf(request)
      const by = provenance(request, clock.now())
      const commit = await committed(parts, store.people.removeMember({ member: request.params.id, scope, by }))
      return { member: memberView(commit.value), ...effectOf(parts, commit) }
    },
  )
}

/**
 * Owners and admins can do in their account what every right over it can do: whoever makes one in their own account
 * has to have every right.
 */
export function refuseHigherRole(request: FastifyRequest, account: string, role: MemberRole): void {
  const { principal } = callerOf(request)
  if ((role !== 'owner' && role !== 'admin') || principal.account !== account || holds(principal.scopes, '*')) return
  throw new Refused('rights_exceeded', { errors: [{ path: '/role', message: 'stands for more rights than you have' }] })
}
