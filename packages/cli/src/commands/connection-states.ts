import type { wire } from '@postern/contract'

import type { AddCommand } from '../command.ts'
import { confirm } from '../confirm.ts'
import { exit, type ExitCode } from '../stop.ts'
import type { Tools } from '../tools.ts'
import { connectionPath, tellConnection } from './connection-show.ts'
import { tellEffect } from './effect.ts'

export const addConnectionStates: AddCommand = (command, run) => {
  command.command('check <id>').description('ask the platform whether it accepts the credential').action(run(check))
  command
    .command('disable <id>')
    .description('refuse requests that need it, until it is enabled')
    .option('--reason <sentence>', 'kept with the change')
    .action(run(disable))
  command.command('enable <id>').description('use it again').action(run(enable))
  command.command('delete <id>').description('delete it and its secrets for good').action(run(remove))
}

async function check({ client, out }: Tools, id: string): Promise<ExitCode> {
  const verdict = await client().post<wire.ConnectionCheck>(`${connectionPath(id)}/check`)
  const status = verdict.status === null ? 'none' : String(verdict.status)
  out.record(verdict, [
    ['answer', verdict.reason],
    ['status', status],
    ['says', verdict.detail],
  ])
  return verdict.ok ? exit.done : exit.denied
}

async function disable(tools: Tools, id: string, options: { reason?: string }): Promise<undefined> {
  tell(tools, await tools.client().post<wire.ChangedConnection>(`${connectionPath(id)}/disable`, options))
}

async function enable(tools: Tools, id: string): Promise<undefined> {
  tell(tools, await tools.client().post<wire.ChangedConnection>(`${connectionPath(id)}/enable`))
}

async function remove(tools: Tools, id: string): Promise<undefined> {
  const { name } = await tools.client().get<wire.Connection>(connectionPath(id))
  await confirm(
    tools,
    `"${name}" (${id}) and its secrets are deleted for good; what needs them is refused at once.`,
    name,
  )
  const deleted = await tools.client().delete<wire.ChangedConnection>(connectionPath(id))
  tools.out.record(deleted, [
    ['id', id],
    ['deleted', name],
  ])
  tellEffect(tools.out, deleted)
}

function tell({ out }: Tools, changed: wire.ChangedConnection): void {
  tellConnection(out, changed.connection, changed)
  tellEffect(out, changed)
}
