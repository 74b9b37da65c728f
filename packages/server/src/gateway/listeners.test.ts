import { once } from 'node:events'
import { type AddressInfo, type Server, createServer } from 'node:net'

import { describe, expect, it, onTestFinished } from 'vitest'

import { fixedClock, systemClock } from '../base/clock.ts'
import { createIds } from '../base/ids.ts'
import { systemRandom } from '../base/random.ts'
import { createGateway } from './gateway.ts'
import { fakeDataPlane } from './testing/fake-data-plane.ts'
import { gatewayTo, head, key } from './testing/harness.ts'
import { rawClient, request } from './testing/raw-client.ts'
import { rawUpstream } from './testing/raw-upstream.ts'

const host = '127.0.0.1'

async function taken(): Promise<{ readonly port: number; readonly server: Server }> {
  const server = createServer().listen(0, host)
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return { port: (server.address() as AddressInfo).port, server }
}

async function freePort(): Promise<number> {
  const { port, server } = await taken()
  server.close()
  await once(server, 'close')
  return port
}

async function aGateway() {
  const upstream = await rawUpstream()
  const gateway = createGateway({
    dataPlane: fakeDataPlane(upstream.port),
    clock: systemClock,
    ids: createIds(systemClock, systemRandom),
    reportFault: () => undefined,
  })
  onTestFinished(async () => {
    await gateway.close(0)
    await upstream.close()
  })
  return { gateway, upstream }
}

const hello = head('GET / HTTP/1.1', 'Host: a', key)

describe('listening', () => {
  it('names every busy address at once and serves none of the others', async () => {
    const [one, two, free] = [await taken(), await taken(), await freePort()]
    const { gateway } = await aGateway()
    const listening = await gateway.listen([
      { host, port: one.port },
      { host, port: free },
      { host, port: two.port },
    ])
    expect(listening).toEqual({
      ok: false,
      error: [
        { host, port: one.port, reason: 'EADDRINUSE' },
        { host, port: two.port, reason: 'EADDRINUSE' },
      ],
    })
    await expect(request(free, hello)).rejects.toThrow('the connection ended')
  })

  it('serves on every address that was asked for', async () => {
    const ports = [await freePort(), await freePort()]
    const { gateway } = await aGateway()
    const listening = await gateway.listen(ports.map((port) => ({ host, port })))
    expect(listening).toEqual({ ok: true, value: ports.map((port) => ({ host, port })) })
    for (const port of ports) expect((await request(port, hello)).status).toBe(200)
  })
})

describe('a reload', () => {
  it('adds and removes addresses, and lets a connection on a kept one live on', async () => {
    const [kept, gone, added] = [await freePort(), await freePort(), await freePort()]
    const { gateway } = await aGateway()
    await gateway.listen([
      { host, port: kept },
      { host, port: gone },
    ])
    const client = rawClient(kept)
    client.send(hello)
    await client.answer()
    const updated = await gateway.update([
      { host, port: kept },
      { host, port: added },
    ])
    expect(updated.ok).toBe(true)
    client.send(hello)
    expect((await client.answer()).status).toBe(200)
    expect((await request(added, hello)).status).toBe(200)
    await expect(request(gone, hello)).rejects.toThrow('the connection ended')
    client.socket.destroy()
  })

  it('changes nothing where one of the new addresses is busy', async () => {
    const [kept, busy, free] = [await freePort(), await taken(), await freePort()]
    const { gateway } = await aGateway()
    await gateway.listen([{ host, port: kept }])
    const updated = await gateway.update([
      { host, port: free },
      { host, port: busy.port },
    ])
    expect(updated).toEqual({ ok: false, error: [{ host, port: busy.port, reason: 'EADDRINUSE' }] })
    expect((await request(kept, hello)).status).toBe(200)
    await expect(request(free, hello)).rejects.toThrow('the connection ended')
  })
})

describe('closing', () => {
  it('lets a running request end, says that the connection does too, and takes no other', async () => {
    const { port, upstream, close } = await gatewayTo(() => undefined)
    const [client, idle] = [rawClient(port), rawClient(port)]
    const arrived = upstream.nextHead()
    client.send(hello)
    const socket = await arrived
    const closed = close(10_000)
    await idle.closed()
    await expect(request(port, hello)).rejects.toThrow('the connection ended')
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    const answer = await client.answer()
    expect([answer.status, answer.header('connection')]).toEqual([200, ['close']])
    await client.closed()
    await closed
  })

  it('answers the first request of a connection that is just there, and ends one that has had its own', async () => {
    const { port, close } = await gatewayTo()
    const [fresh, used] = [rawClient(port), rawClient(port)]
    used.send(hello)
    await used.answer()
    const closed = close(10_000)
    await used.closed()
    fresh.send(hello + hello)
    const answer = await fresh.answer()
    expect([answer.status, answer.header('connection')]).toEqual([200, ['close']])
    await fresh.closed()
    await closed
  })

  it('does not wait for long for connections on which nothing is asked', async () => {
    const { port, close } = await gatewayTo()
    const [silent, used] = [rawClient(port), rawClient(port)]
    used.send(hello)
    await used.answer()
    const beganAt = performance.now()
    await close(30_000)
    await silent.closed()
    expect(performance.now() - beganAt).toBeLessThan(5_000)
  })

  it('cuts what has not ended when the grace is over', async () => {
    const { port, upstream, close, dataPlane } = await gatewayTo(() => undefined)
    const client = rawClient(port)
    const arrived = upstream.nextHead()
    client.send(hello)
    await arrived
    await close(20)
    expect(await client.closed()).toBe('')
    expect(dataPlane.metered).toMatchObject([{ ended: 'client_gone' }])
  })
})

describe('a listener that has as many connections as it may (pitfall 21)', () => {
  const full = async (reply?: Parameters<typeof gatewayTo>[0]) => {
    const clock = fixedClock()
    const harness = await gatewayTo(reply, { clock, wire: { connectionsMax: 3 } })
    const idle = async () => {
      const client = rawClient(harness.port)
      client.send(hello)
      await client.answer()
      return client
    }
    return { ...harness, clock, idle }
  }

  it('ends the one that has been idle for longest, so that nobody keeps others out by doing nothing', async () => {
    const { port, clock, idle } = await full()
    const silent = rawClient(port)
    await once(silent.socket, 'connect')
    const [first, second] = [await idle(), await idle()]
    clock.advance(2_000)
    first.send(hello)
    await first.answer()
    const states = () => [silent, first, second].map(({ socket }) => socket.readyState)
    const third = await idle()
    await silent.closed()
    expect(states()).toEqual(['closed', 'open', 'open'])
    const fourth = await idle()
    await second.closed()
    expect([...states(), third.socket.readyState]).toEqual(['closed', 'open', 'closed', 'open'])
    for (const { socket } of [first, third, fourth]) socket.destroy()
  })

  it('lets requests that are running go on, and turns away what comes beside them', async () => {
    const { port, upstream } = await full(() => undefined)
    const running = Array.from({ length: 3 }, () => rawClient(port))
    for (const client of running) client.send(hello)
    await expect.poll(() => upstream.sockets.size).toBe(3)
    const another = rawClient(port)
    another.send(hello)
    expect(await another.closed()).toBe('')
    expect(running.map(({ socket }) => socket.readyState)).toEqual(['open', 'open', 'open'])
    for (const { socket } of running) socket.destroy()
  })
})
