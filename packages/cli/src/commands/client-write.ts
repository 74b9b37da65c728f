import type { wire } from '@postern/contract'
import { type Command, InvalidArgumentError } from 'commander'

import type { AddCommand } from '../command.ts'
import { secretTarget } from '../secret-out/target.ts'
import { tellIssued } from '../secret-out/tell.ts'
import type { Tools } from '../tools.ts'
import {
  type ChangeOptions,
  changeOf,
  type NewOptions,
  placeOf,
  termsOf,
  withChangeOptions,
  withNewOptions,
} from './credential-options.ts'
import { patchCredential } from './key-update.ts'
import { collect } from './options.ts'

const grantTypes = ['authorization_code', 'refresh_token', 'client_credentials'] as const

export const addClientWrite: AddCommand = (command, run) => {
  const create = command
    .command('create')
    .description('register an OAuth client; its secret is shown once')
    .option('--public', 'it runs where a secret could be read: in a page, an app, on a device')
  withClientOptions(withNewOptions(create)).action(run(make))
  const update = command
    .command('update <id>')
    .description('change what it may do, how and where it gets tokens; what is not named stays')
  withClientOptions(withChangeOptions(update)).action(run(change))
}

function withClientOptions(command: Command): Command {
  return command
    .option(
      '--grant-type <type>',
      `how it gets tokens: ${grantTypes.join(', ')}; may come more than once`,
      collectGrants,
    )
    .option('--redirect-uri <uri>', 'where people are sent back to; may come more than once', collect)
}

function collectGrants(text: string, before: readonly GrantType[] | undefined): readonly GrantType[] {
  const named = grantTypes.find((type) => type === text)
  if (named === undefined) throw new InvalidArgumentError(`It takes ${grantTypes.join(', ')}.`)
  return [...(before ?? []), named]
}

type GrantType = (typeof grantTypes)[number]

interface ClientOptions {
  readonly grantType?: readonly GrantType[]
  readonly redirectUri?: readonly string[]
}

async function make(
  tools: Tools,
  options: NewOptions & ClientOptions & { readonly public?: boolean },
): Promise<undefined> {
  const isPublic = options.public === true
  const path = placeOf(options)
  const terms = termsOf(options, 'oauth_client', options.api ?? [], tools.io.now())
  const oauth = { type: isPublic ? 'public' : 'confidential', ...oauthOf(options) }
  // A public client has no secret that could go astray.
  const target = isPublic ? ({ kind: 'print' } as const) : secretTarget(tools, options)
  const issued = await tools.client().post<wire.IssuedCredential>(path, { ...terms, oauth })
  tellIssued(tools, target, {}, [issued], issued)
}

async function change(tools: Tools, id: string, options: ChangeOptions & ClientOptions): Promise<undefined> {
  const oauth = oauthOf(options)
  const body = changeOf(options, tools.io.now())
  await patchCredential(tools, id, 'client', { ...body, ...(Object.keys(oauth).length > 0 && { oauth }) })
}

function oauthOf({ grantType, redirectUri }: ClientOptions): wire.UpdateOAuthClient {
  return {
    ...(grantType !== undefined && { grant_types: [...grantType] }),
    ...(redirectUri !== undefined && { redirect_uris: [...redirectUri] }),
  }
}
