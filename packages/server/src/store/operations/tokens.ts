import { sql } from 'kysely'

import { ok } from '../../base/result.ts'
import type { Page } from '../../core/store.ts'
import type { TokenStore } from '../../core/tokens/token-store.ts'
import type { NewToken, Token, TokenRecord } from '../../core/tokens/token.ts'
import type { Db, TokenRow } from '../schema.ts'
import { notFound, type DraftEvent, type Drafted } from './commit.ts'
import { grantRecords } from './grant-rows.ts'
import { textCursor, toPage } from './page.ts'
import { parsed } from './rows.ts'
import {
  familyRevokedAt,
  insertTokens,
  isLiveAt,
  revokedAt,
  toToken,
  toTokenRow,
  type JoinedTokenRow,
} from './token-rows.ts'

type Input<Name extends keyof TokenStore> = Parameters<TokenStore[Name]>[0]
type Answer<Name extends keyof TokenStore> = Awaited<ReturnType<TokenStore[Name]>>
interface ByDigest {
  readonly digest: Uint8Array
}

export async function mintTokens(tx: Db, { tokens }: Input<'mint'>): Promise<void> {
  await insertTokens(tx, tokens.map(toTokenRow))
}

export async function spendCode(
  tx: Db,
  { digest, successors, by }: Input<'spendCode'>,
): Drafted<'spent' | 'expired' | 'revoked' | 'reused'> {
  const rows = successors.map(toTokenRow)
  const spent = await tx
    .updateTable('tokens')
    .set({ spent_at: by.at, ...(rows.length > 0 && { ends_at: Math.max(...rows.map((row) => row.ends_at)) }) })
    .where('digest', '=', Buffer.from(digest))
    .where('kind', '=', 'code')
    .where('spent_at', 'is', null)
    .where('revoked_at', 'is', null)
    .where('refresh_ended_at', 'is', null)
    .where('expires_at', '>', by.at)
    .where(grantIsActive)
    .returningAll()
    .executeTakeFirst()
  if (spent !== undefined) {
    await insertTokens(
      tx,
      rows.map((row) => inFamily(row, spent, row.family_ends_at)),
    )
    return ok({ value: 'spent', events: [] })
  }
  const row = await findJoined(tx, digest, 'code')
  if (row === undefined) return notFound
  if (row.spent_at !== null) return endFamilyOf(tx, row, by.at)
  return ok({ value: revokedAt(row) === null ? 'expired' : 'revoked', events: [] })
}

export async function rotateRefresh(
  tx: Db,
  { digest, successors, graceMs, by }: Input<'rotateRefresh'>,
): Drafted<'rotated' | 'expired' | 'revoked' | 'raced' | 'reused'> {
  const spent = await tx
    .updateTable('tokens')
    .set({ spent_at: by.at })
    .where('digest', '=', Buffer.from(digest))
    .where('kind', '=', 'refresh')
    .where('spent_at', 'is', null)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', by.at)
    .where('family_ends_at', '>', by.at)
    .where(grantIsActive)
    .where(
      sql<boolean>`exists (select 1 from tokens as code where code.id = tokens.family
        and code.revoked_at is null and code.refresh_ended_at is null)`,
    )
    .returningAll()
    .executeTakeFirst()
  if (spent !== undefined) {
    const rows = successors.map((token) => inFamily(toTokenRow(token), spent, spent.family_ends_at))
    await insertTokens(tx, rows)
    return ok({ value: 'rotated', events: [] })
  }
  const row = await findJoined(tx, digest, 'refresh')
  if (row === undefined) return notFound
  if (row.spent_at !== null && by.at - row.spent_at >= graceMs) return endFamilyOf(tx, row, by.at)
  if (revokedAt(row) !== null) return ok({ value: 'revoked', events: [] })
  return ok({ value: row.spent_at === null ? 'expired' : 'raced', events: [] })
}

/** Of a grant that was withdrawn meanwhile nothing is issued; and what slips past it is as dead as the grant. */
const grantIsActive = sql<boolean>`exists (select 1 from grants
  where grants.id = tokens.grant_id and grants.state = 'active')`

/** What comes from a code or refresh token is of its family, whatever it says itself. */
function inFamily(row: TokenRow, parent: TokenRow, familyEndsAt: number | null): TokenRow {
  const { credential, grant_id, family, account, project } = parent
  const ofFamily = { ...row, credential, grant_id, family, account, project }
  if (row.kind !== 'refresh' || familyEndsAt === null) return { ...ofFamily, family_ends_at: null }
  const expiresAt = Math.min(row.expires_at, familyEndsAt)
  return { ...ofFamily, expires_at: expiresAt, ends_at: familyEndsAt, family_ends_at: familyEndsAt }
}

/** Told once: the next that comes with it changes nothing any more. */
async function endFamilyOf(tx: Db, row: JoinedTokenRow, at: number): Drafted<'reused'> {
  const ended = await revokeCode(tx, row.family, at)
  const after = { kind: row.kind, family: row.family, spentAt: row.spent_at }
  return ok({ value: 'reused', events: ended ? [tokenEvent('token.reused', row, after)] : [] })
}

/** A family is revoked at its code: whoever adds to it at the same moment adds what is dead. */
async function revokeCode(tx: Db, family: string | null, at: number): Promise<boolean> {
  const row = await tx
    .updateTable('tokens')
    .set({ revoked_at: at })
    .where('id', '=', family ?? '')
    .where('revoked_at', 'is', null)
    .returning('id')
    .executeTakeFirst()
  return row !== undefined
}

export async function findCode(db: Db, { digest }: ByDigest): Promise<Answer<'findCode'>> {
  const row = await findJoined(db, digest, 'code')
  if (row === undefined) return null
  return { token: toToken(row), binding: { redirectUri: row.redirect_uri, challenge: row.challenge ?? '' } }
}

export async function findRefresh(db: Db, { digest }: ByDigest): Promise<Answer<'findRefresh'>> {
  const row = await findJoined(db, digest, 'refresh')
  return row === undefined ? null : { token: toToken(row), familyEndsAt: row.family_ends_at ?? row.expires_at }
}

export async function tokenByDigest(db: Db, { digest }: ByDigest): Promise<Answer<'byDigest'>> {
  const row = await findJoined(db, digest, 'access')
  if (row === undefined) return null
  const [grant] = row.grant_id === null ? [] : await grantRecords(db, { ids: [row.grant_id] })
  return { token: toTokenRecord(row), grant: grant ?? null }
}

export async function describeToken(db: Db, { digest }: ByDigest): Promise<Token | null> {
  const row = await joinedTokens(db).where('tokens.digest', '=', Buffer.from(digest)).executeTakeFirst()
  return row === undefined || row.kind === 'code' ? null : toToken(row)
}

export async function revokeToken(tx: Db, { token, client, scope, by }: Input<'revoke'>): Drafted<Token | null> {
  const row = await joinedTokens(tx)
    .$if('id' in token, (query) => query.where('tokens.id', '=', 'id' in token ? token.id : ''))
    .$if('digest' in token, (query) =>
      query.where('tokens.digest', '=', Buffer.from('digest' in token ? token.digest : [])),
    )
    .$if(client !== null, (query) => query.where('tokens.credential', '=', client ?? ''))
    .$if(scope !== null, (query) => query.where('tokens.account', '=', scope ?? ''))
    .executeTakeFirst()
  const nothing = ok({ value: null, events: [] })
  if (row === undefined || revokedAt(row) !== null) return nothing
  const endsAt = row.kind === 'access' || row.spent_at === null ? row.expires_at : row.ends_at
  if (endsAt <= by.at) return nothing
  // What was read so far never changes; the state is in the condition of the update.
  const ended = row.kind === 'access' ? await revokeAccess(tx, row.id, by.at) : await revokeCode(tx, row.family, by.at)
  if (!ended) return nothing
  const events = [tokenEvent('token.revoked', row, { kind: row.kind, family: row.family })]
  return ok({ value: { ...toToken(row), revokedAt: by.at }, events })
}

async function revokeAccess(tx: Db, id: string, at: number): Promise<boolean> {
  const row = await tx
    .updateTable('tokens')
    .set({ revoked_at: at })
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .returning('id')
    .executeTakeFirst()
  return row !== undefined
}

export async function findToken(db: Db, { id, scope }: Input<'find'>): Promise<Token | null> {
  const row = await joinedTokens(db)
    .where('tokens.id', '=', id)
    .$if(scope !== null, (query) => query.where('tokens.account', '=', scope ?? ''))
    .executeTakeFirst()
  return row === undefined ? null : toToken(row)
}

export async function listTokens(db: Db, input: Input<'list'>): Promise<Page<Token>> {
  const { limit, after, scope, credential, grant, kind, liveAt } = input
  const rows = await joinedTokens(db)
    .$if(credential !== null, (query) => query.where('tokens.credential', '=', credential ?? ''))
    .$if(grant !== null, (query) => query.where('tokens.grant_id', '=', grant ?? ''))
    .$if(scope !== null, (query) => query.where('tokens.account', '=', scope ?? ''))
    // An account's own, found by its credentials and grants: nobody walks through the tokens of all others.
    .$if(scope !== null && credential === null && grant === null, (query) =>
      query.where((eb) =>
        eb.or([
          eb(
            'tokens.credential',
            'in',
            eb
              .selectFrom('credentials')
              .select('id')
              .where('account', '=', scope ?? ''),
          ),
          eb(
            'tokens.grant_id',
            'in',
            eb
              .selectFrom('grants')
              .select('id')
              .where('account', '=', scope ?? ''),
          ),
        ]),
      ),
    )
    .$if(kind !== null, (query) => query.where('tokens.kind', '=', kind ?? ''))
    .$if(liveAt !== null, (query) => query.where(isLiveAt(liveAt ?? 0)))
    .$if(after !== null, (query) => query.where('tokens.id', '<', textCursor(after ?? '')))
    // Ids begin with the instant.
    .orderBy('tokens.id', 'desc')
    .limit(limit + 1)
    .execute()
  return toPage<JoinedTokenRow, Token>(rows, limit, toToken, ({ id }) => [id])
}

/** So many at once keep others waiting for a few hundredths of a second. */
const pruneStep = 500

export async function pruneTokens(tx: Db, { before }: Input<'prune'>): Promise<number> {
  const gone = await tx
    .deleteFrom('tokens')
    .where('id', 'in', (eb) =>
      eb.selectFrom('tokens').select('id').where('ends_at', '<', before).orderBy('ends_at').limit(pruneStep),
    )
    .executeTakeFirst()
  return Number(gone.numDeletedRows)
}

async function findJoined(db: Db, digest: Uint8Array, kind: NewToken['kind']): Promise<JoinedTokenRow | undefined> {
  return joinedTokens(db)
    .where('tokens.digest', '=', Buffer.from(digest))
    .where('tokens.kind', '=', kind)
    .executeTakeFirst()
}

// oxlint-disable-next-line typescript/explicit-function-return-type -- the builder's type is its definition
function joinedTokens(db: Db) {
  return db
    .selectFrom('tokens')
    .leftJoin('tokens as code', 'code.id', 'tokens.family')
    .leftJoin('grants', 'grants.id', 'tokens.grant_id')
    .selectAll('tokens')
    .select([
      'code.id as code_id',
      'code.revoked_at as code_revoked_at',
      'code.refresh_ended_at as code_refresh_ended_at',
      'grants.withdrawn_at',
    ])
}

function toTokenRecord(row: JoinedTokenRow): TokenRecord {
  return {
    id: row.id,
    digest: new Uint8Array(row.digest),
    credential: row.credential,
    grant: row.grant_id,
    family: row.family,
    api: row.api,
    scopes: parsed(row.scopes),
    label: row.label,
    expiresAt: row.expires_at,
    revoked: familyRevokedAt(row) !== null,
  }
}

function tokenEvent(
  action: string,
  { id, account, project, credential }: TokenRow,
  after: Readonly<Record<string, unknown>>,
): DraftEvent {
  return { action, targetKind: 'token', targetId: id, account, project, credential, before: null, after }
}
