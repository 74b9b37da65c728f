import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

import { links } from './links.ts'
import { data, transactions } from './records.ts'
import type { Answer, Call, Handler } from './route.ts'
import { validate, vouchers } from './vouchers.ts'

/** An API as a provider would have it: it knows nothing of credentials, and believes what the gateway tells it. */
export interface Upstream {
  readonly port: number
  close(): Promise<void>
}

/** Listens on loopback only; port 0 takes a free one. */
export async function startUpstream(port = 0): Promise<Upstream> {
  const handlers: readonly Handler[] = [data(), links(), transactions(), vouchers(), validate()]
  const server = createServer((request, response) => {
    answer(handlers, request, response).catch(() => send(response, { status: 500, body: { error: 'internal error' } }))
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve))
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a listening TCP server has an address of this form
  const { port: listening } = server.address() as AddressInfo
  return {
    port: listening,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function answer(handlers: readonly Handler[], request: IncomingMessage, response: ServerResponse): Promise<void> {
  const call = await read(request)
  if (call === null) return send(response, { status: 400, body: { error: 'the body is not JSON' } })
  for (const handle of handlers) {
    const made = handle(call)
    if (made !== null) return send(response, made)
  }
  send(response, { status: 404, body: { error: `nothing at ${call.path}` } })
}

const bodyBytesMax = 1_000_000

async function read(request: IncomingMessage): Promise<Call | null> {
  const url = new URL(request.url ?? '/', 'http://upstream')
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) {
    text += String(chunk)
    if (text.length > bodyBytesMax) return null
  }
  const header = (name: string): string => String(request.headers[name] ?? '')
  try {
    const body: unknown = text === '' ? null : JSON.parse(text)
    return {
      method: request.method ?? 'GET',
      path: url.pathname,
      query: url.searchParams,
      body,
      you: {
        account: header('x-postern-account'),
        credential: header('x-postern-credential'),
        scopes: header('x-postern-scopes'),
      },
    }
  } catch {
    return null
  }
}

function send(response: ServerResponse, { status, body }: Answer): void {
  const text = body === null ? '' : `${JSON.stringify(body)}\n`
  response
    .writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
    .end(text)
}
