import { connect, type Socket } from 'node:net'

import { readAnswers } from './answers.ts'

/** Requests a second, and for how many seconds. */
export interface Pace {
  readonly rate: number
  readonly seconds: number
}

/**
 * Run as a process of its own, with a port and a request: each message is a pace, at which it sends whether or not
 * the requests before were answered. Answers how many milliseconds each took from when it was due, in order of their
 * ends. A request that finds no free connection opens one; if there are too many already, it waits for one.
 */
const [port, request] = [Number(process.argv[2]), process.argv[3] ?? '']
const connectionsMax = 256
const tickMs = 1

interface Connection {
  readonly socket: Socket
  /** When the request that it carries was due. */
  dueAt: number
}

const idle: Connection[] = []
/** When requests were due for which there is no connection. */
const waiting: number[] = []
let latencies: number[] = []
let open = 0
let total = 0

process.on('message', ({ rate, seconds }: Pace) => {
  latencies = []
  total = Math.round(rate * seconds)
  let sent = 0
  const start = performance.now()
  const tick = (): void => {
    const now = performance.now()
    const due = Math.min(total, Math.floor(((now - start) / 1_000) * rate))
    for (; sent < due; sent++) take(now)
    if (sent < total) setTimeout(tick, tickMs)
  }
  tick()
})

function take(dueAt: number): void {
  const connection = idle.pop() ?? openOne()
  if (connection === null) waiting.push(dueAt)
  else send(connection, dueAt)
}

function send(connection: Connection, dueAt: number): void {
  connection.dueAt = dueAt
  connection.socket.write(request)
}

function openOne(): Connection | null {
  if (open === connectionsMax) return null
  open++
  const connection: Connection = { socket: connect({ host: '127.0.0.1', port, noDelay: true }), dueAt: 0 }
  readAnswers(connection.socket, (status) => {
    if (status !== 200) throw new Error(`answered with ${status}`)
    answered(connection)
  })
  connection.socket.on('error', (error) => {
    throw error
  })
  connection.socket.on('close', () => {
    throw new Error('the server closed a connection')
  })
  return connection
}

function answered(connection: Connection): void {
  latencies.push(performance.now() - connection.dueAt)
  const next = waiting.shift()
  if (next === undefined) idle.push(connection)
  else send(connection, next)
  if (latencies.length === total) process.send?.(latencies)
}
