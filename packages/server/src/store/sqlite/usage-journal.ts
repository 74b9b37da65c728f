import type Database from 'better-sqlite3'

import type { LastUseRow, UsageFlush } from '../../core/usage/usage.ts'

/** All of a flush but its requests. */
export type Counts = Omit<UsageFlush, 'requests'>

/**
 * Flushes as they came, one text each: safe at once, and added to the tables many at a time, because those of one
 * minute touch the same rows. What a crash leaves in the journal is read again.
 */
export interface UsageJournal {
  /** Stores a flush, within a transaction; told to `keep` once that is committed. */
  append(flush: string): void
  keep(flush: string): void
  /** Whether enough have gathered to be added to the tables. */
  readonly due: boolean
  readonly empty: boolean
  /** Answers what has gathered and forgets it, within the transaction that adds it to the tables. */
  take(): readonly Counts[]
  /** What was taken is in the tables: its transaction is committed. */
  taken(): void
}

const flushesMax = 15
const charactersMax = 16_000_000

export function createUsageJournal(database: Database.Database): UsageJournal {
  const insert = database.prepare<[string]>('insert into usage_journal (flush) values (?)')
  const clear = database.prepare('delete from usage_journal')
  const kept = database.prepare<[], string>('select flush from usage_journal order by number').pluck().all()
  let characters = kept.reduce((sum, { length }) => sum + length, 0)
  return {
    append: (flush) => void insert.run(flush),
    keep: (flush) => {
      kept.push(flush)
      characters += flush.length
    },
    get due() {
      return kept.length >= flushesMax || characters >= charactersMax
    },
    get empty() {
      return kept.length === 0
    },
    take: () => {
      clear.run()
      return joined(kept.map(parsed))
    },
    taken: () => {
      kept.length = 0
      characters = 0
    },
  }
}

/** One for each node and minute, as the tables tell them apart. */
function joined(flushes: readonly Counts[]): readonly Counts[] {
  const groups = Map.groupBy(flushes, ({ node, at }) => `${Math.floor(at / 60_000)} ${node}`)
  return [...groups.values()].flatMap((group) => {
    const last = group.at(-1)
    if (last === undefined) return []
    return {
      ...last,
      counts: group.flatMap(({ counts }) => counts),
      latencies: group.flatMap(({ latencies }) => latencies),
      lastUses: newest(group.flatMap(({ lastUses }) => lastUses)),
      models: group.flatMap(({ models = [] }) => models),
      dropped: group.reduce((sum, { dropped }) => sum + dropped, 0),
    }
  })
}

function newest(uses: readonly LastUseRow[]): readonly LastUseRow[] {
  const bySecret = new Map<string, LastUseRow>()
  for (const use of uses) {
    const { accepted, refused } = bySecret.get(use.secret) ?? use
    bySecret.set(use.secret, {
      secret: use.secret,
      accepted: (use.accepted?.at ?? -1) >= (accepted?.at ?? -1) ? use.accepted : accepted,
      refused: (use.refused?.at ?? -1) >= (refused?.at ?? -1) ? use.refused : refused,
    })
  }
  return [...bySecret.values()]
}

function parsed(flush: string): Counts {
  // JSON that `sqlite/store.ts` wrote, so its type is trusted.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  return JSON.parse(flush) as Counts
}
