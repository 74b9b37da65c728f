import type { wire } from '@postern/contract'

import type { AddCommand } from '../command.ts'
import { apiAt } from '../decision/api-of.ts'
import { carry, readCredential } from '../decision/credential-in.ts'
import { parseCurl } from '../decision/curl.ts'
import { newestRefusal } from '../decision/newest-refusal.ts'
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

/** `postern explain`: why is a request allowed or refused? Charges nothing. */
export const explain: AddCommand = (program, run) => {
  withRequestOptions(
    program.command('explain [request-id]').description('why is a request allowed or refused? charges nothing'),
  )
    .option('--last', 'the newest refused request in the log')
    .option('--curl <line>', "a curl line with $NAME for the credential, or '-' to read the line from standard input")
    .action(run(ask))
}

async function ask(
  tools: Tools,
  requestId: string | undefined,
  options: RequestOptions & { readonly last?: boolean; readonly curl?: string },
): Promise<ExitCode> {
  const { client, out } = tools
  if (requestId !== undefined || options.last === true) {
    const id = requestId ?? (await newestRefusal(tools))
    return tellDecision(out, await client().post<wire.Decision>('/explain', { request_id: id }), id)
  }
  const described =
    options.curl === undefined ? await describe(tools, options) : await fromCurl(tools, options.curl, options)
  return tellDecision(
    out,
    await client().post<wire.Decision>('/explain', described),
    `${described.method} ${withoutQuery(described.path)}`,
  )
}

async function describe(tools: Tools, options: RequestOptions): Promise<wire.DescribedRequest> {
  const { api, method, path, header = [], ip } = options
  if (api === undefined) {
    throw wrongUsage(
      'Say which request is meant',
      'It takes a request id, --last, --curl, or --api with --method and --path.',
      'npx postern explain --help',
    )
  }
  const given = Object.fromEntries(header.map(headerOf))
  const wantsCredential = options.keyEnv !== undefined || options.id !== undefined
  const declared = wantsCredential ? await tools.client().get<wire.Api>(`/apis/${encodeURIComponent(api)}`) : null
  const secret = wantsCredential ? await readCredential(tools, options.keyEnv) : ''
  const carried =
    declared === null
      ? { path, headers: {} }
      : carry(declared.credentials, path, { secret, publicId: options.id, clientSide: options.clientSide === true })
  return {
    api,
    method: method.toUpperCase(),
    path: carried.path,
    headers: { ...given, ...carried.headers },
    ip,
    ...hostAndScheme(options),
    ...modelOf(options),
  }
}

async function fromCurl(tools: Tools, line: string, options: RequestOptions): Promise<wire.DescribedRequest> {
  const { method, url, headers } = parseCurl(line === '-' ? await tools.io.readStdin() : line, tools.io.env)
  const api = options.api ?? (await apiAt(tools.client(), url))
  const grouped: Record<string, string | string[]> = {}
  for (const [name, value] of headers) {
    const before = grouped[name]
    grouped[name] = before === undefined ? value : [before, value].flat()
  }
  const scheme = url.protocol === 'http:' ? 'http' : 'https'
  return {
    api,
    method,
    path: `${url.pathname}${url.search}`,
    headers: grouped,
    ip: options.ip,
    host: url.host,
    scheme,
    ...hostAndScheme(options),
    ...modelOf(options),
  }
}

/** A credential may travel in the query: it is not printed. */
function withoutQuery(path: string): string {
  return path.split('?', 1)[0] ?? path
}
