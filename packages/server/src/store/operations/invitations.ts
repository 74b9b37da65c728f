import { ok } from '../../base/result.ts'
import type { Invitation, Member } from '../../core/people/member.ts'
import type { PeopleStore } from '../../core/people/people-store.ts'
import type { Page } from '../../core/store.ts'
import type { Db, InvitationRow } from '../schema.ts'
import { notFound, refuse, type DraftEvent, type Drafted } from './commit.ts'
import { joinMember } from './members.ts'
import { createdBefore, createdKey, toPage } from './page.ts'
import { toInvitation } from './people-rows.ts'
import { trusted } from './rows.ts'
import { insertUser } from './users.ts'

type Input<Name extends keyof PeopleStore> = Parameters<PeopleStore[Name]>[0]

export async function invite(tx: Db, { invitation, digest, by }: Input<'invite'>): Drafted<Invitation> {
  const { id, account, email, role, expiresAt } = invitation
  const known = await tx.selectFrom('accounts').select('id').where('id', '=', account).executeTakeFirst()
  if (known === undefined) return notFound
  if (await isMember(tx, account, email)) return refuse('The person is a member of this account already.')
  const replaced = await tx
    .updateTable('invitations')
    .set({ revoked_at: by.at })
    .where('account', '=', account)
    .where('email', '=', email)
    .where('accepted_at', 'is', null)
    .where('revoked_at', 'is', null)
    .returningAll()
    .execute()
  const row: InvitationRow = {
    id,
    digest: Buffer.from(digest),
    account,
    email,
    role,
    created_by: by.actor.id,
    created_at: by.at,
    expires_at: expiresAt,
    accepted_at: null,
    revoked_at: null,
  }
  await tx.insertInto('invitations').values(row).execute()
  const events = [
    ...replaced.map((each) => invitationEvent('invitation.revoked', each, null, { replacedBy: id })),
    invitationEvent('invitation.created', row, null, { role, expiresAt }),
  ]
  return ok({ value: toInvitation(row), events })
}

async function isMember(db: Db, account: string, email: string): Promise<boolean> {
  const row = await db
    .selectFrom('members')
    .innerJoin('users', 'users.id', 'members.user_id')
    .select('members.id')
    .where('members.account', '=', account)
    .where('members.state', '=', 'active')
    .where('users.email', '=', email)
    .executeTakeFirst()
  return row !== undefined
}

export async function revokeInvitation(tx: Db, { id, scope, by }: Input<'revokeInvitation'>): Drafted<Invitation> {
  const row = await tx
    .updateTable('invitations')
    .set({ revoked_at: by.at })
    .where('id', '=', id)
    .where('accepted_at', 'is', null)
    .where('revoked_at', 'is', null)
    .$if(scope !== null, (query) => query.where('account', '=', scope ?? ''))
    .returningAll()
    .executeTakeFirst()
  if (row !== undefined) {
    return ok({ value: toInvitation(row), events: [invitationEvent('invitation.revoked', row, null, null)] })
  }
  const known = await tx
    .selectFrom('invitations')
    .select('id')
    .where('id', '=', id)
    .$if(scope !== null, (query) => query.where('account', '=', scope ?? ''))
    .executeTakeFirst()
  return known === undefined ? notFound : refuse('The invitation is not open any more.')
}

export async function findInvitation(db: Db, { digest, now }: Input<'findInvitation'>): Promise<Invitation | null> {
  const row = await db
    .selectFrom('invitations')
    .selectAll()
    .where('digest', '=', Buffer.from(digest))
    .where('accepted_at', 'is', null)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', now)
    .executeTakeFirst()
  return row === undefined ? null : toInvitation(row)
}

export async function listInvitations(db: Db, input: Input<'listInvitations'>): Promise<Page<Invitation>> {
  const { limit, after, scope, account, email, openAt } = input
  const rows = await db
    .selectFrom('invitations')
    .selectAll()
    .$if(scope !== null, (query) => query.where('account', '=', scope ?? ''))
    .$if(account !== null, (query) => query.where('account', '=', account ?? ''))
    .$if(email !== undefined, (query) => query.where('email', '=', email ?? ''))
    .$if(openAt !== null, (query) =>
      query
        .where('accepted_at', 'is', null)
        .where('revoked_at', 'is', null)
        .where('expires_at', '>', openAt ?? 0),
    )
    .$if(after !== null, (query) => query.where(createdBefore('invitations', after ?? '')))
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute()
  return toPage<InvitationRow, Invitation>(rows, limit, toInvitation, createdKey)
}

export async function acceptInvitation(tx: Db, input: Input<'acceptInvitation'>): Drafted<Member> {
  const { digest, member, user, newUser, by } = input
  const spent = await tx
    .updateTable('invitations')
    .set({ accepted_at: by.at })
    .where('digest', '=', Buffer.from(digest))
    .where('accepted_at', 'is', null)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', by.at)
    .returningAll()
    .executeTakeFirst()
  if (spent === undefined) return notFound
  const { account, email, role } = spent
  if (!(await isActive(tx, account))) return refuse('The account is suspended.')
  const made = newUser === null ? [] : await insertUser(tx, { id: user, email, ...newUser }, by.at)
  if (!(await isOf(tx, user, email))) return refuse('The invitation is for another address.')
  const joined = await joinMember(tx, { id: member, account, user, role: trusted(role) }, by.at)
  if (joined === null) return refuse('The person is a member of this account already.')
  const accepted = invitationEvent('invitation.accepted', spent, null, { member: joined.value.id, user })
  return ok({ value: joined.value, events: [...made, accepted, joined.event] })
}

async function isActive(db: Db, account: string): Promise<boolean> {
  const row = await db
    .selectFrom('accounts')
    .select('id')
    .where('id', '=', account)
    .where('state', '=', 'active')
    .executeTakeFirst()
  return row !== undefined
}

async function isOf(db: Db, user: string, email: string): Promise<boolean> {
  const row = await db
    .selectFrom('users')
    .select('id')
    .where('id', '=', user)
    .where('email', '=', email)
    .where('state', '=', 'active')
    .executeTakeFirst()
  return row !== undefined
}

/** The address is not in it: a person can be erased, an event cannot. */
function invitationEvent(
  action: string,
  { id, account }: InvitationRow,
  before: DraftEvent['before'],
  after: DraftEvent['after'],
): DraftEvent {
  return { action, targetKind: 'invitation', targetId: id, account, project: null, credential: null, before, after }
}
