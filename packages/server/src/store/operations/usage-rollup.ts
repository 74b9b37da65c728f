import { CompiledQuery, sql } from 'kysely'

import type { UsageStore } from '../../core/store.ts'
import type { Db, LatencyRow, ModelRow, UsageRow } from '../schema.ts'
import { pruneRequests } from './usage-requests.ts'

export const spans = { minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const
export type Unit = keyof typeof spans

/**
 * What is counted by what. Totals leave out the credential, so that a month of everybody is few rows; countries are
 * kept without the route, which would multiply them.
 */
const families = {
  usage: {
    key: ['at', 'account', 'credential', 'api', 'route', 'outcome', 'country', 'project'],
    valuesOf: ({ at, account, credential, api, route, outcome, country, project }: UsageRow) =>
      [at, account, credential, api, route, outcome, country, project] as const,
  },
  total: {
    key: ['at', 'account', 'api', 'route', 'outcome', 'project'],
    valuesOf: ({ at, account, api, route, outcome, project }: UsageRow) =>
      [at, account, api, route, outcome, project] as const,
  },
  country: {
    key: ['at', 'account', 'api', 'outcome', 'country', 'project'],
    valuesOf: ({ at, account, api, outcome, country, project }: UsageRow) =>
      [at, account, api, outcome, country, project] as const,
  },
  model: {
    key: ['at', 'account', 'credential', 'api', 'model', 'metric', 'project'],
    valuesOf: ({ at, account, credential, api, model, metric, project }: ModelRow) =>
      [at, account, credential, api, model, metric, project] as const,
  },
  latency: {
    key: ['at', 'credential', 'route', 'bucket'],
    valuesOf: ({ at, credential, route, bucket }: LatencyRow) => [at, credential, route, bucket] as const,
  },
} as const

type Family = keyof typeof families
type RowOf<Name extends Family> = Parameters<(typeof families)[Name]['valuesOf']>[0]

/** Families that are summed up from the minutes of usage. */
export const usageSums = ['usage', 'total', 'country'] as const

/** Adds counts to what is there; rows of the same key are summed first, in one order, so that nodes never deadlock. */
export async function add<Name extends Family>(
  tx: Db,
  family: Name,
  unit: Unit,
  rows: readonly RowOf<Name>[],
): Promise<void> {
  const { key } = families[family]
  // The family's own function, whose rows these are.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  const valuesOf = families[family].valuesOf as (row: RowOf<Name>) => readonly (string | number)[]
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
      await tx.executeQuery(CompiledQuery.raw(addText(tx, family, unit, size), values))
    }
  }
}

/** Few sizes, so that the statements stay prepared. */
const statementSizes = [100, 10, 1] as const

/** By database: making a text costs more than running it. */
const addTexts = new WeakMap<object, Map<string, string>>()

function addText(tx: Db, family: Family, unit: Unit, size: number): string {
  const table = `${family}_${unit}s`
  const { adapter } = tx.getExecutor()
  const texts = addTexts.get(adapter) ?? new Map<string, string>()
  addTexts.set(adapter, texts)
  const known = texts.get(`${table} ${size}`)
  if (known !== undefined) return known
  const names = families[family].key.map((column) => sql.ref(column))
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
    for (const family of usageSums) await sumUp(tx, 'usage', family, unit, first, until)
    await sumUp(tx, 'model', 'model', unit, first, until)
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
  const model = await tx
    .selectFrom('model_minutes')
    .select((eb) => eb.fn.min('at').as('at'))
    .where('at', '>=', from)
    .executeTakeFirst()
  const found = [usage?.at, latency?.at, model?.at].filter((at) => typeof at === 'number')
  return found.length === 0 ? null : Math.min(...found)
}

async function sumUp(tx: Db, from: Family, into: Family, unit: Unit, first: number, until: number): Promise<void> {
  const source = `${from}_minutes`
  const target = `${into}_${unit}s`
  const span = spans[unit]
  const columns = families[into].key
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
  // However old, a minute goes only when the hours and days have it.
  const minutesEnd = Math.min(now - retention.minutesMs, through)
  let more = await pruneTable(tx, 'usage', 'minute', minutesEnd)
  more = (await pruneTable(tx, 'model', 'minute', minutesEnd)) || more
  more = (await pruneTable(tx, 'latency', 'minute', minutesEnd)) || more
  for (const family of [...usageSums, 'model', 'latency'] as const) {
    more = (await pruneTable(tx, family, 'hour', now - retention.hoursMs)) || more
    more = (await pruneTable(tx, family, 'day', now - retention.daysMs)) || more
  }
  await tx
    .deleteFrom('usage_dropped')
    .where('minute', '<', now - retention.daysMs)
    .execute()
  return (await pruneRequests(tx, now - retention.requestsMs)) || more
}

async function pruneTable(tx: Db, family: Family, unit: Unit, before: number): Promise<boolean> {
  const table = sql.table(`${family}_${unit}s`)
  const columns = sql.join(families[family].key.map((column) => sql.ref(column)))
  const pruned = await sql`delete from ${table} where (${columns}) in
    (select ${columns} from ${table} where at < ${before} limit ${rowsPerPrune})`.execute(tx)
  return Number(pruned.numAffectedRows ?? 0n) === rowsPerPrune
}
