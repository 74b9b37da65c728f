import type { wire } from '@postern/contract'
import { Option } from 'commander'

import type { AddCommand } from '../command.ts'
import { instant } from '../durations.ts'
import type { Column } from '../output/table.ts'
import type { Tools } from '../tools.ts'

/** `postern usage`: counts over time. */
export const usage: AddCommand = (program, run) => {
  program
    .command('usage')
    .description('counts over time, and latency')
    .option('--from <time>', 'a time, or a duration before now', '24h')
    .option('--to <time>', 'a time, or a duration before now', '0s')
    .addOption(new Option('--step <step>', 'one row for each').choices(['minute', 'hour', 'day']).default('hour'))
    .option('--by <groups>', 'credential, account, route, outcome, country, api, separated by commas', 'outcome')
    .option('--account <id>', 'only of this account')
    .option('--project <id>', 'only of this project')
    .option('--credential <id>', 'only with this credential')
    .option('--api <id>', 'only to this API')
    .action(run(show))
}

interface Options {
  readonly from: string
  readonly to: string
  readonly step: string
  readonly by: string
  readonly account?: string
  readonly project?: string
  readonly credential?: string
  readonly api?: string
}

async function show({ client, io, out }: Tools, { from, to, by, ...filters }: Options): Promise<undefined> {
  const answer = await client().get<wire.Usage>('/usage', {
    ...filters,
    from: instant(from, '--from', io.now(), 'ago'),
    to: instant(to, '--to', io.now(), 'ago'),
    group_by: by,
  })
  if (out.json) {
    out.data(answer)
    return undefined
  }
  const groups = by.split(',').filter((name) => name !== '')
  out.table([...columnsFor(groups)], answer.data, 'Nothing was counted in this time.')
  if (out.forPeople && answer.models.length > 0) out.table([...modelColumns], answer.models, '')
  const { latency_ms: latency } = answer
  if (!out.forPeople) return undefined
  if (latency !== null) out.note(`latency  p50 ${latency.p50} ms  p95 ${latency.p95} ms  p99 ${latency.p99} ms`)
  if (answer.observed_through !== null) out.note(`counted up to ${answer.observed_through}`)
  return undefined
}

const modelColumns: readonly Column<wire.ModelUsage>[] = [
  { header: 'AT', value: ({ at }) => at.slice(0, 16).replace('T', ' '), raw: ({ at }) => at },
  { header: 'MODEL', value: ({ group }) => group['model'] ?? '-' },
  { header: 'CREDENTIAL', value: ({ group }) => group['credential'] ?? '*' },
  { header: 'REQUESTS', value: ({ requests }) => String(requests), right: true },
  { header: 'TOKENS IN', value: (row) => String(row.input_tokens), right: true },
  { header: 'OUT', value: (row) => String(row.output_tokens), right: true },
  {
    header: 'COST',
    value: ({ cost }) =>
      Object.entries(cost)
        .map(([currency, amount]) => `${amount} ${currency}`)
        .join(', ') || '-',
    right: true,
  },
]

function* columnsFor(groups: readonly string[]): Generator<Column<wire.UsagePoint>> {
  yield { header: 'AT', value: ({ at }) => at.slice(0, 16).replace('T', ' '), raw: ({ at }) => at }
  for (const group of groups) yield { header: group.toUpperCase(), value: (row) => row.group[group] ?? '-' }
  yield { header: 'COUNT', value: ({ count }) => String(count), right: true }
}
