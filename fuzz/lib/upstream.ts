import { once } from 'node:events'
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net'
import { type TlsOptions, createServer as createTlsServer } from 'node:tls'

import { type RequestsRead, type StrictRequest, readRequests } from '../strict/request.ts'

/** One connection of the gateway, with every byte that came over it. */
interface UpstreamConnection {
  readonly socket: Socket
  /** latin1 */
  readonly bytes: () => string
  /** All of it, read strictly. */
  readonly requests: () => RequestsRead
  /** How the other end left: `null` while it has not. */
  readonly left: 'ended' | 'cut' | null
  /** Sends bytes, latin1. */
  readonly send: (text: string) => void
}

/** Called with each request that is whole. */
export type Respond = (request: StrictRequest, connection: UpstreamConnection) => void

/** An upstream on bare sockets: it keeps every byte, reads strictly, and answers as it is told. */
export interface Upstream {
  readonly port: number
  /** Since the last `clear`, in the order in which they were opened. */
  readonly connections: readonly UpstreamConnection[]
  /** Whole requests of all connections since the last `clear`, in order of arrival. */
  readonly seen: readonly StrictRequest[]
  respond: Respond
  /** Called with each connection on which a head has arrived whole, before its body. */
  onHead: ((connection: UpstreamConnection) => void) | null
  /** Forgets what was seen. Connections that stay open begin anew. */
  clear(): void
  /** Ends every connection, and forgets. */
  cut(): Promise<void>
  close(): Promise<void>
}

export const answerOk: Respond = (_request, { send }) => send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')

export async function startUpstream(respond: Respond = answerOk, tls: TlsOptions | null = null): Promise<Upstream> {
  const seen: StrictRequest[] = []
  const connections: Recorded[] = []
  const accept = (socket: Socket): void => {
    const connection = record(socket)
    connections.push(connection)
    socket.on('data', (chunk: Buffer) => {
      const { began, whole } = connection.take(chunk)
      if (began) upstream.onHead?.(connection)
      for (const request of whole) {
        seen.push(request)
        upstream.respond(request, connection)
      }
    })
  }
  const server: Server = tls === null ? createServer({ noDelay: true }, accept) : createTlsServer(tls, accept)
  server.on('tlsClientError', () => undefined)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const upstream: Upstream = {
    // A listening TCP server has an address with a port.
    port: (server.address() as AddressInfo).port,
    connections,
    seen,
    respond,
    onHead: null,
    clear: () => {
      seen.length = 0
      connections.splice(0, connections.length, ...connections.filter(({ left }) => left === null))
      for (const connection of connections) connection.clear()
    },
    cut: async () => {
      await Promise.all(connections.map(({ socket }) => closeOf(socket)))
      upstream.clear()
    },
    close: async () => {
      for (const { socket } of connections) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
  return upstream
}

function closeOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) return resolve()
    socket.once('close', () => resolve()).destroy()
  })
}

interface Recorded extends UpstreamConnection {
  take(chunk: Buffer): { readonly began: boolean; readonly whole: readonly StrictRequest[] }
  clear(): void
}

function record(socket: Socket): Recorded {
  let text = ''
  /** End of the last whole request, and whether the head of the next one was told. */
  let at = 0
  let begun = false
  let left: UpstreamConnection['left'] = null
  socket.on('error', () => undefined)
  socket.on('end', () => (left ??= 'ended'))
  socket.on('close', () => (left ??= 'cut'))
  return {
    socket,
    bytes: () => text,
    requests: () => readRequests(text),
    get left() {
      return left
    },
    send: (more) => void socket.write(more, 'latin1'),
    take: (chunk) => {
      text += chunk.toString('latin1')
      const { requests, rest, end } = readRequests(text, at)
      at = end
      const inBody = rest.kind !== 'nothing' && rest.begun !== null
      const began = !begun && (inBody || requests.length > 0)
      begun = inBody
      return { began, whole: requests }
    },
    clear: () => {
      text = ''
      at = 0
      begun = false
    },
  }
}
