import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Heard {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: unknown
}

export interface StandIn {
  readonly url: string
  readonly heard: readonly Heard[]
  close(): Promise<void>
}

/** A server that answers what it is told: for what the command line does, not for what the server does. */
export async function standIn(
  answer: (call: Heard) => { readonly status: number; readonly body: unknown },
): Promise<StandIn> {
  const heard: Heard[] = []
  const server = createServer((request, response) => {
    let text = ''
    request.setEncoding('utf8').on('data', (chunk) => (text += String(chunk)))
    request.on('end', () => {
      const body: unknown = text === '' ? null : JSON.parse(text)
      const call = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body }
      heard.push(call)
      const { status, body: answered } = answer(call)
      response
        .writeHead(status, { 'content-type': 'application/json', 'x-request-id': 'req_1' })
        .end(JSON.stringify(answered))
    })
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a listening TCP server has an address of this form
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    heard,
    close: async () => {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
}
