import type { Socket } from 'node:net'

import { describe, expect, it } from 'vitest'

import { fixedClock } from '../base/clock.ts'
import { gatewayTo, head, key } from './testing/harness.ts'
import { rawClient, request } from './testing/raw-client.ts'
import type { Reply } from './testing/raw-upstream.ts'

const ask = (...more: readonly string[]) =>
  head('GET /ws?a=1 HTTP/1.1', 'Host: a', 'Connection: keep-alive, Upgrade', 'Upgrade: WebSocket', ...more)
const granted = head(
  'HTTP/1.1 101 Switching Protocols',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Accept: x',
)

const closed = (socket: Socket | undefined) =>
  new Promise<void>((resolve) => void (socket === undefined ? resolve() : socket.once('close', () => resolve())))

/** Grants the upgrade, and says back what it hears, in upper case. */
const grantAndEcho: Reply = (_seen, socket) => {
  socket.removeAllListeners('data')
  socket.on('data', (chunk: Buffer) => void socket.write(chunk.toString('latin1').toUpperCase(), 'latin1'))
  socket.write(granted)
}

describe('pitfall 19: an upgrade to WebSocket', () => {
  it('ties both sides together, and is metered at its end', async () => {
    const { port, upstream, dataPlane } = await gatewayTo(grantAndEcho)
    const client = rawClient(port)
    client.send(ask(key, 'Sec-WebSocket-Key: k', 'Connection: X-Hop', 'X-Hop: 1'))
    const answer = await client.answer()
    expect([answer.status, answer.header('connection'), answer.header('upgrade')]).toEqual([
      101,
      ['Upgrade'],
      ['websocket'],
    ])
    expect(answer.header('sec-websocket-accept')).toEqual(['x'])
    expect(answer.header('x-request-id')).toHaveLength(1)
    const [seen] = upstream.seen
    expect(seen?.path).toBe('/ws?a=1')
    expect(seen?.lines.filter(([name]) => /^(connection|upgrade|sec-|x-hop|x-api)/i.test(name))).toEqual([
      ['Sec-WebSocket-Key', 'k'],
      ['Connection', 'Upgrade'],
      ['Upgrade', 'websocket'],
    ])
    client.send('hello\x00\x81')
    await client.until('HELLO\x00\x81')
    expect(dataPlane.metered).toEqual([])
    client.socket.destroy()
    await expect.poll(() => dataPlane.metered).toMatchObject([{ status: 101, ended: 'answered', received: 7, sent: 7 }])
  })

  it('passes no length on: a client that believed it would take the other protocol for a body', async () => {
    const { port } = await gatewayTo((_seen, socket) => {
      socket.write(head('HTTP/1.1 101 S', 'Upgrade: websocket', 'Connection: Upgrade', 'Content-Length: 5'))
    })
    const client = rawClient(port)
    client.send(ask(key))
    const answer = await client.answer()
    expect([answer.status, answer.header('content-length')]).toEqual([101, []])
    client.socket.destroy()
  })

  it('loses nothing that came behind a head', async () => {
    const { port } = await gatewayTo((_seen, socket) => {
      socket.removeAllListeners('data')
      socket.on('data', (chunk: Buffer) => void socket.write(`[${chunk.toString('latin1')}]`))
      socket.write(`${granted}at once`)
    })
    const client = rawClient(port)
    client.send(`${ask(key)}early`)
    await client.until('at once[early]')
    client.socket.destroy()
    expect(client.text().split('\r\n\r\n')[1]).toBe('at once[early]')
  })

  it('is half-closed by either side, and the other goes on', async () => {
    const { port, upstream } = await gatewayTo((_seen, socket) => {
      socket.removeAllListeners('data')
      socket.resume()
      socket.on('end', () => socket.end('your last word was heard'))
      socket.write(granted)
    })
    const client = rawClient(port)
    client.send(ask(key))
    await client.answer()
    client.socket.end('bye')
    expect(await client.closed()).toMatch(/your last word was heard$/)
    expect(upstream.sockets.size).toBe(0)
  })

  it('ends for the client when the upstream is reset', async () => {
    const { port, upstream } = await gatewayTo(grantAndEcho)
    const client = rawClient(port)
    client.send(ask(key))
    await client.answer()
    for (const socket of upstream.sockets) socket.resetAndDestroy()
    expect(await client.closed()).toMatch(/^HTTP\/1.1 101 /)
  })

  it('waits for whoever does not read, both ways', async () => {
    const size = 32 * 1024 * 1024
    const { port, upstream } = await gatewayTo((_seen, socket) => {
      socket.removeAllListeners('data')
      socket.pause()
      socket.write(granted)
    })
    const client = rawClient(port)
    client.send(ask(key))
    await client.answer()
    const [socket] = upstream.sockets
    client.socket.write(Buffer.alloc(size, 'c'))
    client.socket.removeAllListeners('data')
    let heard = 0
    await new Promise((resolve) => void setTimeout(resolve, 300))
    expect(client.socket.writableLength).toBeGreaterThan(size / 2)
    socket?.on('data', (chunk: Buffer) => (heard += chunk.length))
    await new Promise<void>((resolve) => {
      socket?.on('data', () => heard === size && resolve())
      socket?.resume()
    })
    client.socket.destroy()
  })

  it('is refused before the upstream hears of it', async () => {
    const { port, upstream, dataPlane } = await gatewayTo(grantAndEcho)
    const client = rawClient(port)
    client.send(ask())
    const answer = await client.answer()
    expect([answer.status, answer.header('connection')]).toEqual([401, ['close']])
    await client.closed()
    expect([upstream.accepted, upstream.seen]).toEqual([0, []])
    await expect.poll(() => dataPlane.metered).toMatchObject([{ status: 401, ended: 'answered' }])
  })

  it('passes the upstream’s refusal as the answer that it is', async () => {
    const body = 'x'.repeat(1_000_000)
    const { port, dataPlane } = await gatewayTo((_seen, socket) => {
      socket.write(`HTTP/1.1 426 Upgrade Required\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
    })
    const answer = await request(port, ask(key))
    expect([answer.status, answer.header('connection'), answer.body === body]).toEqual([426, ['close'], true])
    await expect.poll(() => dataPlane.metered).toMatchObject([{ status: 426, sent: 1_000_000 }])
  })

  it.each([
    [
      'to HTTP/2 in clear',
      ['GET / HTTP/1.1', 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AA'],
    ],
    ['to one of two', ['GET / HTTP/1.1', 'Connection: Upgrade', 'Upgrade: websocket, h2c']],
    ['named twice', ['GET / HTTP/1.1', 'Connection: Upgrade', 'Upgrade: websocket', 'Upgrade: websocket']],
    ['by POST', ['POST / HTTP/1.1', 'Connection: Upgrade', 'Upgrade: websocket', 'Content-Length: 0']],
    ['that Connection does not name', ['GET / HTTP/1.1', 'Upgrade: websocket']],
  ])('is not one %s: the request is an ordinary one, and the last of its connection', async (_name, lines) => {
    const { port, upstream } = await gatewayTo()
    const client = rawClient(port)
    client.send(head(...lines, 'Host: a', key))
    const answer = await client.answer()
    expect([answer.status, answer.header('connection')]).toEqual([200, ['close']])
    await client.closed()
    const names = upstream.seen[0]?.lines.map(([name]) => name.toLowerCase())
    for (const name of ['upgrade', 'connection', 'http2-settings']) expect(names).not.toContain(name)
  })

  it('with a body is not one either', async () => {
    const { port, upstream } = await gatewayTo()
    const sent = head(
      'GET / HTTP/1.1',
      'Host: a',
      key,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Content-Length: 2',
    )
    expect((await request(port, `${sent}hi`)).status).toBe(200)
    expect(upstream.seen.map(({ body, lines }) => [body, lines.some(([name]) => name === 'Upgrade')])).toEqual([
      ['hi', false],
    ])
  })

  it.each([
    ['another protocol', 'Upgrade: h2c\r\nConnection: Upgrade'],
    ['none', 'Connection: Upgrade'],
  ])('is 502 where the upstream switches to %s', async (_name, lines) => {
    const { port } = await gatewayTo((_seen, socket) => void socket.write(`HTTP/1.1 101 S\r\n${lines}\r\n\r\n`))
    expect((await request(port, ask(key))).status).toBe(502)
  })

  it('drops the upstream when the client leaves before the answer', async () => {
    const { port, upstream, dataPlane } = await gatewayTo(() => undefined)
    const client = rawClient(port)
    const arrived = upstream.nextHead()
    client.send(ask(key))
    const socket = await arrived
    client.socket.end()
    await closed(socket)
    await expect.poll(() => dataPlane.metered).toMatchObject([{ status: 499, ended: 'client_gone' }])
  })

  it('ends when nothing has passed for as long as the route says', async () => {
    const clock = fixedClock()
    const { port, upstream } = await gatewayTo(grantAndEcho, { clock })
    const client = rawClient(port)
    client.send(ask(key))
    await client.answer()
    clock.advance(4_000)
    client.send('one')
    await client.until('ONE')
    clock.advance(4_999)
    client.send('two')
    await client.until('TWO')
    const [socket] = upstream.sockets
    clock.advance(5_250)
    const [text] = await Promise.all([client.closed(), closed(socket)])
    expect(text).toMatch(/ONETWO$/)
  })
})
