import { sql, type Expression, type SqlBool } from 'kysely'

import { BadCursor, type Page } from '../../core/store.ts'

/** Opaque to callers: base64url of the JSON of the last row's key. */
function encodeCursor(key: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url')
}

/** The key of a list sorted by creation: `[createdAt, id]`. */
function creationCursor(cursor: string): readonly [number, string] {
  const key = decode(cursor)
  const [at, id] = key
  if (key.length !== 2 || typeof at !== 'number' || typeof id !== 'string')
    throw new BadCursor('not a cursor of this list')
  return [at, id]
}

export function textCursor(cursor: string): string {
  const key = decode(cursor)
  const [id] = key
  if (key.length !== 1 || typeof id !== 'string') throw new BadCursor('not a cursor of this list')
  return id
}

export function numberCursor(cursor: string): number {
  const key = decode(cursor)
  const [position] = key
  if (key.length !== 1 || typeof position !== 'number') throw new BadCursor('not a cursor of this list')
  return position
}

function decode(cursor: string): readonly unknown[] {
  try {
    const key: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    if (Array.isArray(key)) return key
  } catch {
    // What cannot be read is answered below, like what reads as something else.
  }
  throw new BadCursor('not a cursor of this list')
}

/** Rows that stand after the cursor in a list of newest first. */
export function createdBefore(table: string, after: string): Expression<SqlBool> {
  const [at, id] = creationCursor(after)
  return sql<SqlBool>`(${sql.ref(`${table}.created_at`)}, ${sql.ref(`${table}.id`)}) < (${at}, ${id})`
}

/** Cuts the row that was read beyond the limit and answers where to go on. */
export function toPage<Row, Item>(
  rows: readonly Row[],
  limit: number,
  toItem: (row: Row) => Item,
  keyOf: (row: Row) => readonly (string | number)[],
): Page<Item> {
  const kept = rows.slice(0, limit)
  const last = kept.at(-1)
  return { items: kept.map(toItem), next: rows.length > limit && last !== undefined ? encodeCursor(keyOf(last)) : null }
}

export const createdKey = (row: { readonly created_at: number; readonly id: string }): readonly [number, string] => [
  row.created_at,
  row.id,
]

/** For `like … escape '!'`. */
export const escapeLike = (text: string): string => text.replaceAll(/[!%_]/g, '!$&')
