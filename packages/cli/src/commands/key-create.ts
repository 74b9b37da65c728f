import type { wire } from '@postern/contract'
import { Option } from 'commander'

import type { AddCommand } from '../command.ts'
import { secretTarget } from '../secret-out/target.ts'
import { tellIssued } from '../secret-out/tell.ts'
import type { Tools } from '../tools.ts'
import { type NewOptions, placeOf, termsOf, withNewOptions } from './credential-options.ts'
import { collect } from './options.ts'

/** A client has a command of its own: `postern client create`. */
const kinds = ['secret', 'publishable', 'integration', 'management'] as const

export const addKeyCreate: AddCommand = (command, run) => {
  withNewOptions(command.command('create').description('issue a credential; its secret is shown once'))
    .addOption(new Option('--kind <kind>', 'what it is').choices(kinds).default('secret'))
    .option('--origin <origin>', 'only from this web or app origin; may come more than once', collect)
    .action(run(make))
}

interface Make extends NewOptions {
  readonly kind: (typeof kinds)[number]
  readonly origin?: readonly string[]
}

async function make(tools: Tools, options: Make): Promise<undefined> {
  const { kind, origin } = options
  const path = placeOf(options)
  const apis = options.api ?? (kind === 'management' ? ['postern'] : [])
  const terms = termsOf(options, kind, apis, tools.io.now())
  const target = secretTarget(tools, options)
  const body = { ...terms, ...(origin !== undefined && { origin_allow: origin }) }
  const issued = await tools.client().post<wire.IssuedCredential>(path, body)
  tellIssued(tools, target, {}, [issued], issued)
}
