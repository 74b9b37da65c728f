import type { wire } from '@postern/contract'
import { Option } from 'commander'

import type { AddCommand } from '../command.ts'
import { instant } from '../durations.ts'
import { withSecretOptions } from '../secret-out/options.ts'
import { secretTarget, type SecretOptions } from '../secret-out/target.ts'
import { tellIssued } from '../secret-out/tell.ts'
import { wrongUsage } from '../stop.ts'
import type { Tools } from '../tools.ts'
import { collect, pairs } from './options.ts'

const kinds = ['secret', 'publishable', 'integration', 'management'] as const

export const addKeyCreate: AddCommand = (command, run) => {
  const create = command
    .command('create')
    .description('issue a credential; its secret is shown once')
    .option('--account <id>', 'in the first live project of this account')
    .option('--project <id>', 'in this project')
    .requiredOption('--name <name>', 'to tell it from others')
    .option('--api <id>', 'what it is for; may come more than once', collect)
    .addOption(new Option('--kind <kind>', 'what it is').choices(kinds).default('secret'))
    .option('--scope <scope>', 'what it may do; may come more than once', collect)
    .option('--role <role>', 'scopes by their common name')
    .option('--ip <address>', 'only from this address or CIDR range; may come more than once', collect)
    .option('--origin <origin>', 'only from this web or app origin; may come more than once', collect)
    .option('--not-before <time>', 'a time, or a duration from now')
    .option('--expires <time>', 'a time, or a duration from now such as 90d')
    .option('--metadata <name=value>', 'a text of your own; may come more than once', collect)
  withSecretOptions(create).action(run(make))
}

interface Make extends SecretOptions {
  readonly account?: string
  readonly project?: string
  readonly name: string
  readonly api?: readonly string[]
  readonly kind: (typeof kinds)[number]
  readonly scope?: readonly string[]
  readonly role?: string
  readonly ip?: readonly string[]
  readonly origin?: readonly string[]
  readonly notBefore?: string
  readonly expires?: string
  readonly metadata?: readonly string[]
}

async function make(tools: Tools, options: Make): Promise<undefined> {
  const path = placeOf(options)
  const body = bodyOf(options, tools.io.now())
  const target = secretTarget(tools, options)
  const issued = await tools.client().post<wire.IssuedCredential>(path, body)
  tellIssued(tools, target, {}, [issued], issued)
}

function placeOf({ account, project }: Make): string {
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

function bodyOf(options: Make, now: number): unknown {
  const { kind, name, role, ip, origin, notBefore, expires } = options
  const apis = options.api ?? (kind === 'management' ? ['postern'] : [])
  if (apis.length === 0) {
    throw wrongUsage('Say which API it is for', '--api names an API of postern.yaml.', '--api shop')
  }
  const metadata = pairs(options.metadata)
  return {
    name,
    kind,
    apis,
    scopes: options.scope ?? [],
    ...(role !== undefined && { role }),
    ...(ip !== undefined && { ip_allow: ip }),
    ...(origin !== undefined && { origin_allow: origin }),
    ...(notBefore !== undefined && { not_before: instant(notBefore, '--not-before', now, 'ahead') }),
    ...(expires !== undefined && { expires_at: instant(expires, '--expires', now, 'ahead') }),
    ...(metadata !== undefined && { metadata }),
  }
}
