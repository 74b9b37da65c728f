import Type, { type Static } from 'typebox'

import { effect, listOf, nullable, ref, Timestamp } from './common.ts'
import { Event } from './events.ts'
import { Grant } from './grants.ts'
import { Invitation, Member, OneTimeLink } from './members.ts'

export const User = Type.Object(
  {
    id: Type.String(),
    email: Type.String(),
    name: Type.String(),
    state: Type.Union([Type.Literal('active'), Type.Literal('disabled'), Type.Literal('erased')]),
    second_factor: Type.Boolean({ description: 'Whether one is asked for at sign-in.' }),
    created_at: Timestamp,
    version: Type.Integer(),
  },
  { $id: 'User', description: 'A person who can sign in. What proves it is not in it.' },
)
export type User = Static<typeof User>
export const UserList = listOf(User)
export type UserList = Static<typeof UserList>

export const ChangedUser = Type.Object({ user: ref(User), ...effect }, { $id: 'ChangedUser' })
export type ChangedUser = Static<typeof ChangedUser>

export const OfferedReset = Type.Object({ user: ref(User), link: ref(OneTimeLink) }, { $id: 'OfferedReset' })
export type OfferedReset = Static<typeof OfferedReset>

export const Session = Type.Object(
  {
    id: Type.String(),
    user: Type.String(),
    signed_in: Type.Boolean({ description: 'False: the second factor has not been given yet.' }),
    created_at: Timestamp,
    last_seen_at: Timestamp,
    authenticated_at: Timestamp,
    expires_at: Timestamp,
    ended_at: nullable(Timestamp),
    ip: Type.String(),
    user_agent: nullable(Type.String()),
  },
  { $id: 'Session', description: 'A browser that somebody signed in with.' },
)
export type Session = Static<typeof Session>

export const SessionList = Type.Object(
  { data: Type.Array(ref(Session)), next_cursor: Type.Null() },
  { $id: 'SessionList' },
)
export type SessionList = Static<typeof SessionList>

export const EndedSession = Type.Object({ session: ref(Session), ...effect }, { $id: 'EndedSession' })
export type EndedSession = Static<typeof EndedSession>

export const EndedSessions = Type.Object({ ended: Type.Integer(), ...effect }, { $id: 'EndedSessions' })
export type EndedSessions = Static<typeof EndedSessions>

export const UserExport = Type.Object(
  {
    exported_at: Timestamp,
    user: ref(User),
    members: Type.Array(ref(Member)),
    invitations: Type.Array(ref(Invitation), { description: 'Sent to the address of the person.' }),
    grants: Type.Array(ref(Grant)),
    sessions: Type.Array(ref(Session)),
    events: Type.Array(ref(Event), { description: 'What the person did, and what was done about them.' }),
    truncated: Type.Array(Type.String(), {
      description: 'Lists that are longer than one answer may be; GET them page by page.',
    }),
  },
  { $id: 'UserExport', description: 'All that is stored about a person, but for what only proves who they are.' },
)
export type UserExport = Static<typeof UserExport>
