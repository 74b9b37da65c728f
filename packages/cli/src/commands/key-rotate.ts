import type { wire } from '@postern/contract'

import type { AddCommand } from '../command.ts'
import { confirm } from '../confirm.ts'
import { durationMs } from '../durations.ts'
import { withSecretOptions } from '../secret-out/options.ts'
import { secretTarget, type SecretOptions } from '../secret-out/target.ts'
import { tellIssued } from '../secret-out/tell.ts'
import { wrongUsage } from '../stop.ts'
import type { Tools } from '../tools.ts'
import { credentialPath, secretColumns } from './key-show.ts'

export const addKeyRotate: AddCommand = (command, run) => {
  const rotating = command
    .command('rotate <id>')
    .description('add a new secret; the old ones end after the overlap')
    .option('--overlap <duration>', 'how long the old ones still work; 0s ends them at once', '24h')
  withSecretOptions(rotating).action(run(rotateAs(command.name())))
}

const rotateAs =
  (noun: string) =>
  async (
    tools: Tools,
    id: string,
    { overlap, ...options }: { overlap: string } & SecretOptions,
  ): Promise<undefined> => {
    const overlapMs = durationMs(overlap)
    if (overlapMs === null) {
      throw wrongUsage('--overlap is not a duration', 'It takes a number and ms, s, m, h or d.', '--overlap 24h')
    }
    const target = secretTarget(tools, options)
    if (overlapMs === 0) {
      const { name } = await tools.client().get<wire.CredentialDetail>(credentialPath(id))
      await confirm(tools, `Whoever still uses the old secret of "${name}" is refused at once.`, name)
    }
    const rotated = await tools.client().post<wire.RotatedCredential>(`${credentialPath(id)}/rotate`, { overlap })
    tellIssued(tools, target, {}, [rotated], rotated)
    if (!tools.out.forPeople) return
    tools.out.line('')
    tools.out.table(secretColumns, rotated.secrets, '')
    tools.out.note(`Is the old one still in use?  npx postern ${noun} show ${id}`)
  }
