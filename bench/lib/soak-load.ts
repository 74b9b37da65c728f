import { connect, type Socket } from 'node:net'

import { readAnswers } from './answers.ts'
import { randomIntegers } from './stats.ts'

/** What was sent, by kind, and what came otherwise than it should. */
export interface SoakCounts {
  readonly sent: Record<Kind, number>
  readonly errors: string[]
}

type Kind = 'good' | 'body' | 'refused' | 'aborted'

interface Target {
  readonly port: number
  readonly key: string
}

export interface SoakLoad {
  readonly counts: SoakCounts
  /** Sends that many more requests over all connections, and waits for all answers. */
  send(requests: number): Promise<void>
  close(): void
}

/** Clients of all sorts, each with one kept connection, and another one for each request that it gives up. */
export function createSoakLoad(target: Target, clients: number, seed: number): SoakLoad {
  const counts: SoakCounts = { sent: { good: 0, body: 0, refused: 0, aborted: 0 }, errors: [] }
  const next = randomIntegers(seed)
  const kept = Array.from({ length: clients }, () => keptConnection(target.port, counts.errors))
  return {
    counts,
    send: async (requests) => {
      let left = requests
      await Promise.all(
        kept.map(async (connection) => {
          while (left-- > 0) await sendOne(target, connection, counts, next)
        }),
      )
    },
    close: () => {
      for (const connection of kept) connection.close()
    },
  }
}

/** Of a hundred: 62 good, 18 with a body, 12 refused, 8 given up. */
async function sendOne(target: Target, kept: Kept, counts: SoakCounts, next: () => number): Promise<void> {
  const die = next() % 100
  const kind = die < 62 ? 'good' : die < 80 ? 'body' : die < 92 ? 'refused' : 'aborted'
  counts.sent[kind]++
  switch (kind) {
    case 'good':
      return await kept.ask(head('GET', target.key), 200)
    case 'body':
      return await kept.ask(withBody(target.key, next), 200)
    case 'refused':
      return await kept.ask(...refused(target.key, next))
    case 'aborted':
      return await giveUp(target, next)
  }
}

function head(method: string, key: string | null, more = '', path = '/v1/orders/1'): string {
  const authorization = key === null ? '' : `Authorization: Bearer ${key}\r\n`
  return `${method} ${path} HTTP/1.1\r\nHost: shop.test\r\nUser-Agent: soak/1\r\n${authorization}${more}\r\n`
}

/** Up to 64 KB, with its length or in chunks. */
function withBody(key: string, next: () => number): string {
  const body = 'x'.repeat(next() % 65_536)
  if (next() % 2 === 0) return head('PUT', key, `Content-Length: ${body.length}\r\n`) + body
  const chunks = body.match(/.{1,16000}/g) ?? []
  const framed = chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('')
  return `${head('PUT', key, 'Transfer-Encoding: chunked\r\n')}${framed}0\r\n\r\n`
}

/** A key that nobody has, one that is cut off, none at all, and a path without a route. */
function refused(key: string, next: () => number): [string, number] {
  switch (next() % 4) {
    case 0:
      return [head('GET', `somebody-elses-${next()}`), 401]
    case 1:
      return [head('GET', key.slice(0, -1 - (next() % 8))), 401]
    case 2:
      return [head('GET', null), 401]
    default:
      return [head('GET', key, '', `/v2/nothing/${next() % 1_000}`), 404]
  }
}

/** In the middle of the head or of the body, before the answer, in the middle of the answer: then the client goes. */
async function giveUp({ port, key }: Target, next: () => number): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  const { promise, resolve } = Promise.withResolvers<void>()
  socket.on('error', () => {})
  socket.on('close', () => resolve())
  const how = next() % 4
  if (how === 0) socket.write(head('GET', key).slice(0, -4))
  if (how === 1) socket.write(`${head('PUT', key, 'Content-Length: 100000\r\n')}${'x'.repeat(next() % 90_000)}`)
  if (how === 2) socket.write(head('GET', key))
  if (how === 3) socket.write(head('GET', key, '', '/v1/orders/download'))
  if (how === 3) socket.once('data', () => socket.destroy())
  else setTimeout(() => socket.destroy(), next() % 5)
  await promise
}

interface Kept {
  /** Resolves when it is answered; another status than the expected one is counted as an error. */
  ask(request: string, expected: number): Promise<void>
  close(): void
}

function keptConnection(port: number, errors: string[]): Kept {
  let socket: Socket | null = null
  let waiting: { readonly expected: number; readonly resolve: () => void } | null = null
  const done = (fault: string | null): void => {
    if (waiting === null) return
    if (fault !== null) errors.push(fault)
    const { resolve } = waiting
    waiting = null
    resolve()
  }
  const open = (): Socket => {
    const opened = connect({ host: '127.0.0.1', port, noDelay: true })
    readAnswers(opened, (status) => {
      done(status === waiting?.expected ? null : `${status} instead of ${waiting?.expected ?? 'nothing'}`)
    })
    opened.on('error', (error) => done(error.message))
    opened.on('close', () => {
      if (socket === opened) socket = null
      done('the connection was closed before the answer')
    })
    return opened
  }
  return {
    ask: (request, expected) =>
      new Promise((resolve) => {
        waiting = { expected, resolve }
        socket ??= open()
        socket.write(request, 'latin1')
      }),
    close: () => socket?.destroy(),
  }
}
