import { expect, it } from 'vitest'

import type { Client } from '../../../fuzz/lib/client.ts'
import type { Respond } from '../../../fuzz/lib/upstream.ts'
import { valuesOf } from '../../../fuzz/strict/fields.ts'
import { issue } from '../../support/issue.ts'
import { msUntil, refusal, valueOf, type Stage } from '../support/stage.ts'

const granted =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n'
const wanted = [
  'Connection: keep-alive, Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
]

/** A masked text frame "Hello" and its answer (RFC 6455, section 5.7). */
const masked = '\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58'
const unmasked = '\x81\x05Hello'
const close = '\x88\x82\x00\x00\x00\x00\x03\xe8'

/** Check 14, pitfall 19 and statement 70. */
export function upgradeChecks(stage: Stage): void {
  /** Grants, and from then on takes bytes as they are; `then` is told of each piece. */
  const grant =
    (then: (bytes: string, send: (text: string) => void) => void = () => undefined): Respond =>
    (_request, { socket, send }) => {
      socket.removeAllListeners('data')
      socket.on('data', (chunk: Buffer) => then(chunk.toString('latin1'), send))
      send(granted)
    }
  const upgrade = async (): Promise<Client> => {
    const client = stage.connect()
    client.send(stage.head('GET /ws', ...wanted))
    expect((await client.answer()).status).toBe(101)
    return client
  }

  it('check 14: WebSocket', async () => {
    let heard = ''
    stage.upstream.respond = grant((bytes, send) => {
      heard += bytes
      if (heard === masked) send(unmasked)
    })
    const client = stage.connect()
    client.send(stage.head('GET /ws?a=1', ...wanted))
    const answer = await client.answer()
    expect([answer.status, valueOf(answer, 'upgrade'), valueOf(answer, 'sec-websocket-accept')]).toEqual([
      101,
      'websocket',
      's3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
    ])
    expect(answer.lines.filter(([name]) => /^(content-length|transfer-encoding)$/i.test(name))).toEqual([])
    const [seen] = stage.upstream.seen
    const lines = seen?.lines ?? []
    expect([seen?.target, valuesOf(lines, 'upgrade'), valuesOf(lines, 'connection')]).toEqual([
      '/ws?a=1',
      ['websocket'],
      ['Upgrade'],
    ])
    expect(valuesOf(lines, 'x-postern-credential')).toEqual([stage.key.id])
    expect(valuesOf(lines, 'authorization')).toEqual([])
    for (const byte of masked) client.send(byte)
    await client.until(unmasked)
    expect([heard, client.bytes().endsWith(`\r\n\r\n${unmasked}`)]).toEqual([masked, true])
  })

  it.each([
    ['no credential', 401, 'credential_missing', '/ws', ''],
    ['one that is not known', 401, 'credential_unknown', '/ws', 'Authorization: Bearer nobody'],
    ['one without the scope', 403, 'scope_missing', '/admin/ws', 'KEY'],
  ])(
    'check 14, pitfall 19: with %s it is %i before the upstream hears of it',
    async (_name, status, code, path, line) => {
      const client = stage.connect()
      const lines = line === '' ? wanted : [line.replace('KEY', `Authorization: Bearer ${stage.key.value}`), ...wanted]
      client.send(stage.anonymous(`GET ${path}`, ...lines) + masked)
      expect(refusal(await client.answer())).toEqual({ status, code })
      await client.closed()
      expect(client.bytes()).not.toContain(' 101 ')
      expect(stage.upstream.connections).toHaveLength(0)
    },
  )

  it('pitfall 19: a refusal of the upstream is a normal answer, and nothing behind the head is sent on', async () => {
    stage.upstream.respond = (_request, { send }) =>
      send('HTTP/1.1 426 Upgrade Required\r\nUpgrade: h2c\r\nContent-Length: 4\r\n\r\nmore')
    const client = stage.connect()
    client.send(stage.head('GET /ws', ...wanted) + stage.head('GET /behind'))
    const answer = await client.answer()
    expect([answer.status, answer.body, valueOf(answer, 'connection')]).toEqual([426, 'more', 'close'])
    await client.closed()
    expect(stage.upstream.seen.map(({ target }) => target)).toEqual(['/ws'])
  })

  it('pitfall 19: each side may end, and the other still be heard', async () => {
    stage.upstream.respond = (_request, { socket, send }) => {
      socket.removeAllListeners('data')
      socket.resume()
      send(granted)
      socket.on('end', () => socket.end('last words', 'latin1'))
    }
    const client = await upgrade()
    client.send(close)
    client.socket.end()
    await client.closed()
    expect(client.bytes()).toMatch(/last words$/)
  })

  it.each(['gone', 'reset'] as const)('check 14: a client that is %s ends its upstream within 500 ms', async (how) => {
    stage.upstream.respond = grant()
    const client = await upgrade()
    if (how === 'gone') client.socket.destroy()
    else client.reset()
    expect(await msUntil(() => stage.upstream.connections.every(({ left }) => left !== null), 2_000)).toBeLessThan(500)
  })

  it('pitfall 19: both ends that are reset at once harm nobody', async () => {
    stage.upstream.respond = grant()
    const clients = await Promise.all(Array.from({ length: 20 }, () => upgrade()))
    for (const { socket } of stage.upstream.connections) socket.resetAndDestroy()
    for (const client of clients) client.reset()
    await stage.reset()
    expect((await stage.ask(stage.head('GET /'))).status).toBe(200)
  })

  it('statement 70: open streams and upgraded connections end within 5 s of the revoke of their credential, and no others', async () => {
    const events =
      'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n5\r\ndata:\r\n'
    stage.upstream.respond = (request, connection) =>
      request.target === '/ws' ? grant()(request, connection) : connection.send(events)
    const doomed = await issue(stage.server.api, stage.account.project, { apis: ['shop'], scopes: [] })
    const open = async (value: string, i: number): Promise<Client> => {
      const client = stage.connect()
      client.send(
        stage.anonymous(
          i % 2 === 0 ? 'GET /ws' : 'GET /events',
          `Authorization: Bearer ${value}`,
          ...(i % 2 === 0 ? wanted : []),
        ),
      )
      await client.until(i % 2 === 0 ? ' 101 ' : 'data:')
      return client
    }
    const others = await Promise.all([0, 1].map((i) => open(stage.key.value, i)))
    const clients = await Promise.all(Array.from({ length: 100 }, (_, i) => open(doomed.value, i)))
    const revoked = await stage.server.api('POST', `/credentials/${doomed.id}/revoke`, {})
    expect(revoked.status).toBe(200)
    expect(await msUntil(() => clients.every((client) => client.ended() !== null), 10_000)).toBeLessThan(5_000)
    // A stream that was cut does not look whole.
    for (const client of clients) expect(client.bytes()).not.toMatch(/\r\n0\r\n\r\n$/)
    await msUntil(() => stage.upstream.connections.filter(({ left }) => left === null).length === 2, 1_000)
    expect(others.map((client) => client.ended())).toEqual([null, null])
  })
}
