import type { IdempotencyStart, IdempotencyStore } from '../../core/store.ts'
import type { Db } from '../schema.ts'

const lifetimeMs = 24 * 3_600_000

type Start = Parameters<IdempotencyStore['start']>[0]
type Finish = Parameters<IdempotencyStore['finish']>[0]

/** One statement takes the key: where it is absent, or older than a day. */
export async function startIdempotent(tx: Db, { key, bodyDigest, now }: Start): Promise<IdempotencyStart> {
  const taken = await tx
    .insertInto('idempotency')
    .values({ key, body_digest: bodyDigest, status: null, body: null, started_at: now })
    .onConflict((conflict) =>
      conflict
        .column('key')
        .doUpdateSet({ body_digest: bodyDigest, status: null, body: null, started_at: now })
        .where('idempotency.started_at', '<=', now - lifetimeMs),
    )
    .returning('key')
    .executeTakeFirst()
  if (taken !== undefined) return { state: 'started' }
  const row = await tx.selectFrom('idempotency').selectAll().where('key', '=', key).executeTakeFirst()
  if (row === undefined) return { state: 'running' }
  if (row.body_digest !== bodyDigest) return { state: 'other_body' }
  if (row.status === null) return { state: 'running' }
  return { state: 'done', status: row.status, body: row.body ?? '' }
}

/** Also forgets some keys whose day is over. */
export async function finishIdempotent(tx: Db, { key, status, body, now }: Finish): Promise<void> {
  await tx.updateTable('idempotency').set({ status, body }).where('key', '=', key).execute()
  await tx
    .deleteFrom('idempotency')
    .where('key', 'in', (eb) =>
      eb
        .selectFrom('idempotency')
        .select('key')
        .where('started_at', '<=', now - lifetimeMs)
        .limit(100),
    )
    .execute()
}

export async function abandonIdempotent(tx: Db, { key }: { readonly key: string }): Promise<void> {
  await tx.deleteFrom('idempotency').where('key', '=', key).where('status', 'is', null).execute()
}
