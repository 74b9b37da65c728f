import type { wire } from '@postern/contract'

import type { AddCommand } from '../command.ts'
import { carry, readCredential } from '../decision/credential-in.ts'
import {
  headerOf,
  hostAndScheme,
  modelOf,
  withRequestOptions,
  type RequestOptions,
} from '../decision/request-options.ts'
import { tellDecision } from '../decision/tell.ts'
import { wrongUsage, type ExitCode } from '../stop.ts'
import type { Tools } from '../tools.ts'

/** `postern verify`: is this credential good for this request? Charges limits and counts as a use. */
export const verify: AddCommand = (program, run) => {
  withRequestOptions(
    program.command('verify').description('is the credential on standard input good for a request? charges limits'),
  ).action(run(decide))
}

async function decide(tools: Tools, options: RequestOptions): Promise<ExitCode> {
  const { api, path, header = [], ip } = options
  if (api === undefined) {
    throw wrongUsage(
      'Say which API is asked',
      'A credential is good for an API, not for everything.',
      'npx postern verify --api <id> --key-env API_KEY',
    )
  }
  const method = options.method.toUpperCase()
  const secret = await readCredential(tools, options.keyEnv)
  const declared = await tools.client().get<wire.Api>(`/apis/${encodeURIComponent(api)}`)
  const carried = carry(declared.credentials, path, {
    secret,
    publicId: options.id,
    clientSide: options.clientSide === true,
  })
  const headers = { ...Object.fromEntries(header.map(headerOf)), ...carried.headers }
  const described = {
    api,
    method,
    path: carried.path,
    headers,
    ip,
    ...hostAndScheme(options),
    ...modelOf(options),
  }
  return tellDecision(tools.out, await tools.client().post<wire.Decision>('/verify', described), `${method} ${path}`)
}
