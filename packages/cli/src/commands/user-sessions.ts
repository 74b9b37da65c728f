import type { wire } from '@postern/contract'

import type { AddCommand } from '../command.ts'
import { relative } from '../durations.ts'
import type { Column } from '../output/table.ts'
import { wrongUsage } from '../stop.ts'
import type { Tools } from '../tools.ts'
import { tellEffect } from './effect.ts'
import { userPath } from './user-show.ts'

export const addUserSessions: AddCommand = (command, run) => {
  command.command('sessions <id>').description('list where the person is signed in').action(run(list))
  command
    .command('end-session <id> [session]')
    .description('sign the person out of one browser')
    .option('--all', 'of every browser')
    .action(run(end))
}

const columns: readonly Column<wire.Session>[] = [
  { header: 'ID', value: ({ id }) => id },
  { header: 'SIGNED IN', value: ({ signed_in: whole }) => (whole ? 'yes' : 'half') },
  { header: 'SINCE', value: (row, now) => relative(row.created_at, now), raw: (row) => row.created_at },
  { header: 'SEEN', value: (row, now) => relative(row.last_seen_at, now), raw: (row) => row.last_seen_at },
  { header: 'ENDS', value: (row, now) => relative(row.expires_at, now), raw: (row) => row.expires_at },
  { header: 'FROM', value: ({ ip }) => ip },
  { header: 'BROWSER', value: ({ user_agent: agent }) => agent ?? '-' },
]

async function list({ client, out }: Tools, id: string): Promise<undefined> {
  const { data } = await client().get<wire.SessionList>(`${userPath(id)}/sessions`)
  out.table(columns, data, 'The person is signed in nowhere.')
}

async function end(
  { client, out }: Tools,
  id: string,
  session: string | undefined,
  { all }: { readonly all?: boolean },
): Promise<undefined> {
  if ((session === undefined) === (all !== true)) {
    throw wrongUsage(
      'Say which session ends',
      'It takes the id of a session or --all, one of them.',
      `npx postern user sessions ${id}`,
    )
  }
  const path = `${userPath(id)}/sessions`
  if (session === undefined) {
    const changed = await client().post<wire.EndedSessions>(`${path}/end`)
    out.record(changed, [['ended', String(changed.ended)]])
    tellEffect(out, changed)
    return
  }
  const changed = await client().post<wire.EndedSession>(`${path}/${encodeURIComponent(session)}/end`)
  out.record(changed, [['ended', changed.session.id]])
  tellEffect(out, changed)
}
