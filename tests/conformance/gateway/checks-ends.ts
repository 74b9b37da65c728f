import { expect, it } from 'vitest'

import type { Client } from '../../../fuzz/lib/client.ts'
import { inFlightMax, stalled, writeWithoutEnd } from '../support/flow.ts'
import { msUntil, refusal, type Stage } from '../support/stage.ts'

/** Checks 15 to 20: one side leaves, stalls or dies. */
export function endChecks(stage: Stage): void {
  const cutWithin = async (ms: number) =>
    await msUntil(
      () => stage.upstream.connections.length > 0 && stage.upstream.connections.every(({ left }) => left !== null),
      ms,
    )

  const leave = (client: Client, how: 'gone' | 'reset' | 'half-closed') => {
    if (how === 'reset') client.reset()
    else if (how === 'gone') client.socket.destroy()
    else client.socket.end()
  }

  it.each(['gone', 'reset', 'half-closed'] as const)(
    'check 15: client abort cancels upstream, before the answer (%s)',
    async (how) => {
      const arrived = Promise.withResolvers<void>()
      stage.upstream.respond = () => arrived.resolve()
      const client = stage.connect()
      client.send(stage.head('GET /hang'))
      await arrived.promise
      leave(client, how)
      expect(await cutWithin(2_000)).toBeLessThan(500)
    },
  )

  it.each(['gone', 'reset'] as const)(
    'check 15: client abort cancels upstream, inside the answer (%s)',
    async (how) => {
      stage.upstream.respond = (_request, { send }) => send('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nsome')
      const client = stage.connect()
      client.send(stage.head('GET /'))
      await client.until('some')
      leave(client, how)
      expect(await cutWithin(2_000)).toBeLessThan(500)
    },
  )

  it.each([
    ['of a length', 'Content-Length: 10', 'hello'],
    ['in chunks', 'Transfer-Encoding: chunked', '5\r\nhello\r\n'],
    ['inside a chunk', 'Transfer-Encoding: chunked', '9\r\nhello'],
  ])('check 16: upload abort cancels upstream: %s', async (_name, framing, half) => {
    const client = stage.connect()
    client.send(stage.head('POST /', framing) + half)
    await msUntil(() => stage.upstream.connections[0]?.bytes().includes('hello') === true, 1_000)
    client.socket.destroy()
    expect(await cutWithin(2_000)).toBeLessThan(500)
    // The upstream must not take the half for the whole.
    expect(stage.upstream.seen).toEqual([])
    expect(stage.upstream.connections[0]?.requests().rest.kind).toBe('incomplete')
  })

  it('check 17: back-pressure on stalled reader', async () => {
    stage.upstream.respond = (_request, { socket, send }) => {
      send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
      writeWithoutEnd(socket)
    }
    const client = stage.connect()
    client.socket.pause()
    client.send(stage.head('GET /'))
    const sent = await stalled(() => stage.upstream.connections[0]?.socket)
    expect(sent).toBeLessThan(inFlightMax)
  })

  it('check 18: upstream dies inside Content-Length body', async () => {
    stage.upstream.respond = (_request, { socket, send }) => {
      send(`HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n${'x'.repeat(100)}`)
      socket.end()
    }
    const client = stage.connect()
    client.send(stage.head('GET /'))
    await expect(client.answer()).rejects.toThrow('the connection ended after')
    expect(client.bytes()).toMatch(/Content-Length: 1000\r\n[^]*\r\n\r\nx{0,100}$/)
  })

  it('check 19: upstream dies inside chunked body', async () => {
    stage.upstream.respond = (_request, { socket, send }) => {
      send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nonly this\r\n')
      socket.end()
    }
    const client = stage.connect()
    client.send(stage.head('GET /'))
    await expect(client.answer()).rejects.toThrow('the connection ended after')
    expect(client.bytes()).not.toMatch(/\r\n0+\r\n/)
  })

  it('check 20: POST not retried', async () => {
    stage.upstream.respond = (_request, { socket }) => void socket.resetAndDestroy()
    for (const method of ['POST', 'PATCH']) {
      stage.upstream.clear()
      const answer = await stage.ask(`${stage.head(`${method} /`, 'Content-Length: 5')}hello`)
      expect(refusal(answer)).toEqual({ status: 502, code: 'upstream_unreachable' })
      expect(stage.upstream.seen.map((seen) => [seen.method, seen.body])).toEqual([[method, 'hello']])
    }
  })
}
