import type { wire } from '@postern/contract'
import type { Command } from 'commander'

import type { AddCommand } from '../cli.ts'
import { apiAt } from '../decision/api-of.ts'
import { carry, readCredential } from '../decision/credential-in.ts'
import { parseCurl } from '../decision/curl.ts'
import { tellDecision } from '../decision/tell.ts'
import { exit, Stop, wrongUsage, type ExitCode } from '../stop.ts'
import type { Tools } from '../tools.ts'
import { collect } from './options.ts'

/** `postern explain`: why is a request allowed or refused? Charges nothing. */
export const explain: AddCommand = (program, run) => {
  withRequestOptions(
    program.command('explain [request-id]').description('why is a request allowed or refused? charges nothing'),
  )
    .option('--last', 'the newest refused request in the log')
    .option('--curl <line>', "a curl line with $NAME for the credential, or '-' to read the line from standard input")
    .action(run(ask))
}

export interface RequestOptions {
  readonly api?: string
  readonly method: string
  readonly path: string
  readonly header?: readonly string[]
  readonly ip: string
  readonly host?: string
  readonly scheme?: string
  readonly keyEnv?: string
  readonly id?: string
}

export function withRequestOptions(command: Command): Command {
  return command
    .option('--api <id>', 'which API is asked')
    .option('--method <method>', 'of the request', 'GET')
    .option('--path <path>', 'of the request, with its query', '/')
    .option('--header <name: value>', 'of the request; may come more than once', collect)
    .option('--ip <address>', 'of the client', '127.0.0.1')
    .option('--host <host>', 'that the client asked for')
    .option('--scheme <scheme>', 'http or https')
    .option('--key-env <NAME>', 'variable that holds the credential')
    .option('--id <public id>', 'the other half of a pair')
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

const rowsMax = 300

async function newestRefusal(tools: Tools): Promise<string> {
  await logIsCurrent(tools)
  const rows = await tools.client().list<wire.Request>('/requests', {}, rowsMax)
  const refused = rows.find(({ code }) => code !== null)
  if (refused !== undefined) return refused.id
  throw new Stop(exit.failed, {
    what: 'No refused request is in the log',
    why: rows.length === 0 ? 'The log is empty.' : `The last ${rows.length} requests were all allowed.`,
    next: 'npx postern requests',
  })
}

/** How long a row may take to reach the log, at most. */
const logDelayMs = 3_000

/** A refusal of this moment may still be on its way to the log: waits until the log has all up to now. */
async function logIsCurrent({ client, io }: Tools): Promise<void> {
  const startedAt = io.now()
  const period = {
    from: new Date(startedAt - 60_000).toISOString(),
    to: new Date(startedAt).toISOString(),
    step: 'minute',
  }
  while (io.now() - startedAt < logDelayMs) {
    const { observed_through: through } = await client().get<wire.Usage>('/usage', period)
    if (through !== null && Date.parse(through) >= startedAt) return
    await io.sleep(200)
  }
}

export async function describe(tools: Tools, options: RequestOptions): Promise<wire.DescribedRequest> {
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
    declared === null ? { path, headers: {} } : carry(declared.credentials, path, { secret, publicId: options.id })
  return {
    api,
    method: method.toUpperCase(),
    path: carried.path,
    headers: { ...given, ...carried.headers },
    ip,
    ...hostAndScheme(options),
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
  }
}

function hostAndScheme({ host, scheme }: RequestOptions): { host?: string; scheme?: 'http' | 'https' } {
  if (scheme !== undefined && scheme !== 'http' && scheme !== 'https') {
    throw wrongUsage('--scheme is http or https', `${scheme} is neither.`, '--scheme https')
  }
  return { ...(host !== undefined && { host }), ...(scheme !== undefined && { scheme }) }
}

export function headerOf(text: string): [string, string] {
  const at = text.indexOf(':')
  if (at > 0) return [text.slice(0, at).trim(), text.slice(at + 1).trim()]
  throw wrongUsage(
    'A header has no colon',
    '--header takes a name, a colon and a value.',
    "--header 'Origin: https://shop.example'",
  )
}

/** A credential may travel in the query: it is not printed. */
function withoutQuery(path: string): string {
  return path.split('?', 1)[0] ?? path
}
