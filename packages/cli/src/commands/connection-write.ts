import type { wire } from '@postern/contract'

import type { AddCommand } from '../command.ts'
import { secretsOf, settingsOf, type FieldOptions } from '../connection/fields.ts'
import { wrongUsage } from '../stop.ts'
import type { Tools } from '../tools.ts'
import { platformOf } from './connection-platforms.ts'
import { connectionPath, tellConnection } from './connection-show.ts'
import { tellEffect } from './effect.ts'
import { collect } from './options.ts'

const set = ['--set <name=value>', 'a field that is not secret; may come more than once', collect] as const
const secretEnv = [
  '--secret-env <variable>',
  'variable that holds the secret, or field=VARIABLE; otherwise it comes by standard input',
  collect,
] as const

export const addConnectionWrite: AddCommand = (command, run) => {
  command
    .command('create')
    .description('keep the credential of a third party')
    .requiredOption('--platform <id>', 'which third party: see "connection platforms"')
    .requiredOption('--name <name>', 'by which postern.yaml names it')
    .option('--account <id>', 'for a customer’s account instead of your own')
    .option('--project <id>', 'for a customer’s project')
    .option(...set)
    .option(...secretEnv)
    .action(run(create))
  command
    .command('update <id>')
    .description('rename a connection')
    .requiredOption('--name <name>', 'routes that name it have to follow')
    .action(run(update))
  command
    .command('rotate <id>')
    .description('replace the secrets at once, and with --set the settings')
    .option(...set)
    .option(...secretEnv)
    .action(run(rotate))
}

interface Create extends FieldOptions {
  readonly platform: string
  readonly name: string
  readonly account?: string
  readonly project?: string
}

async function create(tools: Tools, options: Create): Promise<undefined> {
  const { account, project, name } = options
  if (account !== undefined && project !== undefined) {
    throw wrongUsage(
      '--account and --project exclude each other',
      'A project has its account.',
      'Leave one of them out.',
    )
  }
  const platform = await platformOf(tools, options.platform)
  const settings = settingsOf(platform, options.set)
  const secrets = await secretsOf(tools, platform, options.secretEnv)
  const of = project === undefined ? account : project
  const owner = of === undefined ? '' : `/${project === undefined ? 'accounts' : 'projects'}/${encodeURIComponent(of)}`
  const made = await tools.client().post<wire.ChangedConnection>(`${owner}/connections`, {
    platform: platform.id,
    name,
    secrets,
    ...(settings !== undefined && { settings }),
  })
  tellConnection(tools.out, made.connection, made)
  if (!platform.injectable) tools.out.note('Routes cannot inject it: this platform takes its credential in the body.')
  else if (owner === '') tools.out.note(`In postern.yaml, at an API or a route:  connection: ${name}`)
}

async function update({ client, out }: Tools, id: string, { name }: { name: string }): Promise<undefined> {
  const { version } = await client().get<wire.Connection>(connectionPath(id))
  const updated = await client().patch<wire.Connection>(connectionPath(id), version, { name })
  tellConnection(out, updated, updated)
}

async function rotate(tools: Tools, id: string, options: FieldOptions): Promise<undefined> {
  const connection = await tools.client().get<wire.Connection>(connectionPath(id))
  const platform = await platformOf(tools, connection.platform)
  const settings = settingsOf(platform, options.set)
  const secrets = await secretsOf(tools, platform, options.secretEnv)
  const rotated = await tools.client().post<wire.ChangedConnection>(`${connectionPath(id)}/rotate`, {
    secrets,
    ...(settings !== undefined && { settings: { ...connection.settings, ...settings } }),
  })
  tellConnection(tools.out, rotated.connection, rotated)
  tellEffect(tools.out, rotated)
  if (platform.checkable) tools.out.note(`Is it accepted?  npx postern connection check ${id}`)
}
