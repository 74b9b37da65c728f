import { createServer } from 'node:http'
import { type AddressInfo, type Socket, connect } from 'node:net'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { issue, makeAccount, type Account, type Holder } from './support/issue.ts'
import { startTestServer, type ApiAnswer, type TestServer } from './support/server.ts'

/** Streams events, grants every upgrade, and never ends by itself. */
const upstream = createServer((_request, response) => {
  response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('data: first\n\n')
}).on('upgrade', (_request, socket) => {
  socket.on('error', () => {})
  socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\ndata: first\n\n')
})
let server: TestServer
let account: Account

beforeAll(async () => {
  await new Promise<void>((resolve) => void upstream.listen(0, '127.0.0.1', resolve))
  server = await startTestServer({
    yaml: `
apis:
  shop:
    address: shop.test
    upstream: http://127.0.0.1:${(upstream.address() as AddressInfo).port}
    scopes: {orders.read: Read}
    routes:
      - {id: stream, path: /stream}
      - {id: lasting, path: /lasting, on_revoke: finish}
      - {id: borrowing, path: /borrowing, connection: main}
      - {id: borrowingOn, path: /borrowing/on, connection: main, on_revoke: finish}
plans:
  pro: {apis: [shop], kinds: [secret]}
`,
  })
})
afterAll(async () => {
  upstream.closeAllConnections()
  upstream.close()
  await server.stop()
})

interface Open {
  readonly socket: Socket
  readonly closed: Promise<void>
}

/** Resolves when the first event is there. */
function open(key: Holder, path: string, upgrade: boolean): Promise<Open> {
  const socket = connect(server.gatewayPort, '127.0.0.1')
  const closed = new Promise<void>((resolve) => void socket.once('close', () => resolve()))
  const more = upgrade ? 'Connection: Upgrade\r\nUpgrade: websocket\r\n' : ''
  socket.write(`GET ${path} HTTP/1.1\r\nHost: shop.test\r\nAuthorization: Bearer ${key.value}\r\n${more}\r\n`)
  return new Promise((resolve, reject) => {
    let text = ''
    socket.on('error', reject)
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      if (text.includes('data: first')) resolve({ socket, closed })
    })
    void closed.then(() => reject(new Error(`closed after: ${text}`)))
  })
}

describe('statement 70: event streams and upgraded connections', () => {
  const ends: readonly (readonly [string, (key: Holder) => Promise<ApiAnswer>])[] = [
    ['is revoked', (key) => server.api('POST', `/credentials/${key.id}/revoke`, { reason: 'done' })],
    ['is blocked', (key) => server.api('POST', `/credentials/${key.id}/block`, { reason: 'pause' })],
    ['is marked compromised', (key) => server.api('POST', `/credentials/${key.id}/compromise`, { reason: 'leaked' })],
    [
      'has its account suspended',
      (key) => server.api('POST', `/accounts/${key.account}/suspend`, { reason: 'unpaid' }),
    ],
  ]

  it.each(ends)(
    'are closed within 5 s where the credential %s, unless the route lets them finish',
    async (how, end) => {
      account = await makeAccount(server.api, 'pro')
      const [dying, other] = [await issue(server.api, account.project), await issue(server.api, account.project)]
      const suspended = how.includes('account')
      const streams = await Promise.all(Array.from({ length: 50 }, (_, i) => open(dying, '/stream', i % 2 === 0)))
      const lasting = await open(dying, '/lasting', false)
      const others = await open(other, '/stream', false)
      const began = performance.now()
      expect((await end(dying)).status).toBe(200)
      await Promise.all(streams.map(({ closed }) => closed))
      expect(performance.now() - began).toBeLessThan(5_000)
      if (suspended) await others.closed
      expect([lasting.socket.destroyed, others.socket.destroyed]).toEqual([false, suspended])
      for (const { socket } of [lasting, others]) socket.destroy()
    },
    20_000,
  )

  const secrets = { secret: 'one-of-the-operator' }
  const losses: readonly (readonly [string, (id: string) => Promise<ApiAnswer>])[] = [
    ['is disabled', (id) => server.api('POST', `/connections/${id}/disable`, { reason: 'leaked' })],
    ['is rotated', (id) => server.api('POST', `/connections/${id}/rotate`, { secrets: { secret: 'another-secret' } })],
    ['is deleted', (id) => server.api('DELETE', `/connections/${id}`)],
  ]

  it.each(losses)(
    'are closed within 5 s where the connection that they use %s, unless the route lets them finish (VCH-5)',
    async (_how, end) => {
      account = await makeAccount(server.api, 'pro')
      const key = await issue(server.api, account.project)
      const main = { name: 'main', platform: 'custom', settings: { in: 'bearer' }, secrets }
      const { id } = (await server.api('POST', '/connections', main)).body.connection
      const streams = await Promise.all(Array.from({ length: 10 }, (_, i) => open(key, '/borrowing', i % 2 === 0)))
      const others = await Promise.all(['/borrowing/on', '/stream'].map((path) => open(key, path, true)))
      const began = performance.now()
      expect((await end(id)).status).toBe(200)
      await Promise.all(streams.map(({ closed }) => closed))
      expect(performance.now() - began).toBeLessThan(5_000)
      expect(others.map(({ socket }) => socket.destroyed)).toEqual([false, false])
      for (const { socket } of others) socket.destroy()
      await expect
        .poll(async () => {
          const { body } = await server.api('GET', `/requests?credential=${key.id}`)
          return body.data.filter(({ code }: { code: string | null }) => code === 'connection_unavailable').length
        })
        .toBe(streams.length)
      await server.api('DELETE', `/connections/${id}`)
    },
    20_000,
  )

  it('are closed when the credential expires, and the log says why', async () => {
    account = await makeAccount(server.api, 'pro')
    const key = await issue(server.api, account.project, { expires_at: new Date(Date.now() + 1_500).toISOString() })
    const { closed } = await open(key, '/stream', false)
    await closed
    await expect
      .poll(async () => {
        const { body } = await server.api('GET', `/requests?credential=${key.id}`)
        return body.data.map(({ code, status }: { code: string; status: number }) => [code, status])
      })
      .toEqual([['credential_expired', 200]])
  })
})
