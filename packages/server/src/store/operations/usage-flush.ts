import { sql } from 'kysely'

import type { LastUseRow, UsageCount, UsageFlush } from '../../core/usage/usage.ts'
import type { Db, LastUseTableRow, LatencyRow, ModelRow, UsageRow } from '../schema.ts'
import { batches } from './commit.ts'
import { add, spans, usageSums } from './usage-rollup.ts'

/**
 * Everything of a flush but its request rows, which each database takes in its own fastest way. The caller keeps the
 * rollup from moving while this runs. What is older than the rollup is added to hours and days at once.
 */
export async function flushCounts(tx: Db, flush: Omit<UsageFlush, 'requests'>): Promise<void> {
  const { through } = await tx.selectFrom('usage_rollup').select('through').executeTakeFirstOrThrow()
  const counts = flush.counts.map(toUsageRow)
  await add(tx, 'usage', 'minute', counts)
  const latencies = flush.latencies.flatMap(({ minute, credential, route, buckets }) =>
    buckets.flatMap((count, bucket) => (count === 0 ? [] : [{ at: minute, credential, route, bucket, count }])),
  )
  await add(tx, 'latency', 'minute', latencies)
  const models = (flush.models ?? []).map(({ minute, ...row }) => ({ at: minute, ...row }))
  await add(tx, 'model', 'minute', models)
  await addLate(
    tx,
    counts.filter(({ at }) => at < through),
    latencies.filter(({ at }) => at < through),
    models.filter(({ at }) => at < through),
  )
  await mergeLastUses(tx, flush.lastUses)
  if (flush.dropped > 0) {
    const minute = Math.floor(flush.at / 60_000) * 60_000
    await tx
      .insertInto('usage_dropped')
      .values({ minute, count: flush.dropped })
      .onConflict((conflict) =>
        conflict
          .column('minute')
          .doUpdateSet((eb) => ({ count: eb('usage_dropped.count', '+', eb.ref('excluded.count')) })),
      )
      .execute()
  }
  await tx
    .insertInto('nodes')
    .values({ id: flush.node, flushed_at: flush.at })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ flushed_at: flush.at }))
    .execute()
}

function toUsageRow({ minute, ...row }: UsageCount): UsageRow {
  return { at: minute, ...row }
}

async function addLate(
  tx: Db,
  counts: readonly UsageRow[],
  latencies: readonly LatencyRow[],
  models: readonly ModelRow[],
): Promise<void> {
  if (counts.length === 0 && latencies.length === 0 && models.length === 0) return
  for (const unit of ['hour', 'day'] as const) {
    const floored = <Row extends { readonly at: number }>(rows: readonly Row[]) =>
      rows.map((row) => ({ ...row, at: Math.floor(row.at / spans[unit]) * spans[unit] }))
    for (const family of usageSums) await add(tx, family, unit, floored(counts))
    await add(tx, 'latency', unit, floored(latencies))
    await add(tx, 'model', unit, floored(models))
  }
}

/** The newer use wins, whichever node saw it. */
async function mergeLastUses(tx: Db, uses: readonly LastUseRow[]): Promise<void> {
  const rows = uses.map(toLastUseRow).toSorted((a, b) => (a.secret < b.secret ? -1 : 1))
  for (const batch of batches(rows)) {
    await tx
      .insertInto('last_uses')
      .values(batch)
      .onConflict((conflict) =>
        conflict.column('secret').doUpdateSet({
          accepted_at: newer('accepted', 'accepted_at'),
          accepted_ip: newer('accepted', 'accepted_ip'),
          accepted_user_agent: newer('accepted', 'accepted_user_agent'),
          refused_at: newer('refused', 'refused_at'),
          refused_ip: newer('refused', 'refused_ip'),
          refused_user_agent: newer('refused', 'refused_user_agent'),
          refused_code: newer('refused', 'refused_code'),
        }),
      )
      .execute()
  }
}

function newer(kind: 'accepted' | 'refused', column: keyof LastUseTableRow): ReturnType<typeof sql<never>> {
  const at = sql.ref(`last_uses.${kind}_at`)
  const excludedAt = sql.ref(`excluded.${kind}_at`)
  return sql<never>`case when ${excludedAt} is not null and (${at} is null or ${excludedAt} >= ${at})
    then ${sql.ref(`excluded.${column}`)} else ${sql.ref(`last_uses.${column}`)} end`
}

function toLastUseRow({ secret, accepted, refused }: LastUseRow): LastUseTableRow {
  return {
    secret,
    accepted_at: accepted?.at ?? null,
    accepted_ip: accepted?.ip ?? null,
    accepted_user_agent: accepted?.userAgent ?? null,
    refused_at: refused?.at ?? null,
    refused_ip: refused?.ip ?? null,
    refused_user_agent: refused?.userAgent ?? null,
    refused_code: refused?.code ?? null,
  }
}
