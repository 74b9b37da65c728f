import type { Io } from '../io.ts'
import { paintFor, type ColourChoice, type Paint } from './colour.ts'
import { pipedTable, terminalTable, type Column } from './table.ts'

/** Data goes to standard output, everything else to standard error. */
export interface Output {
  readonly json: boolean
  /** Whether a person reads standard output. */
  readonly forPeople: boolean
  readonly paint: Paint
  readonly paintNote: Paint
  table<Row>(columns: readonly Column<Row>[], rows: readonly Row[], empty: string): void
  /** Labels and values of one thing. `raw` is what --json prints. */
  record(raw: unknown, fields: readonly (readonly [label: string, value: string])[]): void
  data(value: unknown): void
  /** One JSON text a line, for what does not end. */
  dataLine(value: unknown): void
  line(text: string): void
  note(text: string): void
}

export function createOutput(io: Io, options: { readonly json: boolean; readonly color: ColourChoice }): Output {
  const paint = paintFor(io.stdout, options.color, io.env)
  const forPeople = io.stdout.isTty && !options.json
  const output: Output = {
    json: options.json,
    forPeople,
    paint,
    paintNote: paintFor(io.stderr, options.color, io.env),
    table: (columns, rows, empty) => {
      if (options.json) output.data(rows)
      else if (!forPeople) io.stdout.write(pipedTable(columns, rows, io.now()))
      else if (rows.length === 0) output.note(empty)
      else io.stdout.write(terminalTable(columns, rows, io.stdout.columns, paint, io.now()))
    },
    record: (raw, fields) => {
      if (options.json) output.data(raw)
      else if (forPeople) io.stdout.write(aligned(fields, paint))
      else io.stdout.write(fields.map(([label, value]) => `${label}\t${value}\n`).join(''))
    },
    data: (value) => io.stdout.write(`${JSON.stringify(value, null, 2)}\n`),
    dataLine: (value) => io.stdout.write(`${JSON.stringify(value)}\n`),
    line: (text) => io.stdout.write(`${text}\n`),
    note: (text) => io.stderr.write(`${text}\n`),
  }
  return output
}

function aligned(fields: readonly (readonly [string, string])[], paint: Paint): string {
  const width = Math.max(0, ...fields.map(([label]) => label.length))
  return fields.map(([label, value]) => `${paint('dim', label.padEnd(width))}  ${value}\n`).join('')
}
