import { type Socket, connect } from 'node:net'

import { readBody } from './raw-upstream.ts'

export interface RawAnswer {
  readonly status: number
  readonly lines: readonly (readonly [string, string])[]
  readonly body: string
  /** Of all lines of that name, in order. */
  header(name: string): readonly string[]
}

/** A client on a bare socket. */
export interface RawClient {
  readonly socket: Socket
  /** All that has arrived. */
  text(): string
  send(text: string): void
  /** The next whole answer; rejects when the connection ends before it is whole. */
  answer(options?: { readonly head?: true }): Promise<RawAnswer>
  /** Resolves when this text has arrived. */
  until(text: string): Promise<void>
  /** Resolves with all that arrived once the connection has ended. */
  closed(): Promise<string>
}

export function rawClient(port: number): RawClient {
  const socket = connect({ port, host: '127.0.0.1' })
  let text = ''
  let read = 0
  let ended = false
  const checks = new Set<() => void>()
  const check = () => {
    for (const one of checks) one()
  }
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
    check()
  })
  socket.on('error', () => undefined)
  socket.on('close', () => {
    ended = true
    check()
  })
  const when = <Value>(look: () => Value | null): Promise<Value> =>
    new Promise((resolve, reject) => {
      const one = () => {
        const found = look()
        if (found === null && !ended) return
        checks.delete(one)
        if (found === null) reject(new Error(`the connection ended after: ${text.slice(read)}`))
        else resolve(found)
      }
      checks.add(one)
      one()
    })
  return {
    socket,
    text: () => text,
    send: (more) => void socket.write(more, 'latin1'),
    answer: (options) =>
      when(() => {
        const found = readAnswer(text.slice(read), options?.head === true, ended)
        if (found === null) return null
        read += found.length
        return found.answer
      }),
    until: async (wanted) => void (await when(() => (text.includes(wanted) ? true : null))),
    closed: () => when(() => (ended ? text : null)),
  }
}

/** One request on a connection of its own. */
export async function request(port: number, text: string, options?: { readonly head?: true }): Promise<RawAnswer> {
  const client = rawClient(port)
  client.send(text)
  const answer = await client.answer(options)
  client.socket.destroy()
  return answer
}

function readAnswer(
  text: string,
  noBody: boolean,
  ended: boolean,
): { readonly answer: RawAnswer; readonly length: number } | null {
  const head = text.indexOf('\r\n\r\n')
  if (head === -1) return null
  const [statusLine = '', ...headerLines] = text.slice(0, head).split('\r\n')
  const status = Number(statusLine.split(' ')[1])
  const lines = headerLines.map(
    (line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()] as const,
  )
  const header = (name: string) => lines.filter(([known]) => known.toLowerCase() === name).map(([, value]) => value)
  const made = (body: string, length: number) => ({ answer: { status, lines, body, header }, length })
  if (noBody || status < 200 || status === 204 || status === 304) return made('', head + 4)
  const untilClose = header('content-length').length === 0 && header('transfer-encoding').length === 0
  if (untilClose) return ended ? made(text.slice(head + 4), text.length) : null
  const body = readBody(text, head + 4, lines)
  return body === null ? null : made(body.text, body.end)
}
