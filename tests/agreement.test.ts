import { createHash } from 'node:crypto'

import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { fixedClock, type FixedClock } from '../packages/server/src/base/clock.ts'
import { bearer, issue, makeAccount, makeProject, type Holder } from './support/issue.ts'
import { request } from './support/raw.ts'
import { type ApiAnswer, managementKey, startTestServer, type TestServer } from './support/server.ts'
import { until } from './support/until.ts'

const yaml = `
failures: {attempts: 1000000, window: 1m}
request_log: {refusals_per_second_per_ip: 1000000}
apis:
  shop:
    address: {live: shop.test, sandbox: sandbox.shop.test}
    upstream: UPSTREAM
    credentials:
      - {in: bearer}
      - {in: header, name: X-Api-Key}
      - {in: query, name: api_key}
      - {in: basic}
    scopes: {orders.read: Read, orders.write: Write}
    routes:
      - {id: getOrder, methods: [GET, HEAD], path: "/v1/orders/{id}", scopes: {any: [orders.read]}}
      - {id: putOrder, methods: [PUT], path: "/v1/orders/{id}", scopes: {all: [orders.read, orders.write]}}
      - {id: page, methods: [GET, POST], path: "/v1/page/**", client_side: true}
      - {id: raw, methods: [GET], path: "/raw/**", raw_path: true}
  books:
    address: books.test
    upstream: UPSTREAM
    scopes: {orders.read: Read}
    unmatched: forward
  vch:
    address: vch.test
    upstream: UPSTREAM
    preset: voucherify
  geo:
    address: {live: {eu: eu.geo.test, us: us.geo.test}, sandbox: sandbox.geo.test}
    upstream: {live: {eu: UPSTREAM/eu, us: UPSTREAM/us}, sandbox: UPSTREAM/sandbox}
  one:
    address: one.geo.test
    upstream: {eu: UPSTREAM/eu, us: UPSTREAM/us}
plans:
  pro: {apis: [shop, books, vch, geo, one], kinds: [secret, publishable, integration], scopes: ["*"]}
  read: {apis: [shop], kinds: [secret], scopes: [orders.read]}
  none: {apis: [books], kinds: [secret]}
  metered:
    apis: [shop]
    kinds: [secret]
    limits: [{name: default, per: credential, requests: 3, window: 1m}]
  counted:
    apis: [shop]
    kinds: [secret]
    quotas: [{name: month, per: account, requests: 3, period: month}]
`

let server: TestServer
let clock: FixedClock
/** Everything that a client could present: live, dead, foreign, cut off, quoted, empty. */
let secrets: string[]
/** Of projects with and without a region, good for the APIs that have regions. */
let regional: string[]
let pairs: { readonly id: string; readonly secret: string }[]

beforeAll(async () => {
  clock = fixedClock(Date.UTC(2026, 2, 1))
  server = await startTestServer({
    yaml,
    clock,
    listen: ', trusted_proxies: [loopback], plain_http_from: [loopback, "198.51.100.0/24"]',
  })
  const { api } = server
  const pro = await makeAccount(api, 'pro')
  const sandbox = await makeProject(api, pro.id, { name: 'Sandbox', environment: 'sandbox' })
  const walled = await makeProject(api, pro.id, { name: 'Walled', environment: 'live', ip_allow: ['203.0.113.0/24'] })
  const suspended = await makeAccount(api, 'pro')
  const reduced = await makeAccount(api, 'pro')
  const at = (ms: number) => new Date(clock.now() + ms).toISOString()
  const made: Holder[] = []
  const make = async (project: string, fields: object = {}) => {
    const holder = await issue(api, project, fields)
    made.push(holder)
    return holder
  }
  await make(pro.project)
  await make(pro.project, { scopes: ['*'] })
  await make(pro.project, { scopes: [] })
  await make(pro.project, { apis: ['books'] })
  await make(pro.project, { apis: ['shop', 'books'], ip_allow: ['203.0.113.7', '2001:db8::/32'] })
  await make(pro.project, { kind: 'publishable', scopes: ['*'], origin_allow: ['https://page.example'] })
  await make(pro.project, { kind: 'publishable', scopes: ['*'], origin_allow: [] })
  await make(pro.project, { not_before: at(86_400_000) })
  await make(pro.project, { expires_at: at(1_000) })
  await make(sandbox.id)
  await make(walled.id)
  await make(suspended.project)
  await make(reduced.project, { scopes: ['*'] })
  const blocked = await make(pro.project)
  const revoked = await make(pro.project)
  const compromised = await make(pro.project)
  const rotated = await make(pro.project)
  await api('POST', `/credentials/${blocked.id}/block`, { reason: 'test' })
  await api('POST', `/credentials/${revoked.id}/revoke`, {})
  await api('POST', `/credentials/${compromised.id}/compromise`, {})
  await api('POST', `/credentials/${rotated.id}/rotate`, { overlap: '1s' })
  await api('POST', `/accounts/${suspended.id}/suspend`, { reason: 'test' })
  await api('PATCH', `/accounts/${reduced.id}`, { plan: 'read' }, { headers: { 'if-match': '"1"' } })
  const imported = await api('POST', `/projects/${pro.project}/credentials/import`, {
    credentials: [
      {
        digest: createHash('sha256').update('hunter2').digest('hex'),
        name: 'Old',
        kind: 'secret',
        apis: ['shop'],
        scopes: ['*'],
      },
    ],
  })
  expect(imported.status).toBe(200)
  const server2 = await issue(api, pro.project, { apis: ['vch'], scopes: ['api'] })
  const validations = await issue(api, pro.project, { apis: ['vch'], scopes: ['validations'] })
  const page = await issue(api, pro.project, {
    apis: ['vch'],
    scopes: ['client_api'],
    kind: 'publishable',
    origin_allow: ['page.example'],
  })
  const dead = await issue(api, pro.project, { apis: ['vch'], scopes: ['api'] })
  await api('POST', `/credentials/${dead.id}/revoke`, {})
  regional = []
  for (const environment of ['live', 'sandbox'] as const) {
    for (const region of ['eu', 'us', null]) {
      const project = await makeProject(api, pro.id, { name: `${environment} ${region}`, environment, region })
      regional.push((await issue(api, project.id, { apis: ['geo', 'one'], scopes: [] })).value)
    }
  }
  clock.advance(2_000)
  const values = made.map(({ value }) => value)
  const [first = ''] = values
  secrets = [
    ...values,
    'hunter2',
    managementKey,
    first.slice(0, -1),
    `${first.slice(0, -1)}${first.endsWith('0') ? '1' : '0'}`,
    first.toUpperCase(),
    `"${first}"`,
    `Bearer ${first}`,
    'acme_sk_live_',
    'constructor',
    '__proto__',
    '$API_KEY',
    'x'.repeat(1_025),
    'sk_live_other_vendor',
    'caf\u00e9',
    '',
  ]
  const own = [server2, validations, page, dead, ...pro.pairs, ...sandbox.pairs].map(({ publicId, value }) => ({
    id: publicId,
    secret: value,
  }))
  pairs = [
    ...own,
    ...own.map(({ id }, i) => ({ id, secret: own.at(i - 1)?.secret ?? '' })),
    { id: '', secret: own[0]?.secret ?? '' },
    { id: '__proto__', secret: 'x' },
  ]
})

afterAll(() => server.stop())

interface Facts {
  readonly api: 'shop' | 'vch' | 'geo' | 'one'
  readonly host: string
  readonly method: string
  readonly target: string
  readonly headers: readonly (readonly [string, string])[]
  readonly ip: string
  readonly scheme: 'http' | 'https'
}

interface Outcome {
  readonly allowed: boolean
  readonly status: number
}

async function throughGateway(facts: Facts): Promise<Outcome & { readonly id: string; readonly code: string | null }> {
  const before = server.upstream.seen.length
  const answer = await request(server.gatewayPort, {
    ...facts,
    headers: [...facts.headers, ['X-Forwarded-For', facts.ip], ['X-Forwarded-Proto', facts.scheme]],
  })
  const allowed = server.upstream.seen.length > before
  const code = allowed || answer.body === null ? null : answer.body.code
  return { allowed, status: answer.status, id: answer.header('x-request-id') ?? '', code }
}

/** As Traefik or Caddy asks. 200 is the only status that stands for allowed: 204 answers a preflight. */
async function throughForwardAuth({ host, method, target, headers, ip, scheme }: Facts) {
  const answer = await request(Number(new URL(server.ops).port), {
    target: '/forward-auth',
    headers: [
      ['X-Forwarded-Method', method],
      ['X-Forwarded-Proto', scheme],
      ['X-Forwarded-Host', host],
      ['X-Forwarded-Uri', target],
      ['X-Forwarded-For', ip],
      ...headers,
    ],
  })
  return { allowed: answer.status === 200, status: answer.status, code: answer.header('x-postern-code') }
}

async function asked(operation: 'verify' | 'explain', facts: Facts) {
  const { allowed, status, code } = (await describedAnswer(operation, facts)).body
  return { allowed, status, code }
}

async function describedAnswer(operation: 'verify' | 'explain', facts: Facts): Promise<ApiAnswer> {
  const { api, host, method, target, headers, ip, scheme } = facts
  const byName = new Map<string, string[]>()
  for (const [name, value] of headers) byName.set(name, [...(byName.get(name) ?? []), value])
  const answer = await server.api('POST', `/${operation}`, {
    api,
    host,
    method,
    path: target,
    headers: Object.fromEntries(byName),
    ip,
    scheme,
  })
  if (answer.status !== 200) throw new Error(`${operation} answered ${answer.status}: ${answer.text}`)
  return answer
}

const printable = fc.string({
  unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCodePoint(code)),
  maxLength: 12,
})
const paths = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      '/v1/orders/1',
      '/v1/page/x',
      '/v1/page',
      '/raw/x',
      '/v1/validations',
      '/client/v1/validate',
      '/v1/vouchers/A',
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '/v1/orders/%2e%2e',
      '/v1//orders/1',
      '/v1/orders/1;a=b',
      '/v1/orders/a%2fb',
      '/v1/%6frders/1',
      '/raw/a%2Fb',
      '/raw/../v1/orders/1',
      '/v1/orders/%',
      '/v1/orders/%ff',
      '/V1/orders/1',
      '/',
      '/v1/orders/1/',
      '/v1/orders/\\',
      '/client/v1/../../v1/vouchers',
      '/v1/orders/1%00',
      '/v1/orders%3f1',
    ),
  },
  { weight: 1, arbitrary: printable.map((text) => `/${text}`) },
)
const origins = fc.constantFrom(
  'https://page.example',
  'page.example',
  'https://page.example.evil.test',
  'null',
  '',
  'https://page.example:444',
)
const addresses = fc.constantFrom(
  '203.0.113.7',
  '203.0.113.200',
  '198.51.100.1',
  '192.0.2.1',
  '2001:db8::1',
  '::ffff:203.0.113.7',
)
const noise = fc.array(
  fc.oneof(
    fc.constantFrom(
      ['Cookie', 'a=b'] as const,
      ['X-Postern-Account', 'acc_1'] as const,
      ['X-Real-IP', '203.0.113.7'] as const,
      ['Forwarded', 'for=203.0.113.7'] as const,
      ['Access-Control-Request-Method', 'GET'] as const,
      ['X-HTTP-Method-Override', 'GET'] as const,
    ),
    fc.tuple(fc.constant('Origin'), origins),
  ),
  { maxLength: 3 },
)

function places(secret: string): fc.Arbitrary<{ headers: (readonly [string, string])[]; query: string }> {
  const none = { headers: [], query: '' }
  return fc.constantFrom(
    { ...none, headers: [bearer(secret)] },
    { ...none, headers: [bearer(secret)] },
    { ...none, headers: [['authorization', `bEARER ${secret}`] as const] },
    { ...none, headers: [['X-Api-Key', secret] as const] },
    { ...none, headers: [['X-Api-Key', secret] as const, ['x-api-key', secret] as const] },
    { headers: [], query: `?api_key=${encodeURIComponent(secret)}` },
    { headers: [bearer(secret)], query: `?api_key=${encodeURIComponent(secret)}` },
    {
      ...none,
      headers: [['Authorization', `Basic ${Buffer.from(`id:${secret}`, 'latin1').toString('base64')}`] as const],
    },
    { ...none, headers: [['Authorization', secret] as const] },
    { ...none, headers: [['Authorization', 'Basic !!!'] as const] },
    none,
  )
}

const shopFacts: fc.Arbitrary<Facts> = fc
  .record({ secret: fc.nat(1_000).map((i) => secrets[i % secrets.length] ?? ''), path: paths, noise, ip: addresses })
  .chain((base) =>
    fc
      .record({
        place: places(base.secret),
        method: fc.constantFrom('GET', 'GET', 'GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'OPTIONS', 'PATCH'),
        host: fc.constantFrom('shop.test', 'SHOP.test:8080', 'sandbox.shop.test'),
        scheme: fc.constantFrom('https' as const, 'https' as const, 'https' as const, 'http' as const),
      })
      .map(({ place, method, host, scheme }) => ({
        api: 'shop' as const,
        host,
        method,
        target: base.path + (base.path.includes('?') ? '' : place.query),
        headers: [...place.headers, ...base.noise],
        ip: base.ip,
        scheme,
      })),
  )

const vchFacts: fc.Arbitrary<Facts> = fc
  .record({
    pair: fc.nat(1_000).map((i) => pairs[i % pairs.length] ?? { id: '', secret: '' }),
    client: fc.boolean(),
    path: paths,
    noise,
    ip: addresses,
    method: fc.constantFrom('GET', 'GET', 'POST', 'OPTIONS'),
    doubled: fc.constantFrom(false, false, false, true),
  })
  .map(({ pair, client, path, noise: extra, ip, method, doubled }) => {
    const names = client
      ? (['X-Client-Application-Id', 'X-Client-Token'] as const)
      : (['X-App-Id', 'X-App-Token'] as const)
    const headers = [[names[0], pair.id] as const, [names[1], pair.secret] as const, ...extra]
    return {
      api: 'vch' as const,
      host: 'vch.test',
      method,
      target: path,
      headers: doubled ? [...headers, [names[1], 'other'] as const] : headers,
      ip,
      scheme: 'https' as const,
    }
  })

const regionalFacts: fc.Arbitrary<Facts> = fc
  .record({
    secret: fc.nat(1_000).map((i) => [...regional, ...secrets.slice(0, 3)][i % (regional.length + 3)] ?? ''),
    host: fc.constantFrom('eu.geo.test', 'us.geo.test', 'US.geo.test.', 'sandbox.geo.test', 'one.geo.test'),
  })
  .map(({ secret, host }) => ({
    api: host === 'one.geo.test' ? 'one' : 'geo',
    host,
    method: 'GET',
    target: '/v1/orders/1',
    headers: [bearer(secret)],
    ip: '203.0.113.7',
    scheme: 'https',
  }))

describe('gateway, forward-auth, verify and explain give one answer (design section 4)', () => {
  it('to any request of an API with keys', async () => {
    const codes = new Set<string | null>()
    await fc.assert(
      fc.asyncProperty(shopFacts, async (facts) => {
        const explained = await asked('explain', facts)
        const { id: _, code, ...answered } = await throughGateway(facts)
        codes.add(explained.code)
        expect(await asked('verify', facts)).toEqual(explained)
        expect(await throughForwardAuth(facts)).toEqual(explained)
        expect(answered).toEqual({ allowed: explained.allowed, status: explained.status })
        if (facts.method !== 'HEAD') expect(code).toBe(explained.code)
      }),
      { numRuns: 400 },
    )
    // The law says something only where it was put to many questions.
    expect(codes.size).toBeGreaterThan(10)
  })

  it('CRC-7: to any request of an API with regions, whose upstream is that of the credential', async () => {
    const codes = new Set<string | null>()
    await fc.assert(
      fc.asyncProperty(regionalFacts, async (facts) => {
        const explained = await asked('explain', facts)
        const { id: _, ...answered } = await throughGateway(facts)
        codes.add(explained.code)
        expect(await asked('verify', facts)).toEqual(explained)
        expect(await throughForwardAuth(facts)).toEqual(explained)
        expect(answered).toEqual(explained)
        if (explained.allowed !== true) return
        const { principal } = (await describedAnswer('explain', facts)).body
        const place = principal.environment === 'sandbox' && facts.api === 'geo' ? 'sandbox' : principal.region
        expect(server.upstream.seen.at(-1)?.target).toBe(`/${place}/v1/orders/1`)
      }),
      { numRuns: 150 },
    )
    expect([...codes]).toEqual(expect.arrayContaining([null, 'wrong_region', 'wrong_environment', 'wrong_api']))
  })

  it('to any request of an API with pairs; the log tells the code that its vendor’s body hides', async () => {
    const told = new Map<string, string | null>()
    await fc.assert(
      fc.asyncProperty(vchFacts, async (facts) => {
        const explained = await asked('explain', facts)
        const { id, code: _, ...answered } = await throughGateway(facts)
        expect(await asked('verify', facts)).toEqual(explained)
        expect(await throughForwardAuth(facts)).toEqual(explained)
        expect(answered).toEqual({ allowed: explained.allowed, status: explained.status })
        told.set(id, explained.code)
      }),
      { numRuns: 150 },
    )
    clock.advance(1_000)
    const [newest = ''] = [...told.keys()].slice(-1)
    await until('the log is written', async () => (await server.api('GET', `/requests/${newest}`)).status === 200)
    for (const [id, code] of told) {
      const logged = await server.api('GET', `/requests/${id}`)
      const explained = await server.api('POST', '/explain', { request_id: id })
      expect([logged.body.code, explained.body.code]).toEqual([code, code])
    }
  })

  it('where a limit is nearly spent: each charges what it allowed, explain nothing', async () => {
    const account = await makeAccount(server.api, 'metered')
    const { value } = await issue(server.api, account.project, { scopes: ['orders.read'] })
    const facts: Facts = {
      api: 'shop',
      host: 'shop.test',
      method: 'GET',
      target: '/v1/orders/1',
      headers: [bearer(value)],
      ip: '192.0.2.1',
      scheme: 'https',
    }
    const yes = { allowed: true, status: 200, code: null }
    const no = { allowed: false, status: 429, code: 'rate_limited' }
    for (let i = 0; i < 5; i++) expect(await asked('explain', facts)).toEqual(yes)
    expect(await throughGateway(facts)).toMatchObject(yes)
    expect(await asked('verify', facts)).toEqual(yes)
    expect(await asked('explain', facts)).toEqual(yes)
    expect(await throughForwardAuth(facts)).toEqual(yes)
    expect(await asked('explain', facts)).toEqual(no)
    expect(await asked('verify', facts)).toEqual(no)
    expect(await throughForwardAuth(facts)).toEqual(no)
    expect(await throughGateway(facts)).toMatchObject(no)
    clock.advance(20_000)
    expect(await asked('explain', facts)).toEqual(yes)
    expect(await throughGateway(facts)).toMatchObject(yes)
    expect(await asked('verify', facts)).toEqual(no)
  })

  it('where a quota is nearly spent', async () => {
    const account = await makeAccount(server.api, 'counted')
    const { value } = await issue(server.api, account.project)
    const facts: Facts = {
      api: 'shop',
      host: 'shop.test',
      method: 'GET',
      target: '/v1/orders/1',
      headers: [bearer(value)],
      ip: '192.0.2.1',
      scheme: 'https',
    }
    const no = { allowed: false, status: 429, code: 'quota_exceeded' }
    expect((await throughGateway(facts)).allowed).toBe(true)
    expect((await asked('verify', facts)).allowed).toBe(true)
    expect((await throughGateway(facts)).allowed).toBe(true)
    expect(await asked('explain', facts)).toEqual(no)
    expect(await asked('verify', facts)).toEqual(no)
    expect(await throughGateway(facts)).toMatchObject(no)
  })
})

describe('explain', () => {
  it('leaves nothing behind: no event, no request row, no last use', async () => {
    const account = await makeAccount(server.api, 'pro')
    const key = await issue(server.api, account.project)
    const facts: Facts = {
      api: 'shop',
      host: 'shop.test',
      method: 'GET',
      target: '/v1/orders/1',
      headers: [bearer(key.value)],
      ip: '192.0.2.1',
      scheme: 'https',
    }
    const before = await server.api('GET', `/credentials/${key.id}`)
    const head = (await server.api('GET', '/system')).body.feed.head
    await asked('explain', facts)
    await asked('explain', { ...facts, method: 'PUT' })
    clock.advance(1_000)
    const used = await issue(server.api, account.project)
    await throughGateway({ ...facts, headers: [bearer(used.value)] })
    clock.advance(1_000)
    await until(
      'the log is written',
      async () => (await server.api('GET', `/requests?credential=${used.id}`)).body.data.length === 1,
    )
    expect((await server.api('GET', `/requests?credential=${key.id}`)).body.data).toEqual([])
    const after = await server.api('GET', `/credentials/${key.id}`)
    expect({ ...after.body, observed_through: null }).toEqual({ ...before.body, observed_through: null })
    expect((await server.api('GET', '/system')).body.feed.head).toBe(head + 1)
  })

  it('and the other two name nothing that is allowed but not held (18 of section 2, design section 4)', async () => {
    const account = await makeAccount(server.api, 'pro')
    const key = await issue(server.api, account.project, { ip_allow: ['198.18.7.0/24'] })
    const facts: Facts = {
      api: 'shop',
      host: 'shop.test',
      method: 'GET',
      target: '/v1/orders/1',
      headers: [bearer(key.value)],
      ip: '192.0.2.1',
      scheme: 'https',
    }
    for (const operation of ['verify', 'explain'] as const) {
      const { text } = await server.api('POST', `/${operation}`, {
        api: 'shop',
        host: 'shop.test',
        method: 'GET',
        path: '/v1/orders/1',
        headers: { Authorization: `Bearer ${key.value}` },
        ip: facts.ip,
      })
      expect(text).toContain('ip_not_allowed')
      expect(text).not.toContain('198.18.7')
    }
    const answer = await request(server.gatewayPort, {
      target: facts.target,
      headers: [...facts.headers, ['X-Forwarded-For', facts.ip], ['X-Forwarded-Proto', 'https']],
    })
    expect(answer.status).toBe(403)
    expect(answer.text).not.toContain('198.18.7')
  })
})
