import { operatorAccountId } from '../../core/accounts/account.ts'
import type { Actor, Provenance } from '../../core/audit/event.ts'
import type { Db } from '../schema.ts'
import type { Touched } from './records.ts'

/** Where something is done: in an account, and to what a credential of some account has. */
interface Place {
  readonly account: string | null
  readonly credential: string | null
}

/** Before a write. A person who is not known yet may be made by it: afterwards they have to be. */
export async function actorMayBegin(tx: Db, by: Provenance): Promise<boolean> {
  switch (by.actor.kind) {
    case 'credential':
      return credentialLives(tx, by)
    case 'user':
      return ((await userState(tx, by.actor.id)) ?? 'active') === 'active'
    case 'bootstrap':
    case 'system':
      return true
  }
}

/**
 * Once the write holds the head, by which all others wait. One that ends its own actor has locked that row since its
 * own conditional statement.
 */
export async function actorStillLives(
  tx: Db,
  by: Provenance,
  touched: Touched,
  places: readonly Place[],
): Promise<boolean> {
  const { actor } = by
  switch (actor.kind) {
    case 'credential':
      if (touched.credentials.has(actor.id) || (await endsOwnAccount(tx, actor, touched.accounts))) return true
      return credentialLives(tx, by)
    case 'user':
      if (!touched.users.has(actor.id) && (await userState(tx, actor.id)) !== 'active') return false
      return belongsTo(tx, actor.id, places, touched.members)
    case 'bootstrap':
    case 'system':
      return true
  }
}

/** Active, not expired, with a secret that lives, in an account that is not suspended. */
async function credentialLives(tx: Db, by: Provenance): Promise<boolean> {
  const alive = await tx
    .selectFrom('credentials')
    .innerJoin('accounts', 'accounts.id', 'credentials.account')
    .select('credentials.id')
    .where('credentials.id', '=', by.actor.id)
    .where('accounts.state', '=', 'active')
    .where((eb) =>
      eb.or([
        eb('credentials.state', '=', 'active'),
        eb.and([eb('credentials.state', '=', 'blocked'), eb('credentials.blocked_until', '<=', by.at)]),
      ]),
    )
    .where((eb) => eb.or([eb('credentials.expires_at', 'is', null), eb('credentials.expires_at', '>', by.at)]))
    .where((eb) => {
      const secrets = eb
        .selectFrom('secrets')
        .select('secrets.id')
        .whereRef('secrets.credential', '=', 'credentials.id')
      const live = secrets.where((or) =>
        or.or([or('secrets.not_after', 'is', null), or('secrets.not_after', '>', by.at)]),
      )
      // A public client has none and never had.
      return eb.or([eb.exists(live), eb.and([eb('credentials.oauth', 'is not', null), eb.not(eb.exists(secrets))])])
    })
    .executeTakeFirst()
  return alive !== undefined
}

async function userState(tx: Db, id: string): Promise<string | null> {
  const row = await tx.selectFrom('users').select('state').where('id', '=', id).executeTakeFirst()
  return row?.state ?? null
}

/**
 * Whether the person is a member wherever they act: of the account, or, of grants and tokens, of the client's. The
 * operator's own people act everywhere. `touched`: members that this write has changed, or removed.
 */
async function belongsTo(
  tx: Db,
  user: string,
  places: readonly Place[],
  touched: ReadonlySet<string>,
): Promise<boolean> {
  if (places.every(({ account }) => account === null)) return true
  const rows = await tx.selectFrom('members').select(['id', 'account', 'state']).where('user_id', '=', user).execute()
  const own = new Set(rows.filter(({ id, state }) => state === 'active' || touched.has(id)).map((row) => row.account))
  if (own.has(operatorAccountId)) return true
  for (const { account, credential } of places) {
    if (account === null || own.has(account)) continue
    if (credential === null || !own.has((await accountOf(tx, credential)) ?? '')) return false
  }
  return true
}

async function endsOwnAccount(tx: Db, actor: Actor, accounts: ReadonlySet<string>): Promise<boolean> {
  return actor.kind === 'credential' && accounts.size > 0 && accounts.has((await accountOf(tx, actor.id)) ?? '')
}

async function accountOf(tx: Db, credential: string): Promise<string | null> {
  const row = await tx.selectFrom('credentials').select('account').where('id', '=', credential).executeTakeFirst()
  return row?.account ?? null
}
