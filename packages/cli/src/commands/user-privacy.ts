import type { wire } from '@postern/contract'

import type { AddCommand } from '../command.ts'
import { confirm } from '../confirm.ts'
import type { Tools } from '../tools.ts'
import { tellEffect } from './effect.ts'
import { tellUser, userPath } from './user-show.ts'

export const addUserPrivacy: AddCommand = (command, run) => {
  command
    .command('export <id>')
    .description('print all that is stored about the person, as JSON')
    .action(run(exportAll))
  command
    .command('erase <id>')
    .description('erase name, address, what proves the person, sessions, and where they came from')
    .action(run(erase))
}

async function exportAll({ client, out }: Tools, id: string): Promise<undefined> {
  const all = await client().get<wire.UserExport>(`${userPath(id)}/export`)
  out.data(all)
  for (const name of all.truncated) out.note(`There are more ${name} than one answer takes: list them by themselves.`)
}

async function erase(tools: Tools, id: string): Promise<undefined> {
  const { email } = await tools.client().get<wire.User>(userPath(id))
  await confirm(tools, `All that tells who ${email} is, is erased for good. The audit log stays whole.`, email)
  const changed = await tools.client().post<wire.ChangedUser>(`${userPath(id)}/erase`)
  tellUser(tools.out, changed.user, changed)
  tellEffect(tools.out, changed)
}
