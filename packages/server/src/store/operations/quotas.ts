import type { QuotaStore } from '../../core/store.ts'
import type { Db } from '../schema.ts'
import { batches } from './commit.ts'

type Add = Parameters<QuotaStore['add']>[0]
type Load = Parameters<QuotaStore['load']>[0]

const nameOf = (row: { readonly key: string; readonly period: number }): string => `${row.period} ${row.key}`

/** The same key may come twice; each of its places answers the total after all. */
export async function addQuotas(tx: Db, { deltas }: Add): Promise<readonly number[]> {
  const sums = new Map<string, { key: string; period: number; used: number }>()
  for (const { key, period, delta } of deltas) {
    const sum = sums.get(nameOf({ key, period }))
    if (sum === undefined) sums.set(nameOf({ key, period }), { key, period, used: delta })
    else sum.used += delta
  }
  // In one order everywhere, so that two nodes never wait for each other's rows.
  const rows = [...sums.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row)
  const totals = new Map<string, number>()
  for (const batch of batches(rows)) {
    const after = await tx
      .insertInto('quotas')
      .values(batch)
      .onConflict((conflict) =>
        conflict
          .columns(['period', 'key'])
          .doUpdateSet((eb) => ({ used: eb('quotas.used', '+', eb.ref('excluded.used')) })),
      )
      .returningAll()
      .execute()
    for (const row of after) totals.set(nameOf(row), row.used)
  }
  return deltas.map((delta) => totals.get(nameOf(delta)) ?? 0)
}

export async function loadQuotas(
  db: Db,
  { periods }: Load,
): Promise<readonly { readonly key: string; readonly period: number; readonly used: number }[]> {
  if (periods.length === 0) return []
  return db.selectFrom('quotas').selectAll().where('period', 'in', periods).orderBy('period').orderBy('key').execute()
}

export async function pruneQuotas(tx: Db, { before }: { readonly before: number }): Promise<void> {
  await tx.deleteFrom('quotas').where('period', '<', before).execute()
}
