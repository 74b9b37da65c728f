import { wire } from '@postern/contract'
import Type from 'typebox'

import { emailOf } from '../core/people/email.ts'
import { invitationLink, invitationMs, invitationMsMax, newLinkSecret } from '../core/people/link.ts'
import { visibleAccount } from './accounts.ts'
import { callerOf, provenance } from './caller.ts'
import { committed, effectOf } from './commits.ts'
import { refuseHigherRole } from './members.ts'
import { idParameters, operation } from './operation.ts'
import type { Resource } from './parts.ts'
import { invitationView, linkView } from './people-views.ts'
import { Refused } from './problems.ts'
import { durationMs } from './times.ts'
import { pageRequest, pageView } from './views.ts'

const tag = 'Members'
const Id = idParameters('id')

export const invitations: Resource = (app, parts) => {
  const { store, clock } = parts

  app.get(
    '/invitations',
    operation('listInvitations', {
      tag,
      summary: 'List invitations, newest first',
      querystring: Type.Object(
        {
          ...wire.listParameters,
          account: Type.Optional(Type.String({ maxLength: 100 })),
          open: Type.Optional(Type.Boolean({ default: false, description: 'Only those that can still be accepted.' })),
        },
        wire.closed,
      ),
      response: { 200: wire.InvitationList },
    }),
    async (request) => {
      const { scope } = callerOf(request)
      const now = clock.now()
      const { account = null, open = false } = request.query
      const filter = { account, openAt: open ? now : null, scope }
      const page = await store.people.listInvitations({ ...pageRequest(request.query), ...filter })
      return pageView(page, (invitation) => invitationView(invitation, now))
    },
  )

  app.post(
    '/accounts/:id/invitations',
    operation('inviteMember', {
      tag,
      summary: 'Invite somebody to an account',
      description:
        'The link is in this answer and nowhere else: hand it to the person. Whoever opens it first becomes the member.',
      params: Id,
      body: wire.ref(wire.InviteMember),
      response: { 201: wire.ref(wire.IssuedInvitation) },
      problems: [409, 507],
    }),
    async (request, reply) => {
      const { id: account } = await visibleAccount(parts, request, request.params.id)
      const { role } = request.body
      const email = acceptableEmail(request.body.email)
      const now = clock.now()
      const expiresAt = now + lifetimeOf(request.body)
      refuseHigherRole(request, account, role)
      const link = newLinkSecret(parts.random)
      const invitation = { id: parts.ids.next('inv'), account, email, role, expiresAt }
      const write = store.people.invite({ invitation, digest: link.digest, by: provenance(request, now) })
      const { value } = await committed(parts, write)
      const { publicUrl } = parts.dataPlane.declaration()
      return await reply.code(201).send({
        invitation: invitationView(value, now),
        link: linkView(invitationLink(publicUrl, link), expiresAt),
      })
    },
  )

  app.post(
    '/invitations/:id/revoke',
    operation('revokeInvitation', {
      tag,
      summary: 'Revoke an invitation',
      description: 'Its link leads nowhere any more. One that was accepted is a member: remove that.',
      params: Id,
      response: { 200: wire.ref(wire.ChangedInvitation) },
      problems: [409],
    }),
    async (request) => {
      const { scope } = callerOf(request)
      const now = clock.now()
      const write = store.people.revokeInvitation({ id: request.params.id, scope, by: provenance(request, now) })
      const commit = await committed(parts, write)
      return { invitation: invitationView(commit.value, now), ...effectOf(parts, commit) }
    },
  )
}

function acceptableEmail(text: string): string {
  const email = emailOf(text)
  if (email !== null) return email
  throw new Refused('not_acceptable_value', { errors: [{ path: '/email', message: 'is not an e-mail address' }] })
}

function lifetimeOf({ expires_in: text }: wire.InviteMember): number {
  const ms = text === undefined ? invitationMs : durationMs(text)
  if (ms >= 60_000 && ms <= invitationMsMax) return ms
  throw new Refused('not_acceptable_value', {
    errors: [{ path: '/expires_in', message: 'is shorter than a minute or longer than 30 days' }],
  })
}
