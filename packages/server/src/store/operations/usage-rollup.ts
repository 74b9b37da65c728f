import { CompiledQuery, sql } from 'kysely'

import type { UsageStore } from '../../core/store.ts'
import type { Db, LatencyRow, TotalRow, UsageRow, UsageTables } from '../schema.ts'
import { pruneRequests } from './usage-requests.ts'

export const spans = { minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const
export type Unit = keyof typeof spans

const keys = {
  usage: ['at', 'account', 'credential', 'api', 'route', 'outcome', 'country', 'project'],
  total: ['at', 'account', 'api', 'route', 'outcome'],
  latency: ['at', 'credential', 'route', 'bucket'],
} as const

type Family = keyof typeof keys
type CountTable = Extract<keyof UsageTables, `${Family}_${Unit}s`>

const keyOf = (table: CountTable): readonly string[] => {
  if (table.startsWith('usage')) return keys.usage
  return table.startsWith('total') ? keys.total : keys.latency
}

/** Adds counts to what is there; rows of the same key are summed first, in one order, so that nodes never deadlock. */
export async function add(
  tx: Db,
  table: CountTable,
  rows: readonly (UsageRow | TotalRow | LatencyRow)[],
): Promise<void> {
  const key = keyOf(table)
  const sums = new Map<string, (string | number)[]>()
  for (const row of rows) {
    const values = valuesOf(row)
    const name = values.join('\0')
    const sum = sums.get(name)
    if (sum === undefined) sums.set(name, [...values, row.count])
    else sum[key.length] = Number(sum[key.length]) + row.count
  }
  const sorted = [...sums.keys()].toSorted()
  let done = 0
  for (const size of statementSizes) {
    for (; sorted.length - done >= size; done += size) {
      const values = sorted.slice(done, done + size).flatMap((name) => sums.get(name) ?? [])
      await tx.executeQuery(CompiledQuery.raw(addText(tx, table, size), values))
    }
  }
}

/** In the order of `keys`. */
function valuesOf(row: UsageRow | TotalRow | LatencyRow): readonly (string | number)[] {
  if ('bucket' in row) return [row.at, row.credential, row.route, row.bucket]
  if (!('country' in row)) return [row.at, row.account, row.api, row.route, row.outcome]
  return [row.at, row.account, row.credential, row.api, row.route, row.outcome, row.country, row.project]
}

/** Few sizes, so that the statements stay prepared. */
const statementSizes = [100, 10, 1] as const

/** By database: making a text costs more than running it. */
const addTexts = new WeakMap<object, Map<string, string>>()

function addText(tx: Db, table: CountTable, size: number): string {
  const { adapter } = tx.getExecutor()
  const texts = addTexts.get(adapter) ?? new Map<string, string>()
  addTexts.set(adapter, texts)
  const known = texts.get(`${table} ${size}`)
  if (known !== undefined) return known
  const names = keyOf(table).map((column) => sql.ref(column))
  const row = sql`(${sql.join(Array.from({ length: names.length + 1 }, () => sql`${0}`))})`
  const text = sql`insert into ${sql.table(table)} (${sql.join(names)}, count)
    values ${sql.join(Array.from({ length: size }, () => row))} on conflict (${sql.join(names)})
    do update set count = ${sql.ref(`${table}.count`)} + excluded.count`.compile(tx).sql
  texts.set(`${table} ${size}`, text)
  return text
}

/** Minutes that are summed up in one transaction, so that flushes never wait long. */
const minutesPerStep = 10
/** Rows that are deleted in one transaction. */
const rowsPerPrune = 5_000
/** A flush of the running minute may still come; it is added directly afterwards, so this is only for economy. */
const settleMs = 2 * spans.minute

/**
 * One bounded step of summing minutes up into hours and days. Answers whether there is more to do. Locks the rollup
 * first: flushes read it, and wait.
 */
export async function rollUpStep(tx: Db, { now }: { readonly now: number }): Promise<boolean> {
  const { through } = await tx
    .updateTable('usage_rollup')
    .set({ id: 1 })
    .where('id', '=', 1)
    .returning('through')
    .executeTakeFirstOrThrow()
  const settled = Math.floor((now - settleMs) / spans.minute) * spans.minute
  const first = await firstMinute(tx, through)
  if (first === null || first >= settled) {
    if (settled > through) await tx.updateTable('usage_rollup').set({ through: settled }).execute()
    return false
  }
  const until = Math.min(settled, first + minutesPerStep * spans.minute)
  for (const unit of ['hour', 'day'] as const) {
    await sumUp(tx, 'usage', 'usage', unit, first, until)
    await sumUp(tx, 'usage', 'total', unit, first, until)
    await sumUp(tx, 'latency', 'latency', unit, first, until)
  }
  await tx.updateTable('usage_rollup').set({ through: until }).execute()
  return until < settled
}

async function firstMinute(tx: Db, from: number): Promise<number | null> {
  const usage = await tx
    .selectFrom('usage_minutes')
    .select((eb) => eb.fn.min('at').as('at'))
    .where('at', '>=', from)
    .executeTakeFirst()
  const latency = await tx
    .selectFrom('latency_minutes')
    .select((eb) => eb.fn.min('at').as('at'))
    .where('at', '>=', from)
    .executeTakeFirst()
  // An aggregate over no rows answers null, which its type does not say.
  const found = [usage?.at, latency?.at].filter((at) => typeof at === 'number')
  return found.length === 0 ? null : Math.min(...found)
}

async function sumUp(tx: Db, from: Family, into: Family, unit: Unit, first: number, until: number): Promise<void> {
  const source = `${from}_minutes`
  const target = `${into}_${unit}s`
  const span = spans[unit]
  const columns = keys[into]
  const selected = columns.map((column) => (column === 'at' ? bucketOf(span) : sql.ref(column)))
  const grouped = columns.map((column) => (column === 'at' ? bucketOf(span) : sql.ref(column)))
  const names = columns.map((column) => sql.ref(column))
  await sql`insert into ${sql.table(target)} (${sql.join(names)}, count)
    select ${sql.join(selected)}, sum(count) from ${sql.table(source)}
    where at >= ${first} and at < ${until} group by ${sql.join(grouped)}
    on conflict (${sql.join(names)}) do update set count = ${sql.ref(`${target}.count`)} + excluded.count`.execute(tx)
}

/** The start of the span of an instant; the span is a number of ours, written out so that both places are one text. */
export function bucketOf(span: number): ReturnType<typeof sql<number>> {
  return sql<number>`at - at % ${sql.lit(span)}`
}

/** One bounded step of deleting what is past its retention. Answers whether there is more to do. */
export async function pruneStep(tx: Db, { now, retention }: Parameters<UsageStore['maintain']>[0]): Promise<boolean> {
  const { through } = await tx.selectFrom('usage_rollup').select('through').executeTakeFirstOrThrow()
  const ends = {
    // However old, a minute goes only when the hours and days have it.
    minutes: Math.min(now - retention.minutesMs, through),
    hours: now - retention.hoursMs,
    days: now - retention.daysMs,
  }
  let more = false
  for (const [unit, end] of Object.entries(ends)) {
    more = (await pruneTable(tx, `usage_${unit}`, keys.usage, end)) || more
    more = (await pruneTable(tx, `latency_${unit}`, keys.latency, end)) || more
    if (unit !== 'minutes') more = (await pruneTable(tx, `total_${unit}`, keys.total, end)) || more
  }
  await tx
    .deleteFrom('usage_dropped')
    .where('minute', '<', now - retention.daysMs)
    .execute()
  return (await pruneRequests(tx, now - retention.requestsMs)) || more
}

async function pruneTable(tx: Db, table: string, key: readonly string[], before: number): Promise<boolean> {
  const columns = sql.join(key.map((column) => sql.ref(column)))
  const pruned = await sql`delete from ${sql.table(table)} where (${columns}) in
    (select ${columns} from ${sql.table(table)} where at < ${before} limit ${rowsPerPrune})`.execute(tx)
  return Number(pruned.numAffectedRows ?? 0n) === rowsPerPrune
}
