import type { wire } from '@postern/contract'

import type { AddCommand } from '../command.ts'
import { confirm } from '../confirm.ts'
import { instant } from '../durations.ts'
import type { Tools } from '../tools.ts'
import { tellEffect } from './effect.ts'
import { credentialPath, tellCredential } from './key-show.ts'

export const addKeyStates: AddCommand = (command, run) => {
  command
    .command('block <id>')
    .description('refuse it, for a time or until it is unblocked')
    .requiredOption('--reason <sentence>', 'kept with the change')
    .option('--until <time>', 'a time, or a duration from now')
    .action(run(block))
  command.command('unblock <id>').description('accept it again').action(run(unblock))
  command
    .command('revoke <id>')
    .description('end it for good')
    .option('--reason <sentence>', 'kept with the change')
    .action(run(revoke))
  command
    .command('compromise <id>')
    .description('end it for good because somebody else may have it')
    .option('--reason <sentence>', 'kept with the change')
    .option('--since <time>', 'since when, a time or a duration before now')
    .action(run(compromise))
}

async function block(
  tools: Tools,
  id: string,
  { reason, until }: { reason: string; until?: string },
): Promise<undefined> {
  const end = until === undefined ? {} : { until: instant(until, '--until', tools.io.now(), 'ahead') }
  tell(tools, await tools.client().post<wire.ChangedCredential>(`${credentialPath(id)}/block`, { reason, ...end }))
}

async function unblock(tools: Tools, id: string): Promise<undefined> {
  tell(tools, await tools.client().post<wire.ChangedCredential>(`${credentialPath(id)}/unblock`))
}

async function revoke(tools: Tools, id: string, options: { reason?: string }): Promise<undefined> {
  await finish(tools, id, 'revoke', options)
}

async function compromise(
  tools: Tools,
  id: string,
  { reason, since }: { reason?: string; since?: string },
): Promise<undefined> {
  const from = since === undefined ? {} : { since: instant(since, '--since', tools.io.now(), 'ago') }
  await finish(tools, id, 'compromise', { ...(reason !== undefined && { reason }), ...from })
}

/** Ending what has ended already is done, and not an error: the command can be repeated. */
async function finish(tools: Tools, id: string, how: 'revoke' | 'compromise', body: object): Promise<void> {
  const credential = await tools.client().get<wire.CredentialDetail>(credentialPath(id))
  const { state } = credential
  if (state === 'compromised' || (how === 'revoke' && state === 'revoked')) {
    tellCredential(tools.out, credential, credential)
    tools.out.note(`It was ${state} already; nothing was changed.`)
    return
  }
  await confirm(tools, `"${credential.name}" (${id}) stops working at once and for good.`, credential.name)
  tell(tools, await tools.client().post<wire.ChangedCredential>(`${credentialPath(id)}/${how}`, body))
}

function tell({ out }: Tools, changed: wire.ChangedCredential): void {
  tellCredential(out, changed.credential, changed)
  tellEffect(out, changed)
}
