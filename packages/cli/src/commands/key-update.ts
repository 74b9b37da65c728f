import type { wire } from '@postern/contract'

import type { AddCommand } from '../command.ts'
import { instant } from '../durations.ts'
import { wrongUsage } from '../stop.ts'
import type { Tools } from '../tools.ts'
import { credentialPath, tellCredential } from './key-show.ts'
import { collect, pairs } from './options.ts'

export const addKeyUpdate: AddCommand = (command, run) => {
  command
    .command('update <id>')
    .description('change what it may do, from where and until when; what is not named stays')
    .option('--name <name>', 'to tell it from others')
    .option('--api <id>', 'what it is for; may come more than once', collect)
    .option('--scope <scope>', 'what it may do; may come more than once', collect)
    .option('--no-scopes', 'nothing that needs a scope')
    .option('--role <role>', 'scopes by their common name')
    .option('--ip <address>', 'only from this address or CIDR range; may come more than once', collect)
    .option('--any-ip', 'from everywhere')
    .option('--origin <origin>', 'only from this web or app origin; may come more than once', collect)
    .option('--not-before <time>', 'a time, or a duration from now')
    .option('--expires <time>', 'a time, a duration from now such as 90d, or never')
    .option('--metadata <name=value>', 'in place of all there is; may come more than once', collect)
    .action(run(update))
}

interface Change {
  readonly name?: string
  readonly api?: readonly string[]
  readonly scope?: readonly string[]
  /** False with `--no-scopes`. */
  readonly scopes?: boolean
  readonly role?: string
  readonly ip?: readonly string[]
  readonly anyIp?: boolean
  readonly origin?: readonly string[]
  readonly notBefore?: string
  readonly expires?: string
  readonly metadata?: readonly string[]
}

async function update(tools: Tools, id: string, options: Change): Promise<undefined> {
  const body = bodyOf(options, tools.io.now())
  if (Object.keys(body).length === 0) {
    throw wrongUsage('Say what changes', 'No option names anything.', `npx postern key update ${id} --expires 90d`)
  }
  const path = credentialPath(id)
  const { version } = await tools.client().get<wire.CredentialDetail>(path)
  const changed = await tools.client().patch<wire.Credential>(path, version, body)
  tellCredential(tools.out, changed, changed)
}

function bodyOf(options: Change, now: number): Partial<wire.UpdateCredential> {
  const { name, api, scope, scopes, role, ip, anyIp, origin, notBefore, expires } = options
  exclude(anyIp === true && ip !== undefined, '--ip and --any-ip')
  exclude(scopes === false && scope !== undefined, '--scope and --no-scopes')
  const metadata = pairs(options.metadata)
  return {
    ...(name !== undefined && { name }),
    ...(api !== undefined && { apis: [...api] }),
    ...(scope !== undefined && { scopes: [...scope] }),
    ...(scopes === false && { scopes: [] }),
    ...(role !== undefined && { role }),
    ...(ip !== undefined && { ip_allow: [...ip] }),
    ...(anyIp === true && { ip_allow: [] }),
    ...(origin !== undefined && { origin_allow: [...origin] }),
    ...(notBefore !== undefined && { not_before: instant(notBefore, '--not-before', now, 'ahead') }),
    ...(expires !== undefined && {
      expires_at: expires === 'never' ? null : instant(expires, '--expires', now, 'ahead'),
    }),
    ...(metadata !== undefined && { metadata }),
  }
}

function exclude(both: boolean, options: string): void {
  if (both) throw wrongUsage(`${options} exclude each other`, 'One narrows, the other opens.', 'Leave one of them out.')
}
