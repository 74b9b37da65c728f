import type { Invitation, Member } from '../../core/people/member.ts'
import type { Session, User, UserProofs } from '../../core/people/user.ts'
import type { InvitationRow, MemberRow, SessionRow, UserRow } from '../schema.ts'
import { trusted } from './rows.ts'

export function toUser(row: UserRow): User {
  return {
    id: row.id,
    email: row.email,
    name: row.name,
    state: trusted(row.state),
    secondFactor: row.totp !== null,
    createdAt: row.created_at,
    version: row.version,
  }
}

export function toUserProofs(row: UserRow, recoveryDigests: readonly Uint8Array[]): UserProofs {
  const { totp, totp_key: key } = row
  return {
    user: toUser(row),
    passwordHash: row.password_hash,
    totp: totp === null || key === null ? null : { bytes: new Uint8Array(totp), key },
    totpStep: row.totp_step,
    recoveryDigests: recoveryDigests.map((digest) => new Uint8Array(digest)),
  }
}

/** With what people read of them, which is the user's. */
export interface NamedMemberRow extends MemberRow {
  email: string
  name: string
}

export function toMember(row: NamedMemberRow): Member {
  return {
    id: row.id,
    account: row.account,
    user: row.user_id,
    email: row.email,
    name: row.name,
    role: trusted(row.role),
    state: trusted(row.state),
    createdAt: row.created_at,
    version: row.version,
  }
}

export function toInvitation(row: InvitationRow): Invitation {
  return {
    id: row.id,
    account: row.account,
    email: row.email,
    role: trusted(row.role),
    createdBy: row.created_by,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    acceptedAt: row.accepted_at,
    revokedAt: row.revoked_at,
  }
}

export function toSession(row: SessionRow): Session {
  return {
    id: row.id,
    user: row.user_id,
    stage: trusted(row.stage),
    createdAt: row.created_at,
    lastSeenAt: row.last_seen_at,
    expiresAt: row.expires_at,
    authenticatedAt: row.authenticated_at,
    ip: row.ip,
    userAgent: row.user_agent,
    endedAt: row.ended_at,
  }
}
