import { sql } from 'kysely'

import { ok } from '../../base/result.ts'
import type { PeopleStore } from '../../core/people/people-store.ts'
import type { User } from '../../core/people/user.ts'
import type { Db } from '../schema.ts'
import { notFound, refuse, type DraftEvent, type Drafted } from './commit.ts'
import { removeMember } from './members.ts'
import { toUser } from './people-rows.ts'

type Input = Parameters<PeopleStore['erase']>[0]

/**
 * Everything that tells who somebody is, in one transaction; the store then empties its log, so that no copy is left
 * in it. The chain of events stays whole: it holds commitments to what is deleted here, and nothing else of it.
 */
export async function eraseUser(tx: Db, { user, evenLastOwner = false, by }: Input): Drafted<User> {
  const person = await lockUser(tx, user)
  if (person === undefined) return (await isErased(tx, user)) ? refuse('The user is already erased.') : notFound
  const ended: DraftEvent[] = []
  const places = await tx
    .selectFrom('members')
    .select('id')
    .where('user_id', '=', user)
    .where('state', '=', 'active')
    .orderBy('id')
    .execute()
  for (const { id: member } of places) {
    const removed = await removeMember(tx, { member, scope: null, evenLastOwner, by })
    // Removed by somebody else at this moment: it has ended as well.
    if (removed.ok) ended.push(...removed.value.events)
    else if (removed.error.code !== 'not_found') return removed
  }
  await deleteTraces(tx, user, person.email, by.at)
  const row = await tx
    .updateTable('users')
    .set((eb) => ({
      email: erasedEmail(user),
      name: '',
      state: 'erased',
      password_hash: '',
      totp: null,
      totp_key: null,
      version: eb('version', '+', 1),
    }))
    .where('id', '=', user)
    .where('state', '<>', 'erased')
    .returningAll()
    .executeTakeFirstOrThrow()
  const event: DraftEvent = {
    action: 'user.erased',
    targetKind: 'user',
    targetId: user,
    account: null,
    project: null,
    credential: null,
    before: { state: person.state },
    after: { state: 'erased' },
  }
  return ok({ value: toUser(row), events: [...ended, event] })
}

/** Unlike every other one, and nobody's (RFC 2606, section 2). */
const erasedEmail = (user: string): string => `${user}@erased.invalid`

/** From here on nobody signs in as this person, changes them or is consented to by them. */
async function lockUser(tx: Db, user: string): Promise<{ readonly email: string; readonly state: string } | undefined> {
  return tx
    .updateTable('users')
    .set({ id: sql`id` })
    .where('id', '=', user)
    .where('state', '<>', 'erased')
    .returning(['email', 'state'])
    .executeTakeFirst()
}

async function isErased(db: Db, user: string): Promise<boolean> {
  return (await db.selectFrom('users').select('id').where('id', '=', user).executeTakeFirst()) !== undefined
}

async function deleteTraces(tx: Db, user: string, email: string, at: number): Promise<void> {
  await tx.deleteFrom('recovery_codes').where('user_id', '=', user).execute()
  await tx.deleteFrom('password_resets').where('user_id', '=', user).execute()
  await tx.deleteFrom('sessions').where('user_id', '=', user).execute()
  await tx
    .updateTable('invitations')
    .set({ revoked_at: at })
    .where('email', '=', email)
    .where('accepted_at', 'is', null)
    .where('revoked_at', 'is', null)
    .execute()
  await tx
    .updateTable('invitations')
    .set({ email: erasedEmail(user) })
    .where('email', '=', email)
    .execute()
  // What others did about the person is theirs; what has no other author was the person's browser.
  await tx
    .deleteFrom('event_personal')
    .where('sequence', 'in', (eb) =>
      eb
        .selectFrom('events')
        .select('sequence')
        .where((or) => {
          const own = or.and([or('actor_kind', '=', 'user'), or('actor_id', '=', user)])
          const signIns = [or('actor_kind', '=', 'system'), or('target_kind', '=', 'user'), or('target_id', '=', user)]
          return or.or([own, or.and(signIns)])
        }),
    )
    .execute()
}
