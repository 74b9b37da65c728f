import type { wire } from '@postern/contract'

import type { AddCommand } from '../command.ts'
import { relative } from '../durations.ts'
import type { Output } from '../output/output.ts'
import type { Column } from '../output/table.ts'
import { setInEnvFile } from '../secret-out/env-file.ts'
import { withSecretOptions } from '../secret-out/options.ts'
import { secretTarget, type SecretOptions } from '../secret-out/target.ts'
import type { Tools } from '../tools.ts'
import { listLimit } from './options.ts'

export const addConnectionShow: AddCommand = (command, run) => {
  command
    .command('list')
    .description('list connections')
    .option('--account <id>', 'only of this account')
    .option('--project <id>', 'only of this project')
    .option('--platform <id>', 'only to this platform')
    .option('--name <name>', 'only of this name')
    .option(...listLimit)
    .action(run(list))
  command.command('show <id>').description('show a connection, without its secrets').action(run(show))
  const reading = command
    .command('read <id>')
    .description('show the secrets of a connection to a service of the operator; this is an event')
  withSecretOptions(reading).action(run(read))
}

export const connectionPath = (id: string): string => `/connections/${encodeURIComponent(id)}`

const columns: readonly Column<wire.Connection>[] = [
  { header: 'ID', value: ({ id }) => id },
  { header: 'PLATFORM', value: ({ platform }) => platform },
  { header: 'STATE', value: ({ state }) => state, style: ({ state }) => (state === 'active' ? 'green' : 'red') },
  { header: 'CHECKED', value: ({ last_check: check }) => check?.reason ?? 'never' },
  {
    header: 'USED',
    value: ({ last_used_at: used }, now) => (used === null ? 'never' : relative(used, now)),
    raw: ({ last_used_at: used }) => used ?? '',
  },
  { header: 'OWNER', value: ({ account, project }) => project ?? account },
  { header: 'NAME', value: ({ name }) => name },
]

interface Filter {
  readonly account?: string
  readonly project?: string
  readonly platform?: string
  readonly name?: string
  readonly limit: number
}

async function list({ client, out }: Tools, { limit, ...filter }: Filter): Promise<undefined> {
  const rows = await client().list<wire.Connection>('/connections', filter, limit)
  out.table(columns, rows, 'There is no connection yet.')
}

async function show({ client, out }: Tools, id: string): Promise<undefined> {
  const connection = await client().get<wire.Connection>(connectionPath(id))
  tellConnection(out, connection, connection)
}

/** One connection; `raw` is what --json prints. */
export function tellConnection(out: Output, shown: wire.Connection, raw: unknown): void {
  out.record(raw, [
    ['id', shown.id],
    ['name', shown.name],
    ['platform', shown.platform],
    ['account', shown.account],
    ['project', shown.project ?? 'all'],
    ['injected by routes', shown.injectable ? 'yes' : 'no: its credential travels in the body'],
    ['state', shown.state_reason === null ? shown.state : `${shown.state} (${shown.state_reason})`],
    ...Object.entries(shown.settings).map(([name, value]) => [name, value] as const),
    ...shown.secrets.map(({ field, hint, fingerprint }) => [field, `…${hint ?? ''} (${fingerprint})`] as const),
    ['checked', shown.last_check === null ? 'never' : `${shown.last_check.at} ${shown.last_check.detail}`],
    ['used', shown.last_used_at ?? 'never'],
    ['created', shown.created_at],
    ['rotated', shown.rotated_at ?? 'never'],
    ['version', String(shown.version)],
  ])
}

async function read(tools: Tools, id: string, options: SecretOptions): Promise<undefined> {
  const target = secretTarget(tools, options)
  const revealed = await tools.client().post<wire.RevealedConnection>(`${connectionPath(id)}/reveal`)
  const { secrets } = revealed
  if (target.kind === 'print') tools.out.record(revealed, Object.entries(secrets))
  else tellWritten(tools.out, target, revealed)
}

function tellWritten(
  out: Output,
  { path, name }: { readonly path: string; readonly name: string },
  revealed: wire.RevealedConnection,
): void {
  const entries = Object.entries(revealed.secrets)
  const variable = (field: string) => (entries.length === 1 ? name : `${name}_${field.toUpperCase()}`)
  const values = Object.fromEntries(entries.map(([field, value]) => [variable(field), value]))
  setInEnvFile(path, values)
  const cut = Object.fromEntries(entries.map(([field]) => [field, null]))
  const written = `written to ${path} (${Object.keys(values).join(', ')}), not printed`
  out.record({ ...revealed, secrets: cut }, [['secret', written]])
}
