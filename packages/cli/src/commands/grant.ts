import type { wire } from '@postern/contract'
import { Option } from 'commander'

import type { AddCommand } from '../command.ts'
import { confirm } from '../confirm.ts'
import { relative } from '../durations.ts'
import type { Output } from '../output/output.ts'
import type { Column } from '../output/table.ts'
import type { Tools } from '../tools.ts'
import { tellEffect } from './effect.ts'
import { listLimit } from './options.ts'

/** `postern grant`: what members have allowed clients. */
export const grant: AddCommand = (program, run) => {
  const command = program.command('grant').description('what members of accounts have allowed OAuth clients')
  command
    .command('list')
    .description('list grants, newest first')
    .option('--client <id>', 'only to this client, by the id of its credential')
    .option('--user <id>', 'only of this person')
    .option('--project <id>', 'only about this project')
    .addOption(new Option('--state <state>', 'only these').choices(['active', 'withdrawn']))
    .option(...listLimit)
    .action(run(list))
  command.command('show <id>').description('show one grant').action(run(show))
  command.command('withdraw <id>').description('end it for good; its tokens are dead at once').action(run(withdraw))
}

const grantPath = (id: string): string => `/grants/${encodeURIComponent(id)}`

const columns: readonly Column<wire.Grant>[] = [
  { header: 'ID', value: ({ id }) => id },
  { header: 'STATE', value: ({ state }) => state, style: ({ state }) => (state === 'active' ? 'green' : 'red') },
  { header: 'CLIENT', value: ({ client }) => client },
  { header: 'USER', value: ({ user }) => user },
  { header: 'PROJECT', value: ({ project }) => project },
  { header: 'CREATED', value: (row, now) => relative(row.created_at, now), raw: (row) => row.created_at },
  { header: 'SCOPES', value: ({ scopes }) => scopes.join(' ') },
]

interface Filters {
  readonly client?: string
  readonly user?: string
  readonly project?: string
  readonly state?: string
  readonly limit: number
}

async function list({ client, out }: Tools, { limit, ...filters }: Filters): Promise<undefined> {
  const found = await client().list<wire.Grant>('/grants', { ...filters }, limit)
  out.table(columns, found, 'No grant fits.')
  if (out.forPeople && found.length === limit) out.note(`There may be more: --limit ${limit * 2}`)
}

async function show({ client, out }: Tools, id: string): Promise<undefined> {
  const shown = await client().get<wire.Grant>(grantPath(id))
  tell(out, shown, shown)
}

async function withdraw(tools: Tools, id: string): Promise<undefined> {
  const before = await tools.client().get<wire.Grant>(grantPath(id))
  if (before.state === 'withdrawn') {
    tell(tools.out, before, before)
    tools.out.note('It was withdrawn already; nothing was changed.')
    return
  }
  await confirm(tools, `The client ${before.client} can do nothing with ${id} any more, at once and for good.`, id)
  const changed = await tools.client().post<wire.ChangedGrant>(`${grantPath(id)}/withdraw`)
  tell(tools.out, changed.grant, changed)
  tellEffect(tools.out, changed)
}

/** One grant; `raw` is what --json prints. */
function tell(out: Output, shown: wire.Grant, raw: unknown): void {
  out.record(raw, [
    ['id', shown.id],
    ['state', shown.state],
    ['client', shown.client],
    ['user', shown.user],
    ['account', shown.account],
    ['project', shown.project],
    ['apis', shown.apis.join(', ')],
    ['scopes', shown.scopes.length === 0 ? '-' : shown.scopes.join(', ')],
    ['created', shown.created_at],
    ['changed', shown.updated_at],
    ['withdrawn', shown.withdrawn_at ?? '-'],
    ['version', String(shown.version)],
  ])
}
