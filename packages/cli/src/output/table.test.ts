import { describe, expect, it } from 'vitest'

import { pipedTable, terminalTable, type Column } from './table.ts'

interface Row {
  readonly name: string
  readonly count: number
}

const columns: readonly Column<Row>[] = [
  { header: 'NAME', value: ({ name }) => name },
  { header: 'N', value: ({ count }) => String(count), right: true },
  { header: 'NOTE', value: ({ name }) => `about ${name}`, raw: ({ name }) => name.toUpperCase() },
]
const plain = (_: unknown, text: string) => text

describe('terminalTable', () => {
  it('aligns, and cuts only the last column', () => {
    const rows = [
      { name: 'a', count: 5 },
      { name: 'a long name', count: 12_000 },
    ]
    expect(terminalTable(columns, rows, 32, plain, 0)).toBe(
      'NAME             N  NOTE\na                5  about a\na long name  12000  about a lon…\n',
    )
  })

  it('lets nothing in a name steer the terminal', () => {
    const shown = terminalTable(columns, [{ name: 'a\u001b[2Jb\nc\u202ed', count: 1 }], 80, plain, 0)
    expect(shown.split('\n')[1]).toMatch(/^a\ufffd\[2Jb\ufffdc\ufffdd /)
  })
})

describe('pipedTable', () => {
  it('puts a tab between cells and cuts nothing', () => {
    const name = 'x'.repeat(200)
    expect(pipedTable(columns, [{ name, count: 1 }], 0)).toBe(`NAME\tN\tNOTE\n${name}\t1\t${name.toUpperCase()}\n`)
  })

  it('keeps tabs and line breaks in values from becoming cells and lines', () => {
    expect(pipedTable(columns, [{ name: 'a\tb\nc', count: 1 }], 0).split(/[\t\n]/)).toHaveLength(7)
  })
})
