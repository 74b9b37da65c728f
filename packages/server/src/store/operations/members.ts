import { sql, type Expression, type SqlBool } from 'kysely'

import { fail, ok } from '../../base/result.ts'
import type { Member, MemberRole } from '../../core/people/member.ts'
import type { PeopleStore } from '../../core/people/people-store.ts'
import type { Page, Scope } from '../../core/store.ts'
import type { Db, MemberRow } from '../schema.ts'
import { lockAccount } from './account-lock.ts'
import { notFound, refuse, type DraftEvent, type Drafted } from './commit.ts'
import { withdrawGrantsOf } from './grants.ts'
import { createdBefore, createdKey, toPage } from './page.ts'
import { toMember, type NamedMemberRow } from './people-rows.ts'

type Input<Name extends keyof PeopleStore> = Parameters<PeopleStore[Name]>[0]
interface One {
  readonly id: string
  readonly scope: Scope
}

/** Null: they are a member already. Whoever was removed before takes their old place again. */
export async function joinMember(
  tx: Db,
  {
    id,
    account,
    user,
    role,
  }: { readonly id: string; readonly account: string; readonly user: string; readonly role: MemberRole },
  at: number,
): Promise<{ readonly value: Member; readonly event: DraftEvent } | null> {
  const row = await tx
    .insertInto('members')
    .values({ id, account, user_id: user, role, state: 'active', created_at: at, version: 1 })
    .onConflict((conflict) =>
      conflict
        .columns(['account', 'user_id'])
        .doUpdateSet((eb) => ({ role, state: 'active', created_at: at, version: eb('members.version', '+', 1) }))
        .where('members.state', '=', 'removed'),
    )
    .returning('id')
    .executeTakeFirst()
  if (row === undefined) return null
  const named = await activeMembers(tx).where('members.id', '=', row.id).executeTakeFirstOrThrow()
  return { value: toMember(named), event: memberEvent('member.added', named, null, { role, user }) }
}

export async function setRole(tx: Db, input: Input<'setRole'>): Drafted<Member> {
  const { member, scope, version, role } = input
  const before = await visibleMember(tx, { id: member, scope })
  if (before === undefined) return notFound
  await lockAccount(tx, before.account)
  const row = await tx
    .updateTable('members')
    .set({ role, version: version + 1 })
    .where('id', '=', member)
    .where('version', '=', version)
    .where('state', '=', 'active')
    .$if(role !== 'owner', (query) => query.where(leavesAnOwner))
    .returning('id')
    .executeTakeFirst()
  if (row === undefined) {
    return before.version === version ? refuse(lastOwner) : fail({ code: 'version_mismatch', current: before.version })
  }
  const after = await activeMembers(tx).where('members.id', '=', member).executeTakeFirstOrThrow()
  const event = memberEvent('member.role_changed', after, { role: before.role }, { role, user: after.user_id })
  return ok({ value: toMember(after), events: [event] })
}

export async function removeMember(tx: Db, input: Input<'removeMember'>): Drafted<Member> {
  const { member, scope, evenLastOwner = false, by } = input
  const before = await visibleMember(tx, { id: member, scope })
  if (before === undefined) return notFound
  await lockAccount(tx, before.account)
  const row = await tx
    .updateTable('members')
    .set((eb) => ({ state: 'removed', version: eb('version', '+', 1) }))
    .where('id', '=', member)
    .where('state', '=', 'active')
    .$if(!evenLastOwner, (query) => query.where(leavesAnOwner))
    .returningAll()
    .executeTakeFirst()
  if (row === undefined)
    return (await visibleMember(tx, { id: member, scope })) === undefined ? notFound : refuse(lastOwner)
  const withdrawn = await withdrawGrantsOf(tx, { account: row.account, user: row.user_id, at: by.at })
  const removed = memberEvent('member.removed', row, { role: row.role }, { user: row.user_id })
  return ok({ value: toMember({ ...before, ...row }), events: [...withdrawn, removed] })
}

const lastOwner = 'The account would be left without an owner; make another member its owner first.'

/** Of those who are owners and may sign in another one stays. Asked under the lock of the account. */
const leavesAnOwner: Expression<SqlBool> = sql<SqlBool>`(members.role <> 'owner' or exists (
  select 1 from members as others join users on users.id = others.user_id
  where others.account = members.account and others.id <> members.id and others.role = 'owner'
    and others.state = 'active' and users.state = 'active'))`

export async function findMember(db: Db, one: One): Promise<Member | null> {
  const row = await visibleMember(db, one)
  return row === undefined ? null : toMember(row)
}

export async function listMembers(db: Db, input: Input<'listMembers'>): Promise<Page<Member>> {
  const { limit, after, scope, account, user } = input
  const rows = await activeMembers(db)
    .$if(scope !== null, (query) => query.where('members.account', '=', scope ?? ''))
    .$if(account !== null, (query) => query.where('members.account', '=', account ?? ''))
    .$if(user !== null, (query) => query.where('members.user_id', '=', user ?? ''))
    .$if(after !== null, (query) => query.where(createdBefore('members', after ?? '')))
    .orderBy('members.created_at', 'desc')
    .orderBy('members.id', 'desc')
    .limit(limit + 1)
    .execute()
  return toPage<NamedMemberRow, Member>(rows, limit, toMember, createdKey)
}

export async function membershipsOf(db: Db, { user }: Input<'membershipsOf'>): Promise<readonly Member[]> {
  const rows = await activeMembers(db)
    .innerJoin('accounts', 'accounts.id', 'members.account')
    .where('members.user_id', '=', user)
    .where('accounts.state', '=', 'active')
    .orderBy('members.created_at')
    .orderBy('members.id')
    .execute()
  return rows.map(toMember)
}

async function visibleMember(db: Db, { id, scope }: One): Promise<NamedMemberRow | undefined> {
  return activeMembers(db)
    .where('members.id', '=', id)
    .$if(scope !== null, (query) => query.where('members.account', '=', scope ?? ''))
    .executeTakeFirst()
}

/** Removed ones are as absent. */
// oxlint-disable-next-line typescript/explicit-function-return-type -- the builder's type is its definition
function activeMembers(db: Db) {
  return db
    .selectFrom('members')
    .innerJoin('users', 'users.id', 'members.user_id')
    .selectAll('members')
    .select(['users.email', 'users.name'])
    .where('members.state', '=', 'active')
}

function memberEvent(
  action: string,
  { id, account }: MemberRow,
  before: DraftEvent['before'],
  after: DraftEvent['after'],
): DraftEvent {
  return { action, targetKind: 'member', targetId: id, account, project: null, credential: null, before, after }
}
