import type { wire } from '@postern/contract'

import type { AddCommand } from '../command.ts'
import { confirm } from '../confirm.ts'
import { withSecretOptions } from '../secret-out/options.ts'
import { secretTarget, type SecretOptions } from '../secret-out/target.ts'
import { tellLink } from '../secret-out/tell.ts'
import type { Tools } from '../tools.ts'
import { tellEffect } from './effect.ts'
import { tellUser, userPath } from './user-show.ts'

export const addUserStates: AddCommand = (command, run) => {
  command
    .command('disable <id>')
    .description('end every session, and let the person sign in no more until enabled')
    .action(run(disable))
  command.command('enable <id>').description('let the person sign in again').action(run(enable))
  const reset = command
    .command('reset-password <id>')
    .description('make a link with which the person sets a new password; it is shown once')
  withSecretOptions(reset, 'RESET_LINK').action(run(offerReset))
  command
    .command('remove-factor <id>')
    .description('take the second factor away, for somebody who has lost it')
    .action(run(removeFactor))
}

async function disable(tools: Tools, id: string): Promise<undefined> {
  const { email } = await tools.client().get<wire.User>(userPath(id))
  await confirm(tools, `${email} is signed out at once, and clients that act for them are refused.`, email)
  tell(tools, await tools.client().post<wire.ChangedUser>(`${userPath(id)}/disable`))
}

async function enable(tools: Tools, id: string): Promise<undefined> {
  tell(tools, await tools.client().post<wire.ChangedUser>(`${userPath(id)}/enable`))
}

async function offerReset(tools: Tools, id: string, options: SecretOptions): Promise<undefined> {
  const target = secretTarget(tools, options)
  const offered = await tools.client().post<wire.OfferedReset>(`${userPath(id)}/reset-password`)
  const about = [
    ['id', offered.user.id],
    ['email', offered.user.email],
  ] as const
  tellLink(tools, target, about, offered.link, offered)
}

async function removeFactor(tools: Tools, id: string): Promise<undefined> {
  const { email } = await tools.client().get<wire.User>(userPath(id))
  await confirm(tools, `From now on the password alone signs ${email} in.`, email)
  tell(tools, await tools.client().post<wire.ChangedUser>(`${userPath(id)}/remove-factor`))
}

function tell({ out }: Tools, changed: wire.ChangedUser): void {
  tellUser(out, changed.user, changed)
  tellEffect(out, changed)
}
