import type { wire } from '@postern/contract'

import type { AddCommand } from '../command.ts'
import { wrongUsage } from '../stop.ts'
import type { Tools } from '../tools.ts'
import { type ChangeOptions, changeOf, withChangeOptions } from './credential-options.ts'
import { credentialPath, tellCredential } from './key-show.ts'
import { collect } from './options.ts'

export const addKeyUpdate: AddCommand = (command, run) => {
  withChangeOptions(
    command
      .command('update <id>')
      .description('change what it may do, from where and until when; what is not named stays'),
  )
    .option('--origin <origin>', 'only from this web or app origin; may come more than once', collect)
    .action(run(update))
}

interface Change extends ChangeOptions {
  readonly origin?: readonly string[]
}

async function update(tools: Tools, id: string, options: Change): Promise<undefined> {
  const { origin } = options
  const change = changeOf(options, tools.io.now())
  await patchCredential(tools, id, 'key', { ...change, ...(origin !== undefined && { origin_allow: [...origin] }) })
}

/** Builds on what it reads; who changes the same credential at once makes it fail, and it can be run again. */
export async function patchCredential(
  tools: Tools,
  id: string,
  noun: 'key' | 'client',
  body: Partial<wire.UpdateCredential>,
): Promise<void> {
  if (Object.keys(body).length === 0) {
    throw wrongUsage('Say what changes', 'No option names anything.', `npx postern ${noun} update ${id} --expires 90d`)
  }
  const path = credentialPath(id)
  const { version } = await tools.client().get<wire.CredentialDetail>(path)
  const changed = await tools.client().patch<wire.Credential>(path, version, body)
  tellCredential(tools.out, changed, changed)
}
