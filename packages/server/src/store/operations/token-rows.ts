import { CompiledQuery, sql, type DialectAdapter, type Expression, type SqlBool } from 'kysely'

import type { NewToken, Token } from '../../core/tokens/token.ts'
import type { Db, TokenRow } from '../schema.ts'
import { parsed, trusted } from './rows.ts'

export function toTokenRow(token: NewToken): TokenRow {
  return {
    id: token.id,
    digest: Buffer.from(token.digest),
    kind: token.kind,
    format: token.format,
    credential: token.credential,
    grant_id: token.grant,
    family: token.family,
    account: token.account,
    project: token.project,
    api: token.api,
    scopes: JSON.stringify(token.scopes),
    label: token.label,
    created_at: token.createdAt,
    expires_at: token.expiresAt,
    ends_at: Math.max(token.expiresAt, token.familyEndsAt ?? 0),
    spent_at: null,
    revoked_at: null,
    family_ends_at: token.familyEndsAt,
    refresh_ended_at: null,
    redirect_uri: token.code?.redirectUri ?? null,
    challenge: token.code?.challenge ?? null,
  }
}

/** A row with what ends it from outside: its family's code (which has to be there) and its grant. */
export interface JoinedTokenRow extends TokenRow {
  code_id: string | null
  code_revoked_at: number | null
  code_refresh_ended_at: number | null
  withdrawn_at: number | null
}

/** Null: neither it nor its family nor its grant is revoked. */
export function revokedAt(row: JoinedTokenRow): number | null {
  return familyRevokedAt(row) ?? row.withdrawn_at ?? (row.kind === 'access' ? null : row.code_refresh_ended_at)
}

/** By itself or with its family; where the code of its family is gone, it is revoked since ever. */
export function familyRevokedAt(row: JoinedTokenRow): number | null {
  return row.revoked_at ?? (row.family !== null && row.code_id === null ? row.created_at : row.code_revoked_at)
}

/** The same in SQL, for tokens joined with their code and grant. */
export const isLiveAt = (now: number): Expression<SqlBool> =>
  sql<SqlBool>`(tokens.spent_at is null and tokens.revoked_at is null and tokens.expires_at > ${now}
    and (tokens.family is null or (code.id is not null and code.revoked_at is null))
    and grants.withdrawn_at is null and (tokens.kind = 'access' or code.refresh_ended_at is null))`

export function toToken(row: JoinedTokenRow): Token {
  return {
    id: row.id,
    kind: trusted(row.kind),
    format: trusted(row.format),
    credential: row.credential,
    grant: row.grant_id,
    family: row.family,
    account: row.account,
    project: row.project,
    api: row.api,
    scopes: parsed(row.scopes),
    label: row.label,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    spentAt: row.spent_at,
    revokedAt: revokedAt(row),
  }
}

/** Per database, the text of an insert of so many rows: building it costs several times what running it does. */
const insertTexts = new WeakMap<DialectAdapter, Map<number, string>>()
/** More than that are a text each time. */
const rowsRemembered = 4

export async function insertTokens(tx: Db, rows: readonly TokenRow[]): Promise<void> {
  if (rows.length === 0) return
  const values = rows.flatMap((row): unknown[] => Object.values(row))
  await tx.executeQuery(CompiledQuery.raw(insertText(tx, rows), values))
}

function insertText(tx: Db, rows: readonly TokenRow[]): string {
  const { adapter } = tx.getExecutor()
  const texts = insertTexts.get(adapter) ?? new Map<number, string>()
  insertTexts.set(adapter, texts)
  const known = texts.get(rows.length)
  if (known !== undefined) return known
  const { sql: text } = tx.insertInto('tokens').values(rows).compile()
  if (rows.length <= rowsRemembered) texts.set(rows.length, text)
  return text
}
