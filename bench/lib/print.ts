import type { Bar, Report, Table } from './bench.ts'

export function reportText(name: string, { tables, bars, notes }: Report): string {
  const parts = [
    `== ${name}`,
    ...tables.map(tableText),
    ...bars.map(barText),
    ...notes.map((note) => `  note: ${note}`),
  ]
  return parts.join('\n')
}

function tableText({ title, rows }: Table): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const lines = rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  '),
  )
  return [title, ...lines.map((line) => `  ${line.trimEnd()}`)].join('\n')
}

function barText({ promise, measured, verdict }: Bar): string {
  return `  ${verdict.toUpperCase().padEnd(10)}  ${promise}: ${measured}`
}
