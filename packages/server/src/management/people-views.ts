import type { wire } from '@postern/contract'

import type { Secret } from '../base/secret.ts'
import type { Invitation, Member } from '../core/people/member.ts'
import type { Session, User } from '../core/people/user.ts'
import { timestamp, timestampOrNull } from './times.ts'

/** How people and their places look on the wire: never with what proves who they are. */
export function memberView(member: Member): wire.Member {
  const { id, account, user, email, name, role, state, createdAt, version } = member
  return { id, account, user, email, name, role, state, created_at: timestamp(createdAt), version }
}

export function invitationView(invitation: Invitation, now: number): wire.Invitation {
  const { id, account, email, role } = invitation
  return {
    id,
    account,
    email,
    role,
    state: invitationState(invitation, now),
    created_by: invitation.createdBy,
    created_at: timestamp(invitation.createdAt),
    expires_at: timestamp(invitation.expiresAt),
    accepted_at: timestampOrNull(invitation.acceptedAt),
    revoked_at: timestampOrNull(invitation.revokedAt),
  }
}

function invitationState(invitation: Invitation, now: number): wire.Invitation['state'] {
  if (invitation.acceptedAt !== null) return 'accepted'
  if (invitation.revokedAt !== null) return 'revoked'
  return invitation.expiresAt <= now ? 'expired' : 'open'
}

/** For the one answer that carries it. */
export function linkView(link: Secret, expiresAt: number): wire.OneTimeLink {
  return { value: link.reveal(), visible_until: null, expires_at: timestamp(expiresAt) }
}

export function userView(user: User): wire.User {
  return {
    id: user.id,
    email: user.email,
    name: user.name,
    state: user.state,
    second_factor: user.secondFactor,
    created_at: timestamp(user.createdAt),
    version: user.version,
  }
}

export function sessionView(session: Session): wire.Session {
  return {
    id: session.id,
    user: session.user,
    signed_in: session.stage === 'signed_in',
    created_at: timestamp(session.createdAt),
    last_seen_at: timestamp(session.lastSeenAt),
    authenticated_at: timestamp(session.authenticatedAt),
    expires_at: timestamp(session.expiresAt),
    ended_at: timestampOrNull(session.endedAt),
    ip: session.ip,
    user_agent: session.userAgent,
  }
}
