import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { IndexTable } from './index-table.ts'

function rowsFrom(table: IndexTable, hash: number): number[] {
  const rows: number[] = []
  let slot = table.start(hash)
  for (let row = table.rowAt(slot); row !== -1; row = table.rowAt(slot)) {
    rows.push(row)
    slot = table.next(slot)
  }
  return rows
}

/** Hashes that meet: few homes, some at the end of the table, so that chains run into each other and wrap. */
function hashOf(row: number): number {
  return [2045, 2046, 2047, 0, 1, -1, 2047 + 2048][row % 7] ?? 0
}

describe('the index', () => {
  it('reaches every row that it holds and no other, whatever was added and removed', () => {
    const step = fc.record({ row: fc.nat({ max: 40 }), add: fc.boolean() })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const table = new IndexTable(hashOf)
        const held = new Set<number>()
        for (const { row, add } of steps) {
          if (add && !held.has(row)) {
            table.add(row)
            held.add(row)
          } else if (!add) {
            table.remove(row)
            held.delete(row)
          }
          for (let other = 0; other <= 40; other++) {
            expect(rowsFrom(table, hashOf(other)).includes(other)).toBe(held.has(other))
          }
        }
      }),
      { numRuns: 200 },
    )
  })

  it('holds its rows while it grows', () => {
    const table = new IndexTable((row) => Math.imul(row, 0x9e3779b1))
    for (let row = 0; row < 20_000; row++) table.add(row)
    for (let row = 0; row < 20_000; row += 2) table.remove(row)
    for (let row = 0; row < 20_000; row++) {
      expect(rowsFrom(table, Math.imul(row, 0x9e3779b1)).includes(row)).toBe(row % 2 === 1)
    }
  })
})
