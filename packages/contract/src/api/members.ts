import Type, { type Static } from 'typebox'

import { closed, Duration, effect, listOf, nullable, ref, Timestamp } from './common.ts'

export const MemberRole = Type.Union([
  Type.Literal('owner'),
  Type.Literal('admin'),
  Type.Literal('developer'),
  Type.Literal('viewer'),
])

export const Member = Type.Object(
  {
    id: Type.String(),
    account: Type.String(),
    user: Type.String(),
    email: Type.String(),
    name: Type.String(),
    role: MemberRole,
    state: Type.Union([Type.Literal('active'), Type.Literal('removed')], {
      description: 'One that was removed is told of in the answer to that, and nowhere else.',
    }),
    created_at: Timestamp,
    version: Type.Integer(),
  },
  { $id: 'Member', description: 'A person’s place in an account.' },
)
export type Member = Static<typeof Member>
export const MemberList = listOf(Member)
export type MemberList = Static<typeof MemberList>

export const UpdateMember = Type.Object({ role: MemberRole }, { $id: 'UpdateMember', ...closed })
export type UpdateMember = Static<typeof UpdateMember>

export const ChangedMember = Type.Object({ member: ref(Member), ...effect }, { $id: 'ChangedMember' })
export type ChangedMember = Static<typeof ChangedMember>

export const Invitation = Type.Object(
  {
    id: Type.String(),
    account: Type.String(),
    email: Type.String(),
    role: MemberRole,
    state: Type.Union([
      Type.Literal('open'),
      Type.Literal('accepted'),
      Type.Literal('revoked'),
      Type.Literal('expired'),
    ]),
    created_by: Type.String(),
    created_at: Timestamp,
    expires_at: Timestamp,
    accepted_at: nullable(Timestamp),
    revoked_at: nullable(Timestamp),
  },
  { $id: 'Invitation', description: 'An offer to become a member. Its link is not in it.' },
)
export type Invitation = Static<typeof Invitation>
export const InvitationList = listOf(Invitation)
export type InvitationList = Static<typeof InvitationList>

export const InviteMember = Type.Object(
  {
    email: Type.String({ minLength: 3, maxLength: 320, examples: ['ada@example.com'] }),
    role: MemberRole,
    expires_in: Type.Optional(Duration),
  },
  { $id: 'InviteMember', ...closed, description: '`expires_in`: how long the link works; default 7d, at most 30d.' },
)
export type InviteMember = Static<typeof InviteMember>

/** A link that is shown once: whoever has it can do what it is for. */
export const OneTimeLink = Type.Object(
  {
    value: nullable(Type.String({ description: 'The link. Null only in the replay of an Idempotency-Key.' })),
    visible_until: Type.Null({ description: 'It is never shown again.' }),
    expires_at: Timestamp,
    secret_unavailable: Type.Optional(
      Type.Literal(true, { description: 'No secret is kept for a replay. Ask for another link.' }),
    ),
  },
  { $id: 'OneTimeLink' },
)
export type OneTimeLink = Static<typeof OneTimeLink>

export const IssuedInvitation = Type.Object(
  { invitation: ref(Invitation), link: ref(OneTimeLink) },
  { $id: 'IssuedInvitation' },
)
export type IssuedInvitation = Static<typeof IssuedInvitation>

export const ChangedInvitation = Type.Object({ invitation: ref(Invitation), ...effect }, { $id: 'ChangedInvitation' })
export type ChangedInvitation = Static<typeof ChangedInvitation>
