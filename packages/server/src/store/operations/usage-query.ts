import { sql, type RawBuilder } from 'kysely'

import type { UsageStore } from '../../core/store.ts'
import {
  latencyBucketsMs,
  type ModelPoint,
  type ModelQuery,
  type UsagePoint,
  type UsageQuery,
} from '../../core/usage/usage.ts'
import type { Db, LastUseTableRow } from '../schema.ts'
import { bucketOf, spans, type Unit } from './usage-rollup.ts'

type Filter = Pick<UsageQuery, 'account' | 'project' | 'credential' | 'api'>

interface Segment {
  readonly unit: Unit
  readonly from: number
  readonly to: number
}

const finer: Readonly<Record<Exclude<Unit, 'minute'>, Unit>> = { hour: 'minute', day: 'hour' }

/**
 * The range in whole units of `unit`, and its ragged ends in finer ones, so that a range that does not begin or end
 * on the hour is exact as long as the minutes of that hour are kept.
 */
function segmentsOf(from: number, to: number, unit: Unit): readonly Segment[] {
  if (from >= to) return []
  const span = spans[unit]
  if (unit === 'minute') return [{ unit, from: Math.floor(from / span) * span, to }]
  const first = Math.ceil(from / span) * span
  const last = Math.floor(to / span) * span
  if (first >= last) return segmentsOf(from, to, finer[unit])
  return [
    ...segmentsOf(from, first, finer[unit]),
    { unit, from: first, to: last },
    ...segmentsOf(last, to, finer[unit]),
  ]
}

/** Run in one read transaction: the rollup must not move between its statements. */
export async function queryUsage(db: Db, query: UsageQuery): Promise<readonly UsagePoint[]> {
  const { through } = await db.selectFrom('usage_rollup').select('through').executeTakeFirstOrThrow()
  const sums = new Map<string, { at: number; group: Readonly<Record<string, string>>; count: number }>()
  for (const { unit, from, to } of segmentsOf(query.from, query.to, query.step)) {
    await collect(db, query, unit, from, to, sums)
    // Minutes that are not yet in the hours and days.
    if (unit !== 'minute' && to > through) await collect(db, query, 'minute', Math.max(from, through), to, sums)
  }
  return [...sums.values()].toSorted((a, b) => a.at - b.at)
}

async function collect(
  db: Db,
  query: UsageQuery,
  unit: Unit,
  from: number,
  to: number,
  sums: Map<string, { at: number; group: Readonly<Record<string, string>>; count: number }>,
): Promise<void> {
  const columns = query.groupBy
  const bucket = bucketOf(spans[query.step])
  const groups = columns.map((column) => sql.ref(column))
  const rows = await sql<Record<string, string | number>>`
    select ${sql.join([sql`${bucket} as at_bucket`, ...groups, sql`sum(count) as total`])}
    from ${sql.table(tableFor(query, unit))} where ${conditions(query, from, to)}
    group by ${sql.join([bucket, ...groups])}`.execute(db)
  for (const row of rows.rows) {
    const at = Number(row['at_bucket'])
    const group = Object.fromEntries(columns.map((column) => [column, String(row[column])]))
    const name = JSON.stringify([at, ...columns.map((column) => group[column])])
    const sum = sums.get(name)
    if (sum === undefined) sums.set(name, { at, group, count: Number(row['total']) })
    else sum.count += Number(row['total'])
  }
}

/** Of language models; run in one read transaction. */
export async function queryModels(db: Db, query: ModelQuery): Promise<readonly ModelPoint[]> {
  const { through } = await db.selectFrom('usage_rollup').select('through').executeTakeFirstOrThrow()
  const points = new Map<
    string,
    { at: number; group: Readonly<Record<string, string>>; sums: Record<string, number> }
  >()
  const bucket = bucketOf(spans[query.step])
  const columns = [...query.groupBy, 'metric'] as const
  const groups = columns.map((column) => sql.ref(column))
  const collectModels = async (unit: Unit, from: number, to: number): Promise<void> => {
    const { rows } = await sql<Record<string, string | number>>`
      select ${sql.join([sql`${bucket} as at_bucket`, ...groups, sql`sum(count) as total`])}
      from ${sql.table(`model_${unit}s`)} where ${conditions(query, from, to)}
      group by ${sql.join([bucket, ...groups])}`.execute(db)
    for (const row of rows) {
      const at = Number(row['at_bucket'])
      const group = Object.fromEntries(query.groupBy.map((column) => [column, String(row[column])]))
      const name = JSON.stringify([at, ...Object.values(group)])
      const point = points.get(name) ?? { at, group, sums: {} }
      points.set(name, point)
      const metric = String(row['metric'])
      point.sums[metric] = (point.sums[metric] ?? 0) + Number(row['total'])
    }
  }
  for (const { unit, from, to } of segmentsOf(query.from, query.to, query.step)) {
    await collectModels(unit, from, to)
    if (unit !== 'minute' && to > through) await collectModels('minute', Math.max(from, through), to)
  }
  return [...points.values()].toSorted((a, b) => a.at - b.at)
}

/** Sums come from the smallest table that has what the question names. */
function tableFor({ credential, groupBy }: UsageQuery, unit: Unit): string {
  const byCountry = groupBy.includes('country')
  if (unit === 'minute' || credential !== null || groupBy.includes('credential')) return `usage_${unit}s`
  if (byCountry && groupBy.includes('route')) return `usage_${unit}s`
  return byCountry ? `country_${unit}s` : `total_${unit}s`
}

function conditions({ account, project, credential, api }: Filter, from: number, to: number): RawBuilder<unknown> {
  const parts = [sql`at >= ${from}`, sql`at < ${to}`]
  if (account !== null) parts.push(sql`account = ${account}`)
  if (project !== null) parts.push(sql`project = ${project}`)
  if (credential !== null) parts.push(sql`credential = ${credential}`)
  if (api !== null) parts.push(sql`api = ${api}`)
  return sql.join(parts, sql` and `)
}

/** Counts per latency bucket, from the coarsest tables that fit the range. Run in one read transaction. */
export async function queryLatency(
  db: Db,
  { credential, route, from, to }: Parameters<UsageStore['latency']>[0],
): Promise<readonly number[]> {
  const { through } = await db.selectFrom('usage_rollup').select('through').executeTakeFirstOrThrow()
  const buckets = Array.from({ length: latencyBucketsMs.length + 1 }, () => 0)
  const collectLatency = async (unit: Unit, first: number, last: number) => {
    const parts = [sql`at >= ${first}`, sql`at < ${last}`]
    if (credential !== null) parts.push(sql`credential = ${credential}`)
    if (route !== null) parts.push(sql`route = ${route}`)
    const { rows } = await sql<{ bucket: number; total: number }>`select bucket, sum(count) as total
      from ${sql.table(`latency_${unit}s`)} where ${sql.join(parts, sql` and `)} group by bucket`.execute(db)
    for (const { bucket, total } of rows) buckets[bucket] = (buckets[bucket] ?? 0) + total
  }
  for (const segment of segmentsOf(from, to, 'day')) {
    await collectLatency(segment.unit, segment.from, segment.to)
    if (segment.unit !== 'minute' && segment.to > through) {
      await collectLatency('minute', Math.max(segment.from, through), segment.to)
    }
  }
  return buckets
}

export async function findLastUses(
  db: Db,
  { secrets }: { readonly secrets: readonly string[] },
): Promise<readonly LastUseTableRow[]> {
  if (secrets.length === 0) return []
  return db.selectFrom('last_uses').selectAll().where('secret', 'in', secrets).execute()
}

/** A node that has not flushed for this long is not alive; a live one flushes each second. */
const nodeAliveMs = 60_000

export async function observedThrough(db: Db, { now }: { readonly now: number }): Promise<number | null> {
  const rows = await db.selectFrom('nodes').select('flushed_at').execute()
  if (rows.length === 0) return null
  const all = rows.map((row) => row.flushed_at)
  const alive = all.filter((at) => at > now - nodeAliveMs)
  return alive.length === 0 ? Math.max(...all) : Math.min(...alive)
}

export async function droppedRequests(
  db: Db,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<number> {
  const row = await db
    .selectFrom('usage_dropped')
    .select((eb) => eb.fn.sum<number | null>('count').as('total'))
    .where('minute', '>=', Math.floor(from / 60_000) * 60_000)
    .where('minute', '<', to)
    .executeTakeFirst()
  return row?.total ?? 0
}
