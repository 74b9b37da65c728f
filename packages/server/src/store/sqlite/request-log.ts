import type Database from 'better-sqlite3'

import type { RequestBlock } from '../../core/usage/request-blocks.ts'
import { createTermGatherer, type StoredBlock, type TermGatherer, type TermList } from '../request-index.ts'

/**
 * The request log's way into SQLite. Blocks are appended; the lists that find them lie scattered, and a page that is
 * written costs the same for one block as for fifty, so they are gathered over many flushes.
 */
export interface RequestLog {
  /** Appends blocks within the transaction of their flush; what it answers is told to `gather` once that is committed. */
  append(blocks: readonly RequestBlock[]): readonly Appended[]
  gather(blocks: readonly Appended[]): void
  /** Whether enough have gathered. */
  readonly due: boolean
  /** Writes the lists of what has gathered, in one transaction: before every question and every pruning. */
  readonly index: () => void
}

type Appended = StoredBlock & Pick<RequestBlock, 'rows'>

const gatheredMax = 100_000

export function createRequestLog(database: Database.Database): RequestLog {
  const insertBlock = database.prepare<[number, string]>('insert into request_blocks (second, rows) values (?, ?)')
  const insertList = database.prepare<[string, number, number, string]>(
    'insert or replace into request_terms (term, hour, list, blocks) values (?, ?, ?, ?)',
  )
  const moveOn = database.prepare<[number]>('update request_indexed set through = ?')
  const write = database.transaction((lists: readonly TermList[], through: number) => {
    for (const { term, hour, list, blocks } of lists) insertList.run(term, hour, list, blocks)
    moveOn.run(through)
  })
  let gathered: TermGatherer = createTermGatherer()
  let last = 0
  const gather = (blocks: readonly Appended[]) => {
    for (const block of blocks) {
      gathered.add(block, block.rows)
      last = block.block
    }
  }
  gather(notIndexed(database))
  return {
    append: (blocks) =>
      blocks.map(({ second, rows }) => {
        return { block: Number(insertBlock.run(second, rows).lastInsertRowid), second, rows }
      }),
    gather,
    get due() {
      return gathered.size >= gatheredMax
    },
    index: () => {
      if (gathered.size === 0) return
      write.immediate(gathered.lists(), last)
      gathered = createTermGatherer()
    },
  }
}

/** What had gathered when the process before this one ended. */
function notIndexed(database: Database.Database): readonly Appended[] {
  return database
    .prepare<unknown[], Appended>(
      'select block, second, rows from request_blocks where block > (select through from request_indexed) order by block',
    )
    .all()
}
