import type { wire } from '@postern/contract'

import type { AddCommand } from '../command.ts'
import { relative } from '../durations.ts'
import type { Output } from '../output/output.ts'
import type { Column } from '../output/table.ts'
import { withSecretOptions } from '../secret-out/options.ts'
import { secretTarget, type SecretOptions } from '../secret-out/target.ts'
import { tellIssued } from '../secret-out/tell.ts'
import { exit, Stop } from '../stop.ts'
import type { Tools } from '../tools.ts'

export const addKeyShow: AddCommand = (command, run) => {
  command.command('show <id>').description('show a credential, its secrets and their last use').action(run(show))
  const revealing = command
    .command('reveal <id> [secret]')
    .description('show a secret again while its window is open; this is an event')
  withSecretOptions(revealing).action(run(revealAs(command.name())))
}

export const credentialPath = (id: string): string => `/credentials/${encodeURIComponent(id)}`

async function show({ client, out }: Tools, id: string): Promise<undefined> {
  const detail = await client().get<wire.CredentialDetail>(credentialPath(id))
  tellCredential(out, detail, detail)
  if (!out.json) {
    out.line('')
    out.table(secretColumns, detail.secrets, 'It has no secret.')
  }
  if (out.forPeople && detail.observed_through !== null) out.note(`Uses are known up to ${detail.observed_through}.`)
}

const revealAs =
  (noun: string) =>
  async (tools: Tools, id: string, secret: string | undefined, options: SecretOptions): Promise<undefined> => {
    const target = secretTarget(tools, options)
    const detail = await tools.client().get<wire.CredentialDetail>(credentialPath(id))
    const shown =
      secret ?? detail.secrets.filter(isVisible).toSorted((a, b) => b.created_at.localeCompare(a.created_at))[0]?.id
    if (shown === undefined) {
      throw new Stop(exit.failed, {
        what: 'No secret of this credential can be shown',
        why: 'Its visibility window is over and no copy exists any more.',
        next: `npx postern ${noun} rotate ${id}`,
      })
    }
    const path = `${credentialPath(id)}/secrets/${encodeURIComponent(shown)}/reveal`
    const issued = await tools.client().post<wire.IssuedSecret>(path)
    tellIssued(tools, target, {}, [{ credential: detail, secret: issued }], issued)
  }

function isVisible(secret: wire.Secret): boolean {
  return secret.visible_until !== null
}

/** One credential; `raw` is what --json prints. */
export function tellCredential(out: Output, shown: wire.Credential, raw: unknown): void {
  const reason = shown.state_reason === null ? '' : `: ${shown.state_reason}`
  out.record(raw, [
    ['id', shown.id],
    ['name', shown.name],
    shown.client_id === null ? ['public id', shown.public_id ?? '-'] : ['client id', shown.client_id],
    ['state', `${shown.state}${reason}`],
    ['kind', shown.kind],
    ...(shown.oauth === null ? [] : clientFields(shown.oauth)),
    ['apis', shown.apis.join(', ')],
    ['scopes', shown.scopes.length === 0 ? '-' : shown.scopes.join(', ')],
    ['role', shown.role ?? '-'],
    ['addresses', shown.ip_allow.length === 0 ? 'all' : shown.ip_allow.join(', ')],
    [
      'origins',
      shown.origin_allow === null
        ? 'not checked'
        : shown.origin_allow.length === 0
          ? 'none'
          : shown.origin_allow.join(', '),
    ],
    ['account', shown.account],
    ['project', shown.project],
    ['not before', shown.not_before ?? '-'],
    ['expires', shown.expires_at ?? 'never'],
    ['exposed', shown.exposed_at === null ? '-' : `over plain HTTP, first ${shown.exposed_at}`],
    ['created', `${shown.created_at} by ${shown.created_by}`],
    ['version', String(shown.version)],
  ])
}

function clientFields({ type, grant_types: types, redirect_uris: uris }: wire.OAuthClient): [string, string][] {
  return [
    ['type', type],
    ['gets tokens by', types.join(', ')],
    ['sends people to', uris.length === 0 ? '-' : uris.join(', ')],
  ]
}

export const secretColumns: readonly Column<wire.Secret>[] = [
  { header: 'SECRET', value: ({ id }) => id },
  { header: 'ENDS WITH', value: ({ hint }) => hint ?? '-' },
  {
    header: 'VALID UNTIL',
    value: (row, now) => (row.not_after === null ? 'open' : relative(row.not_after, now)),
    raw: (row) => row.not_after ?? '',
  },
  {
    header: 'EXPOSED',
    value: (row, now) => (row.exposed_at === null ? '-' : relative(row.exposed_at, now)),
    raw: (row) => row.exposed_at ?? '',
  },
  {
    header: 'LAST ACCEPTED',
    value: (row, now) => use(row.last_accepted, now),
    raw: (row) => row.last_accepted?.at ?? '',
  },
  {
    header: 'LAST REFUSED',
    value: (row, now) =>
      row.last_refused === null ? 'never' : `${use(row.last_refused, now)} (${row.last_refused.code})`,
    raw: (row) => row.last_refused?.at ?? '',
  },
]

function use(last: wire.LastUse | null, now: number): string {
  return last === null ? 'never' : `${relative(last.at, now)} from ${last.ip}`
}
