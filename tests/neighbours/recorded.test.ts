import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'

import { identityHeaders } from '../../packages/server/src/core/decision/identity.ts'
import { wireEvaluation } from '../../packages/server/src/gateway/wire.ts'
import { issue, makeAccount, type Account, type Holder } from '../support/issue.ts'
import { exchange, type RawAnswer } from '../support/raw.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

const yaml = `
apis:
  shop:
    address: shop.example.com
    upstream: UPSTREAM
    credentials: [{in: bearer}, {in: header, name: X-Api-Key}]
    scopes: {orders.read: Read}
    routes:
      - {id: getOrder, methods: [GET], path: "/v1/orders/{id}", scopes: {any: [orders.read]}}
      - {id: page, methods: [GET, POST], path: "/v1/page/**", client_side: true}
plans:
  pro: {apis: [shop], kinds: [secret, publishable], scopes: ["*"]}
`

const examples = join(import.meta.dirname, '../../examples/forward-auth')
const example = (name: string): string => readFileSync(join(examples, name), 'utf8')

let server: TestServer
let account: Account
let key: Holder

beforeAll(async () => {
  server = await startTestServer({ yaml, listen: ', trusted_proxies: [loopback]' })
  account = await makeAccount(server.api, 'pro')
  key = await issue(server.api, account.project)
  await issue(server.api, account.project, { kind: 'publishable', scopes: [], origin_allow: ['https://page.example'] })
})
afterAll(() => server.stop())

/** Sends the lines as they were written down, with KEY in them filled in. */
async function replay(lines: readonly string[]): Promise<RawAnswer> {
  const text = `${lines.join('\r\n').replaceAll('KEY', key.value)}\r\nConnection: close\r\n\r\n`
  const [answer] = await exchange(Number(new URL(server.ops).port), text)
  if (answer === undefined) throw new Error('the connection ended without an answer')
  return answer
}

// Written down after what Traefik's middleware puts into its question (pkg/middlewares/auth/forward.go).
const traefik = (method: string, uri: string, ...more: readonly string[]): readonly string[] => [
  'GET /forward-auth HTTP/1.1',
  'Host: 127.0.0.1:8082',
  'User-Agent: curl/8.5.0',
  'Accept: */*',
  ...more,
  'X-Forwarded-For: 203.0.113.7',
  'X-Forwarded-Host: shop.example.com',
  `X-Forwarded-Method: ${method}`,
  'X-Forwarded-Port: 443',
  'X-Forwarded-Proto: https',
  'X-Forwarded-Server: edge-1',
  `X-Forwarded-Uri: ${uri}`,
  'X-Real-Ip: 203.0.113.7',
  'Accept-Encoding: gzip',
]

// Written down after what Envoy's filter puts into its check request (ext_authz over HTTP).
const envoy = (method: string, path: string, ...more: readonly string[]): readonly string[] => [
  `${method} /forward-auth${path} HTTP/1.1`,
  'host: shop.example.com',
  'content-length: 0',
  ...more,
  'x-forwarded-for: 203.0.113.7',
  'x-forwarded-proto: https',
  'x-envoy-internal: true',
  'x-envoy-expected-rq-timeout-ms: 5000',
]

describe.each([
  ['Traefik', traefik],
  ['Envoy', envoy],
])('%s (replayed requests: the program itself is not run)', (_name, asks) => {
  it('gets 200 and every identity header for a good key', async () => {
    for (const credential of ['Authorization: Bearer KEY', 'X-Api-Key: KEY']) {
      const answer = await replay(asks('GET', '/v1/orders/1?x=%31', credential))
      expect([answer.status, answer.header('x-postern-account'), answer.headers('x-postern-subject')]).toEqual([
        200,
        account.id,
        [''],
      ])
      expect(answer.header('x-postern-uri')).toBe('/v1/orders/1?x=%31')
    }
  })

  it('gets the refusal that it hands to the client', async () => {
    const missing = await replay(asks('GET', '/v1/orders/1'))
    expect([missing.status, missing.body.code]).toEqual([401, 'credential_missing'])
    expect(missing.header('www-authenticate')).toContain('Bearer realm="shop"')
    const method = await replay(asks('DELETE', '/v1/orders/1', 'Authorization: Bearer KEY'))
    expect([method.status, method.body.code]).toEqual([405, 'method_not_allowed'])
    const path = await replay(asks('GET', '/v1/page/../orders/1', 'Authorization: Bearer KEY'))
    expect([path.status, path.body.code]).toEqual([400, 'path_not_canonical'])
  })

  it('28: gets no other answer where a client sent identity headers', async () => {
    const spoofed = ['X-Postern-Account: acc_evil', 'x_postern_account: acc_evil', 'X-Original-Uri: /v1/page/x']
    const answer = await replay(asks('GET', '/v1/orders/1', 'Authorization: Bearer KEY', ...spoofed))
    expect([answer.status, answer.headers('x-postern-account')]).toEqual([200, [account.id]])
  })
})

describe('preflights (replayed requests: the programs themselves are not run)', () => {
  const preflight = ['Origin: https://page.example', 'Access-Control-Request-Method: POST']

  it('Traefik’s second router hands on the answer of Postern', async () => {
    const answer = await replay([
      'OPTIONS /forward-auth/v1/page/x HTTP/1.1',
      'Host: shop.example.com',
      ...preflight,
      'X-Forwarded-For: 203.0.113.7',
      'X-Forwarded-Host: shop.example.com',
      'X-Forwarded-Proto: https',
    ])
    expect([answer.status, answer.header('access-control-allow-origin')]).toEqual([204, 'https://page.example'])
  })

  it('Envoy, to which only 200 is yes, hands on the answer of Postern', async () => {
    const answer = await replay(envoy('OPTIONS', '/v1/page/x', ...preflight))
    expect([answer.status, answer.header('access-control-allow-origin')]).toEqual([204, 'https://page.example'])
  })
})

describe('the examples', () => {
  const evaluation = wireEvaluation({ peer: 0, encrypted: false }, 'api_unknown')
  const names = identityHeaders(evaluation, 'req_1').filter((_, i) => i % 2 === 0)

  it('name every identity header, or all by their prefix', () => {
    for (const file of ['nginx.conf', 'Caddyfile', 'traefik.yaml']) {
      const text = example(file)
      expect([file, names.filter((name) => !text.includes(name))]).toEqual([file, []])
    }
    expect(example('nginx.conf')).toContain('underscores_in_headers off')
    expect(example('postern-haproxy.lua')).toContain('"^x%-postern%-"')
    expect(example('postern-apache.lua')).toContain('"^x%-postern%-"')
  })

  it('for Traefik: one question, whose headers are Traefik’s, and what clients send under our names goes first', () => {
    const { http } = parse(example('traefik.yaml'))
    const { forwardAuth } = http.middlewares.postern
    expect(forwardAuth.address).toBe('http://127.0.0.1:8082/forward-auth')
    expect(forwardAuth.trustForwardHeader).toBe(false)
    expect(forwardAuth.authResponseHeaders).toEqual([...names, 'X-Request-Id'])
    const [, pattern = ''] = /^\(\?i\)(.*)$/.exec(forwardAuth.authResponseHeadersRegex) ?? []
    const spellings = names.flatMap((name) => [
      name,
      name.toLowerCase(),
      name.replaceAll('-', '_'),
      name.replaceAll('-', '.'),
    ])
    expect(spellings.filter((name) => !new RegExp(pattern, 'i').test(name))).toEqual([])
    expect(http.routers.shop.middlewares[0]).toBe('postern')
  })

  it('for Envoy: fails closed, sends what a decision needs, and lets no spelling of our names through', () => {
    const manager = parse(example('envoy.yaml')).static_resources.listeners[0].filter_chains[0].filters[0].typed_config
    const filter = manager.http_filters[0].typed_config
    expect([filter.failure_mode_allow, filter.http_service.path_prefix]).toEqual([false, '/forward-auth'])
    expect([manager.use_remote_address, manager.normalize_path, manager.merge_slashes]).toEqual([true, false, false])
    expect(manager.common_http_protocol_options.headers_with_underscores_action).toBe('REJECT_REQUEST')
    const sent = filter.allowed_headers.patterns.map(({ exact }: { exact: string }) => exact)
    expect(sent).toEqual(expect.arrayContaining(['x-forwarded-for', 'x-forwarded-proto', 'origin']))
    const [host] = manager.route_config.virtual_hosts
    const dotted = names.map((name) => name.toLowerCase().replaceAll('-', '.'))
    expect(host.request_headers_to_remove).toEqual(expect.arrayContaining([...dotted, 'authorization']))
  })
})
