import type { wire } from '@postern/contract'
import type { Command } from 'commander'

import { instant } from '../durations.ts'
import { withSecretOptions } from '../secret-out/options.ts'
import type { SecretOptions } from '../secret-out/target.ts'
import { wrongUsage } from '../stop.ts'
import { collect, pairs } from './options.ts'

/** What every new credential is told, whatever its kind. */
export interface NewOptions extends SecretOptions {
  readonly account?: string
  readonly project?: string
  readonly name: string
  readonly api?: readonly string[]
  readonly scope?: readonly string[]
  readonly role?: string
  readonly ip?: readonly string[]
  readonly notBefore?: string
  readonly expires?: string
  readonly metadata?: readonly string[]
}

export function withNewOptions(command: Command): Command {
  const described = command
    .option('--account <id>', 'in the first live project of this account')
    .option('--project <id>', 'in this project')
    .requiredOption('--name <name>', 'to tell it from others')
    .option('--api <id>', 'what it is for; may come more than once', collect)
    .option('--scope <scope>', 'what it may do; may come more than once', collect)
    .option('--role <role>', 'scopes by their common name')
    .option('--ip <address>', 'only from this address or CIDR range; may come more than once', collect)
    .option('--not-before <time>', 'a time, or a duration from now')
    .option('--expires <time>', 'a time, or a duration from now such as 90d')
    .option('--metadata <name=value>', 'a text of your own; may come more than once', collect)
  return withSecretOptions(described)
}

/** Where the credential is made. */
export function placeOf({ account, project }: NewOptions): string {
  if ((account === undefined) === (project === undefined)) {
    throw wrongUsage(
      'Say whose credential it is',
      'It takes --account or --project, one of them.',
      'npx postern account list',
    )
  }
  if (project !== undefined) return `/projects/${encodeURIComponent(project)}/credentials`
  return `/accounts/${encodeURIComponent(account ?? '')}/credentials`
}

export function termsOf(
  options: NewOptions,
  kind: wire.CreateCredential['kind'],
  apis: readonly string[],
  now: number,
): wire.CreateCredential {
  const { name, role, ip, notBefore, expires } = options
  if (apis.length === 0) {
    throw wrongUsage('Say which API it is for', '--api names an API of postern.yaml.', '--api shop')
  }
  const metadata = pairs(options.metadata)
  return {
    name,
    kind,
    apis: [...apis],
    scopes: [...(options.scope ?? [])],
    ...(role !== undefined && { role }),
    ...(ip !== undefined && { ip_allow: [...ip] }),
    ...(notBefore !== undefined && { not_before: instant(notBefore, '--not-before', now, 'ahead') }),
    ...(expires !== undefined && { expires_at: instant(expires, '--expires', now, 'ahead') }),
    ...(metadata !== undefined && { metadata }),
  }
}

/** What may change of every credential; what is not named stays. */
export interface ChangeOptions {
  readonly name?: string
  readonly api?: readonly string[]
  readonly scope?: readonly string[]
  /** False with `--no-scopes`. */
  readonly scopes?: boolean
  readonly role?: string
  readonly ip?: readonly string[]
  readonly anyIp?: boolean
  readonly notBefore?: string
  readonly expires?: string
  readonly metadata?: readonly string[]
}

export function withChangeOptions(command: Command): Command {
  return command
    .option('--name <name>', 'to tell it from others')
    .option('--api <id>', 'what it is for; may come more than once', collect)
    .option('--scope <scope>', 'what it may do; may come more than once', collect)
    .option('--no-scopes', 'nothing that needs a scope')
    .option('--role <role>', 'scopes by their common name')
    .option('--ip <address>', 'only from this address or CIDR range; may come more than once', collect)
    .option('--any-ip', 'from everywhere')
    .option('--not-before <time>', 'a time, or a duration from now')
    .option('--expires <time>', 'a time, a duration from now such as 90d, or never')
    .option('--metadata <name=value>', 'in place of all there is; may come more than once', collect)
}

export function changeOf(options: ChangeOptions, now: number): Partial<wire.UpdateCredential> {
  const { name, api, scope, scopes, role, ip, anyIp, notBefore, expires } = options
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
