import { setTimeout as pause } from 'node:timers/promises'

import { expect, it } from 'vitest'

import type { Client } from '../../../fuzz/lib/client.ts'
import { inFlightMax, stalled, writeWithoutEnd } from '../support/flow.ts'
import { msUntil, refusal, valueOf, type Stage } from '../support/stage.ts'

/** Pitfalls 10, 14, 15, 17, 22, 23 and 27: what happens in the course of a connection. */
export function lifePitfalls(stage: Stage): void {
  it('pitfall 10: the bytes in flight of twenty stalled readers are bounded for each', async () => {
    stage.upstream.respond = (_request, { socket, send }) => {
      send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
      writeWithoutEnd(socket)
    }
    for (let i = 0; i < 20; i++) {
      const client = stage.connect()
      client.socket.pause()
      client.send(stage.head('GET /'))
    }
    await msUntil(() => stage.upstream.connections.length === 20, 5_000)
    const sent = await Promise.all(stage.upstream.connections.map(({ socket }) => stalled(() => socket)))
    for (const bytes of sent) expect(bytes).toBeLessThan(inFlightMax)
  })

  it('pitfall 10: an upload to an upstream that does not read comes to a stop', async () => {
    const client = stage.connect()
    client.send(stage.head('POST /', 'Transfer-Encoding: chunked'))
    await msUntil(() => stage.upstream.connections.length === 1, 2_000)
    stage.upstream.connections[0]?.socket.pause()
    writeWithoutEnd(client.socket)
    expect(await stalled(() => client.socket)).toBeLessThan(inFlightMax)
  })

  it('pitfall 15: an upstream that closes idle connections in the very moment of their use loses no request', async () => {
    const idleMs = 12
    stage.upstream.respond = (_request, { socket, send }) => {
      send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
      setTimeout(() => socket.end(), idleMs)
    }
    const statuses: number[] = []
    const ask = async (client: Client, offset: number): Promise<void> => {
      for (let i = 0; i < 20; i++) {
        client.send(stage.head('GET /'))
        statuses.push((await client.answer()).status)
        await pause(idleMs - 2 + ((i + offset) % 4))
      }
    }
    await Promise.all(Array.from({ length: 10 }, (_, offset) => ask(stage.connect(), offset)))
    expect(statuses).toEqual(Array.from({ length: 200 }, () => 200))
  })

  it('pitfalls 14 and 15: a POST that meets such a moment is sent once, and never answered as if it had passed', async () => {
    let seen = 0
    stage.upstream.respond = (request, { socket, send }) => {
      if (request.method === 'GET') return send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
      seen++
      socket.destroy()
    }
    for (let i = 0; i < 5; i++) {
      const client = stage.connect()
      client.send(stage.head('GET /'))
      await client.answer()
      client.send(`${stage.head('POST /', 'Content-Length: 2')}hi`)
      expect(refusal(await client.answer('POST'))).toEqual({ status: 502, code: 'upstream_unreachable' })
    }
    expect(seen).toBe(5)
  })

  it.each([
    ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHTTP/', 200, '5'],
    ['GET', 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nHTTP/', 204, null],
    ['GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nHTTP/', 304, '5'],
    ['HEAD', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n', 200, null],
  ])(
    'pitfall 17: %s answered %j has no body, and what came in its place is nobody’s answer',
    async (method, reply, status, length) => {
      stage.upstream.respond = (_request, { send }) => send(reply)
      const client = stage.connect()
      client.send(stage.head(`${method} /1`))
      const answer = await client.answer('HEAD')
      expect([answer.status, valueOf(answer, 'content-length')]).toEqual([status, length])
      stage.upstream.respond = (_request, { send }) => send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext')
      client.send(stage.head('GET /2'))
      expect((await client.answer()).body).toBe('next')
      expect(client.bytes()).not.toContain('HTTP/HTTP')
    },
  )

  it('pitfall 22: a client that uploads 10 MiB unasked sees its 401', async () => {
    const client = stage.connect()
    client.send(stage.anonymous('POST /', `Content-Length: ${10 * 1024 * 1024}`))
    for (let i = 0; i < 160; i++) client.socket.write(Buffer.alloc(65_536, 0x78))
    const answer = await client.answer('POST')
    expect(refusal(answer)).toEqual({ status: 401, code: 'credential_missing' })
    expect(valueOf(answer, 'connection')).toBe('close')
    expect(stage.upstream.connections).toHaveLength(0)
  })

  it('pitfall 22: a small body of a refused request is read over, and is no request', async () => {
    const client = stage.connect()
    const hidden = stage.head('GET /hidden')
    for (let i = 0; i < 5; i++) {
      client.send(stage.anonymous('POST /', `Content-Length: ${hidden.length}`) + hidden)
      expect((await client.answer('POST')).status).toBe(401)
    }
    client.send(stage.head('GET /next'))
    expect((await client.answer()).status).toBe(200)
    expect(stage.upstream.seen.map(({ target }) => target)).toEqual(['/next'])
  })

  it('pitfall 23: fifty pipelined requests are answered in order, the next sent on when the one before is answered', async () => {
    let running = 0
    let together = 0
    stage.upstream.respond = ({ target }, { send }) => {
      together = Math.max(together, ++running)
      setImmediate(() => {
        running--
        send(`HTTP/1.1 200 OK\r\nContent-Length: ${target.length}\r\n\r\n${target}`)
      })
    }
    const client = stage.connect()
    const paths = Array.from({ length: 50 }, (_, i) => `/${i}`)
    client.send(paths.map((path) => stage.head(`GET ${path}`)).join(''))
    const bodies: string[] = []
    for (const _ of paths) bodies.push((await client.answer()).body)
    expect([bodies, together]).toEqual([paths, 1])
  })

  it('pitfall 23: of pipelined requests nothing runs behind one that ends the connection', async () => {
    const client = stage.connect()
    client.send(stage.head('GET /1', 'Connection: close') + stage.head('POST /2'))
    expect(valueOf(await client.answer(), 'connection')).toBe('close')
    await client.closed()
    expect(stage.upstream.seen.map(({ target }) => target)).toEqual(['/1'])
  })

  it('pitfall 27: upstreams that die inside fifty answers break these, and nothing else', async () => {
    stage.upstream.respond = (_request, { socket, send }) => {
      send('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nsome')
      setImmediate(() => socket.resetAndDestroy())
    }
    const broken = await Promise.allSettled(Array.from({ length: 50 }, () => stage.ask(stage.head('GET /'))))
    expect(broken.filter(({ status }) => status === 'fulfilled')).toEqual([])
    await stage.reset()
    expect((await stage.ask(stage.head('GET /'))).status).toBe(200)
    expect(stage.server.logged.filter((line) => line.includes('"gateway.fault"'))).toEqual([])
  })
}
