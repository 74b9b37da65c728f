import type { wire } from '@postern/contract'
import { Option } from 'commander'

import type { AddCommand } from '../command.ts'
import { confirm } from '../confirm.ts'
import { relative } from '../durations.ts'
import type { Output } from '../output/output.ts'
import type { Column } from '../output/table.ts'
import { withSecretOptions } from '../secret-out/options.ts'
import { secretTarget, type SecretOptions } from '../secret-out/target.ts'
import { tellLink } from '../secret-out/tell.ts'
import type { Tools } from '../tools.ts'
import { tellEffect } from './effect.ts'
import { listLimit } from './options.ts'

const roles = ['owner', 'admin', 'developer', 'viewer'] as const
type Role = (typeof roles)[number]

/** `postern member`: people's places in accounts. */
export const member: AddCommand = (program, run) => {
  const command = program.command('member').description('the people of an account')
  command
    .command('list')
    .description('list members')
    .option('--account <id>', 'only of this account')
    .option('--user <id>', 'only the places of this person')
    .option(...listLimit)
    .action(run(list))
  command.command('show <id>').description('show one member').action(run(show))
  const invite = command
    .command('invite')
    .description('make a link with which somebody becomes a member; it is shown once')
    .requiredOption('--account <id>', 'which account; "postern" is your own')
    .requiredOption('--email <address>', 'of the person')
    .addOption(new Option('--role <role>', 'what the person may do').choices(roles).makeOptionMandatory())
    .option('--expires-in <duration>', 'how long the link works, at most 30d (default: 7d)')
  withSecretOptions(invite, 'INVITATION_LINK').action(run(makeInvitation))
  command
    .command('role <id>')
    .description('change what a member may do')
    .addOption(new Option('--role <role>', 'what the person may do from now on').choices(roles).makeOptionMandatory())
    .action(run(changeRole))
  command
    .command('remove <id>')
    .description('end the membership; what the member has allowed clients is withdrawn')
    .action(run(remove))
}

const memberPath = (id: string): string => `/members/${encodeURIComponent(id)}`

const columns: readonly Column<wire.Member>[] = [
  { header: 'ID', value: ({ id }) => id },
  { header: 'ACCOUNT', value: ({ account }) => account },
  { header: 'ROLE', value: ({ role }) => role },
  { header: 'USER', value: ({ user }) => user },
  { header: 'SINCE', value: (row, now) => relative(row.created_at, now), raw: (row) => row.created_at },
  { header: 'EMAIL', value: ({ email }) => email },
  { header: 'NAME', value: ({ name }) => name },
]

interface Filters {
  readonly account?: string
  readonly user?: string
  readonly limit: number
}

async function list({ client, out }: Tools, { limit, ...filters }: Filters): Promise<undefined> {
  const found = await client().list<wire.Member>('/members', { ...filters }, limit)
  out.table(columns, found, 'No member fits: npx postern member invite --help')
  if (out.forPeople && found.length === limit) out.note(`There may be more: --limit ${limit * 2}`)
}

async function show({ client, out }: Tools, id: string): Promise<undefined> {
  const shown = await client().get<wire.Member>(memberPath(id))
  tell(out, shown, shown)
}

interface Invite extends SecretOptions {
  readonly account: string
  readonly email: string
  readonly role: Role
  readonly expiresIn?: string
}

async function makeInvitation(tools: Tools, options: Invite): Promise<undefined> {
  const { account, email, role, expiresIn } = options
  const target = secretTarget(tools, options)
  const path = `/accounts/${encodeURIComponent(account)}/invitations`
  const body = { email, role, ...(expiresIn !== undefined && { expires_in: expiresIn }) }
  const made = await tools.client().post<wire.IssuedInvitation>(path, body)
  const { invitation, link } = made
  const about = [
    ['id', invitation.id],
    ['account', invitation.account],
    ['email', invitation.email],
    ['role', invitation.role],
  ] as const
  tellLink(tools, target, about, link, made)
}

async function changeRole({ client, out }: Tools, id: string, { role }: { readonly role: Role }): Promise<undefined> {
  const { version } = await client().get<wire.Member>(memberPath(id))
  const changed = await client().patch<wire.ChangedMember>(memberPath(id), version, { role })
  tell(out, changed.member, changed)
  tellEffect(out, changed)
}

async function remove(tools: Tools, id: string): Promise<undefined> {
  const before = await tools.client().get<wire.Member>(memberPath(id))
  const question = `${before.email} is no member of ${before.account} any more, and what they have allowed clients ends.`
  await confirm(tools, question, before.email)
  const changed = await tools.client().delete<wire.ChangedMember>(memberPath(id))
  tell(tools.out, changed.member, changed)
  tellEffect(tools.out, changed)
}

/** One member; `raw` is what --json prints. */
function tell(out: Output, shown: wire.Member, raw: unknown): void {
  out.record(raw, [
    ['id', shown.id],
    ['account', shown.account],
    ['email', shown.email],
    ['name', shown.name],
    ['role', shown.role],
    ['state', shown.state],
    ['user', shown.user],
    ['created', shown.created_at],
    ['version', String(shown.version)],
  ])
}
