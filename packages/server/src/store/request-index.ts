import { termsOf } from './request-search.ts'

/** A block that was stored: its number and epoch second. */
export interface StoredBlock {
  readonly block: number
  readonly second: number
}

/**
 * Which blocks have a term, within one hour, as far as one writing knew: a list, because an entry for each block would
 * cost more than the block.
 */
export interface TermList {
  readonly term: string
  /** Epoch hours. */
  readonly hour: number
  /** A number of its own among the lists of the term and hour: its last block. */
  readonly list: number
  /** JSON: second, block, second, block, … */
  readonly blocks: string
}

export const hourOf = (second: number): number => Math.floor(second / 3600)

/** Gathers which blocks have which terms. */
export interface TermGatherer {
  add(stored: StoredBlock, rows: string): void
  /** Entries that were added. */
  readonly size: number
  /** In the order of the terms, so that neighbours in the table are written together. */
  lists(): readonly TermList[]
}

export function createTermGatherer(): TermGatherer {
  const hours = new Map<number, Map<string, number[]>>()
  let size = 0
  return {
    get size() {
      return size
    },
    add: ({ block, second }, rows) => {
      const hour = hourOf(second)
      let terms = hours.get(hour)
      if (terms === undefined) hours.set(hour, (terms = new Map<string, number[]>()))
      for (const term of termsOf(rows)) {
        const list = terms.get(term)
        if (list === undefined) terms.set(term, [second, block])
        else list.push(second, block)
        size++
      }
    },
    lists: () =>
      [...hours]
        .flatMap(([hour, terms]) =>
          [...terms].map(([term, blocks]): TermList => {
            return { term, hour, list: blocks.at(-1) ?? 0, blocks: JSON.stringify(blocks) }
          }),
        )
        .toSorted((a, b) => (a.term === b.term ? a.hour - b.hour : a.term < b.term ? -1 : 1)),
  }
}

export function blocksOfList(blocks: string): readonly StoredBlock[] {
  // JSON that this module wrote itself, so its type is trusted.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  const numbers = JSON.parse(blocks) as readonly number[]
  return Array.from({ length: numbers.length / 2 }, (_, index) => ({
    second: numbers[2 * index] ?? 0,
    block: numbers[2 * index + 1] ?? 0,
  }))
}
