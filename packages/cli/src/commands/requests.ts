import type { wire } from '@postern/contract'

import type { Query } from '../client/client.ts'
import type { AddCommand } from '../command.ts'
import { instant } from '../durations.ts'
import { pipedTable, terminalTable, type Column } from '../output/table.ts'
import { exit, type ExitCode } from '../stop.ts'
import type { Tools } from '../tools.ts'
import { listLimit, wholeNumber } from './options.ts'

/** `postern requests`: the request log. */
export const requests: AddCommand = (program, run) => {
  program
    .command('requests')
    .description('the request log, newest first')
    .option('--account <id>', 'only of this account')
    .option('--project <id>', 'only of this project')
    .option('--credential <id>', 'only with this credential')
    .option('--token <id>', 'only with this token')
    .option('--grant <id>', 'only with tokens of this grant')
    .option('--label <label>', 'only with tokens that were minted under this label')
    .option('--api <id>', 'only to this API')
    .option('--code <code>', 'only refused with this code')
    .option('--status <status>', 'only answered with this status', wholeNumber(100, 599))
    .option('--from <time>', 'a time, or a duration before now')
    .option('--to <time>', 'a time, or a duration before now')
    .option('-f, --follow', 'go on with what comes, oldest first; calls of the management API only with --api postern')
    .option(...listLimit)
    .action(run(list))
}

const columns: readonly Column<wire.Request>[] = [
  { header: 'AT', value: ({ at }) => at.slice(0, 19).replace('T', ' '), raw: ({ at }) => at },
  {
    header: 'STATUS',
    value: ({ status }) => String(status),
    style: ({ status }) => (status < 400 ? 'green' : status < 500 ? 'yellow' : 'red'),
  },
  { header: 'CODE', value: ({ code }) => code ?? '-', raw: ({ code }) => code ?? '' },
  { header: 'VIA', value: ({ via }) => via ?? '-', raw: ({ via }) => via ?? '' },
  { header: 'API', value: ({ api }) => api ?? '-' },
  { header: 'CREDENTIAL', value: ({ credential }) => credential ?? '-' },
  { header: 'LABEL', value: ({ label }) => label ?? '-', raw: ({ label }) => label ?? '' },
  { header: 'FROM', value: ({ ip }) => ip },
  { header: 'MS', value: ({ latency_ms: ms }) => ms.toFixed(1), right: true },
  { header: 'ID', value: ({ id }) => id },
  { header: 'REQUEST', value: ({ method, path }) => `${method} ${path}` },
]

interface Filters {
  readonly account?: string
  readonly project?: string
  readonly credential?: string
  readonly token?: string
  readonly grant?: string
  readonly label?: string
  readonly api?: string
  readonly code?: string
  readonly status?: number
  readonly from?: string
  readonly to?: string
  readonly follow?: boolean
  readonly limit: number
}

async function list(tools: Tools, { limit, from, to, follow, ...filters }: Filters): Promise<ExitCode | undefined> {
  const { client, io, out } = tools
  const time = (text: string | undefined, option: string) =>
    text === undefined ? undefined : instant(text, option, io.now(), 'ago')
  const query = { ...filters, from: time(from, '--from'), to: time(to, '--to') }
  if (follow === true) return await followLog(tools, query)
  out.table(columns, await client().list<wire.Request>('/requests', query, limit), 'No request fits.')
  return undefined
}

/** Each poll is itself a request to this API: following would show little else. */
const managementApi = 'postern'
const pollMs = 1_000
/** How far back each poll looks: rows reach the log a second or so after they happened. */
const overlapMs = 10_000

async function followLog(tools: Tools, query: Query): Promise<ExitCode> {
  const { client, io } = tools
  const ended = new AbortController()
  io.onEnd(() => ended.abort())
  let seen = new Set<string>()
  let from = query['from'] ?? new Date(io.now() - overlapMs).toISOString()
  for (let first = true; !ended.signal.aborted; first = false) {
    const found = await client().list<wire.Request>('/requests', { ...query, from }, 1_000)
    const fresh = found
      .filter(({ id, api }) => !seen.has(id) && (api !== managementApi || query['api'] === api))
      .toReversed()
    print(tools, fresh, first)
    seen = new Set(found.map(({ id }) => id))
    from = new Date(io.now() - overlapMs).toISOString()
    await io.sleep(pollMs)
  }
  return exit.interrupted
}

function print({ io, out }: Tools, rows: readonly wire.Request[], withHeader: boolean): void {
  if (out.json) return rows.forEach((row) => out.dataLine(row))
  const text = out.forPeople
    ? terminalTable(columns, rows, io.stdout.columns, out.paint, io.now())
    : pipedTable(columns, rows, io.now())
  io.stdout.write(withHeader ? text : text.slice(text.indexOf('\n') + 1))
}
