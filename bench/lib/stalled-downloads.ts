import { pause, until } from '../../tests/support/until.ts'
import { socketQueues } from './socket-queues.ts'
import { openStream, type StreamClient } from './stream-client.ts'
import { type Gateway, rssOf } from './stream-gateway.ts'

const mebibyte = 1024 * 1024

export const readers = 200
export const downloadBytes = 256 * mebibyte
export const readBytes = 1 * mebibyte

export interface Stalled {
  readonly before: number
  /** 10 s after the first reader. */
  readonly first: number
  /** Farthest from that afterwards. */
  readonly last: number
  readonly onTheirWay: readonly OnItsWay[]
  /** Bytes that one of those who read on has read. */
  readonly whole: number
  readonly leftOpen: number
}

/** Readers that take the beginning and then nothing for that many seconds; a few then go on, the others leave. */
export async function stall(gateway: Gateway, seconds: number): Promise<Stalled> {
  const { pid, port, key, upstream } = gateway
  const before = rssOf(pid)
  const start = performance.now()
  const clients = Array.from({ length: readers }, (_, i) =>
    openStream(port, `/v1/orders/download-${i}`, key, readBytes),
  )
  await Promise.all(clients.map((client) => client.reached(readBytes)))
  await pause(Math.max(0, 10_000 - (performance.now() - start)))
  const first = rssOf(pid)
  let last = first
  for (let second = 0; second < seconds; second++) {
    await pause(1_000)
    const rss = rssOf(pid)
    if (Math.abs(rss - first) > Math.abs(last - first)) last = rss
  }
  const way = await onTheirWay(gateway, clients)
  const [staying, leaving] = [clients.slice(0, 4), clients.slice(4)]
  for (const { socket } of leaving) socket.destroy()
  const whole = await Promise.all(staying.map((client) => readOn(client)))
  for (const { socket } of staying) socket.destroy()
  await until('the upstream is told', async () => Object.keys((await upstream.report()).downloads).length === 0)
  const { downloads } = await upstream.report()
  return { before, first, last, onTheirWay: way, whole: Math.min(...whole), leftOpen: Object.keys(downloads).length }
}

export interface OnItsWay {
  /** Bytes that have left the upstream's system less bytes that the client has read. */
  readonly all: number
  /** Of these what is in no buffer of the system: the gateway holds it in its own memory. */
  readonly own: number
}

async function onTheirWay(
  { port, upstreamPort, upstream }: Gateway,
  clients: readonly StreamClient[],
): Promise<readonly OnItsWay[]> {
  const { downloads } = await upstream.report()
  const queues = socketQueues()
  return clients.map(({ socket }, i) => {
    const { bytes = Number.NaN, port: theirs = 0 } = downloads[`download-${i}`] ?? {}
    const ours = socket.localPort ?? 0
    const all = bytes - queues(upstreamPort, theirs).toSend - socket.bytesRead
    const held = queues(theirs, upstreamPort).toRead + queues(port, ours).toSend + queues(ours, port).toRead
    return { all, own: all - held }
  })
}

async function readOn(client: StreamClient): Promise<number> {
  client.socket.resume()
  await client.reached(downloadBytes)
  return client.bodyBytes()
}
