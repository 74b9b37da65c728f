import type { wire } from '@postern/contract'

import type { AddCommand } from '../command.ts'
import { relative } from '../durations.ts'
import type { Column } from '../output/table.ts'
import type { Tools } from '../tools.ts'
import { listLimit } from './options.ts'

export const addClientList: AddCommand = (command, run) => {
  command
    .command('list')
    .description('list OAuth clients')
    .option('--account <id>', 'only of this account')
    .option('--project <id>', 'only of this project')
    .option('--api <id>', 'only for this API')
    .option('--state <state>', 'active, blocked, revoked, compromised, expired or not_yet_valid')
    .option('--search <text>', 'part of the name, or a client id')
    .option(...listLimit)
    .action(run(list))
}

const columns: readonly Column<wire.Credential>[] = [
  { header: 'ID', value: ({ id }) => id },
  { header: 'CLIENT ID', value: ({ client_id: id }) => id ?? '-' },
  {
    header: 'STATE',
    value: ({ state }) => state,
    style: ({ state }) => (state === 'active' ? 'green' : state === 'blocked' ? 'yellow' : 'red'),
  },
  { header: 'TYPE', value: ({ oauth }) => oauth?.type ?? '-' },
  { header: 'GETS TOKENS BY', value: ({ oauth }) => oauth?.grant_types.join(',') ?? '-' },
  { header: 'APIS', value: ({ apis }) => apis.join(',') },
  { header: 'CREATED', value: (row, now) => relative(row.created_at, now), raw: (row) => row.created_at },
  { header: 'NAME', value: ({ name }) => name },
]

interface Filters {
  readonly account?: string
  readonly project?: string
  readonly api?: string
  readonly state?: string
  readonly search?: string
  readonly limit: number
}

async function list({ client, out }: Tools, { limit, ...filters }: Filters): Promise<undefined> {
  const query = { ...filters, kind: 'oauth_client' }
  const found = await client().list<wire.Credential>('/credentials', query, limit)
  out.table(columns, found, 'No client fits: npx postern client create --help')
  if (out.forPeople && found.length === limit) out.note(`There may be more: --limit ${limit * 2}`)
}
