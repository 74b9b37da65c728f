import type { wire } from '@postern/contract'

import type { AddCommand } from '../command.ts'
import { confirm } from '../confirm.ts'
import { relative } from '../durations.ts'
import type { Column } from '../output/table.ts'
import type { Tools } from '../tools.ts'
import { tellEffect } from './effect.ts'

/** `postern signing-keys`: what signs the access tokens that are JWTs. */
export const signingKeys: AddCommand = (program, run) => {
  const command = program.command('signing-keys').description('the keys that sign access tokens')
  command.command('list').description('list the keys of the JWKS').action(run(list))
  command
    .command('rotate')
    .description('sign with the next key from now on; what the old one signed stays good until it expires')
    .option('--compromised', 'somebody else may have it: it goes at once, and what it signed is revoked')
    .action(run(rotate))
}

const columns: readonly Column<wire.SigningKey>[] = [
  { header: 'KID', value: ({ kid }) => kid },
  {
    header: 'STATE',
    value: ({ state }) => state,
    style: ({ state }) => (state === 'current' ? 'green' : state === 'next' ? 'yellow' : 'dim'),
  },
  { header: 'ALGORITHM', value: ({ algorithm }) => algorithm },
  { header: 'CREATED', value: (row, now) => relative(row.created_at, now), raw: (row) => row.created_at },
  { header: 'SIGNS FROM', value: (row, now) => relative(row.used_from, now), raw: (row) => row.used_from },
  {
    header: 'SIGNS UNTIL',
    value: (row, now) => (row.used_until === null ? 'open' : relative(row.used_until, now)),
    raw: (row) => row.used_until ?? '',
  },
]

async function list({ client, out }: Tools): Promise<undefined> {
  const { data } = await client().get<wire.SigningKeyList>('/signing-keys')
  out.table(columns, data, 'There is none yet: the first is made when it is needed.')
}

async function rotate(tools: Tools, { compromised = false }: { readonly compromised?: boolean }): Promise<undefined> {
  if (compromised)
    await confirm(tools, 'Every token that the current key has signed is refused at once and for good.', 'compromised')
  const rotated = await tools.client().post<wire.RotatedSigningKeys>('/signing-keys/rotate', { compromised })
  if (tools.out.json) tools.out.data(rotated)
  else tools.out.table(columns, rotated.data, '')
  tellEffect(tools.out, rotated)
}
