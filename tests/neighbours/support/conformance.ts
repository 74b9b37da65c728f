import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { Agent, request as httpRequest } from 'node:http'
import { createServer } from 'node:net'
import { join } from 'node:path'

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'

import { bearer, issue, makeAccount, type Account, type Holder } from '../../support/issue.ts'
import { exchange, request, type RawAnswer, type RawRequest } from '../../support/raw.ts'
import { startTestServer, type TestServer } from '../../support/server.ts'
import type { Echo } from '../../support/upstream.ts'
import { startProxy, type Proxy, type StartCommand } from './proxy.ts'

export interface Neighbour {
  readonly start: StartCommand
  /** The key of a query reaches the API, which the proxy's means cannot prevent. */
  readonly leavesQueryKey?: true
  /** Answers with the body that Postern gave, and not one made from the code. */
  readonly passesBody: boolean
  /** The script in the folder that asks, where the proxy's own means do not. */
  readonly script?: string
}

const yaml = `
apis:
  shop:
    address: shop.test
    upstream: UPSTREAM
    credentials: [{in: bearer}, {in: header, name: X-Api-Key}, {in: query, name: api_key}]
    scopes: {orders.read: Read, orders.write: Write}
    routes:
      - {id: getOrder, methods: [GET, POST], path: "/v1/orders/{id}", scopes: {any: [orders.read]}}
      - {id: admin, methods: [GET, PUT], path: "/v1/admin/**", scopes: {any: [orders.write]}}
      - {id: page, methods: [GET, POST], path: "/v1/page/**", client_side: true}
plans:
  pro: {apis: [shop], kinds: [secret, publishable], scopes: ["*"]}
  metered:
    apis: [shop]
    kinds: [secret]
    scopes: ["*"]
    limits: [{name: default, per: credential, requests: 2, window: 1m}]
`

/** Where clients connect from: no address that Postern trusts. */
const client = '127.0.0.9'
const stranger = '127.0.0.77'

/** What every proxy with its example has to do, on real sockets, with the real program. */
export function forwardAuthWith(name: string, neighbour: Neighbour): void {
  describe(`${name} with its example`, () => {
    promises(neighbour)
  })
}

function promises({ start, leavesQueryKey, passesBody, script }: Neighbour): void {
  let server: TestServer
  let proxy: Proxy
  let account: Account
  let key: Holder

  beforeAll(async () => {
    server = await startTestServer({ yaml, listen: ', trusted_proxies: ["127.0.0.1"], plain_http_from: [loopback]' })
    account = await makeAccount(server.api, 'pro')
    key = await issue(server.api, account.project)
    proxy = await startProxy(start, {
      api: Number(new URL(server.upstream.url).port),
      postern: Number(new URL(server.ops).port),
    })
  })
  beforeEach(() => server.upstream.clear())
  afterAll(async () => {
    await proxy.stop()
    await server.stop()
  })

  const send = (asked: RawRequest): Promise<RawAnswer> => request(proxy.port, { from: client, ...asked })
  /** What the API was sent; it must have been asked once. */
  const seen = (): Echo => {
    expect(server.upstream.seen).toHaveLength(1)
    return server.upstream.seen[0] ?? { method: '', target: '', headers: [], body: '' }
  }
  const refused = (answer: RawAnswer, status: number, code: string): void => {
    expect([answer.status, server.upstream.seen]).toEqual([status, []])
    expect(answer.body).toMatchObject({ code, status })
    expect(answer.body.request_id).toBe(answer.header('x-request-id'))
    if (passesBody) expect(answer.body.detail).toEqual(expect.any(String))
  }

  describe('what is allowed', () => {
    it('reaches the API with who it is, and without the credential', async () => {
      for (const credential of [bearer(key.value), ['X-Api-Key', key.value] as const]) {
        server.upstream.clear()
        const answer = await send({ target: '/v1/orders/1?b=%31&a=;', headers: [credential, ['X-Other', 'kept']] })
        const echo = seen()
        expect([answer.status, echo.method, echo.target]).toEqual([200, 'GET', '/v1/orders/1?b=%31&a=;'])
        expect(identityIn(echo)).toEqual({
          'x-postern-credential': [key.id],
          'x-postern-kind': ['secret'],
          'x-postern-account': [account.id],
          'x-postern-project': [account.project],
          'x-postern-environment': ['live'],
          'x-postern-api': ['shop'],
          'x-postern-scopes': ['orders.read'],
          'x-postern-request': [answer.header('x-request-id')],
        })
        expect(valuesOf(echo, 'x-other')).toEqual(['kept'])
        expect(JSON.stringify(echo)).not.toContain(key.value)
      }
    })

    it('keeps its method and its body', async () => {
      const body = randomBytes(60_000).toString('base64')
      const answer = await send({ method: 'POST', target: '/v1/orders/1', headers: [bearer(key.value)], body })
      expect([answer.status, seen().method, seen().body === body]).toEqual([200, 'POST', true])
      server.upstream.clear()
      const head = await exchange(
        proxy.port,
        `HEAD /v1/orders/1 HTTP/1.1\r\nHost: shop.test\r\nAuthorization: Bearer ${key.value}\r\nConnection: close\r\n\r\n`,
        { method: 'HEAD', from: client },
      )
      expect([head.map(({ status }) => status), seen().method]).toEqual([[200], 'HEAD'])
    })

    it(`with a key in the query: the API ${leavesQueryKey === true ? 'sees it (documented)' : 'does not see it'}`, async () => {
      const answer = await send({ target: `/v1/orders/1?a=1&api_key=${key.value}` })
      expect([answer.status, seen().target]).toEqual([
        200,
        leavesQueryKey === true ? `/v1/orders/1?a=1&api_key=${key.value}` : '/v1/orders/1?a=1',
      ])
    })
  })

  describe('what is refused never reaches the API', () => {
    it('without a key: 401 with every challenge', async () => {
      const answer = await send({ target: '/v1/orders/1' })
      refused(answer, 401, 'credential_missing')
      const challenges = answer.headers('www-authenticate').join(', ')
      expect(challenges).toContain('Bearer realm="shop"')
      expect(challenges).toContain('ApiKey realm="shop", in="header", name="x-api-key"')
    })

    it('with a key that is unknown, dead, or sent twice', async () => {
      const dead = await issue(server.api, account.project)
      await server.api('POST', `/credentials/${dead.id}/revoke`, {})
      refused(await send({ target: '/v1/orders/1', headers: [bearer(dead.value)] }), 401, 'credential_revoked')
      refused(await send({ target: '/v1/orders/1', headers: [bearer('nonsense')] }), 401, 'credential_unknown')
      const twice = await send({ target: '/v1/orders/1', headers: [bearer(key.value), bearer(dead.value)] })
      expect([twice.status >= 400 && twice.status < 500, server.upstream.seen]).toEqual([true, []])
    })

    it('without the scope, at no route, with no method of the route', async () => {
      const headers = [bearer(key.value)]
      refused(await send({ target: '/v1/admin/x', headers }), 403, 'scope_missing')
      refused(await send({ target: '/v1/nothing', headers }), 404, 'route_unknown')
      const method = await send({ method: 'DELETE', target: '/v1/orders/1', headers })
      refused(method, 405, 'method_not_allowed')
      expect(method.header('allow')).toBe('GET, HEAD, POST')
      refused(await send({ target: '/v1/orders/1', host: 'other.test', headers }), 404, 'api_unknown')
    })

    it('over the limit: 429 and when to come back', async () => {
      const metered = await makeAccount(server.api, 'metered')
      const { value } = await issue(server.api, metered.project)
      const target = { target: '/v1/orders/1', headers: [bearer(value)] }
      const first = await send(target)
      expect([first.status, first.header('ratelimit-policy')]).toEqual([200, '"default";q=2;w=60'])
      expect((await send(target)).status).toBe(200)
      server.upstream.clear()
      const spent = await send(target)
      refused(spent, 429, 'rate_limited')
      expect(Number(spent.header('retry-after'))).toBeGreaterThan(0)
    })

    it.each([
      '/v1/page/../admin/x',
      '/v1/page/%2e%2e/admin/x',
      '/v1/page/.%2E/admin/x',
      '/v1/page/..%2fadmin/x',
      '/v1/page/%2e%2e%2fadmin/x',
      '/v1/page/%252e%252e/admin/x/..',
      '//v1/admin/x',
      '/v1//admin/x',
      '/v1/admin%2fx',
      '/v1/page/..;/admin/x',
      '/v1/page/x;/../../admin/x',
      '/v1/page/..\\admin/x',
      '/v1/page/x%00',
      '/v1/%61dmin/x',
      '/v1/./admin/x',
      '/v1/page/x#/../../admin/x',
    ])('6: whatever the path is disguised as: %s', async (target) => {
      const answer = await send({ target, headers: [bearer(key.value)] })
      expect([answer.status >= 400 && answer.status < 500, server.upstream.seen]).toEqual([true, []])
    })
  })

  describe('what a client says of itself is not believed', () => {
    it('26: its address is that of its connection', async () => {
      const here = await issue(server.api, account.project, { ip_allow: [client] })
      const there = await issue(server.api, account.project, { ip_allow: [stranger, '127.0.0.1'] })
      const spoofed = ['X-Forwarded-For', 'X-Real-IP', 'Forwarded', 'CF-Connecting-IP', 'X-Client-IP'].map(
        (name) => [name, name === 'Forwarded' ? `for=${stranger}` : stranger] as const,
      )
      const target = '/v1/orders/1'
      expect((await send({ target, headers: [bearer(here.value), ...spoofed] })).status).toBe(200)
      expect(valuesOf(seen(), 'x-forwarded-for')).toEqual([client])
      server.upstream.clear()
      refused(await send({ target, headers: [bearer(there.value), ...spoofed] }), 403, 'ip_not_allowed')
    })

    it.each([
      ['X-Forwarded-Uri', '/v1/page/x'],
      ['X-Original-URI', '/v1/page/x'],
      ['X-Original-URL', '/v1/page/x'],
      ['X-Rewrite-URL', '/v1/page/x'],
      ['X-Forwarded-Method', 'GET'],
      ['X-HTTP-Method-Override', 'GET'],
      ['X-Forwarded-Host', 'other.test'],
      ['X-Forwarded-Prefix', '/v1/page'],
      ['x_forwarded_uri', '/v1/page/x'],
    ])('28: %s names no other request than the one that was sent', async (name, value) => {
      const headers = [bearer(key.value), [name, value]] as const
      refused(await send({ method: 'PUT', target: '/v1/admin/x', headers }), 403, 'scope_missing')
      expect((await send({ target: '/v1/orders/1', headers })).status).toBe(200)
      expect(seen().target).toBe('/v1/orders/1')
    })

    it.each([
      ['as they are', (name: string) => name],
      ['in lower case', (name: string) => name.toLowerCase()],
      ['in upper case', (name: string) => name.toUpperCase()],
      ['with underscores', (name: string) => name.replaceAll('-', '_')],
      ['with dots', (name: string) => name.replaceAll('-', '.')],
      ['with one underscore', (name: string) => name.replace(/-(?=[A-Za-z]+$)/, '_')],
    ])('2: identity headers, spelled %s', async (_how, spell) => {
      const evil = identityNames.flatMap((name) => [
        [spell(name), 'evil'] as const,
        [spell(name), 'evil, twice'] as const,
      ])
      const answer = await send({ target: '/v1/orders/1', headers: [...evil, bearer(key.value), ...evil] })
      expect(answer.status).toBe(200)
      const echo = seen()
      expect(JSON.stringify(echo)).not.toContain('evil')
      expect(identityIn(echo)).toMatchObject({ 'x-postern-account': [account.id], 'x-postern-credential': [key.id] })
    })

    it.each([
      'close, X-Postern-Account',
      'x-postern-account, x-postern-credential, close',
      'close, X-Forwarded-For',
      'close, Authorization',
      'close, X-Forwarded-Uri, X-Forwarded-Method, X-Forwarded-Host, X-Forwarded-Proto',
    ])('1: Connection: %s takes nothing away that Postern said', async (named) => {
      const answers = await exchange(
        proxy.port,
        `GET /v1/orders/1 HTTP/1.1\r\nHost: shop.test\r\nConnection: ${named}\r\nAuthorization: Bearer ${key.value}\r\n\r\n`,
        { from: client },
      )
      // Either the request is turned away, or the API learns who it is.
      const [status = 0] = answers.map((answer) => answer.status)
      if (status >= 400 && status < 500) return expect(server.upstream.seen).toEqual([])
      expect(status).toBe(200)
      expect(identityIn(seen())).toMatchObject({
        'x-postern-account': [account.id],
        'x-postern-credential': [key.id],
        'x-postern-scopes': ['orders.read'],
      })
      expect(valuesOf(seen(), 'x-forwarded-for')).toEqual([client])
    })
  })

  describe('pages', () => {
    it('of a listed origin: the preflight is answered, the request passes, refusals can be read', async () => {
      const preflight: RawRequest = {
        method: 'OPTIONS',
        target: '/v1/page/x',
        headers: [
          ['Origin', 'https://page.example'],
          ['Access-Control-Request-Method', 'POST'],
        ],
      }
      expect([(await send(preflight)).status, server.upstream.seen]).toEqual([403, []])
      const page = await issue(server.api, account.project, {
        kind: 'publishable',
        scopes: [],
        origin_allow: ['https://page.example'],
      })
      const answer = await send(preflight)
      expect([answer.status, answer.header('access-control-allow-origin'), server.upstream.seen]).toEqual([
        204,
        'https://page.example',
        [],
      ])
      const origin = ['Origin', 'https://page.example'] as const
      const passed = await send({ target: '/v1/page/x', headers: [bearer(page.value), origin] })
      expect([passed.status, passed.header('access-control-allow-origin')]).toEqual([200, 'https://page.example'])
      server.upstream.clear()
      const unread = await send({ target: '/v1/page/x', headers: [origin] })
      refused(unread, 401, 'credential_missing')
      expect(unread.header('access-control-allow-origin')).toBe('https://page.example')
    })
  })

  it('costs little time: no pause of a half-sent question in it', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const times: number[] = []
    for (let i = 0; i < 60; i++) {
      const begun = performance.now()
      expect(await statusOf(agent, proxy.port, key.value)).toBe(200)
      times.push(performance.now() - begun)
    }
    agent.destroy()
    // Nagle's algorithm against a delayed acknowledgement would cost 40 ms each time.
    expect(times.toSorted((a, b) => a - b)[30]).toBeLessThan(30)
  })

  it.each(script === undefined ? [] : [script])('fails closed: where %s has a fault, nothing passes', async (name) => {
    const broken = await startProxy(
      (folder) => {
        const file = join(folder, name)
        writeFileSync(file, readFileSync(file, 'utf8').replace('local sent = ', 'local sent = no_such_thing.field or '))
        return start(folder)
      },
      { api: Number(new URL(server.upstream.url).port), postern: Number(new URL(server.ops).port) },
    )
    try {
      const answer = await request(broken.port, { target: '/v1/orders/1', headers: [bearer(key.value)] })
      expect([answer.status >= 500, server.upstream.seen]).toEqual([true, []])
    } finally {
      await broken.stop()
    }
  })

  it('fails closed: while Postern is gone, or says nothing, nothing passes', async () => {
    await server.running.stop(0)
    for (let i = 0; i < 3; i++) {
      const answer = await send({ target: '/v1/orders/1', headers: [bearer(key.value)] })
      expect([answer.status >= 500, server.upstream.seen]).toEqual([true, []])
    }
    // Something that takes the question and says nothing.
    const silent = createServer((socket) => socket.on('error', () => socket.destroy())).listen(
      Number(new URL(server.ops).port),
      '127.0.0.1',
    )
    try {
      const begun = performance.now()
      const answer = await send({ target: '/v1/orders/1', headers: [bearer(key.value)] })
      expect([answer.status >= 500, server.upstream.seen]).toEqual([true, []])
      expect(performance.now() - begun).toBeLessThan(15_000)
    } finally {
      silent.close()
    }
  })
}

const identityNames = [
  'X-Postern-Credential',
  'X-Postern-Kind',
  'X-Postern-Account',
  'X-Postern-Project',
  'X-Postern-Environment',
  'X-Postern-Api',
  'X-Postern-Scopes',
  'X-Postern-Subject',
  'X-Postern-Grant',
  'X-Postern-Request',
]

/** Identity headers that have a value, by their name as a careless API reads it. */
function identityIn({ headers }: Echo): Readonly<Record<string, readonly string[]>> {
  const found = new Map<string, string[]>()
  for (let i = 0; i < headers.length; i += 2) {
    const name = (headers[i] ?? '').toLowerCase().replaceAll(/[_.]/g, '-')
    const value = headers[i + 1] ?? ''
    if (name.startsWith('x-postern-') && value !== '') found.set(name, [...(found.get(name) ?? []), value])
  }
  return Object.fromEntries(found)
}

function valuesOf({ headers }: Echo, name: string): readonly string[] {
  return headers.filter((_, i) => i % 2 === 1 && headers[i - 1]?.toLowerCase() === name)
}

function statusOf(agent: Agent, port: number, value: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { host: 'shop.test', authorization: `Bearer ${value}` }
    const sent = httpRequest({ agent, port, host: '127.0.0.1', path: '/v1/orders/1', headers }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode ?? 0))
    })
    sent.once('error', reject).end()
  })
}
