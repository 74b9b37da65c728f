import { pause } from '../../tests/support/until.ts'
import { openStream, type StreamClient } from './stream-client.ts'
import { type Gateway, rssOf } from './stream-gateway.ts'

export interface Idle {
  readonly count: number
  readonly before: number
  readonly opened: number
  /** Streams over which an event came at the end. */
  readonly alive: number
}

/** Opens that many, waits until nothing moves any more, and lets an event come over each. */
export async function openIdle(gateway: Gateway, count: number): Promise<Idle> {
  const { pid, port, key, upstream } = gateway
  const before = rssOf(pid)
  const clients: StreamClient[] = []
  while (clients.length < count) {
    const batch = Array.from({ length: Math.min(100, count - clients.length) }, (_, i) =>
      openStream(port, `/v1/orders/events-${clients.length + i}`, key, Number.POSITIVE_INFINITY),
    )
    await Promise.all(batch.map((client) => client.reached(1)))
    clients.push(...batch)
  }
  await pause(10_000)
  const opened = rssOf(pid)
  const said = clients.map((client) => client.reached(client.bodyBytes() + 1))
  await upstream.sayEvent()
  const outcomes = await Promise.allSettled(said)
  for (const { socket } of clients) socket.destroy()
  return { count, before, opened, alive: outcomes.filter(({ status }) => status === 'fulfilled').length }
}
