import { type Socket, connect } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'

import { type StrictResponse, readResponse } from '../strict/response.ts'

/** Where a client connects to. */
export interface Door {
  readonly port: number
  /** Null: plain HTTP. */
  readonly tls: ConnectionOptions | null
}

/** A client on a bare socket that reads answers strictly. Texts are latin1. */
export interface Client {
  readonly socket: Socket
  send(text: string): void
  /** Leaves at once, with a reset. */
  reset(): void
  /** All that has arrived. */
  bytes(): string
  /** The next final answer, to a request of this method; rejects where it is broken or the connection ends before. */
  answer(method?: string): Promise<StrictResponse>
  /** Resolves when this text has arrived. */
  until(text: string): Promise<void>
  /** Resolves when the connection has ended: in good order, or by a reset. */
  closed(): Promise<'ended' | 'reset'>
  /** The same at this moment; null while it is open. */
  ended(): 'ended' | 'reset' | null
  /** Asks again with all that arrives until the answer is yes; no where the connection ends or time runs out before. */
  within(ms: number, condition: () => boolean): Promise<boolean>
}

/** Time is counted in ticks, so that a machine which stands still for a while takes nobody's patience away. */
const tickMs = 10

export function connectTo({ port, tls }: Door, from?: string): Client {
  const to = { port, host: '127.0.0.1', noDelay: true, ...(from !== undefined && { localAddress: from }) }
  const wire = connect(to)
  const socket = tls === null ? wire : connectTls({ ...tls, socket: wire })
  let text = ''
  let read = 0
  let ended: 'ended' | 'reset' | null = null
  const waiting = new Set<() => void>()
  const look = (): void => {
    for (const one of waiting) one()
  }
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
    look()
  })
  let reset = false
  for (const one of new Set([socket, wire]))
    one.on('error', () => {
      reset = true
    })
  socket.on('close', () => {
    ended = reset ? 'reset' : 'ended'
    look()
  })
  /** Asks again with all that arrives, until there is a value. */
  const when = <Value>(find: () => Value | null): Promise<Value> =>
    new Promise((resolve, reject) => {
      const one = (): void => {
        try {
          const found = find()
          if (found === null && ended === null) return
          waiting.delete(one)
          if (found === null) reject(new Error(`the connection ended after: ${JSON.stringify(text.slice(read))}`))
          else resolve(found)
        } catch (error) {
          waiting.delete(one)
          reject(error instanceof Error ? error : new Error(String(error)))
        }
      }
      waiting.add(one)
      one()
    })
  return {
    socket,
    bytes: () => text,
    send: (more) => void socket.write(more, 'latin1'),
    reset: () => void wire.resetAndDestroy(),
    answer: (method = 'GET') =>
      when(() => {
        const found = readResponse(text, read, method, ended === 'ended')
        if (found.kind === 'incomplete') return null
        if (found.kind === 'malformed') throw new Error(`no answer (${found.why}): ${JSON.stringify(text.slice(read))}`)
        read = found.end
        return found.value
      }),
    until: async (wanted) => void (await when(() => (text.includes(wanted) ? true : null))),
    closed: () => when(() => ended),
    ended: () => ended,
    within: (ms, condition) =>
      new Promise((resolve) => {
        let left = Math.ceil(ms / tickMs)
        const done = (held: boolean): void => {
          clearInterval(timer)
          waiting.delete(one)
          resolve(held)
        }
        const one = (): void => {
          if (condition()) done(true)
          else if (ended !== null || left <= 0) done(false)
        }
        const timer = setInterval(() => {
          left--
          one()
        }, tickMs)
        waiting.add(one)
        one()
      }),
  }
}
