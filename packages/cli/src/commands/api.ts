import type { wire } from '@postern/contract'

import type { AddCommand } from '../command.ts'
import type { Column } from '../output/table.ts'
import type { Tools } from '../tools.ts'
import { listLimit } from './options.ts'

/** `postern api`: what postern.yaml declares, as the server has it in force. */
export const api: AddCommand = (program, run) => {
  const command = program.command('api').description('APIs as they are declared: addresses, places, scopes, routes')
  command
    .command('list')
    .description('list APIs')
    .option(...listLimit)
    .action(run(list))
  command.command('show <api>').description('where credentials travel, scopes and roles').action(run(show))
  command
    .command('routes <api>')
    .description('list its routes, and what each asks for')
    .option(...listLimit)
    .action(run(routes))
}

const columns: readonly Column<wire.Api>[] = [
  { header: 'ID', value: ({ id }) => id },
  { header: 'PRESET', value: ({ preset }) => preset },
  { header: 'CREDENTIALS', value: ({ credentials }) => credentials.map(placeName).join(', ') },
  { header: 'ADDRESSES', value: ({ addresses }) => addresses.map(addressName).join(', ') || '-' },
]

async function list({ client, out }: Tools, { limit }: { limit: number }): Promise<undefined> {
  out.table(columns, await client().list<wire.Api>('/apis', {}, limit), 'postern.yaml declares no API.')
}

async function show({ client, out }: Tools, id: string): Promise<undefined> {
  const shown = await client().get<wire.Api>(`/apis/${encodeURIComponent(id)}`)
  out.record(shown, [
    ['id', shown.id],
    ['preset', shown.preset],
    ['form', shown.form],
    ['credentials', shown.credentials.map(placeName).join(', ')],
    ['addresses', shown.addresses.map(addressName).join(', ') || '-'],
    ['unmatched', shown.unmatched],
    ...Object.entries(shown.scopes).map(([scope, about]) => [`scope ${scope}`, about] as const),
    ...Object.entries(shown.roles).map(([role, scopes]) => [`role ${role}`, scopes.join(', ')] as const),
  ])
}

const routeColumns: readonly Column<wire.Route>[] = [
  { header: 'ID', value: ({ id }) => id },
  { header: 'METHODS', value: ({ methods }) => methods.join(',') || 'all' },
  { header: 'PATH', value: ({ path }) => path },
  {
    header: 'SCOPES',
    value: ({ scopes }) => [...scopes.all, scopes.any.join(' or ')].filter(Boolean).join(' and ') || '-',
  },
  { header: 'CLIENT SIDE', value: ({ client_side: clientSide }) => (clientSide ? 'yes' : 'no') },
]

async function routes({ client, out }: Tools, id: string, { limit }: { limit: number }): Promise<undefined> {
  const found = await client().list<wire.Route>(`/apis/${encodeURIComponent(id)}/routes`, {}, limit)
  out.table(routeColumns, found, 'It declares no route: every path is forwarded.')
}

function placeName(place: wire.Place): string {
  switch (place.in) {
    case 'bearer':
    case 'basic':
      return place.in
    case 'header':
    case 'query':
      return `${place.in} ${place.name ?? ''}`
    case 'pair':
      return `pair ${place.id ?? ''} + ${place.secret ?? ''}`
  }
}

function addressName({ host, port, prefix, environment }: wire.Api['addresses'][number]): string {
  const where = `${host ?? ''}${port === null ? '' : `:${port}`}${prefix}`
  return environment === null ? where : `${where} (${environment})`
}
