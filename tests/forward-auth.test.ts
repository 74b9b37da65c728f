import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'

import { fixedClock, type FixedClock } from '../packages/server/src/base/clock.ts'
import { makeAuthority } from './support/certificates.ts'
import { bearer, issue, makeAccount, type Account } from './support/issue.ts'
import { freePorts } from './support/ports.ts'
import { exchange, request, type RawAnswer, type RawRequest } from './support/raw.ts'
import { startTestServer, type TestServer } from './support/server.ts'
import { until } from './support/until.ts'

const yaml = `
failures: {attempts: 3, window: 1m}
apis:
  shop:
    address: {live: shop.test, sandbox: sandbox.shop.test}
    upstream: UPSTREAM
    credentials: [{in: bearer}, {in: header, name: X-Api-Key}, {in: query, name: api_key}, {in: basic}]
    scopes: {orders.read: Read, orders.write: Write}
    routes:
      - {id: getOrder, methods: [GET], path: "/v1/orders/{id}", scopes: {any: [orders.read]}}
      - {id: putOrder, methods: [PUT], path: "/v1/orders/{id}", scopes: {any: [orders.write]}}
      - {id: page, methods: [GET, POST], path: "/v1/page/**", client_side: true}
      - {id: paused, methods: [GET], path: /v1/paused, maintenance: {retry_after: 5m, message: Back soon}}
      - {id: small, methods: [GET], path: /v1/small, headers_max: 1KiB}
  books:
    address: ":PORT0"
    upstream: UPSTREAM
    scopes: {orders.read: Read}
    unmatched: forward
plans:
  pro: {apis: [shop, books], kinds: [secret, publishable], scopes: ["*"]}
  metered:
    apis: [shop]
    kinds: [secret]
    scopes: ["*"]
    limits: [{name: default, per: credential, requests: 2, window: 1m}]
`

let server: TestServer
let clock: FixedClock
let pro: Account
let key: string
let opsPort: number

beforeAll(async () => {
  clock = fixedClock(Date.UTC(2026, 4, 1))
  server = await startTestServer({
    yaml,
    clock,
    ownPorts: 2,
    listen: ', trusted_proxies: [127.0.0.1, 10.0.0.0/8], plain_http_from: [loopback]',
  })
  opsPort = Number(new URL(server.ops).port)
  pro = await makeAccount(server.api, 'pro')
  key = (await issue(server.api, pro.project)).value
})
beforeEach(() => clock.advance(60_000))
afterAll(() => server.stop())

type Pairs = readonly (readonly [string, string])[]

interface Asked {
  readonly method?: string
  readonly uri?: string
  readonly host?: string
  readonly ip?: string
  readonly proto?: string
  readonly headers?: Pairs
  readonly query?: string
  readonly from?: string
}

/** The question that Traefik or Caddy asks about a request. */
function ask({ method, uri, host, ip, proto, headers = [], query = '', from }: Asked = {}): Promise<RawAnswer> {
  return request(opsPort, {
    target: `/forward-auth${query}`,
    host: '127.0.0.1:8082',
    headers: [
      ['X-Forwarded-Method', method ?? 'GET'],
      ['X-Forwarded-Proto', proto ?? 'https'],
      ['X-Forwarded-Host', host ?? 'shop.test'],
      ['X-Forwarded-Uri', uri ?? '/v1/orders/1'],
      ['X-Forwarded-For', ip ?? '203.0.113.7'],
      ...headers,
    ],
    ...(from !== undefined && { from }),
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

describe('forward-auth', () => {
  it('answers an allowed request with every identity header, and nothing else to read', async () => {
    const answer = await ask({ headers: [bearer(key)] })
    expect([answer.status, answer.text]).toEqual([200, ''])
    const identity = Object.fromEntries(identityNames.map((name) => [name, answer.headers(name)]))
    expect(identity).toEqual({
      'X-Postern-Credential': [expect.stringMatching(/^cred_/)],
      'X-Postern-Kind': ['secret'],
      'X-Postern-Account': [pro.id],
      'X-Postern-Project': [pro.project],
      'X-Postern-Environment': ['live'],
      'X-Postern-Api': ['shop'],
      'X-Postern-Scopes': ['orders.read'],
      'X-Postern-Subject': [''],
      'X-Postern-Grant': [''],
      'X-Postern-Request': [answer.header('x-request-id')],
    })
    expect(answer.header('x-request-id')).toMatch(/^req_/)
    expect(answer.header('cache-control')).toBe('no-store')
    expect(answer.header('x-postern-uri')).toBe('/v1/orders/1')
    expect(answer.text + answer.lines.join('\n')).not.toContain(key)
  })

  it('answers a refusal as the gateway does, with code and status in headers', async () => {
    const refused = await ask()
    const same = await request(server.gatewayPort, {
      target: '/v1/orders/1',
      headers: [
        ['X-Forwarded-For', '203.0.113.7'],
        ['X-Forwarded-Proto', 'https'],
      ],
    })
    expect(refused.status).toBe(401)
    // In one line: not every proxy passes on more of them.
    expect(same.headers('www-authenticate')).toHaveLength(4)
    expect(refused.headers('www-authenticate')).toEqual([same.headers('www-authenticate').join(', ')])
    expect({ ...refused.body, request_id: '' }).toEqual({ ...same.body, request_id: '' })
    expect(refused.header('content-type')).toBe('application/problem+json')
    expect(refused.body.request_id).toBe(refused.header('x-request-id'))
    expect([refused.header('x-postern-code'), refused.header('x-postern-status')]).toEqual([
      'credential_missing',
      '401',
    ])
    // What is refused has no identity, not even an empty one.
    expect(identityNames.flatMap((name) => refused.headers(name))).toEqual([])
  })

  it.each([
    ['no credential', {}, 401, 'credential_missing'],
    ['a missing scope', { method: 'PUT' }, 403, 'scope_missing'],
    ['a path of no route', { uri: '/v1/nothing' }, 404, 'route_unknown'],
    ['a method of no route', { method: 'DELETE' }, 405, 'method_not_allowed'],
    ['a host of no API', { host: 'evil.test' }, 404, 'api_unknown'],
    ['the other environment', { host: 'sandbox.shop.test' }, 403, 'wrong_environment'],
    ['plain HTTP', { proto: 'http' }, 403, 'insecure_transport'],
    ['dot segments', { uri: '/v1/page/../orders/1' }, 400, 'path_not_canonical'],
    ['encoded dot segments', { uri: '/v1/page/%2e%2e/orders/1' }, 400, 'path_not_canonical'],
    ['an empty segment', { uri: '//v1/orders/1' }, 400, 'path_not_canonical'],
    ['a target that is no path', { uri: 'https://shop.test/v1/orders/1' }, 400, 'request_malformed'],
    ['a target of two lines’ worth', { uri: `/v1/orders/${'x'.repeat(8_192)}` }, 414, 'uri_too_long'],
    ['TRACE', { method: 'TRACE' }, 400, 'request_malformed'],
    ['a host that is none', { host: 'evil.test, shop.test' }, 400, 'request_malformed'],
    ['a method that is none', { method: 'GET /' }, 400, 'request_malformed'],
  ] as const)('refuses %s as the gateway would', async (_name, asked, status, code) => {
    const headers = code === 'credential_missing' ? [] : [bearer(key)]
    const answer = await ask({ ...asked, headers })
    expect([answer.status, answer.header('x-postern-code'), answer.header('x-postern-status')]).toEqual([
      status,
      code,
      String(status),
    ])
    expect(identityNames.flatMap((name) => answer.headers(name))).toEqual([])
  })

  it('maps what a proxy does not understand to 403; the code and the status stay readable', async () => {
    const query = '?statuses=401,403'
    const statusOf = async (asked: Asked) => {
      const answer = await ask({ query, ...asked })
      return [answer.status, answer.header('x-postern-code'), answer.header('x-postern-status')]
    }
    const headers = [bearer(key)]
    expect(await statusOf({})).toEqual([401, 'credential_missing', '401'])
    expect(await statusOf({ headers, method: 'PUT' })).toEqual([403, 'scope_missing', '403'])
    expect(await statusOf({ headers, uri: '/v1/nothing' })).toEqual([403, 'route_unknown', '404'])
    expect(await statusOf({ headers, uri: '//' })).toEqual([403, 'path_not_canonical', '400'])
    expect(await statusOf({ headers })).toEqual([200, null, null])
    const wider = await ask({ headers, uri: '/v1/nothing', query: '?statuses=403,404' })
    expect([wider.status, (await ask({ query: '?statuses=403,404' })).status]).toEqual([404, 403])
  })

  it('answers for a route that is paused as the gateway does, and charges nothing', async () => {
    const answer = await ask({ headers: [bearer(key)], uri: '/v1/paused', query: '?statuses=401,403' })
    expect([answer.status, answer.header('x-postern-code'), answer.header('retry-after')]).toEqual([
      503,
      'maintenance',
      '300',
    ])
    expect((await ask({ uri: '/v1/paused' })).status).toBe(401)
  })

  it('68: counts the client’s own headers against headers_max, as the gateway does, and charges nothing beyond', async () => {
    const forwarded: Pairs = [
      ['X-Forwarded-For', '203.0.113.7'],
      ['X-Forwarded-Proto', 'https'],
    ]
    const bytes = ['Host', 'shop.test', 'Connection', 'close', ...bearer(key), 'X-More'].join('').length
    const filled = (length: number): Pairs => [bearer(key), ['X-More', 'x'.repeat(length - bytes)]]
    for (const [length, status] of [
      [1_024, 200],
      [1_025, 431],
    ] as const) {
      // What the proxy says does not count; the gateway gets it from a proxy too, and there it does.
      const asked = await ask({ uri: '/v1/small', headers: filled(length) })
      const there = await request(server.gatewayPort, {
        target: '/v1/small',
        headers: [...forwarded, ...filled(length - forwarded.flat().join('').length)],
      })
      expect([asked.status, there.status]).toEqual([status, status])
    }
    const mapped = await ask({ uri: '/v1/small', headers: filled(1_025), query: '?statuses=401,403' })
    expect([mapped.status, mapped.header('x-postern-code'), mapped.header('ratelimit')]).toEqual([
      403,
      'headers_too_large',
      null,
    ])
  })

  it('leaves 5xx as they are', async () => {
    const wrong = await ask({ query: '?statuses=401,403', headers: [['X-Forwarded-Uri', '/v1/page/x']] })
    expect([wrong.status, wrong.header('x-postern-code')]).toEqual([500, 'forward_auth_misconfigured'])
  })

  it('charges limits and says when to come back', async () => {
    const account = await makeAccount(server.api, 'metered')
    const { value } = await issue(server.api, account.project)
    const headers = [bearer(value)]
    const first = await ask({ headers })
    expect([first.status, first.header('ratelimit'), first.header('ratelimit-policy')]).toEqual([
      200,
      '"default";r=1;t=30',
      '"default";q=2;w=60',
    ])
    expect((await ask({ headers })).status).toBe(200)
    const spent = await ask({ headers })
    expect([spent.status, spent.header('retry-after'), spent.header('x-postern-code')]).toEqual([
      429,
      '30',
      'rate_limited',
    ])
    const mapped = await ask({ headers, query: '?statuses=401,403' })
    expect([mapped.status, mapped.header('retry-after'), mapped.header('x-postern-status')]).toEqual([403, '30', '429'])
    // One limiter: what forward-auth charged the gateway does not give again.
    const gateway = await request(server.gatewayPort, {
      target: '/v1/orders/1',
      headers: [...headers, ['X-Forwarded-For', '203.0.113.7'], ['X-Forwarded-Proto', 'https']],
    })
    expect(gateway.status).toBe(429)
  })

  it('counts failed attempts against the client and not against the proxy', async () => {
    const bad = [bearer('acme_sk_live_nonsense')]
    for (let i = 0; i < 3; i++) expect((await ask({ headers: bad, ip: '198.51.100.9' })).status).toBe(401)
    const locked = await ask({ headers: bad, ip: '198.51.100.9' })
    expect([locked.status, locked.header('x-postern-code')]).toEqual([429, 'too_many_failures'])
    expect((await ask({ headers: bad, ip: '198.51.100.10' })).status).toBe(401)
  })

  it('takes the key out of the target that it hands back', async () => {
    const uriOf = async (uri: string) => {
      const answer = await ask({ uri })
      return [answer.status, answer.header('x-postern-uri')]
    }
    expect(await uriOf(`/v1/orders/1?a=%31&api_key=${key}&b=;`)).toEqual([200, '/v1/orders/1?a=%31&b=;'])
    expect(await uriOf(`/v1/orders/1?api_key=${key}`)).toEqual([200, '/v1/orders/1'])
    expect(await uriOf(`/v1/orders/%31?api%5Fkey=${key}&x`)).toEqual([200, '/v1/orders/%31?x'])
  })

  it('by an API that is named: for addresses that are only a port', async () => {
    const books = await issue(server.api, pro.project, { apis: ['books'] })
    const headers = [bearer(books.value)]
    expect((await ask({ headers, query: ':books', uri: '/any/path' })).status).toBe(200)
    expect((await ask({ headers, query: ':books', uri: '/any' })).header('x-postern-api')).toBe('books')
    expect((await ask({ headers, query: ':shop' })).header('x-postern-code')).toBe('wrong_api')
    expect((await ask({ headers, query: ':none' })).header('x-postern-code')).toBe('api_unknown')
    expect((await ask({ headers, query: ':' })).header('x-postern-code')).toBe('api_unknown')
    const withoutHost = await request(opsPort, {
      target: '/forward-auth:books',
      headers: [
        ['X-Forwarded-Method', 'GET'],
        ['X-Forwarded-Proto', 'https'],
        ['X-Forwarded-Uri', '/any'],
        ['X-Forwarded-For', '203.0.113.7'],
        ...headers,
      ],
    })
    expect(withoutHost.status).toBe(200)
    const path = await request(opsPort, {
      target: '/forward-auth:books/any',
      headers: [['X-Forwarded-Proto', 'https'], ['X-Forwarded-For', '203.0.113.7'], ...headers],
    })
    expect([path.status, path.header('x-postern-uri')]).toEqual([200, '/any'])
  })

  it('28: a client cannot choose the API where a proxy passes on the query of its request', async () => {
    const books = await issue(server.api, pro.project, { apis: ['books'] })
    const uri = '/v1/orders/1?api=books&statuses=200'
    const answer = await ask({ headers: [bearer(books.value)], uri, query: '?api=books&statuses=200' })
    expect([answer.status, answer.header('x-postern-code')]).toEqual([403, 'wrong_api'])
  })
})

describe('a method that the gateway serves to nobody (37)', () => {
  const answerTo = async (method: string) => {
    const { value } = await issue(server.api, pro.project, { apis: ['books'], scopes: [] })
    return await ask({ method, query: ':books', headers: [bearer(value)] })
  }

  it.each(['get', 'Put', 'FOO', 'CONNECT', 'TRACE'])(
    'is refused here too, where the API takes what matches no route: %s',
    async (method) => {
      // Some frameworks take it for the upper-case one, whose route has scopes of its own.
      const answer = await answerTo(method)
      expect([answer.status, answer.header('x-postern-code')]).toEqual([400, 'request_malformed'])
    },
  )

  it('is any other one that is registered, as in the gateway', async () => {
    for (const method of ['PROPFIND', 'M-SEARCH', 'QUERY']) expect((await answerTo(method)).status).toBe(200)
  })
})

describe('who may ask, and what is believed (pitfalls 26 and 28)', () => {
  it('28: refuses peers outside trusted_proxies, whatever they say, and decides nothing', async () => {
    const seen = await ask({ from: '127.0.0.2', headers: [bearer(key)], ip: '10.0.0.1' })
    expect([seen.status, seen.header('x-postern-code')]).toEqual([403, 'forward_auth_untrusted'])
    // Nor do they keep one of the connections that are there for proxies.
    const head = `GET /forward-auth HTTP/1.1\r\nHost: a\r\n\r\n`
    const answers = await exchange(opsPort, head.repeat(2), { from: '127.0.0.2' })
    expect(answers.map((each) => [each.status, each.header('connection')])).toEqual([[403, 'close']])
    expect(seen.body.detail).toContain('listen.trusted_proxies')
    expect(seen.headers('x-postern-account')).toEqual([])
  })

  it('26: the client is the first address from the right that is no trusted proxy', async () => {
    const bound = await issue(server.api, pro.project, { ip_allow: ['203.0.113.0/24'] })
    const headers = [bearer(bound.value)]
    const codeOf = async (ip: string) => (await ask({ headers, ip })).header('x-postern-code')
    expect(await codeOf('203.0.113.7')).toBeNull()
    expect(await codeOf('203.0.113.7, 10.1.2.3')).toBeNull()
    expect(await codeOf('203.0.113.7, 198.51.100.1')).toBe('ip_not_allowed')
    expect(await codeOf('203.0.113.7, 198.51.100.1, 10.1.2.3')).toBe('ip_not_allowed')
  })

  it.each(['X-Forwarded-Method', 'X-Forwarded-Uri', 'X-Forwarded-Host', 'X-Forwarded-For', 'X-Forwarded-Proto'])(
    'says what is missing where the proxy sends no %s, and lets nothing through',
    async (name) => {
      const all: Pairs = [
        ['X-Forwarded-Method', 'GET'],
        ['X-Forwarded-Proto', 'https'],
        ['X-Forwarded-Host', 'shop.test'],
        ['X-Forwarded-Uri', '/v1/orders/1'],
        ['X-Forwarded-For', '203.0.113.7'],
        bearer(key),
      ]
      const answer = await request(opsPort, {
        target: '/forward-auth',
        host: 'shop.test',
        headers: all.filter(([each]) => each !== name),
      })
      expect([answer.status, answer.header('x-postern-code')]).toEqual([500, 'forward_auth_misconfigured'])
      expect(answer.body.detail).toContain(`It sent no ${name}.`)
    },
  )

  it('28: refuses where a client’s own line stands beside the proxy’s', async () => {
    for (const [name, value] of [
      ['X-Forwarded-Uri', '/v1/page/x'],
      ['x-forwarded-uri', '/v1/orders/1'],
      ['X-Forwarded-Method', 'GET'],
      ['X-Forwarded-Host', 'shop.test'],
    ] as const) {
      const answer = await ask({ headers: [bearer(key), [name, value]] })
      expect([name, answer.status, answer.header('x-postern-code')]).toEqual([name, 500, 'forward_auth_misconfigured'])
    }
  })

  it('28: looks at no other header for the original request', async () => {
    const answer = await ask({
      headers: [
        bearer(key),
        ['X-Original-URI', '/v1/page/x'],
        ['X-Original-URL', 'https://shop.test/v1/page/x'],
        ['X-Original-Method', 'PUT'],
        ['X-Rewrite-URL', '/v1/page/x'],
        ['X-HTTP-Method-Override', 'PUT'],
        ['X-Forwarded-Server', 'sandbox.shop.test'],
        ['X-Forwarded-Prefix', '/v1'],
        ['X-Forwarded-Port', '1'],
        ['Forwarded', 'for=198.51.100.1;host=evil.test;proto=http'],
        ['X-Real-IP', '198.51.100.1'],
        ['X-Postern-Account', 'acc_evil'],
        ['X-Postern-Api', 'books'],
      ],
    })
    expect([answer.status, answer.header('x-postern-uri')]).toEqual([200, '/v1/orders/1'])
    expect([answer.headers('x-postern-account'), answer.headers('x-postern-api')]).toEqual([[pro.id], ['shop']])
  })

  it('refuses two Authorization headers, as the gateway does', async () => {
    const answer = await ask({ headers: [bearer(key), bearer(key)] })
    expect([answer.status, answer.header('x-postern-code')]).toEqual([400, 'request_malformed'])
  })

  it('20: no header is lost behind many others: too many are refused', async () => {
    const many = (count: number): Pairs => Array.from({ length: count }, (_, i) => [`a${i}`, ''] as const)
    expect((await ask({ headers: [...many(90), bearer(key)] })).status).toBe(200)
    const answer = await ask({ headers: [...many(1_100), bearer(key)] })
    expect([answer.status, answer.header('x-postern-code')]).toEqual([431, 'headers_too_large'])
    expect((await ask({ headers: [['X-Large', 'x'.repeat(40_000)], bearer(key)] })).status).toBe(431)
  })
})

describe('questions with the original request in their own line, as Envoy asks', () => {
  const forwarded: Pairs = [
    ['X-Forwarded-For', '203.0.113.7'],
    ['X-Forwarded-Proto', 'https'],
  ]

  it('takes method, host and target from there alone', async () => {
    const spoofed: Pairs = [
      ['X-Forwarded-Uri', '/v1/page/x'],
      ['X-Forwarded-Method', 'GET'],
      ['X-Forwarded-Host', 'evil.test'],
    ]
    const asked = (method: string, target: string) =>
      request(opsPort, {
        method,
        target: `/forward-auth${target}`,
        host: 'shop.test',
        headers: [...forwarded, ...spoofed, bearer(key)],
      })
    const allowed = await asked('GET', '/v1/orders/1?api=books&statuses=403')
    expect([allowed.status, allowed.header('x-postern-uri')]).toEqual([200, '/v1/orders/1?api=books&statuses=403'])
    expect((await asked('PUT', '/v1/orders/1')).header('x-postern-code')).toBe('scope_missing')
    expect((await asked('GET', '/v1/nothing')).header('x-postern-code')).toBe('route_unknown')
    expect((await asked('GET', '//v1/orders/1')).header('x-postern-code')).toBe('path_not_canonical')
    expect((await asked('GET', '/%2e%2e/v1/orders/1')).header('x-postern-code')).toBe('path_not_canonical')
    const head = await asked('HEAD', '/v1/orders/1')
    expect([head.status, head.header('x-postern-account')]).toEqual([200, pro.id])
    const nobody = await request(opsPort, {
      target: '/forward-auth/v1/orders/1',
      host: 'shop.test',
      headers: [bearer(key)],
    })
    expect(nobody.header('x-postern-code')).toBe('forward_auth_misconfigured')
  })

  it('does not read a body: its connection ends with the answer', async () => {
    const head = (more: string) =>
      `POST /forward-auth/v1/page/x HTTP/1.1\r\nHost: shop.test\r\nX-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: https\r\n${more}\r\n`
    const smuggled = `${head('Content-Length: 38\r\n')}GET /forward-auth HTTP/1.1\r\nHost: a\r\n\r\n`
    const answers = await exchange(opsPort, smuggled)
    expect(answers.map((answer) => [answer.status, answer.header('connection')])).toEqual([[401, 'close']])
    const pipelined = await exchange(opsPort, `${head('')}${head('Connection: close\r\n')}`)
    expect(pipelined.map(({ status }) => status)).toEqual([401, 401])
  })
})

describe('preflights', () => {
  const preflight: Pairs = [
    ['Origin', 'https://page.example'],
    ['Access-Control-Request-Method', 'POST'],
  ]

  it('of a listed origin get the gateway’s answer, and the identity of nobody', async () => {
    const refused = await ask({ method: 'OPTIONS', uri: '/v1/page/x', headers: preflight })
    expect([refused.status, refused.header('x-postern-code')]).toEqual([403, 'origin_not_allowed'])
    await issue(server.api, pro.project, { kind: 'publishable', origin_allow: ['https://page.example'], scopes: [] })
    const answer = await ask({ method: 'OPTIONS', uri: '/v1/page/x', headers: preflight })
    expect([answer.status, answer.header('access-control-allow-origin')]).toEqual([204, 'https://page.example'])
    expect(answer.header('access-control-allow-methods')).toBe('GET, POST')
    expect(answer.header('access-control-allow-credentials')).toBeNull()
    const named = identityNames.filter((name) => answer.headers(name).join('') !== '')
    expect([named, identityNames.flatMap((name) => answer.headers(name)).length]).toEqual([
      ['X-Postern-Api', 'X-Postern-Request'],
      identityNames.length,
    ])
    expect(await ask({ method: 'OPTIONS', uri: '/v1/orders/1', headers: preflight })).toMatchObject({ status: 401 })
  })

  it('hand no key on, which stands in the query of a preflight as in that of its request', async () => {
    const uri = `/v1/page/x?a=1&api_key=${key}&api%5Fkey=${key}`
    const answer = await ask({ method: 'OPTIONS', uri, headers: preflight })
    expect([answer.status, answer.header('x-postern-uri')]).toEqual([204, '/v1/page/x?a=1'])
  })

  it('and the request that follows carries what the page needs to read its answer', async () => {
    const { value } = await issue(server.api, pro.project, {
      kind: 'publishable',
      origin_allow: ['https://page.example'],
      scopes: [],
    })
    const headers: Pairs = [bearer(value), ['Origin', 'https://page.example']]
    const answer = await ask({ uri: '/v1/page/x', headers })
    expect([answer.status, answer.header('access-control-allow-origin'), answer.header('vary')]).toEqual([
      200,
      'https://page.example',
      'Origin',
    ])
  })
})

describe('what remains of a question', () => {
  it('is a request row, counts and last use, as of a request through the gateway', async () => {
    const account = await makeAccount(server.api, 'pro')
    const used = await issue(server.api, account.project)
    const allowed = await ask({ headers: [bearer(used.value)], ip: '203.0.113.77' })
    const refused = await ask({ headers: [bearer(used.value)], method: 'PUT', query: '?statuses=401,403' })
    clock.advance(1_000)
    const rows = async () => (await server.api('GET', `/requests?credential=${used.id}`)).body.data
    await until('the log is written', async () => (await rows()).length === 2)
    const shown = (await rows()).map((row: Record<string, unknown>) => [
      row['id'],
      row['method'],
      row['path'],
      row['status'],
      row['code'],
      row['ip'],
      row['via'],
    ])
    expect(shown).toEqual(
      expect.arrayContaining([
        [allowed.header('x-request-id'), 'GET', '/v1/orders/1', 200, null, '203.0.113.77', 'forward_auth'],
        [refused.header('x-request-id'), 'PUT', '/v1/orders/1', 403, 'scope_missing', '203.0.113.7', 'forward_auth'],
      ]),
    )
    const explained = await server.api('POST', '/explain', { request_id: refused.header('x-request-id') })
    expect([explained.body.code, explained.body.trace.at(-1).step]).toEqual(['scope_missing', 'scopes'])
    const metrics = await (await fetch(`${server.ops}/metrics`)).text()
    expect(metrics).toMatch(/postern_requests_total\{api="shop",outcome="scope_missing"\} [1-9]/)
  })

  it('tells it apart from the same request through the gateway, through verify and to the management API', async () => {
    const account = await makeAccount(server.api, 'pro')
    const used = await issue(server.api, account.project)
    const forwarded: Pairs = [
      ['X-Forwarded-For', '203.0.113.7'],
      ['X-Forwarded-Proto', 'https'],
    ]
    await ask({ headers: [bearer(used.value)] })
    await request(server.gatewayPort, { target: '/v1/orders/1', headers: [...forwarded, bearer(used.value)] })
    const headers = { authorization: `Bearer ${used.value}` }
    await server.api('POST', '/verify', {
      api: 'shop',
      method: 'GET',
      path: '/v1/orders/1',
      headers,
      ip: '203.0.113.7',
    })
    clock.advance(1_000)
    const vias = async (query: string): Promise<string[]> => {
      const { data } = (await server.api('GET', `/requests?${query}`)).body
      return data.map(({ via }: { via: string }) => via).toSorted()
    }
    await expect.poll(() => vias(`credential=${used.id}`)).toEqual(['forward_auth', 'gateway', 'verify'])
    await expect.poll(async () => new Set(await vias('api=postern'))).toEqual(new Set(['management']))
  })
})

describe('the address of its own', () => {
  it('serves questions alone, comes and goes with a reload, and a bad one changes nothing', async () => {
    const own = 2
    const other = await startTestServer({ yaml, ownPorts: own, listen: ', trusted_proxies: [127.0.0.1]' })
    try {
      const port = Number(new URL(other.own[1] ?? '').port)
      const taken = Number(new URL(other.upstream.url).port)
      const asked = () =>
        request(port, {
          target: '/forward-auth',
          headers: [
            ['X-Forwarded-Method', 'GET'],
            ['X-Forwarded-Proto', 'https'],
            ['X-Forwarded-Host', 'shop.test'],
            ['X-Forwarded-Uri', '/v1/orders/1'],
            ['X-Forwarded-For', '203.0.113.7'],
          ],
        })
      await expect(asked()).rejects.toThrow('ECONNREFUSED')
      expect(
        await other.reload(yaml, `, trusted_proxies: [127.0.0.1], forward_auth: "127.0.0.1:${port}"`),
      ).toMatchObject({ ok: true })
      expect((await asked()).status).toBe(401)
      expect((await fetch(`http://127.0.0.1:${port}/metrics`)).status).toBe(404)
      const busy = await other.reload(yaml, `, trusted_proxies: [127.0.0.1], forward_auth: "127.0.0.1:${taken}"`)
      expect(busy).toEqual({ ok: false, error: [`cannot listen on 127.0.0.1:${taken}`] })
      expect((await asked()).status).toBe(401)
      expect(await other.reload(yaml, ', trusted_proxies: [127.0.0.1]')).toMatchObject({ ok: true })
      await expect(asked()).rejects.toThrow('ECONNREFUSED')
    } finally {
      await other.stop()
    }
  })

  it('speaks TLS where ops does; a question in plain HTTP is not decided', async () => {
    const authority = makeAuthority()
    const folder = mkdtempSync(join(tmpdir(), 'postern-forward-auth-'))
    const { cert, key: privateKey } = authority.issue({ names: ['postern.test'] })
    writeFileSync(join(folder, 'tls.pem'), cert)
    writeFileSync(join(folder, 'tls.key'), privateKey, { mode: 0o600 })
    const [port = 0] = await freePorts(1)
    const tls = 'tls: {listeners: [ops], certificates: [{cert: ./tls.pem, key: ./tls.key}]}'
    const listen = `, trusted_proxies: [127.0.0.1], forward_auth: "127.0.0.1:${port}", ${tls}`
    const other = await startTestServer({ yaml, ownPorts: 1, folder, listen })
    try {
      const { value } = await issue(other.api, (await makeAccount(other.api, 'pro')).project)
      const question: RawRequest = {
        target: '/forward-auth/v1/orders/1',
        headers: [['X-Forwarded-Proto', 'https'], ['X-Forwarded-For', '203.0.113.7'], bearer(value)],
      }
      const trusted = { ca: authority.cert, servername: 'postern.test' }
      for (const each of [port, Number(new URL(other.ops).port)]) {
        const answer = await request(each, { ...question, tls: trusted })
        expect([answer.status, answer.header('x-postern-api')]).toEqual([200, 'shop'])
        const plain = await request(each, question)
        expect([plain.status, plain.text]).toEqual([400, '{"status":"https_only"}'])
      }
    } finally {
      await other.stop()
      rmSync(folder, { recursive: true })
    }
  })
})
