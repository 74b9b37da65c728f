import { exit, Stop } from '../stop.ts'
import type { Connection } from './connection.ts'
import { noExchangeLog, type ExchangeLog } from './exchange-log.ts'
import { problemStop } from './problem.ts'

export type Query = Readonly<Record<string, string | number | readonly string[] | undefined>>

/** Speaks `/api/v1`. What is not a success is thrown as a `Stop` that says what to do. */
export interface Client {
  readonly url: URL
  get<Answer>(path: string, query?: Query): Promise<Answer>
  post<Answer>(path: string, body?: unknown): Promise<Answer>
  patch<Answer>(path: string, version: number, body: unknown): Promise<Answer>
  delete<Answer>(path: string): Promise<Answer>
  /** The lines of an answer that comes bit by bit. */
  lines<Line>(path: string, body: unknown): AsyncGenerator<Line>
  /** Up to `limit` entries of a list, page by page. */
  list<Item>(path: string, query: Query, limit: number): Promise<readonly Item[]>
}

interface Call {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly query?: Query
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

const pageMax = 100
const timeoutMs = 60_000

export function createClient(connection: Connection, log: ExchangeLog = noExchangeLog): Client {
  const send = async (call: Call): Promise<Response> => {
    const url = addressOf(connection.url, call)
    const body = call.body === undefined ? undefined : JSON.stringify(call.body)
    log.sent(call.method, url, body)
    let response: Response
    try {
      response = await fetch(url, {
        method: call.method,
        redirect: 'error',
        signal: AbortSignal.timeout(timeoutMs),
        headers: {
          ...call.headers,
          authorization: `Bearer ${connection.key}`,
          accept: 'application/json',
          'user-agent': 'postern-cli',
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body }),
      })
    } catch (error) {
      throw unreachable(connection.url, error)
    }
    if (response.ok && isOurs(response)) return response
    if (response.ok) throw notPostern(connection.url)
    const text = await response.text()
    log.received(response, text)
    throw problemStop(response, text)
  }
  const answer = async <Answer>(call: Call): Promise<Answer> => {
    const response = await send(call)
    const text = await response.text()
    log.received(response, text)
    return parse<Answer>(text, connection.url)
  }
  const client: Client = {
    url: connection.url,
    get: async (path, query) => await answer({ method: 'GET', path, ...(query !== undefined && { query }) }),
    post: async (path, body) => await answer({ method: 'POST', path, ...(body !== undefined && { body }) }),
    patch: async (path, version, body) =>
      await answer({ method: 'PATCH', path, body, headers: { 'if-match': `"${version}"` } }),
    delete: async (path) => await answer({ method: 'DELETE', path }),
    lines: async function* <Line>(path: string, body: unknown): AsyncGenerator<Line> {
      const response = await send({ method: 'POST', path, body })
      log.received(response, '(lines)')
      for await (const line of linesOf(response)) yield parse<Line>(line, connection.url)
    },
    list: async <Item>(path: string, query: Query, limit: number): Promise<readonly Item[]> => {
      const items: Item[] = []
      let cursor: string | null = null
      do {
        const more: Query = { ...query, limit: Math.min(pageMax, limit - items.length), cursor: cursor ?? undefined }
        const page: { readonly data: readonly Item[]; readonly next_cursor: string | null } = await client.get(
          path,
          more,
        )
        items.push(...page.data)
        cursor = page.next_cursor
      } while (cursor !== null && items.length < limit)
      return items
    },
  }
  return client
}

function addressOf(base: URL, { path, query = {} }: Call): URL {
  const url = new URL(`${base.pathname.replace(/\/$/, '')}/api/v1${path}`, base)
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue
    for (const one of Array.isArray(value) ? value : [value]) url.searchParams.append(name, String(one))
  }
  return url
}

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller says what the path answers
function parse<Answer>(text: string, url: URL): Answer {
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the contract says what this path answers
    return JSON.parse(text) as Answer
  } catch (error) {
    throw notPostern(url, { cause: error })
  }
}

/** Every answer of Postern names its request. */
function isOurs(response: Response): boolean {
  return response.headers.get('x-request-id')?.startsWith('req_') === true
}

function notPostern(url: URL, options?: ErrorOptions): Stop {
  return new Stop(
    exit.failed,
    {
      what: `What answers at ${url.origin} is not the console of Postern`,
      why: 'Its answer is not one of the management API.',
      next: 'export POSTERN_URL=http://127.0.0.1:8081   (the address of the console)',
    },
    options,
  )
}

async function* linesOf(response: Response): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the body of a fetch is bytes
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    yield* lines.filter((line) => line !== '')
  }
  if (rest !== '') yield rest
}

function unreachable(url: URL, error: unknown): Stop {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const why = cause instanceof Error ? cause.message || cause.name : 'The connection failed.'
  return new Stop(
    exit.unreachable,
    {
      what: `The server at ${url.origin} cannot be reached`,
      why,
      next: 'npx postern start   (or export POSTERN_URL=… where it runs elsewhere)',
    },
    { cause: error },
  )
}
