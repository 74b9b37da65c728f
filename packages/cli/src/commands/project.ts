import type { wire } from '@postern/contract'

import type { AddCommand } from '../command.ts'
import type { Column } from '../output/table.ts'
import { withSecretOptions } from '../secret-out/options.ts'
import { secretTarget, type SecretOptions } from '../secret-out/target.ts'
import { tellIssued } from '../secret-out/tell.ts'
import { wrongUsage } from '../stop.ts'
import type { Tools } from '../tools.ts'
import { collect, listLimit } from './options.ts'

/** `postern project`: containers of credentials, live or sandbox. */
export const project: AddCommand = (program, run) => {
  const command = program.command('project').description('containers of credentials, live or sandbox')
  command
    .command('list')
    .description('list projects')
    .option('--account <id>', 'only of this account')
    .option(...listLimit)
    .action(run(list))
  command.command('show <project>').description('show one project').action(run(show))
  const create = command
    .command('create')
    .description('make a project, with the pairs that its preset makes')
    .requiredOption('--account <id>', 'whose project it is')
    .requiredOption('--name <name>', 'of the project')
    .option('--sandbox', 'for trying out; live otherwise')
    .option('--region <region>', 'one of those that postern.yaml declares')
    .option('--ip <address>', 'only from this address or CIDR range; may come more than once', collect)
  withSecretOptions(create).action(run(make))
  command
    .command('update <project>')
    .description('change name, region or addresses')
    .option('--name <name>', 'of the project')
    .option('--region <region>', 'where it has none yet, or no credentials')
    .option('--ip <address>', 'only from this address or CIDR range; may come more than once', collect)
    .option('--any-ip', 'from everywhere')
    .action(run(update))
}

const columns: readonly Column<wire.Project>[] = [
  { header: 'ID', value: ({ id }) => id },
  { header: 'ENVIRONMENT', value: ({ environment }) => environment },
  { header: 'REGION', value: ({ region }) => region ?? 'none' },
  { header: 'ACCOUNT', value: ({ account }) => account },
  { header: 'NAME', value: ({ name }) => name },
]

async function list(
  { client, out }: Tools,
  { account, limit }: { account?: string; limit: number },
): Promise<undefined> {
  const path = account === undefined ? '/projects' : `/accounts/${encodeURIComponent(account)}/projects`
  out.table(columns, await client().list<wire.Project>(path, {}, limit), 'There is no project yet.')
}

async function show({ client, out }: Tools, id: string): Promise<undefined> {
  tell(out, await client().get<wire.Project>(`/projects/${encodeURIComponent(id)}`))
}

interface Make extends SecretOptions {
  readonly account: string
  readonly name: string
  readonly sandbox?: boolean
  readonly region?: string
  readonly ip?: readonly string[]
}

async function make(tools: Tools, { account, name, sandbox, region, ip, ...options }: Make): Promise<undefined> {
  const target = secretTarget(tools, options)
  const created = await tools.client().post<wire.CreatedProject>(`/accounts/${encodeURIComponent(account)}/projects`, {
    name,
    environment: sandbox === true ? 'sandbox' : 'live',
    ...(region !== undefined && { region }),
    ...(ip !== undefined && { ip_allow: ip }),
  })
  tellIssued(
    tools,
    target,
    { id: created.project.id, environment: created.project.environment },
    created.credentials,
    created,
  )
  for (const skipped of created.skipped) tools.out.note(`not made: ${skipped.name} (${skipped.code})`)
}

async function update(
  { client, out }: Tools,
  id: string,
  { name, region, ip, anyIp }: { name?: string; region?: string; ip?: readonly string[]; anyIp?: boolean },
): Promise<undefined> {
  if (anyIp === true && ip !== undefined) {
    throw wrongUsage('--ip and --any-ip exclude each other', 'One narrows, the other opens.', 'Leave one of them out.')
  }
  if (name === undefined && region === undefined && ip === undefined && anyIp !== true) {
    throw wrongUsage(
      'Say what changes',
      'It takes --name, --region, and --ip or --any-ip.',
      `npx postern project update ${id} --name <name>`,
    )
  }
  const path = `/projects/${encodeURIComponent(id)}`
  const { version } = await client().get<wire.Project>(path)
  const addresses = anyIp === true ? [] : ip
  const change = {
    ...(name !== undefined && { name }),
    ...(region !== undefined && { region }),
    ...(addresses !== undefined && { ip_allow: addresses }),
  }
  tell(out, await client().patch<wire.Project>(path, version, change))
}

function tell(out: Tools['out'], shown: wire.Project): void {
  out.record(shown, [
    ['id', shown.id],
    ['name', shown.name],
    ['account', shown.account],
    ['environment', shown.environment],
    ['region', shown.region ?? 'none'],
    ['addresses', shown.ip_allow.length === 0 ? 'all' : shown.ip_allow.join(', ')],
    ['created', shown.created_at],
    ['version', String(shown.version)],
  ])
}
