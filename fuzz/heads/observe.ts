import { setImmediate as nextTurn } from 'node:timers/promises'

import { type Door, connectTo } from '../lib/client.ts'
import type { Upstream } from '../lib/upstream.ts'
import { type RequestsRead, type StrictRequest, readRequests } from '../strict/request.ts'
import { readResponse } from '../strict/response.ts'

/** What a client sends on one connection, and where it pauses. */
export interface Case {
  /** latin1 */
  readonly bytes: string
  /** Offsets, rising, at which one write ends and the next begins. */
  readonly cuts: readonly number[]
}

/** What came of a case, seen from both ends. */
export interface Observation {
  readonly sent: string
  readonly received: string
  /** The gateway ended the connection before the client did. */
  readonly closed: boolean
  /** Whole requests in order of arrival; the answer to each carries its place here as `X-Echo`. */
  readonly whole: readonly StrictRequest[]
  /** Connections with what came over them in this case. */
  readonly connections: readonly { readonly bytes: string; readonly left: boolean }[]
  /** A wait that did not come to its end. */
  readonly hung: string | null
}

/** Nothing takes this long unless it takes for ever. */
const patienceMs = 5_000
/** Within this a connection on which nothing can follow any more is closed. */
const closeMs = 200

/** Runs one case alone against an upstream that nobody else uses. */
export async function observe(door: Door, upstream: Upstream, { bytes, cuts }: Case): Promise<Observation> {
  upstream.clear()
  upstream.respond = (_request, { send }) => {
    const echo = String(upstream.seen.length - 1)
    send(`HTTP/1.1 200 OK\r\nX-Echo: ${echo}\r\nContent-Length: ${echo.length}\r\n\r\n${echo}`)
  }
  const client = connectTo(door)
  let at = 0
  for (const cut of [...cuts, bytes.length]) {
    client.send(bytes.slice(at, cut))
    at = cut
    if (cut < bytes.length) await nextTurn()
  }
  const { requests, rest } = readRequests(bytes)
  const open = (): boolean => client.ended() === null
  const answered = await client.within(patienceMs, () => answersIn(client.bytes(), requests) >= requests.length)
  let hung = !answered && open() ? 'an answer' : null
  if (hung === null && rest.kind === 'malformed') {
    // Most are closed at once; one whose answer says so has to be closed, however long this machine takes.
    await client.within(closeMs, () => false)
    if (/\r\nConnection: close\r\n/i.test(client.bytes())) await client.within(patienceMs, () => false)
  }
  const closed = !open()
  if (hung === null && rest.kind !== 'nothing' && open()) {
    client.socket.end()
    await client.within(patienceMs, () => false)
    if (open()) hung = 'the end of the connection'
  }
  client.socket.destroy()
  await nextTurn()
  await nextTurn()
  // A request that was begun and not ended is given up.
  const settled = (): boolean => upstream.connections.every((one) => one.left !== null || atRest(one.requests()))
  for (const end = performance.now() + patienceMs; !settled() && hung === null; await nextTurn())
    if (performance.now() > end) hung = 'the end of a request to the upstream'
  return {
    sent: bytes,
    received: client.bytes(),
    closed,
    whole: [...upstream.seen],
    connections: upstream.connections.map((one) => ({ bytes: one.bytes(), left: one.left !== null })),
    hung,
  }
}

const atRest = ({ rest }: RequestsRead): boolean => rest.kind !== 'incomplete'

/** Final answers that are whole. */
function answersIn(text: string, requests: readonly StrictRequest[]): number {
  let at = 0
  for (let count = 0; ; count++) {
    const answer = readResponse(text, at, requests[count]?.method ?? 'GET', false)
    if (answer.kind !== 'read') return count
    at = answer.end
  }
}
