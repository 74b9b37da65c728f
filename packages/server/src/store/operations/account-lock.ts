import { sql } from 'kysely'

import type { Db } from '../schema.ts'

/** Writes of the same account wait here for each other; on SQLite they are alone anyway. */
export async function lockAccount(tx: Db, id: string): Promise<boolean> {
  const row = await tx
    .updateTable('accounts')
    .set({ id: sql`id` })
    .where('id', '=', id)
    .returning('id')
    .executeTakeFirst()
  return row !== undefined
}
