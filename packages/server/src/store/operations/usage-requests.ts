import { sql } from 'kysely'

import { firstIdAt } from '../../base/ids.ts'
import type { Page, UsageStore } from '../../core/store.ts'
import { secondOf, type RequestBlock } from '../../core/usage/request-blocks.ts'
import type { RequestFilter, RequestRow } from '../../core/usage/usage.ts'
import { blocksOfList, createTermGatherer, hourOf, type StoredBlock } from '../request-index.ts'
import { matchingRequests, termOf } from '../request-search.ts'
import type { Db } from '../schema.ts'
import { batches } from './commit.ts'
import { textCursor, toPage } from './page.ts'

/** Blocks read at first, and at most, in one statement. */
const blocksFirst = 8
const blocksMost = 256

export async function listRequests(db: Db, input: Parameters<UsageStore['requests']>[0]): Promise<Page<RequestRow>> {
  const { limit, after, ...filter } = input
  const before = after === null ? null : textCursor(after)
  const matches = idTest(filter, before)
  const range = secondsOf(filter, before)
  const found: RequestRow[] = []
  for (let count = blocksFirst; found.length <= limit; count = Math.min(2 * count, blocksMost)) {
    const blocks = await newestBlocks(db, filter, range, count)
    // Newest first within these seconds; the next ones are older.
    found.push(...newestFirst(blocks.flatMap(({ rows }) => matchingRequests(rows, filter, matches))))
    const oldest = blocks.at(-1)
    if (oldest === undefined) break
    range.to = oldest.second - 1
  }
  return toPage(
    found,
    limit,
    (request) => request,
    ({ id }) => [id],
  )
}

export async function findRequest(db: Db, { id }: { readonly id: string }): Promise<RequestRow | null> {
  const second = secondOf(id)
  if (Number.isNaN(second)) return null
  const blocks = await db.selectFrom('request_blocks').select('rows').where('second', '=', second).execute()
  for (const { rows } of blocks) {
    const [found] = matchingRequests(rows, everything, (each) => each === id)
    if (found !== undefined) return found
  }
  return null
}

const everything: RequestFilter = {
  account: null,
  project: null,
  credential: null,
  api: null,
  code: null,
  status: null,
  from: null,
  to: null,
}

/** Seconds, both ends included. */
interface Range {
  readonly from: number
  to: number
}

function secondsOf({ from, to }: RequestFilter, before: string | null): Range {
  const ends = [to === null ? null : Math.floor((to - 1) / 1000), before === null ? null : secondOf(before)]
  return {
    from: from === null ? 0 : Math.floor(from / 1000),
    to: Math.min(...ends.map((end) => end ?? Number.MAX_SAFE_INTEGER)),
  }
}

/** Ids are ordered by time, so a range over time is a range over ids. */
function idTest({ from, to }: RequestFilter, before: string | null): (id: string) => boolean {
  const first = firstIdAt('req', from ?? 0)
  const end = to === null ? null : firstIdAt('req', to)
  return (id) => id >= first && (end === null || id < end) && (before === null || id < before)
}

/** The blocks of whole seconds, newest first, from the newest of the range on: about `count`. */
async function newestBlocks(
  db: Db,
  filter: RequestFilter,
  range: Range,
  count: number,
): Promise<readonly { readonly second: number; readonly rows: string }[]> {
  const term = termOf(filter)
  const stored = term === null ? await blocksByTime(db, range, count) : await blocksByTerm(db, term, range, count)
  if (stored.length === 0) return []
  const blocks = await db
    .selectFrom('request_blocks')
    .select(['second', 'rows'])
    .where(
      'block',
      'in',
      stored.map(({ block }) => block),
    )
    .execute()
  return blocks.toSorted((a, b) => b.second - a.second)
}

async function blocksByTime(db: Db, { from, to }: Range, count: number): Promise<readonly StoredBlock[]> {
  const keys = db
    .selectFrom('request_blocks')
    .select(['second', 'block'])
    .where('second', '>=', from)
    .orderBy('second', 'desc')
  const newest = await keys.where('second', '<=', to).limit(count).execute()
  const oldest = newest.at(-1)?.second
  if (oldest === undefined || newest.length < count) return newest
  // The last second may go on beyond the limit.
  return [...newest.filter(({ second }) => second > oldest), ...(await keys.where('second', '=', oldest).execute())]
}

async function blocksByTerm(db: Db, term: string, { from, to }: Range, count: number): Promise<readonly StoredBlock[]> {
  const lists = db
    .selectFrom('request_terms')
    .select(['hour', 'blocks'])
    .where('term', '=', term)
    .where('hour', '>=', hourOf(from))
    .orderBy('hour', 'desc')
  for (let hour = hourOf(to); ;) {
    const newest = await lists.where('hour', '<=', hour).limit(1).execute()
    const [first] = newest
    if (first === undefined) return []
    // All lists of the hour, because they overlap.
    const found = (await lists.where('hour', '=', first.hour).execute())
      .flatMap(({ blocks }) => blocksOfList(blocks))
      .filter(({ second }) => second >= from && second <= to)
      .toSorted((a, b) => b.second - a.second)
    const oldest = found[count - 1]?.second ?? 0
    if (found.length > 0) return found.filter(({ second }) => second >= oldest)
    hour = first.hour - 1
  }
}

/** A flush that was sent twice is told once. */
function newestFirst(requests: readonly RequestRow[]): readonly RequestRow[] {
  const sorted = requests.toSorted((a, b) => (a.id < b.id ? 1 : -1))
  return sorted.filter(({ id }, index) => id !== sorted[index - 1]?.id)
}

// ---- writing -------------------------------------------------------------------------------------------

/** SQLite's worker does this in a way of its own. */
export async function insertBlocks(tx: Db, blocks: readonly RequestBlock[]): Promise<void> {
  const gathered = createTermGatherer()
  for (const { second, rows } of blocks) {
    const { block } = await tx
      .insertInto('request_blocks')
      .values({ second, rows })
      .returning('block')
      .executeTakeFirstOrThrow()
    gathered.add({ block, second }, rows)
  }
  for (const batch of batches(gathered.lists())) await tx.insertInto('request_terms').values(batch).execute()
}

/** Blocks, or lists, that are deleted in one transaction. */
const prunedAtOnce = 200

/** Answers whether there may be more to delete. Lists go by whole hours; what they still name may be gone. */
export async function pruneRequests(tx: Db, before: number): Promise<boolean> {
  const second = Math.floor(before / 1000)
  const blocks = await sql`delete from request_blocks where block in (
    select block from request_blocks where second < ${second} order by second limit ${prunedAtOnce}
  )`.execute(tx)
  const lists = await sql`delete from request_terms where (hour, term, list) in (
    select hour, term, list from request_terms where hour < ${hourOf(second)} limit ${prunedAtOnce}
  )`.execute(tx)
  return [blocks, lists].some(({ numAffectedRows }) => Number(numAffectedRows ?? 0n) === prunedAtOnce)
}
