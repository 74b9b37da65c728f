import type { wire } from '@postern/contract'

import type { AddCommand, Run } from '../command.ts'
import { confirm } from '../confirm.ts'
import { relative } from '../durations.ts'
import type { Column } from '../output/table.ts'
import { withSecretOptions } from '../secret-out/options.ts'
import { secretTarget, type SecretOptions } from '../secret-out/target.ts'
import { tellIssued } from '../secret-out/tell.ts'
import { wrongUsage } from '../stop.ts'
import type { Tools } from '../tools.ts'
import { tellEffect } from './effect.ts'
import { collect, listLimit, pairs } from './options.ts'

/** `postern account`: customer organisations. */
export const account: AddCommand = (program, run) => {
  const command = program.command('account').description('customer organisations')
  command
    .command('list')
    .description('list accounts')
    .option(...listLimit)
    .action(run(list))
  command.command('show <account>').description('show one account').action(run(show))
  const create = command
    .command('create')
    .description('make an account, with its project "default"')
    .requiredOption('--name <name>', 'of the organisation')
    .requiredOption('--plan <plan>', 'a plan of postern.yaml')
    .option('--region <region>', 'of that project: one of those that postern.yaml declares')
    .option('--metadata <name=value>', 'a text of your own; may come more than once', collect)
  withSecretOptions(create).action(run(make))
  command
    .command('update <account>')
    .description('change name or plan')
    .option('--name <name>', 'of the organisation')
    .option('--plan <plan>', 'a plan of postern.yaml')
    .action(run(update))
  addStateCommands(command, run)
}

function addStateCommands(command: Parameters<AddCommand>[0], run: Run): void {
  command
    .command('suspend <account>')
    .description('stop everything of it at once')
    .requiredOption('--reason <sentence>', 'kept with the change')
    .action(run(suspend))
  command.command('resume <account>').description('end the suspension').action(run(resume))
}

const columns: readonly Column<wire.Account>[] = [
  { header: 'ID', value: ({ id }) => id },
  { header: 'STATE', value: ({ state }) => state, style: ({ state }) => (state === 'active' ? 'green' : 'red') },
  { header: 'PLAN', value: ({ plan }) => plan },
  { header: 'CREATED', value: ({ created_at: at }, now) => relative(at, now), raw: (row) => row.created_at },
  { header: 'NAME', value: ({ name }) => name },
]

async function list({ client, out }: Tools, { limit }: { limit: number }): Promise<undefined> {
  out.table(
    columns,
    await client().list<wire.Account>('/accounts', {}, limit),
    'There is no account yet: npx postern account create --name … --plan …',
  )
}

async function show({ client, out }: Tools, id: string): Promise<undefined> {
  tell(out, await client().get<wire.Account>(`/accounts/${encodeURIComponent(id)}`))
}

interface Make extends SecretOptions {
  readonly name: string
  readonly plan: string
  readonly region?: string
  readonly metadata?: readonly string[]
}

async function make(tools: Tools, { name, plan, region, metadata, ...options }: Make): Promise<undefined> {
  const target = secretTarget(tools, options)
  const made = pairs(metadata)
  const created = await tools.client().post<wire.CreatedAccount>('/accounts', {
    name,
    plan,
    ...(region !== undefined && { region }),
    ...(made !== undefined && { metadata: made }),
  })
  tellIssued(tools, target, { id: created.account.id, project: created.project.id }, created.credentials, created)
  for (const skipped of created.skipped) tools.out.note(`not made: ${skipped.name} (${skipped.code})`)
}

async function update(
  { client, out }: Tools,
  id: string,
  change: { name?: string; plan?: string },
): Promise<undefined> {
  if (change.name === undefined && change.plan === undefined) {
    throw wrongUsage(
      'Say what changes',
      'It takes --name, --plan or both.',
      `npx postern account update ${id} --plan <plan>`,
    )
  }
  const path = `/accounts/${encodeURIComponent(id)}`
  const { version } = await client().get<wire.Account>(path)
  tell(out, await client().patch<wire.Account>(path, version, change))
}

async function suspend(tools: Tools, id: string, { reason }: { reason: string }): Promise<undefined> {
  const path = `/accounts/${encodeURIComponent(id)}`
  const { name } = await tools.client().get<wire.Account>(path)
  await confirm(tools, `Every credential of "${name}" stops working at once.`, name)
  tellChanged(tools.out, await tools.client().post<wire.ChangedAccount>(`${path}/suspend`, { reason }))
}

async function resume({ client, out }: Tools, id: string): Promise<undefined> {
  tellChanged(out, await client().post<wire.ChangedAccount>(`/accounts/${encodeURIComponent(id)}/resume`))
}

function tellChanged(out: Tools['out'], changed: wire.ChangedAccount): void {
  tell(out, changed.account, changed)
  tellEffect(out, changed)
}

function tell(out: Tools['out'], shown: wire.Account, raw: unknown = shown): void {
  out.record(raw, [
    ['id', shown.id],
    ['name', shown.name],
    ['plan', shown.plan],
    ['state', shown.suspended_reason === null ? shown.state : `${shown.state}: ${shown.suspended_reason}`],
    ['created', shown.created_at],
    ['version', String(shown.version)],
  ])
}
