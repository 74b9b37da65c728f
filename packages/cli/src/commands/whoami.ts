import type { wire } from '@postern/contract'

import type { AddCommand } from '../command.ts'
import type { Tools } from '../tools.ts'

/** `postern whoami`: which management credential this is, and what it may do. */
export const whoami: AddCommand = (program, run) => {
  program.command('whoami').description('which management key this is, and what it may do').action(run(tell))
}

async function tell({ client, out }: Tools): Promise<undefined> {
  const me = await client().get<wire.Whoami>('/whoami')
  out.record(me, [
    ['server', client().url.origin],
    ['credential', me.bootstrap ? `${me.credential} (POSTERN_MANAGEMENT_KEY)` : me.credential],
    ['account', me.operator ? `${me.account} (operator: sees every account)` : me.account],
    ['rights', me.scopes.join(', ')],
  ])
}
