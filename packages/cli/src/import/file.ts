import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'

import { wrongUsage } from '../stop.ts'
import { csvCells } from './csv.ts'
import { csvFields, fieldName, readCsvRow, readJsonLine, type ImportDefaults, type ReadLine } from './lines.ts'

/** A file that can be read more than once, or the text of standard input. */
export type ImportSource = { readonly path: string } | { readonly text: string }

export interface NumberedLine {
  /** 1-based, as an editor counts. */
  readonly number: number
  readonly read: ReadLine
}

/** Every line that is not empty. JSON lines where the first one begins with `{`, else CSV with the names of its columns first. */
export async function* readImport(source: ImportSource, defaults: ImportDefaults): AsyncGenerator<NumberedLine> {
  const input = 'path' in source ? createReadStream(source.path, 'utf8') : Readable.from([source.text])
  let number = 0
  let header: readonly string[] | 'json' | null = null
  for await (const raw of createInterface({ input, crlfDelay: Infinity })) {
    number++
    const line = number === 1 ? raw.replace(/^\uFEFF/, '') : raw
    if (line.trim() === '') continue
    if (header === null) {
      header = line.trimStart().startsWith('{') ? 'json' : csvHeader(line)
      if (header !== 'json') continue
    }
    yield { number, read: header === 'json' ? readJsonLine(line, defaults) : csvLine(header, line, defaults) }
  }
}

function csvHeader(line: string): readonly string[] {
  const names = csvCells(line) ?? []
  const wrong = names.find((name) => !csvFields.includes(name))
  if (wrong === undefined && new Set(names).size === names.length) return names
  throw wrongUsage(
    'The first line does not name the columns',
    wrong === undefined
      ? 'A column is named twice.'
      : `One of its columns is ${fieldName(wrong)}; known are ${csvFields.join(', ')}.`,
    'Put the names of the columns into the first line, or use JSON lines.',
  )
}

function csvLine(header: readonly string[], line: string, defaults: ImportDefaults): ReadLine {
  const cells = csvCells(line)
  return cells === null ? { ok: false, reason: 'has quotes that do not close' } : readCsvRow(header, cells, defaults)
}
