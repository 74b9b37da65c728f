import { existsSync } from 'node:fs'
import { resolve } from 'node:path'

import type { wire } from '@postern/contract'
import { Option } from 'commander'

import type { AddCommand } from '../command.ts'
import { inBatches, type Batch, type RefusedLine } from '../import/batches.ts'
import { readImport, type ImportSource } from '../import/file.ts'
import type { ImportDefaults } from '../import/lines.ts'
import { createProgress } from '../output/progress.ts'
import { exit, Stop, wrongUsage } from '../stop.ts'
import type { Tools } from '../tools.ts'
import { collect } from './options.ts'

export const addKeyImport: AddCommand = (command, run) => {
  command
    .command('import <file>')
    .description("take over credentials by their SHA-256 digests, from JSON lines or CSV; '-' is standard input")
    .requiredOption('--project <id>', 'where they go')
    .option('--hash', 'the file holds secrets: they are hashed here and never leave this machine')
    .option('--partial', 'import the good lines although others are refused')
    .option('--dry-run', 'only check')
    .option('--api <id>', 'for lines that name none; may come more than once', collect)
    .addOption(
      new Option('--kind <kind>', 'for lines that name none')
        .choices(['secret', 'publishable', 'integration'])
        .default('secret'),
    )
    .option('--scope <scope>', 'for lines that name none; may come more than once', collect)
    .action(run(importFile))
}

interface Options {
  readonly project: string
  readonly hash?: boolean
  readonly partial?: boolean
  readonly dryRun?: boolean
  readonly api?: readonly string[]
  readonly kind: string
  readonly scope?: readonly string[]
}

interface Totals {
  readonly imported: number
  readonly skipped: number
  readonly refused: readonly RefusedLine[]
}

/** The whole file is checked before the first line is stored. Each call is one transaction, so a run that was cut off can be repeated. */
async function importFile(tools: Tools, file: string, options: Options): Promise<undefined> {
  const source = await sourceOf(tools, file)
  const defaults = {
    apis: options.api ?? [],
    kind: options.kind,
    scopes: options.scope ?? [],
    hash: options.hash === true,
  }
  const call = {
    project: options.project,
    partial: options.partial === true,
    total: await countLines(source, defaults),
  }
  const checked = await pass(tools, source, defaults, { ...call, dryRun: true })
  const good = checked.imported + checked.skipped
  for (const { number, reason } of checked.refused) tools.out.note(`line ${number}: ${reason}`)
  if (good === 0 && checked.refused.length === 0)
    throw wrongUsage(`${file} has no lines`, 'There is nothing to import.', 'npx postern key import --help')
  if (checked.refused.length > 0 && options.partial !== true) throw nothingImported(checked.refused.length, good)
  const result = options.dryRun === true ? checked : await pass(tools, source, defaults, { ...call, dryRun: false })
  tell(tools, result, options.dryRun === true, checked.refused.length)
}

interface Call {
  readonly project: string
  readonly partial: boolean
  readonly dryRun: boolean
  /** Lines that will be sent, for the progress bar. */
  readonly total: number
}

async function pass(tools: Tools, source: ImportSource, defaults: ImportDefaults, call: Call): Promise<Totals> {
  const refused: RefusedLine[] = []
  const progress = createProgress(tools.io, call.dryRun ? 'check ' : 'import', tools.out.paintNote)
  let [imported, skipped, done] = [0, 0, 0]
  try {
    for await (const batch of inBatches(readImport(source, defaults), (line) => refused.push(line))) {
      const report = await send(tools, call, batch)
      refused.push(
        ...report.refused.map(({ index, reason }) => ({
          number: batch.numbers[index] ?? 0,
          reason: reason.replace(/^\//, ''),
        })),
      )
      skipped += report.skipped.length
      imported += batch.credentials.length - report.skipped.length - report.refused.length
      done += batch.credentials.length
      progress.update(done, call.total)
    }
  } finally {
    progress.end()
  }
  return { imported, skipped, refused: refused.toSorted((a, b) => a.number - b.number) }
}

/** A check names every line that is refused, so it always asks for the good ones beside them. */
async function send(
  tools: Tools,
  { project, dryRun, partial }: Call,
  { credentials }: Batch,
): Promise<wire.ImportReport> {
  const path = `/projects/${encodeURIComponent(project)}/credentials/import`
  return await tools
    .client()
    .post<wire.ImportReport>(path, { dry_run: dryRun, partial: dryRun || partial, credentials })
}

async function countLines(source: ImportSource, defaults: ImportDefaults): Promise<number> {
  let count = 0
  for await (const { read } of readImport(source, defaults)) if (read.ok) count++
  return count
}

async function sourceOf({ io }: Tools, file: string): Promise<ImportSource> {
  if (file === '-') return { text: await io.readStdin() }
  const path = resolve(io.cwd, file)
  if (existsSync(path)) return { path }
  throw wrongUsage(
    `There is no file ${file}`,
    'It is looked for from the working directory.',
    'npx postern key import FILE --project <id>',
  )
}

function nothingImported(refused: number, good: number): Stop {
  return new Stop(exit.failed, {
    what: `${refused} ${refused === 1 ? 'line is' : 'lines are'} refused, so nothing was imported`,
    why: good === 0 ? 'No other line is good.' : `${good} other ${good === 1 ? 'line is' : 'lines are'} good.`,
    next:
      good === 0
        ? 'Correct the lines and run it again.'
        : 'Correct the lines and run it again, or add --partial to import the good ones.',
  })
}

function tell({ out }: Tools, { imported, skipped, refused }: Totals, dryRun: boolean, refusedBefore: number): void {
  const all = Math.max(refused.length, refusedBefore)
  out.record({ dry_run: dryRun, imported, skipped, refused }, [
    [dryRun ? 'would import' : 'imported', String(imported)],
    ['in already', String(skipped)],
    ['refused', String(all)],
  ])
}
