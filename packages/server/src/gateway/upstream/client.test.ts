import { describe, expect, it } from 'vitest'

import { fixedClock } from '../../base/clock.ts'
import { gatewayTo, head, key } from '../testing/harness.ts'
import { rawClient, request } from '../testing/raw-client.ts'
import type { Reply } from '../testing/raw-upstream.ts'

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const get = head('GET / HTTP/1.1', 'Host: a', key)
const post = head('POST / HTTP/1.1', 'Host: a', key, 'Content-Length: 2') + 'hi'

/** Answers each request on a connection, counted from 1, in its own way. */
function byTurn(reply: (turn: number, ...rest: Parameters<Reply>) => void): Reply {
  const turns = new Map<unknown, number>()
  return (seen, socket) => {
    const turn = (turns.get(socket) ?? 0) + 1
    turns.set(socket, turn)
    reply(turn, seen, socket)
  }
}

describe('a connection to the upstream', () => {
  it('is used again, and not closed in between', async () => {
    const { port, upstream } = await gatewayTo()
    for (let i = 0; i < 3; i++) expect((await request(port, get)).status).toBe(200)
    expect(upstream.sockets.size).toBe(1)
    expect(upstream.accepted).toBe(1)
  })

  it.each([
    ['says close', 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok'],
    ['speaks HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok'],
    ['says more than was asked for', `${ok}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`],
    [
      'says more than was asked for, behind chunks',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n',
    ],
  ])('is not used again where the upstream %s', async (_name, reply) => {
    const { port, upstream } = await gatewayTo((_seen, socket) => void socket.write(reply))
    for (let i = 0; i < 2; i++) expect((await request(port, get)).body).toBe('ok')
    expect(upstream.accepted).toBe(2)
  })

  it('is closed where something comes over it that nobody asked for', async () => {
    const { port, upstream } = await gatewayTo()
    await request(port, get)
    const [socket] = upstream.sockets
    const closed = new Promise((resolve) => void socket?.once('close', resolve))
    socket?.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil')
    await closed
    expect((await request(port, get)).body).toBe('ok')
    expect(upstream.accepted).toBe(2)
  })

  it('is made to a name too, whichever of its addresses listens', async () => {
    const { port, upstream, dataPlane } = await gatewayTo(undefined, { upstreamHost: 'localhost' })
    expect((await request(port, get)).body).toBe('ok')
    expect(upstream.seen[0]?.lines).toContainEqual(['Host', `localhost:${upstream.port}`])
    expect(dataPlane.metered).toHaveLength(1)
  })

  it('is waited for where there are as many as there may be, and the request fails where too many wait', async () => {
    const held: (() => void)[] = []
    const { port, upstream } = await gatewayTo((_seen, socket) => void held.push(() => socket.write(ok)), {
      wire: { connectionsPerUpstream: 1, waitingPerUpstream: 1 },
    })
    const clients = [rawClient(port), rawClient(port), rawClient(port)]
    for (const [i, client] of clients.entries()) {
      client.send(get)
      // In this order.
      if (i === 0) await expect.poll(() => held.length).toBe(1)
      if (i === 1) await expect.poll(() => client.socket.bytesWritten).toBe(get.length)
    }
    expect((await clients[2]?.answer())?.status).toBe(502)
    held[0]?.()
    expect((await clients[0]?.answer())?.status).toBe(200)
    await expect.poll(() => held.length).toBe(2)
    held[1]?.()
    expect((await clients[1]?.answer())?.status).toBe(200)
    expect(upstream.accepted).toBe(1)
    for (const client of clients) client.socket.destroy()
  })

  it('is not used any more when it has been idle for as long as its upstream said, less a margin', async () => {
    const clock = fixedClock()
    const { port, upstream } = await gatewayTo(
      (_seen, socket) => void socket.write('HTTP/1.1 200 OK\r\nKeep-Alive: timeout=3\r\nContent-Length: 2\r\n\r\nok'),
      { clock },
    )
    const ask = async () => expect((await request(port, get)).status).toBe(200)
    await ask()
    clock.advance(1_999)
    await ask()
    expect(upstream.accepted).toBe(1)
    clock.advance(2_000)
    await ask()
    expect(upstream.accepted).toBe(2)
    clock.advance(3_000)
    await expect.poll(() => upstream.sockets.size).toBe(0)
  })

  it('is not used any more after 4 s where its upstream says nothing of it', async () => {
    const clock = fixedClock()
    const { port, upstream } = await gatewayTo(undefined, { clock })
    for (const [ms, accepted] of [
      [0, 1],
      [3_999, 1],
      [4_000, 2],
    ] as const) {
      clock.advance(ms)
      expect((await request(port, get)).status).toBe(200)
      expect(upstream.accepted).toBe(accepted)
    }
  })
})

describe('pitfall 15: an upstream that closes a connection as it is used again', () => {
  const closesTheSecond = byTurn((turn, _seen, socket) => {
    if (turn === 1) socket.write(ok)
    else socket.destroy()
  })

  it.each(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])('is asked again for %s without a body', async (method) => {
    const { port, upstream } = await gatewayTo(closesTheSecond)
    await request(port, get)
    const answer = await request(port, head(`${method} /x HTTP/1.1`, 'Host: a', key), { head: true })
    expect(answer.status).toBe(200)
    expect(upstream.seen.map((seen) => `${seen.method} ${seen.path}`)).toEqual([
      'GET /',
      `${method} /x`,
      `${method} /x`,
    ])
  })

  it.each([
    ['POST', head('POST / HTTP/1.1', 'Host: a', key, 'Content-Length: 0')],
    ['PATCH', head('PATCH / HTTP/1.1', 'Host: a', key)],
    ['PUT with a body', head('PUT / HTTP/1.1', 'Host: a', key, 'Content-Length: 2') + 'hi'],
  ])('pitfall 14: is asked once for %s', async (_name, text) => {
    const { port, upstream } = await gatewayTo(closesTheSecond)
    await request(port, get)
    expect((await request(port, text)).status).toBe(502)
    expect(upstream.seen).toHaveLength(2)
  })

  it('is asked once where it has begun to answer', async () => {
    const { port, upstream } = await gatewayTo(
      byTurn((turn, _seen, socket) => {
        if (turn === 1) socket.write(ok)
        else socket.write('H', () => socket.destroy())
      }),
    )
    await request(port, get)
    expect((await request(port, get)).status).toBe(502)
    expect(upstream.seen).toHaveLength(2)
  })

  it('is asked twice, not three times', async () => {
    let answered = 0
    const { port, upstream } = await gatewayTo((_seen, socket) => {
      if (answered++ === 0) socket.write(ok)
      else socket.destroy()
    })
    await request(port, get)
    expect((await request(port, get)).status).toBe(502)
    expect(upstream.seen).toHaveLength(3)
  })
})

describe('pitfall 18: trailers', () => {
  it('of a request go on, less what may not stand there', async () => {
    const { port, upstream } = await gatewayTo()
    const sent = head(
      'POST / HTTP/1.1',
      'Host: a',
      key,
      'Transfer-Encoding: chunked',
      'Trailer: X-Sum, X-Api-Key, X-Postern-Account, Host',
    )
    const trailers = 'X-Sum: 1\r\nX-Api-Key: good\r\nx_postern_account: acc_1\r\nContent-Type: a/b\r\n'
    expect((await request(port, `${sent}2\r\nhi\r\n0\r\n${trailers}\r\n`)).status).toBe(200)
    const [seen] = upstream.seen
    expect(seen?.lines.filter(([name]) => name === 'Trailer')).toEqual([['Trailer', 'X-Sum']])
    expect([seen?.body, seen?.trailers]).toEqual(['hi', [['X-Sum', '1']]])
  })

  it('of an answer go on, announced or not, less what may not stand there', async () => {
    const { port } = await gatewayTo((_seen, socket) => {
      const lines = ['HTTP/1.1 200 OK', 'Transfer-Encoding: chunked', 'Trailer: X-Sum, X-Postern-Account']
      socket.write(head(...lines) + '2\r\nok\r\n0\r\nX-Sum: 1\r\nX-Other: 2\r\nSet-Cookie: a=1\r\n\r\n')
    })
    const client = rawClient(port)
    client.send(get)
    await client.until('\r\n0\r\n')
    await client.until('X-Other')
    expect(client.text()).toContain('\r\nTrailer: X-Sum\r\n')
    expect(client.text().endsWith('2\r\nok\r\n0\r\nX-Sum: 1\r\nX-Other: 2\r\n\r\n')).toBe(true)
    client.socket.destroy()
  })

  it('that were announced and never come harm nothing', async () => {
    const { port } = await gatewayTo((_seen, socket) => {
      socket.write(head('HTTP/1.1 200 OK', 'Content-Length: 2', 'Trailer: X-Sum') + 'ok')
    })
    expect((await request(port, get)).body).toBe('ok')
  })
})

describe('a body of a request', () => {
  it.each([
    ['in one piece with its head', [post]],
    ['in two', [post.slice(0, -2), 'hi']],
    ['byte by byte', Array.from({ length: post.length }, (_, i) => post.charAt(i))],
  ])('goes on as it came %s', async (_name, pieces) => {
    const { port, upstream } = await gatewayTo()
    const client = rawClient(port)
    for (const piece of pieces) {
      client.send(piece)
      await new Promise((resolve) => void setImmediate(resolve))
    }
    expect((await client.answer()).status).toBe(200)
    expect(upstream.seen.map(({ body }) => body)).toEqual(['hi'])
    client.socket.destroy()
  })

  it.each(['Content-Length: 2000000', 'Transfer-Encoding: chunked'])('of 2 MB arrives whole (%s)', async (framing) => {
    const { port, upstream } = await gatewayTo()
    const body = Buffer.alloc(2_000_000, '0123456789').toString('latin1')
    const sent = framing.startsWith('T') ? `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n` : body
    expect((await request(port, head('POST / HTTP/1.1', 'Host: a', key, framing) + sent)).status).toBe(200)
    expect(upstream.seen[0]?.body === body).toBe(true)
  })
})
