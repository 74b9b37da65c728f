import { codes } from '@postern/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { loadConfigText } from '../packages/server/src/config/load.ts'
import { bearer, issue, makeAccount, type Account, type Holder } from './support/issue.ts'
import { exchange, request } from './support/raw.ts'
import { managementKey, startTestServer, type ApiAnswer, type TestServer } from './support/server.ts'

const yaml = `
failures: {attempts: 1000000, window: 1m}
apis:
  shop:
    address: shop.test
    upstream: UPSTREAM
    scopes: {orders.read: Read}
    routes: [{id: getOrder, methods: [GET], path: "/v1/orders/{id}", scopes: {any: [orders.read]}}]
plans:
  pro: {apis: [shop], kinds: [secret, publishable, management]}
`

let server: TestServer
let account: Account
let key: Holder

beforeAll(async () => {
  server = await startTestServer({ yaml })
  account = await makeAccount(server.api, 'pro')
  key = await issue(server.api, account.project)
})
afterAll(() => server.stop())

const inner =
  /node_modules|\.ts[:)]|\bat [A-Za-z.<>]+ \(|SQLITE|syntax error|select |insert into|TypeError|ReferenceError|\[object|undefined/i

/** Clear, with a code of the table and a request id, and without anything of ours or of the sender's secret. */
function expectClear(answer: Pick<ApiAnswer, 'status' | 'text' | 'body'>, status: number, code: string): void {
  expect([answer.status, answer.body?.code], answer.text).toEqual([status, code])
  expect(answer.body).toMatchObject({
    type: expect.stringContaining(`/docs/errors/${code}`),
    status,
    title: expect.any(String),
    detail: expect.any(String),
    request_id: expect.stringMatching(/^req_[0-9a-f]{32}$/),
  })
  expect(Object.keys(codes)).toContain(code)
  expect(answer.text).not.toMatch(inner)
  expect(answer.text).not.toContain(key.value)
  expect(answer.text).not.toContain(managementKey)
}

type Call = readonly [
  what: string,
  method: string,
  path: () => string,
  body: unknown,
  status: number,
  code: string,
  headers?: Readonly<Record<string, string>>,
]

const project = () => `/projects/${account.project}/credentials`
const ofKey =
  (rest = '') =>
  () =>
    `/credentials/${key.id}${rest}`
const good = { name: 'x', kind: 'secret', apis: ['shop'], scopes: [] }
const line = { digest: 'a'.repeat(64), name: 'x', kind: 'secret', apis: ['shop'], scopes: [] }
const match = { 'if-match': '"1"' }

const calls: readonly Call[] = [
  // bodies
  ['no body', 'POST', project, undefined, 400, 'body_invalid'],
  ['an empty text as JSON', 'POST', project, '', 400, 'body_invalid', { 'content-type': 'application/json' }],
  ['text that is no JSON', 'POST', project, '{"name":', 400, 'body_invalid'],
  ['a trailing comma', 'POST', project, '{"name":"x",}', 400, 'body_invalid'],
  ['a number', 'POST', project, '1', 400, 'body_invalid'],
  ['null', 'POST', project, 'null', 400, 'body_invalid'],
  ['an array', 'POST', project, '[]', 400, 'body_invalid'],
  ['an unknown field', 'POST', project, { ...good, admin: true }, 400, 'body_invalid'],
  ['an account in the body', 'POST', project, { ...good, account: 'acc_x' }, 400, 'body_invalid'],
  ['an id in the body', 'POST', project, { ...good, id: 'cred_000000000001' }, 400, 'body_invalid'],
  ['a secret in the body', 'POST', project, { ...good, secret: 'x' }, 400, 'body_invalid'],
  ['a state in the body', 'POST', project, { ...good, state: 'active' }, 400, 'body_invalid'],
  [
    '__proto__',
    'POST',
    project,
    '{"__proto__":{"x":1},"name":"x","kind":"secret","apis":["shop"],"scopes":[]}',
    400,
    'body_invalid',
  ],
  [
    'constructor.prototype',
    'POST',
    project,
    '{"constructor":{"prototype":{"x":1}},"name":"x","kind":"secret","apis":["shop"],"scopes":[]}',
    400,
    'body_invalid',
  ],
  ['a name of nothing', 'POST', project, { ...good, name: '' }, 400, 'body_invalid'],
  ['a name with a line break', 'POST', project, { ...good, name: 'a\nb' }, 400, 'body_invalid'],
  ['a name with an escape', 'POST', project, { ...good, name: 'a\u001b[31m' }, 400, 'body_invalid'],
  ['a name of 101 characters', 'POST', project, { ...good, name: 'x'.repeat(101) }, 400, 'body_invalid'],
  ['a name that is a number', 'POST', project, { ...good, name: 1 }, 400, 'body_invalid'],
  ['a kind that is none', 'POST', project, { ...good, kind: 'root' }, 400, 'body_invalid'],
  ['no API', 'POST', project, { ...good, apis: [] }, 400, 'body_invalid'],
  ['an API twice', 'POST', project, { ...good, apis: ['shop', 'shop'] }, 400, 'body_invalid'],
  ['an API that is not declared', 'POST', project, { ...good, apis: ['sohp'] }, 422, 'not_acceptable_value'],
  ['an API named like a prototype key', 'POST', project, { ...good, apis: ['__proto__'] }, 422, 'not_acceptable_value'],
  ['a scope that is not declared', 'POST', project, { ...good, scopes: ['orders.raed'] }, 422, 'not_acceptable_value'],
  ['a scope that is a number', 'POST', project, { ...good, scopes: [1] }, 400, 'body_invalid'],
  [
    '201 scopes',
    'POST',
    project,
    { ...good, scopes: Array.from({ length: 201 }, (_, i) => `s${i}`) },
    400,
    'body_invalid',
  ],
  ['a role that is not declared', 'POST', project, { ...good, role: 'toString' }, 422, 'not_acceptable_value'],
  ['an address that is none', 'POST', project, { ...good, ip_allow: ['999.1.1.1'] }, 422, 'not_acceptable_value'],
  [
    '101 addresses',
    'POST',
    project,
    { ...good, ip_allow: Array.from({ length: 101 }, (_, i) => `10.0.0.${i}`) },
    400,
    'body_invalid',
  ],
  [
    'origins for a server key',
    'POST',
    project,
    { ...good, origin_allow: ['https://x.example'] },
    422,
    'not_acceptable_value',
  ],
  [
    'the origin null',
    'POST',
    project,
    { ...good, kind: 'publishable', origin_allow: ['null'] },
    422,
    'not_acceptable_value',
  ],
  ['any origin', 'POST', project, { ...good, kind: 'publishable', origin_allow: ['*'] }, 422, 'not_acceptable_value'],
  [
    'an origin with a path',
    'POST',
    project,
    { ...good, kind: 'publishable', origin_allow: ['https://x.example/a'] },
    422,
    'not_acceptable_value',
  ],
  ['a time that is none', 'POST', project, { ...good, expires_at: 'tomorrow' }, 400, 'body_invalid'],
  [
    'a time of the 30th of February',
    'POST',
    project,
    { ...good, expires_at: '2027-02-30T00:00:00Z' },
    400,
    'body_invalid',
  ],
  ['a time as a number', 'POST', project, { ...good, expires_at: 1 }, 400, 'body_invalid'],
  ['a time in the past', 'POST', project, { ...good, expires_at: '2001-01-01T00:00:00Z' }, 422, 'not_acceptable_value'],
  [
    'a beginning after the end',
    'POST',
    project,
    { ...good, not_before: '2090-01-02T00:00:00Z', expires_at: '2090-01-01T00:00:00Z' },
    422,
    'not_acceptable_value',
  ],
  [
    'a limit of nothing',
    'POST',
    project,
    { ...good, limits: [{ name: 'a', per: 'credential', requests: 0, window: '1m' }] },
    400,
    'body_invalid',
  ],
  [
    'a limit of a part',
    'POST',
    project,
    { ...good, limits: [{ name: 'a', per: 'credential', requests: 1.5, window: '1m' }] },
    400,
    'body_invalid',
  ],
  [
    'a window that is none',
    'POST',
    project,
    { ...good, limits: [{ name: 'a', per: 'credential', requests: 1, window: '1 minute' }] },
    400,
    'body_invalid',
  ],
  [
    'a window of nothing',
    'POST',
    project,
    { ...good, limits: [{ name: 'a', per: 'credential', requests: 1, window: '0' }] },
    400,
    'body_invalid',
  ],
  [
    'a limit twice',
    'POST',
    project,
    { ...good, limits: [1, 2].map(() => ({ name: 'a', per: 'credential', requests: 1, window: '1m' })) },
    422,
    'not_acceptable_value',
  ],
  ['metadata that is no text', 'POST', project, { ...good, metadata: { a: 1 } }, 400, 'body_invalid'],
  [
    '51 texts of metadata',
    'POST',
    project,
    { ...good, metadata: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, ''])) },
    400,
    'body_invalid',
  ],
  [
    'a body that is no JSON by its type',
    'POST',
    project,
    'name=x',
    415,
    'media_type_unsupported',
    { 'content-type': 'application/x-www-form-urlencoded' },
  ],
  [
    'a body as plain text',
    'POST',
    project,
    JSON.stringify(good),
    415,
    'media_type_unsupported',
    { 'content-type': 'text/plain' },
  ],
  ['a body of 2 MiB', 'POST', project, { ...good, name: 'x'.repeat(2_097_152) }, 413, 'request_too_large'],
  ['a body nested 20,000 times', 'POST', project, `${'['.repeat(20_000)}${']'.repeat(20_000)}`, 400, 'body_invalid'],
  ['a plan that is not declared', 'POST', () => '/accounts', { name: 'x', plan: 'gold' }, 422, 'not_acceptable_value'],
  [
    'an environment that is none',
    'POST',
    () => `/accounts/${account.id}/projects`,
    { name: 'x', environment: 'staging' },
    400,
    'body_invalid',
  ],
  ['a block without a reason', 'POST', ofKey('/block'), {}, 400, 'body_invalid'],
  [
    'a block until yesterday',
    'POST',
    ofKey('/block'),
    { reason: 'x', until: '2001-01-01T00:00:00Z' },
    422,
    'not_acceptable_value',
  ],
  [
    'a compromise since tomorrow',
    'POST',
    ofKey('/compromise'),
    { since: '2090-01-01T00:00:00Z' },
    422,
    'not_acceptable_value',
  ],
  ['an overlap that is none', 'POST', ofKey('/rotate'), { overlap: '1 day' }, 400, 'body_invalid'],
  ['an overlap of two years', 'POST', ofKey('/rotate'), { overlap: '730d' }, 422, 'not_acceptable_value'],
  ['a negative overlap', 'POST', ofKey('/rotate'), { overlap: '-1s' }, 400, 'body_invalid'],
  // conditional changes
  ['a change without If-Match', 'PATCH', ofKey(), { name: 'y' }, 428, 'precondition_required'],
  ['a change with another version', 'PATCH', ofKey(), { name: 'y' }, 412, 'version_mismatch', { 'if-match': '"99"' }],
  [
    'a change with a version that is none',
    'PATCH',
    ofKey(),
    { name: 'y' },
    412,
    'version_mismatch',
    { 'if-match': '"abc"' },
  ],
  ['a change of nothing', 'PATCH', ofKey(), {}, 400, 'body_invalid', match],
  ['a change of the kind', 'PATCH', ofKey(), { kind: 'management' }, 400, 'body_invalid', match],
  ['a change of the state', 'PATCH', ofKey(), { state: 'active' }, 400, 'body_invalid', match],
  ['a change of the account', 'PATCH', ofKey(), { account: 'acc_x' }, 400, 'body_invalid', match],
  ['a change of the version', 'PATCH', ofKey(), { version: 9 }, 400, 'body_invalid', match],
  // ids and paths
  ['an id that does not exist', 'GET', () => '/credentials/cred_zzzzzzzzzzzz', undefined, 404, 'not_found'],
  ['an id that is none', 'GET', () => '/credentials/x', undefined, 404, 'not_found'],
  ['an id of another kind', 'GET', () => `/credentials/${account.id}`, undefined, 404, 'not_found'],
  ['an id with a quote', 'GET', () => "/credentials/'%20or%201=1--", undefined, 404, 'not_found'],
  ['an id with a NUL', 'GET', () => '/credentials/a%00b', undefined, 400, 'path_not_canonical'],
  ['an id that is __proto__', 'GET', () => '/accounts/__proto__', undefined, 404, 'not_found'],
  ['an id of 300 characters', 'GET', () => `/credentials/${'x'.repeat(300)}`, undefined, 404, 'not_found'],
  ['the key itself as its id', 'GET', () => `/credentials/${key.value}`, undefined, 404, 'not_found'],
  ['a secret that is not there', 'POST', ofKey('/secrets/sec_x/reveal'), undefined, 404, 'not_found'],
  [
    'a secret whose window is closed',
    'POST',
    () => `/credentials/${key.id}/secrets/${key.secretId}/reveal`,
    undefined,
    410,
    'window_closed',
  ],
  ['a request that is not there', 'GET', () => '/requests/req_x', undefined, 404, 'not_found'],
  ['an operation that is not there', 'GET', () => '/nothing', undefined, 404, 'not_found'],
  ['a method that is not there', 'PUT', ofKey(), good, 405, 'method_not_allowed'],
  ['a path with dots', 'GET', () => '/credentials/%2e%2e', undefined, 404, 'not_found'],
  ['a percent that is none', 'GET', () => '/credentials/%zz', undefined, 400, 'request_malformed'],
  // queries
  ['a limit of nothing', 'GET', () => '/credentials?limit=0', undefined, 400, 'body_invalid'],
  ['a limit of 101', 'GET', () => '/credentials?limit=101', undefined, 400, 'body_invalid'],
  ['a limit that is none', 'GET', () => '/credentials?limit=abc', undefined, 400, 'body_invalid'],
  ['a cursor that is none', 'GET', () => '/credentials?cursor=abc', undefined, 400, 'body_invalid'],
  [
    'a cursor of another list',
    'GET',
    () => `/credentials?cursor=${Buffer.from('{"id":1}').toString('base64url')}`,
    undefined,
    400,
    'body_invalid',
  ],
  ['a parameter twice', 'GET', () => '/credentials?limit=1&limit=2', undefined, 400, 'body_invalid'],
  ['a parameter that is not there', 'GET', () => '/credentials?sort=name', undefined, 400, 'body_invalid'],
  ['a kind that is none', 'GET', () => '/credentials?kind=root', undefined, 400, 'body_invalid'],
  ['usage without a period', 'GET', () => '/usage', undefined, 400, 'body_invalid'],
  [
    'usage backwards',
    'GET',
    () => '/usage?from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z',
    undefined,
    422,
    'not_acceptable_value',
  ],
  [
    'usage of a century by the minute',
    'GET',
    () => '/usage?from=2000-01-01T00:00:00Z&to=2090-01-01T00:00:00Z&step=minute',
    undefined,
    422,
    'not_acceptable_value',
  ],
  [
    'usage by what is no group',
    'GET',
    () => '/usage?from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z&group_by=secret',
    undefined,
    400,
    'body_invalid',
  ],
  // verify and explain
  [
    'verify without an API',
    'POST',
    () => '/verify',
    { method: 'GET', path: '/', headers: {}, ip: '1.1.1.1' },
    400,
    'body_invalid',
  ],
  [
    'verify of an API that is not declared',
    'POST',
    () => '/verify',
    { api: 'x', method: 'GET', path: '/', headers: {}, ip: '1.1.1.1' },
    422,
    'not_acceptable_value',
  ],
  [
    'verify with an address that is none',
    'POST',
    () => '/verify',
    { api: 'shop', method: 'GET', path: '/', headers: {}, ip: '01.1.1.1' },
    400,
    'body_invalid',
  ],
  [
    'verify with a header in two lines',
    'POST',
    () => '/verify',
    { api: 'shop', method: 'GET', path: '/', headers: { a: 'b\r\nc: d' }, ip: '1.1.1.1' },
    400,
    'body_invalid',
  ],
  [
    'verify with a relative path',
    'POST',
    () => '/verify',
    { api: 'shop', method: 'GET', path: 'x', headers: {}, ip: '1.1.1.1' },
    400,
    'body_invalid',
  ],
  [
    'verify with a method that is none',
    'POST',
    () => '/verify',
    { api: 'shop', method: 'G T', path: '/', headers: {}, ip: '1.1.1.1' },
    400,
    'body_invalid',
  ],
  ['explain of a request that is not there', 'POST', () => '/explain', { request_id: 'req_x' }, 404, 'not_found'],
  ['explain of both', 'POST', () => '/explain', { request_id: 'req_x', api: 'shop' }, 400, 'body_invalid'],
  // import
  ['an import of nothing', 'POST', () => `${project()}/import`, { credentials: [] }, 400, 'body_invalid'],
  [
    'an import of 1,001',
    'POST',
    () => `${project()}/import`,
    { credentials: Array.from({ length: 1_001 }, () => line) },
    400,
    'body_invalid',
  ],
  [
    'an import in clear',
    'POST',
    () => `${project()}/import`,
    { credentials: [{ ...line, secret: 'x' }] },
    400,
    'body_invalid',
  ],
  [
    'an import with a digest that is short',
    'POST',
    () => `${project()}/import`,
    { credentials: [{ ...line, digest: 'abc' }] },
    400,
    'body_invalid',
  ],
  [
    'an import with a digest that is none',
    'POST',
    () => `${project()}/import`,
    { credentials: [{ ...line, digest: 'z'.repeat(64) }] },
    422,
    'not_acceptable_value',
  ],
  [
    'an import of a management key',
    'POST',
    () => `${project()}/import`,
    { credentials: [{ ...line, kind: 'management', apis: ['postern'] }] },
    422,
    'not_acceptable_value',
  ],
  [
    'an import with the same digest twice',
    'POST',
    () => `${project()}/import`,
    {
      credentials: [
        { ...line, name: 'a' },
        { ...line, name: 'b' },
      ],
    },
    422,
    'not_acceptable_value',
  ],
  [
    'an import with a scope that is not declared',
    'POST',
    () => `${project()}/import`,
    { credentials: [line, { ...line, scopes: ['x'] }] },
    422,
    'not_acceptable_value',
  ],
  // headers
  [
    'an Idempotency-Key of 300 characters',
    'POST',
    project,
    good,
    400,
    'body_invalid',
    { 'idempotency-key': 'x'.repeat(300) },
  ],
  ['an empty Idempotency-Key', 'POST', project, good, 400, 'body_invalid', { 'idempotency-key': '' }],
  ['a backup outside its folder', 'POST', () => '/system/backup', { name: '../x' }, 400, 'body_invalid'],
  ['a backup with a slash', 'POST', () => '/system/backup', { name: 'a/b' }, 400, 'body_invalid'],
]

describe('the management API', () => {
  it.each(calls.map((call) => [call[0], call] as const))(
    '%s',
    async (_, [, method, path, body, status, code, headers = {}]) => {
      const before = (await server.api('GET', '/system')).body.counts
      const answer = await server.api(method, path(), body, { headers })
      expectClear(answer, status, code)
      expect((await server.api('GET', '/system')).body.counts).toEqual(before)
    },
  )

  it.each([
    ['no credential', {}, 'credential_missing'],
    ['a wrong one', { authorization: 'Bearer wrong-wrong-wrong-wrong-wrong-wrong-wrong' }, 'credential_unknown'],
    ['another scheme', { authorization: 'Basic YTpi' }, 'credential_missing'],
    ['a key of an API', { authorization: 'KEY' }, 'wrong_api'],
  ])('%s is refused on every path alike, whether it exists or not', async (_, headers, code) => {
    expect.assertions(18)
    const sent = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, value === 'KEY' ? `Bearer ${key.value}` : value]),
    )
    for (const path of ['/api/v1/whoami', '/api/v1/credentials/x', '/api/v1/system']) {
      const response = await fetch(server.console + path, { headers: sent })
      const text = await response.text()
      expectClear({ status: response.status, text, body: JSON.parse(text) }, code === 'wrong_api' ? 403 : 401, code)
    }
  })

  it('answers a head that is no HTTP without a word about itself', async () => {
    const port = Number(new URL(server.console).port)
    const auth = `Authorization: Bearer ${managementKey}`
    for (const bytes of [
      'hello\r\n\r\n',
      `GET /api/v1/whoami HTTP/1.1\r\nHost: x\r\nHost: y\r\n${auth}\r\nConnection: close\r\n\r\n`,
      `GET /api/v1/whoami HTTP/1.1\r\nHost: x\r\n${auth}\r\n${auth}\r\nConnection: close\r\n\r\n`,
      `GET /api/v1/whoami HTTP/1.1\r\nHost: x\r\nX-A: ${'a'.repeat(100_000)}\r\n\r\n`,
      `POST /api/v1/accounts HTTP/1.1\r\nHost: x\r\n${auth}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ]) {
      for (const answer of await exchange(port, bytes)) {
        expect(answer.status, bytes.slice(0, 80)).toBeGreaterThanOrEqual(400)
        expect(answer.status).toBeLessThan(500)
        expect([answer.header('server'), answer.header('x-powered-by')]).toEqual([null, null])
        expect(answer.text).not.toMatch(inner)
      }
    }
  })
})

describe('the gateway', () => {
  it.each([
    ['a host of nobody', { host: 'nobody.test' }, 404, 'api_unknown'],
    ['an empty host', { host: '' }, 404, 'api_unknown'],
    ['a path with dots', { target: '/v1/../x' }, 400, 'path_not_canonical'],
    ['a path with encoded dots', { target: '/v1/%2e%2e/x' }, 400, 'path_not_canonical'],
    ['a path with an encoded slash', { target: '/v1/orders/a%2Fb' }, 400, 'path_not_canonical'],
    ['a path with a backslash', { target: '/v1\\orders' }, 400, 'path_not_canonical'],
    ['a path with a semicolon', { target: '/v1/orders;x/1' }, 400, 'path_not_canonical'],
    ['a path with a NUL', { target: '/v1/orders/%00' }, 400, 'path_not_canonical'],
    ['a path with two slashes', { target: '//v1/orders/1' }, 400, 'path_not_canonical'],
    ['a percent that is none', { target: '/v1/orders/%g1' }, 400, 'path_not_canonical'],
    ['bytes that are no UTF-8', { target: '/v1/orders/%c0%ae' }, 400, 'path_not_canonical'],
    ['a fragment', { target: '/v1/orders/1#x' }, 400, 'path_not_canonical'],
    ['a path of nobody', { target: '/v2' }, 404, 'route_unknown'],
    ['a method of nobody', { target: '/v1/orders/1', method: 'DELETE' }, 405, 'method_not_allowed'],
  ] as const)('%s', async (_, asked, status, code) => {
    expectClear(await request(server.gatewayPort, { ...asked, headers: [bearer(key.value)] }), status, code)
    expect(server.upstream.seen).toEqual([])
  })
})

describe('postern.yaml', () => {
  const base = `version: 1
brand: acme
apis:
  shop: {address: shop.test, upstream: "http://127.0.0.1:1", scopes: {a: A}, routes: [{id: r, path: /x, scopes: {any: [a]}}]}
plans:
  pro: {apis: [shop]}
`
  it('is good as it stands', () => {
    expect(loadConfigText(base, { file: 'postern.yaml', env: {} }).ok).toBe(true)
  })

  it.each([
    ['nothing', ''],
    ['a list', '- a'],
    ['a tab', 'version:\t1\n\tbrand: acme'],
    [
      'an alias bomb',
      `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n${base}`,
    ],
    ['another version', base.replace('version: 1', 'version: 2')],
    ['a brand in capitals', base.replace('brand: acme', 'brand: ACME')],
    ['a key twice', `${base}version: 1\n`],
    ['a field of nobody', `${base}colour: red\n`],
    ['__proto__', `${base}__proto__: {a: 1}\n`],
    ['an upstream that is no URL', base.replace('http://127.0.0.1:1', 'localhost')],
    ['an upstream with a password', base.replace('http://127.0.0.1:1', 'http://u:p@127.0.0.1:1')],
    ['an upstream of another scheme', base.replace('http://127.0.0.1:1', 'file:///etc/passwd')],
    [
      'two APIs on one address',
      base.replace('plans:', '  two: {address: shop.test, upstream: "http://127.0.0.1:1"}\nplans:'),
    ],
    ['a route without an id', base.replace('id: r, ', '')],
    ['two routes of one pattern', base.replace('routes: [', 'routes: [{id: q, path: /x}, ')],
    ['a path that is not canonical', base.replace('path: /x', 'path: /a/../x')],
    ['a scope that is not declared', base.replace('any: [a]', 'any: [b]')],
    ['a plan of an API of nobody', base.replace('apis: [shop]', 'apis: [shpo]')],
    ['a preset of nobody', base.replace('address: shop.test', 'preset: nobody, address: shop.test')],
    ['a variable that is not set', base.replace('http://127.0.0.1:1', '$\u007bNOT_SET_ANYWHERE}')],
    ['the API of the operator', base.replace('shop: {', 'postern: {')],
  ])('with %s is refused with line and column', (_, text) => {
    const loaded = loadConfigText(text, { file: '/etc/postern.yaml', env: {} })
    expect(loaded.ok).toBe(false)
    if (loaded.ok) return
    expect(loaded.error.length).toBeGreaterThan(0)
    for (const { message, line: at } of loaded.error) {
      expect(message).not.toMatch(inner)
      if (text.includes('version: 1\nbrand: acme')) expect(at).not.toBeNull()
    }
  })
})
