import type { wire } from '@postern/contract'
import { Option } from 'commander'

import type { AddCommand } from '../command.ts'
import { confirm } from '../confirm.ts'
import { readCredential } from '../decision/credential-in.ts'
import { relative } from '../durations.ts'
import type { Output } from '../output/output.ts'
import type { Column } from '../output/table.ts'
import { exit, type ExitCode } from '../stop.ts'
import type { Tools } from '../tools.ts'
import { tellEffect } from './effect.ts'
import { listLimit } from './options.ts'

/** `postern token`: what was minted for keys, clients and people. */
export const token: AddCommand = (program, run) => {
  const command = program.command('token').description('access tokens, refresh tokens and authorization codes')
  command
    .command('list')
    .description('list tokens, newest first')
    .option('--credential <id>', 'only of this key or client')
    .option('--grant <id>', 'only of this grant')
    .addOption(new Option('--kind <kind>', 'only these').choices(['access', 'refresh', 'code']))
    .option('--live', 'only those that are neither spent, revoked nor expired')
    .option(...listLimit)
    .action(run(list))
  command.command('show <id>').description('show one token').action(run(show))
  command
    .command('introspect')
    .description('whose token is it that is on standard input, and does it still live?')
    .option('--token-env <NAME>', 'variable that holds the token')
    .action(run(introspect))
  command
    .command('revoke <id>')
    .description('end it for good; a refresh token with all that came from the same consent')
    .action(run(revoke))
}

const tokenPath = (id: string): string => `/tokens/${encodeURIComponent(id)}`

const columns: readonly Column<wire.Token>[] = [
  { header: 'ID', value: ({ id }) => id },
  {
    header: 'STATE',
    value: ({ state }) => state,
    style: ({ state }) => (state === 'live' ? 'green' : state === 'revoked' ? 'red' : 'dim'),
  },
  { header: 'KIND', value: ({ kind }) => kind },
  { header: 'CREDENTIAL', value: ({ credential }) => credential },
  { header: 'GRANT', value: ({ grant }) => grant ?? '-', raw: ({ grant }) => grant ?? '' },
  { header: 'API', value: ({ api }) => api },
  { header: 'EXPIRES', value: (row, now) => relative(row.expires_at, now), raw: (row) => row.expires_at },
  { header: 'SCOPES', value: ({ scopes }) => scopes.join(' ') },
  { header: 'LABEL', value: ({ label }) => label ?? '-', raw: ({ label }) => label ?? '' },
]

interface Filters {
  readonly credential?: string
  readonly grant?: string
  readonly kind?: string
  readonly live?: boolean
  readonly limit: number
}

async function list({ client, out }: Tools, { limit, live, ...filters }: Filters): Promise<undefined> {
  const query = { ...filters, ...(live === true && { live: 'true' }) }
  const found = await client().list<wire.Token>('/tokens', query, limit)
  out.table(columns, found, 'No token fits.')
  if (out.forPeople && found.length === limit) out.note(`There may be more: --limit ${limit * 2}`)
}

async function show({ client, out }: Tools, id: string): Promise<undefined> {
  const shown = await client().get<wire.Token>(tokenPath(id))
  tell(out, shown, shown)
}

async function introspect(tools: Tools, { tokenEnv }: { readonly tokenEnv?: string }): Promise<ExitCode> {
  const asked = { what: 'token', option: '--token-env', command: 'token introspect' }
  const text = await readCredential(tools, tokenEnv, asked)
  const found = await tools.client().post<wire.Token>('/tokens/introspect', { token: text })
  tell(tools.out, found, found)
  if (tools.out.forPeople && found.state === 'live')
    tools.out.note('Whether a request with it would pass says: npx postern explain --api <id> --key-env NAME …')
  return found.state === 'live' ? exit.done : exit.denied
}

/** Ending what has ended already is done, and not an error: the command can be repeated. */
async function revoke(tools: Tools, id: string): Promise<undefined> {
  const before = await tools.client().get<wire.Token>(tokenPath(id))
  if (before.state === 'revoked' || before.state === 'expired') {
    tell(tools.out, before, before)
    tools.out.note(`It was ${before.state} already; nothing was changed.`)
    return
  }
  await confirm(tools, `Whoever holds the ${before.kind} token ${id} is refused at once and for good.`, id)
  const changed = await tools.client().post<wire.ChangedToken>(`${tokenPath(id)}/revoke`)
  tell(tools.out, changed.token, changed)
  tellEffect(tools.out, changed)
}

/** One token; `raw` is what --json prints. */
function tell(out: Output, shown: wire.Token, raw: unknown): void {
  out.record(raw, [
    ['id', shown.id],
    ['kind', `${shown.kind}, ${shown.format}`],
    ['state', shown.state],
    ['credential', shown.credential],
    ['grant', shown.grant ?? '-'],
    ['api', shown.api],
    ['scopes', shown.scopes.length === 0 ? '-' : shown.scopes.join(', ')],
    ['label', shown.label ?? '-'],
    ['account', shown.account],
    ['project', shown.project],
    ['created', shown.created_at],
    ['expires', shown.expires_at],
    ['spent', shown.spent_at ?? '-'],
    ['revoked', shown.revoked_at ?? '-'],
  ])
}
