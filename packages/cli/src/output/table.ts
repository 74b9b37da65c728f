import type { Paint } from './colour.ts'

export interface Column<Row> {
  readonly header: string
  /** For people; `raw` is for programs where the two differ. */
  readonly value: (row: Row, now: number) => string
  readonly raw?: (row: Row) => string
  readonly right?: boolean
  readonly style?: (row: Row) => Parameters<Paint>[0] | null
}

/** On a terminal aligned, its last column cut to the width. */
export function terminalTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width: number,
  paint: Paint,
  now: number,
): string {
  const cells = rows.map((row) => columns.map((column) => printable(column.value(row, now))))
  const widths = columns.map(({ header }, index) =>
    Math.max(header.length, ...cells.map((line) => line[index]?.length ?? 0)),
  )
  const line = (texts: readonly string[], styled: (text: string, index: number) => string): string => {
    let used = 0
    const parts = texts.map((text, index) => {
      const last = index === texts.length - 1
      const shown = last ? cut(text, width - used) : text
      const size = widths[index] ?? 0
      used += size + 2
      const gap = ' '.repeat(Math.max(0, size - shown.length))
      const painted = styled(shown, index)
      if (columns[index]?.right === true) return gap + painted
      return last ? painted : painted + gap
    })
    return `${parts.join('  ').trimEnd()}\n`
  }
  const head = line(
    columns.map(({ header }) => header),
    (text) => paint('dim', text),
  )
  const body = rows.map((row, at) =>
    line(cells[at] ?? [], (text, index) => {
      const style = columns[index]?.style?.(row) ?? null
      return style === null ? text : paint(style, text)
    }),
  )
  return head + body.join('')
}

/** For programs: a tab between cells, nothing cut, times in full. */
export function pipedTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[], now: number): string {
  const lines = rows.map((row) => columns.map((column) => printable((column.raw ?? column.value)(row, now))))
  return [columns.map(({ header }) => header), ...lines].map((line) => `${line.join('\t')}\n`).join('')
}

/** What people named may hold anything: nothing of it may steer a terminal or break a line. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu, '\ufffd')
}

function cut(text: string, room: number): string {
  return text.length <= room || room < 8 ? text : `${text.slice(0, room - 1)}…`
}
