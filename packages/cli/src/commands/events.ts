import type { wire } from '@postern/contract'

import type { AddCommand } from '../command.ts'
import { instant, relative } from '../durations.ts'
import type { Column } from '../output/table.ts'
import type { Tools } from '../tools.ts'
import { listLimit } from './options.ts'

/** `postern events`: the audit log, newest first. */
export const events: AddCommand = (program, run) => {
  program
    .command('events')
    .description('the audit log, newest first')
    .option('--account <id>', 'only of this account')
    .option('--credential <id>', 'only about this credential')
    .option('--user <id>', 'only by or about this person')
    .option('--grant <id>', 'only about this grant')
    .option('--token <id>', 'only about this token')
    .option('--action <action>', 'only this action, such as credential.revoked')
    .option('--from <time>', 'a time, or a duration before now')
    .option('--to <time>', 'a time, or a duration before now')
    .option(...listLimit)
    .action(run(list))
}

const columns: readonly Column<wire.Event>[] = [
  { header: 'SEQUENCE', value: ({ sequence }) => String(sequence), right: true },
  { header: 'AT', value: ({ at }, now) => relative(at, now), raw: ({ at }) => at },
  { header: 'ACTION', value: ({ action }) => action },
  { header: 'TARGET', value: ({ target }) => target.id },
  { header: 'BY', value: ({ actor }) => actor.id },
  { header: 'FROM', value: ({ ip }) => ip ?? '-' },
]

interface Filters {
  readonly account?: string
  readonly credential?: string
  readonly user?: string
  readonly grant?: string
  readonly token?: string
  readonly action?: string
  readonly from?: string
  readonly to?: string
  readonly limit: number
}

async function list({ client, io, out }: Tools, { limit, from, to, ...filters }: Filters): Promise<undefined> {
  const time = (text: string | undefined, option: string) =>
    text === undefined ? undefined : instant(text, option, io.now(), 'ago')
  const query = { ...filters, from: time(from, '--from'), to: time(to, '--to') }
  out.table(columns, await client().list<wire.Event>('/events', query, limit), 'No event fits.')
}
