import type { wire } from '@postern/contract'

import type { AddCommand } from '../command.ts'
import { relative } from '../durations.ts'
import type { Output } from '../output/output.ts'
import type { Column } from '../output/table.ts'
import type { Tools } from '../tools.ts'
import { listLimit } from './options.ts'

export const addUserShow: AddCommand = (command, run) => {
  command
    .command('list')
    .description('list people')
    .option('--search <text>', 'part of the name or of the address')
    .option(...listLimit)
    .action(run(list))
  command.command('show <id>').description('show one person').action(run(show))
}

export const userPath = (id: string): string => `/users/${encodeURIComponent(id)}`

const columns: readonly Column<wire.User>[] = [
  { header: 'ID', value: ({ id }) => id },
  { header: 'STATE', value: ({ state }) => state, style: ({ state }) => (state === 'active' ? 'green' : 'red') },
  { header: 'FACTORS', value: ({ second_factor: second }) => (second ? 'two' : 'one') },
  { header: 'CREATED', value: (row, now) => relative(row.created_at, now), raw: (row) => row.created_at },
  { header: 'EMAIL', value: ({ email }) => email },
  { header: 'NAME', value: ({ name }) => name },
]

async function list({ client, out }: Tools, filters: { search?: string; limit: number }): Promise<undefined> {
  const { limit, ...query } = filters
  const found = await client().list<wire.User>('/users', query, limit)
  out.table(columns, found, 'Nobody fits: npx postern member invite --help')
  if (out.forPeople && found.length === limit) out.note(`There may be more: --limit ${limit * 2}`)
}

async function show({ client, out }: Tools, id: string): Promise<undefined> {
  const shown = await client().get<wire.User>(userPath(id))
  tellUser(out, shown, shown)
}

/** One person; `raw` is what --json prints. */
export function tellUser(out: Output, shown: wire.User, raw: unknown): void {
  out.record(raw, [
    ['id', shown.id],
    ['email', shown.email],
    ['name', shown.name],
    ['state', shown.state],
    ['second factor', shown.second_factor ? 'asked for' : 'none'],
    ['created', shown.created_at],
    ['version', String(shown.version)],
  ])
}
