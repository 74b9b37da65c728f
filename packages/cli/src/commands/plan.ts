import type { wire } from '@postern/contract'

import type { AddCommand } from '../command.ts'
import type { Column } from '../output/table.ts'
import type { Tools } from '../tools.ts'
import { listLimit } from './options.ts'

/** `postern plan`: what postern.yaml lets accounts do. */
export const plan: AddCommand = (program, run) => {
  const command = program.command('plan').description('plans as they are declared: APIs, kinds, limits, quotas')
  command
    .command('list')
    .description('list plans')
    .option(...listLimit)
    .action(run(list))
  command.command('show <plan>').description('show one plan').action(run(show))
}

const columns: readonly Column<wire.Plan>[] = [
  { header: 'ID', value: ({ id }) => id },
  { header: 'APIS', value: ({ apis }) => apis.join(',') },
  { header: 'LIMITS', value: ({ limits }) => limits.map(limitName).join(', ') || '-' },
  { header: 'QUOTAS', value: ({ quotas }) => quotas.map(quotaName).join(', ') || '-' },
]

async function list({ client, out }: Tools, { limit }: { limit: number }): Promise<undefined> {
  out.table(columns, await client().list<wire.Plan>('/plans', {}, limit), 'postern.yaml declares no plan.')
}

async function show({ client, out }: Tools, id: string): Promise<undefined> {
  const shown = await client().get<wire.Plan>(`/plans/${encodeURIComponent(id)}`)
  out.record(shown, [
    ['id', shown.id],
    ['apis', shown.apis.join(', ')],
    ['kinds', shown.kinds.join(', ')],
    ['scopes', shown.scopes.join(', ')],
    ['limits', shown.limits.map(limitName).join(', ') || '-'],
    ['quotas', shown.quotas.map(quotaName).join(', ') || '-'],
    ['keys at most', shown.max_keys === null ? 'any number' : String(shown.max_keys)],
    ['age at most', shown.max_key_age ?? 'any'],
    ['retired', shown.retired ? 'yes' : 'no'],
  ])
}

function limitName({ name, requests, window, per }: wire.Plan['limits'][number]): string {
  return `${name}: ${requests} in ${window} per ${per}`
}

function quotaName({ name, requests, period, per }: wire.Plan['quotas'][number]): string {
  return `${name}: ${requests} a ${period} per ${per}`
}
