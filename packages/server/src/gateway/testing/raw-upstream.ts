import { once } from 'node:events'
import { type Server, type Socket, createServer } from 'node:net'

/** One request as an upstream read it, by the letter of RFC 9112. */
interface SeenRequest {
  readonly method: string
  readonly path: string
  /** Name and value of every header line, as sent. */
  readonly lines: readonly (readonly [string, string])[]
  readonly body: string
  readonly trailers: readonly (readonly [string, string])[]
}

export interface RawUpstream {
  readonly port: number
  /** Connections that were made, also those that have ended. */
  readonly accepted: number
  readonly seen: SeenRequest[]
  readonly sockets: Set<Socket>
  /** Resolves when a request head has arrived, before its body. */
  nextHead(): Promise<Socket>
  close(): Promise<void>
}

export type Reply = (request: SeenRequest, socket: Socket) => void

const replyOk: Reply = (_request, socket) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')

/** An upstream on a bare socket: it counts every request that it can read, and answers as it is told. */
export async function rawUpstream(reply: Reply = replyOk, port = 0): Promise<RawUpstream> {
  const seen: SeenRequest[] = []
  const sockets = new Set<Socket>()
  const waiting: ((socket: Socket) => void)[] = []
  let accepted = 0
  const server: Server = createServer((socket) => {
    accepted++
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => undefined)
    let text = ''
    let headSeen = false
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      for (;;) {
        if (!headSeen && text.includes('\r\n\r\n')) {
          headSeen = true
          waiting.shift()?.(socket)
        }
        const read = readRequest(text)
        if (read === null) return
        text = text.slice(read.length)
        headSeen = false
        seen.push(read.request)
        reply(read.request, socket)
      }
    })
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: portOf(server),
    get accepted() {
      return accepted
    },
    seen,
    sockets,
    nextHead: () => new Promise((resolve) => void waiting.push(resolve)),
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

function readRequest(text: string): { readonly request: SeenRequest; readonly length: number } | null {
  const head = text.indexOf('\r\n\r\n')
  if (head === -1) return null
  const [requestLine = '', ...headerLines] = text.slice(0, head).split('\r\n')
  const [method = '', path = ''] = requestLine.split(' ')
  const lines = linesOf(headerLines)
  const body = readBody(text, head + 4, lines)
  if (body === null) return null
  const { text: read, trailers, end } = body
  return { request: { method, path, lines, body: read, trailers }, length: end }
}

type Lines = readonly (readonly [string, string])[]

interface Body {
  readonly text: string
  readonly trailers: Lines
  readonly end: number
}

function linesOf(lines: readonly string[]): Lines {
  return lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()] as const)
}

export function readBody(text: string, start: number, lines: Lines): Body | null {
  const value = (name: string) => lines.find(([known]) => known.toLowerCase() === name)?.[1]
  if (value('transfer-encoding') === 'chunked') return readChunks(text, start)
  const end = start + Number(value('content-length') ?? '0')
  return text.length < end ? null : { text: text.slice(start, end), trailers: [], end }
}

function readChunks(text: string, start: number): Body | null {
  let body = ''
  for (let at = start; ;) {
    const line = text.indexOf('\r\n', at)
    if (line === -1) return null
    const size = Number.parseInt(text.slice(at, line), 16)
    if (size === 0) {
      const end = text.indexOf('\r\n\r\n', line)
      if (end === -1) return null
      return {
        text: body,
        trailers: linesOf(
          text
            .slice(line + 2, end)
            .split('\r\n')
            .filter(Boolean),
        ),
        end: end + 4,
      }
    }
    const next = line + 2 + size + 2
    if (text.length < next) return null
    body += text.slice(line + 2, line + 2 + size)
    at = next
  }
}

function portOf(server: Server): number {
  const address = server.address()
  return address !== null && typeof address === 'object' ? address.port : 0
}
