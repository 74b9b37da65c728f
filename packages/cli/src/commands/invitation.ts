import type { wire } from '@postern/contract'

import type { AddCommand } from '../command.ts'
import { relative } from '../durations.ts'
import type { Column } from '../output/table.ts'
import type { Tools } from '../tools.ts'
import { listLimit } from './options.ts'

/** `postern invitation`: links that were handed out. `postern member invite` makes them. */
export const invitation: AddCommand = (program, run) => {
  const command = program.command('invitation').description('links with which people become members')
  command
    .command('list')
    .description('list invitations, newest first')
    .option('--account <id>', 'only to this account')
    .option('--open', 'only those that can still be accepted')
    .option(...listLimit)
    .action(run(list))
  command.command('revoke <id>').description('its link leads nowhere any more').action(run(revoke))
}

const columns: readonly Column<wire.Invitation>[] = [
  { header: 'ID', value: ({ id }) => id },
  {
    header: 'STATE',
    value: ({ state }) => state,
    style: ({ state }) => (state === 'open' ? 'yellow' : state === 'accepted' ? 'green' : 'red'),
  },
  { header: 'ACCOUNT', value: ({ account }) => account },
  { header: 'ROLE', value: ({ role }) => role },
  { header: 'EXPIRES', value: (row, now) => relative(row.expires_at, now), raw: (row) => row.expires_at },
  { header: 'BY', value: ({ created_by: by }) => by },
  { header: 'EMAIL', value: ({ email }) => email },
]

interface Filters {
  readonly account?: string
  readonly open?: boolean
  readonly limit: number
}

async function list({ client, out }: Tools, { limit, open, ...filters }: Filters): Promise<undefined> {
  const query = { ...filters, ...(open === true && { open: 'true' }) }
  const found = await client().list<wire.Invitation>('/invitations', query, limit)
  out.table(columns, found, 'No invitation fits: npx postern member invite --help')
  if (out.forPeople && found.length === limit) out.note(`There may be more: --limit ${limit * 2}`)
}

async function revoke({ client, out }: Tools, id: string): Promise<undefined> {
  const changed = await client().post<wire.ChangedInvitation>(`/invitations/${encodeURIComponent(id)}/revoke`)
  const { invitation: shown } = changed
  out.record(changed, [
    ['id', shown.id],
    ['account', shown.account],
    ['email', shown.email],
    ['state', shown.state],
  ])
}
