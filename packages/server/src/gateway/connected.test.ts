import { describe, expect, it } from 'vitest'

import { fixedClock } from '../base/clock.ts'
import { fail, ok } from '../base/result.ts'
import { Secret } from '../base/secret.ts'
import type { Route } from '../core/apis/api.ts'
import { injectionOf, type Injection } from '../core/connections/injection.ts'
import type { CredentialPlace } from '../core/connections/platform.ts'
import type { Unusable } from '../core/connections/table.ts'
import { createConnected, type UsableConnections } from './connected.ts'
import { gatewayTo, head, key } from './testing/harness.ts'
import { rawClient, request } from './testing/raw-client.ts'
import type { Reply } from './testing/raw-upstream.ts'

const main = { live: { name: 'main' }, sandbox: null } as const

function injecting(...places: readonly CredentialPlace[]): Injection {
  const secrets = new Map([['secret', new Secret('S3CRET/of+theirs')]])
  const made = injectionOf(places, { id: 'project-1' }, secrets)
  if (!made.ok) throw new Error(made.error)
  return made.value
}

const found = (injection: Injection): UsableConnections => ({ find: () => ok(injection), inForce: () => true })
const missing = (reason: Unusable): UsableConnections => ({ find: () => fail(reason), inForce: () => false })
const connected: Partial<Route> = { connection: main }

async function seenBy(injection: Injection, lines: readonly string[], reply?: Reply) {
  const gateway = await gatewayTo(reply, {
    route: connected,
    connections: found(injection),
    places: [{ in: 'header', name: 'x-api-key', accept: ['key'], kinds: null }],
  })
  const client = rawClient(gateway.port)
  client.send(head(...lines, 'Connection: close'))
  const answer = await client.closed()
  const [seen] = gateway.upstream.seen
  const own = (seen?.lines ?? []).filter(([name]) => !/^(host|x-request-id|x-postern-|x-forwarded-)/i.test(name))
  return { answer, path: seen?.path, lines: own, ...gateway }
}

describe('a route with a connection (VCH-5)', () => {
  it('sends the credential in every place of the platform, and nothing that the client sent there', async () => {
    const injection = injecting(
      { in: 'bearer', field: 'secret' },
      { in: 'header', name: 'X-Batch-Project', prefix: '', field: 'id' },
    )
    const { lines } = await seenBy(injection, [
      'GET /a HTTP/1.1',
      'Host: a',
      key,
      'Authorization: Bearer of-the-client',
      'X_Batch_Project: of-the-client',
      'x-batch-project: of-the-client',
      'Connection: X-Batch-Project, Authorization',
      'X-Other: stays',
    ])
    expect(lines).toEqual([
      ['X-Other', 'stays'],
      ['Authorization', 'Bearer S3CRET/of+theirs'],
      ['X-Batch-Project', 'project-1'],
    ])
  })

  it('puts a parameter after the client’s query, less those of its name', async () => {
    const injection = injecting(
      { in: 'query', name: 'measurement_id', field: 'id' },
      { in: 'query', name: 'api_secret', field: 'secret' },
    )
    const { path, dataPlane, faults } = await seenBy(injection, [
      'GET /mp/collect?api_secret=mine&x=1&api%5Fsecret=mine&measurement_id=G-1;api_secret=mine HTTP/1.1',
      'Host: a',
      key,
    ])
    expect(path).toBe('/mp/collect?x=1&measurement_id=project-1&api_secret=S3CRET%2Fof%2Btheirs')
    expect([JSON.stringify(dataPlane.metered).includes('S3CRET'), faults]).toEqual([false, []])
  })

  it('lets no header of an answer tell it: a redirect loses the parameter, an echo its line', async () => {
    const injection = injecting({ in: 'query', name: 'key', field: 'secret' })
    const { answer } = await seenBy(injection, ['GET /a HTTP/1.1', 'Host: a', key], (_seen, socket) => {
      socket.write(
        [
          'HTTP/1.1 103 Early Hints',
          'Link: </s?key=S3CRET%2Fof%2Btheirs>; rel=preload',
          '',
          'HTTP/1.1 301 Moved Permanently',
          'Location: https://api.test/a/?x=1&key=S3CRET%2Fof%2Btheirs#top',
          'X-Echo: GET /a?key=S3CRET%2Fof%2Btheirs',
          'X-Plain: S3CRET/of+theirs',
          'X-Kept: yes',
          'Content-Length: 0',
          '',
          '',
        ].join('\r\n'),
      )
    })
    expect(answer).not.toContain('S3CRET')
    expect(answer).toContain('\r\nLocation: https://api.test/a/?x=1#top\r\n')
    expect(answer).toContain('\r\nX-Kept: yes\r\n')
    expect(answer).not.toMatch(/Link|X-Echo|X-Plain/)
  })

  it('lets no trailer of an answer tell it', async () => {
    const { answer } = await seenBy(
      injecting({ in: 'header', name: 'X-Key', prefix: 'Token ', field: 'secret' }),
      ['GET /a HTTP/1.1', 'Host: a', key],
      (_seen, socket) => {
        socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Echo, X-Sum\r\n\r\n')
        socket.write('1\r\na\r\n0\r\nX-Echo: Token S3CRET/of+theirs\r\nX-Sum: 1\r\n\r\n')
      },
    )
    expect(answer).toContain('X-Sum: 1')
    expect(answer).not.toContain('S3CRET')
  })

  it.each(['absent', 'disabled', 'several', 'unreadable', 'body'] as const)(
    'is never forwarded without it: %s',
    async (reason) => {
      const gateway = await gatewayTo(undefined, { route: connected, connections: missing(reason) })
      const answer = await request(gateway.port, head('POST /a HTTP/1.1', 'Host: a', key, 'Content-Length: 2') + 'ab')
      expect(answer.status).toBe(503)
      expect(JSON.parse(answer.body)).toMatchObject({ code: 'connection_unavailable', status: 503 })
      expect(gateway.upstream.seen).toEqual([])
      expect(gateway.faults).toEqual(['connection.unavailable'])
      expect(gateway.dataPlane.metered).toMatchObject([
        { status: 503, ended: 'answered', evaluation: { refusal: { code: 'connection_unavailable' } } },
      ])
    },
  )

  it('is not forwarded either where no connection is declared for the environment, or none are known', async () => {
    for (const route of [{ connection: { live: null, sandbox: null } }, connected]) {
      const gateway = await gatewayTo(undefined, { route })
      const answer = await request(gateway.port, head('GET /a HTTP/1.1', 'Host: a', key))
      expect([answer.status, gateway.upstream.seen.length]).toEqual([503, 0])
    }
  })
})

describe('what is missing', () => {
  it('is told once a minute for each connection, with its reason and without a secret', () => {
    const told: unknown[] = []
    const clock = fixedClock(0)
    const connections = createConnected(missing('disabled'), (event, fields, error) =>
      told.push([event, fields, error]),
    )
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is read of an evaluation
    const evaluation = { api: { id: 'shop' }, principal: null } as never
    const find = (name: string) => connections.find({ live: { name }, sandbox: null }, 'live', evaluation, clock.now())
    for (let i = 0; i < 5; i++) expect(find('main')).toBeNull()
    find('other')
    clock.advance(59_999)
    find('main')
    expect(told).toEqual([
      [
        'connection.unavailable',
        { api: 'shop', name: 'main', connection_reason: 'disabled' },
        'the connection is disabled',
      ],
      [
        'connection.unavailable',
        { api: 'shop', name: 'other', connection_reason: 'disabled' },
        'the connection is disabled',
      ],
    ])
    clock.advance(1)
    find('main')
    expect(told.length).toBe(3)
  })
})
