import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'

import { runCli } from '../../packages/cli/src/cli.ts'
import { testIo } from '../../packages/cli/src/testing/io.ts'
import { aSigner, type Signer } from '../../packages/server/src/core/jose/testing/signer.ts'
import { makeAuthority } from '../support/certificates.ts'
import { type Account, bearer, type Holder, issue, makeAccount } from '../support/issue.ts'
import { type RawAnswer, request } from '../support/raw.ts'
import { managementKey, startTestServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const issuerUrl = 'https://login.corp.example'
const audience = 'https://api.example.com'
const authority = makeAuthority()
const signer = aSigner('k1')
const rsa = aSigner('r1', 'RS256')

/** The issuer's own server. */
const issuer = { keys: [signer, rsa] as readonly Signer[], status: 200, fetched: [] as (string | undefined)[] }
const issuerServer = createServer(authority.issue({ names: ['login.corp.example'] }), (incoming, response) => {
  issuer.fetched.push(incoming.url)
  response
    .writeHead(issuer.status, { 'cache-control': 'max-age=60' })
    .end(JSON.stringify({ keys: issuer.keys.map(({ jwk }) => jwk) }))
})

const apis = `
apis:
  shop:
    address: shop.example
    upstream: UPSTREAM
    scopes: {orders.read: Read orders, orders.write: Write orders, refunds: Refund}
    roles: {clerk: [orders.read]}
    routes:
      - {id: listOrders, methods: [GET], path: /v1/orders, scopes: {any: [orders.read]}}
      - {id: createOrder, methods: [POST], path: /v1/orders, scopes: {any: [orders.write]}}
      - {id: refund, methods: [POST], path: /v1/refunds, scopes: {any: [refunds]}}
      - {id: status, methods: [GET], path: /status}
  billing:
    address: billing.example
    upstream: UPSTREAM
    scopes: {orders.read: Read orders}
    routes: [{id: listOrders, methods: [GET], path: /v1/orders, scopes: {any: [orders.read]}}]
plans:
  pro: {apis: [shop, billing], kinds: [secret, oauth_client], scopes: ["*"]}
  without: {apis: [shop], kinds: [secret], scopes: ["*"]}
failures: {attempts: 1000000, window: 1m}
`

let server: TestServer
let account: Account
let client: Holder
let port: number

function issuersYaml(more = ''): string {
  return `${apis}
issuers:
  corp:
    issuer: ${issuerUrl}
    jwks_uri: https://login.corp.example:${port}/keys
    allow_private: [loopback]
    audience: {shop: ["${audience}"], billing: [billing]}
    apis: [shop, billing]
    credential: ${client.id}
    algorithms: [ES256, RS256]
    scopes: {claim: scope, map: {read: orders.read, write: orders.write, all: "*"}}
    roles: {claim: [realm, roles]}
    clock_skew: 0s
${more}`
}

beforeAll(async () => {
  await new Promise<void>((resolve) => issuerServer.listen(0, '127.0.0.1', resolve))
  port = (issuerServer.address() as AddressInfo).port
  server = await startTestServer({
    yaml: apis,
    outbound: { ca: authority.cert, lookup: () => Promise.resolve(['127.0.0.1']) },
  })
  account = await makeAccount(server.api, 'pro')
  client = await issue(server.api, account.project, {
    name: 'Corporate sign-in',
    kind: 'oauth_client',
    apis: ['shop', 'billing'],
    scopes: ['orders.read', 'orders.write'],
    oauth: { type: 'confidential', grant_types: ['client_credentials'] },
  })
})
afterAll(async () => {
  await server.stop()
  issuerServer.closeAllConnections()
  issuerServer.close()
})
beforeEach(async () => {
  issuer.keys = [signer, rsa]
  issuer.status = 200
  await use(issuersYaml())
})

async function use(yaml: string): Promise<void> {
  const reloaded = await server.reload(yaml)
  if (!reloaded.ok) throw new Error(reloaded.error.join('\n'))
}

async function patch(path: string, change: object): Promise<void> {
  const { version } = (await server.api('GET', path)).body
  const answer = await server.api('PATCH', path, change, { headers: { 'if-match': `"${version}"` } })
  if (answer.status !== 200) throw new Error(answer.text)
}

const seconds = () => Math.floor(Date.now() / 1_000)

function claims(more: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  const now = seconds()
  return { iss: issuerUrl, aud: audience, sub: 'alice', scope: 'read', iat: now, exp: now + 600, ...more }
}

const aToken = (more: Readonly<Record<string, unknown>> = {}, by = signer) => by.sign(claims(more))

function call(token: string, target = '/v1/orders', more: { method?: string; host?: string } = {}): Promise<RawAnswer> {
  return request(server.gatewayPort, { target, host: 'shop.example', headers: [bearer(token)], ...more })
}

async function code(token: string, target?: string, more?: { method?: string; host?: string }): Promise<string> {
  const { status, body } = await call(token, target, more)
  return status === 200 ? '200' : `${status} ${String(body.code)}`
}

/** What the upstream was told under that name by its last request. */
function told(name: string): string | undefined {
  const { headers = [] } = server.upstream.seen.at(-1) ?? {}
  const at = headers.findIndex((line, i) => i % 2 === 0 && line.toLowerCase() === name)
  return at === -1 ? undefined : headers[at + 1]
}

async function cli(args: readonly string[], more: Parameters<typeof testIo>[0] = {}) {
  const env = { POSTERN_URL: server.console, POSTERN_MANAGEMENT_KEY: managementKey }
  const io = { ...testIo({ ...more, env }), now: Date.now }
  const exitCode = await runCli(io, args)
  return { code: exitCode, out: io.printed.out(), err: io.printed.err() }
}

describe('a JWT of a declared issuer at the gateway (CRC-4)', () => {
  it('is let in as the credential that is declared, and is cut out (40, 45)', async () => {
    expect(await code(aToken())).toBe('200')
    expect(told('authorization')).toBeUndefined()
    expect(
      ['credential', 'kind', 'account', 'project', 'api', 'scopes', 'subject', 'grant'].map((name) =>
        told(`x-postern-${name}`),
      ),
    ).toEqual([client.id, 'oauth_client', account.id, account.project, 'shop', 'orders.read', 'corp:alice', ''])
  })

  it('may do what its claims stand for, within what the credential may', async () => {
    const post = { method: 'POST' }
    expect(await code(aToken(), '/v1/orders', post)).toBe('403 scope_missing')
    expect(await code(aToken({ scope: 'write' }), '/v1/orders', post)).toBe('200')
    expect(await code(aToken({ scope: 'all' }), '/v1/orders', post)).toBe('200')
    expect(told('x-postern-scopes')?.split(' ').toSorted()).toEqual(['orders.read', 'orders.write'])
    // The credential itself may not refund.
    expect(await code(aToken({ scope: 'all' }), '/v1/refunds', post)).toBe('403 scope_missing')
    expect(await code(aToken({ scope: '', realm: { roles: ['clerk'] } }))).toBe('200')
    expect(await code(aToken({ scope: '*' }))).toBe('403 scope_missing')
    expect(await code(aToken({ scope: undefined }), '/status')).toBe('200')
  })

  it('loses at once what the credential loses', async () => {
    const change = (scopes: readonly string[]) => patch(`/credentials/${client.id}`, { scopes })
    const token = aToken({ scope: 'write' })
    const post = { method: 'POST' }
    expect(await code(token, '/v1/orders', post)).toBe('200')
    await change(['orders.read'])
    expect(await code(token, '/v1/orders', post)).toBe('403 scope_missing')
    await change(['orders.read', 'orders.write'])
    expect(await code(token, '/v1/orders', post)).toBe('200')
  })

  it('hears what its holder may know, and nobody else hears it (41)', async () => {
    const past = seconds() - 1
    const bad: [string, string, string][] = [
      ['expired', aToken({ exp: past }), '401 token_expired'],
      ['not yet valid', aToken({ nbf: seconds() + 600 }), '401 credential_not_yet_valid'],
      ['for another API', aToken({ aud: 'billing' }), '401 wrong_audience'],
      ['for nobody here', aToken({ aud: 'https://other.example' }), '401 wrong_audience'],
      ['expired, and not signed by it', aToken({ exp: past }, aSigner('k1')), '401 credential_unknown'],
      ['of a key that is not known', aToken({}, aSigner('k9')), '401 credential_unknown'],
      ['of another issuer', aToken({ iss: 'https://evil.example' }), '401 credential_unknown'],
      ['an ID token', aToken({ nonce: 'n' }), '401 credential_unknown'],
      ['of another type', signer.sign(claims(), { typ: 'JWT' }), '401 credential_unknown'],
      ['cut off', aToken().slice(0, -10), '401 credential_unknown'],
      ['not signed', `${aToken().split('.').slice(0, 2).join('.')}.`, '401 credential_malformed'],
      ['encrypted', `${aToken().split('.')[0]}.AAAA.AAAA.AAAA.AAAA`, '401 credential_unknown'],
    ]
    for (const [what, token, expected] of bad) expect([what, await code(token)]).toEqual([what, expected])
    expect(await code(aToken({ aud: ['x', 'billing'] }), '/v1/orders', { host: 'billing.example' })).toBe('200')
    const expired = await call(aToken({ exp: past }))
    expect(expired.header('www-authenticate')).toMatch(/^Bearer realm="shop", error="invalid_token"/)
    const missing = await call(aToken({ scope: '' }))
    expect(missing.header('www-authenticate')).toMatch(
      /^Bearer realm="shop", error="insufficient_scope".*scope="orders\.read"/,
    )
  })

  it('of 8 KiB is looked at, and one that is longer is malformed', async () => {
    const padded = (length: number) => aToken({ padding: 'x'.repeat(length) })
    const room = Math.floor(((8_192 - padded(0).length) * 3) / 4)
    const [whole, longer] = [padded(room - 2), padded(room + 2)]
    expect([whole.length > 8_180, whole.length <= 8_192, longer.length > 8_192]).toEqual([true, true, true])
    expect([await code(whole), await code(longer)]).toEqual(['200', '401 credential_malformed'])
  })

  it('is dead from the moment that its credential is blocked, and sleeps as long as that (43)', async () => {
    const token = aToken()
    expect(await code(token)).toBe('200')
    expect((await server.api('POST', `/credentials/${client.id}/block`, { reason: 'suspicion' })).status).toBe(200)
    expect([await code(token), await code(aToken())]).toEqual(['401 credential_blocked', '401 credential_blocked'])
    expect((await server.api('POST', `/credentials/${client.id}/unblock`)).status).toBe(200)
    expect(await code(token)).toBe('200')
  })

  it('is dead from the moment that its account is suspended (43)', async () => {
    const token = aToken()
    expect(await code(token)).toBe('200')
    expect((await server.api('POST', `/accounts/${account.id}/suspend`, { reason: 'unpaid' })).status).toBe(200)
    expect(await code(token)).toBe('403 account_suspended')
    expect((await server.api('POST', `/accounts/${account.id}/resume`)).status).toBe(200)
    expect(await code(token)).toBe('200')
  })

  it('keeps to the addresses and the plan of its credential', async () => {
    const limited = await issue(server.api, account.project, {
      kind: 'oauth_client',
      ip_allow: ['192.0.2.0/24'],
      oauth: { type: 'confidential', grant_types: ['client_credentials'] },
    })
    await use(issuersYaml().replace(client.id, limited.id))
    expect(await code(aToken())).toBe('403 ip_not_allowed')
    await use(issuersYaml())
    await patch(`/accounts/${account.id}`, { plan: 'without' })
    expect(await code(aToken())).toBe('403 plan_forbids')
    await patch(`/accounts/${account.id}`, { plan: 'pro' })
    expect(await code(aToken())).toBe('200')
  })

  it('is unknown where its credential does not exist', async () => {
    const nobody = 'cred_zzzzzzzzzzzz'
    await use(issuersYaml().replace(client.id, nobody))
    expect(await code(aToken())).toBe('401 credential_unknown')
  })

  it('is decided alike by verify and explain, whose trace says why', async () => {
    const ask = async (token: string, path: 'verify' | 'explain') => {
      const headers = { authorization: `Bearer ${token}` }
      const { body } = await server.api('POST', `/${path}`, {
        api: 'shop',
        method: 'GET',
        path: '/v1/orders',
        headers,
        ip: '203.0.113.7',
      })
      return body
    }
    const good = aToken()
    for (const [token, reason] of [
      [good, null],
      [aToken({}, aSigner('k1')), 'signature'],
      [aToken({}, aSigner('k9')), 'key id not known'],
      [aToken({ iss: `${issuerUrl}/` }), 'issuer not declared'],
      [signer.sign(claims(), { jku: 'https://evil.example' }), 'a key of its own, or where to find one'],
      [aToken({ sub: undefined }), 'no subject of up to 255 visible characters'],
    ] as const) {
      const [verified, explained, atGateway] = [
        await ask(token, 'verify'),
        await ask(token, 'explain'),
        await code(token),
      ]
      expect([verified.code, explained.code]).toEqual([explained.code, verified.code])
      expect(atGateway).toBe(verified.allowed === true ? '200' : `${verified.status} ${verified.code}`)
      const failed = explained.trace.find(({ outcome }: { outcome: string }) => outcome === 'fail')
      expect(failed?.compared ?? null).toBe(reason)
    }
    expect((await ask(good, 'verify')).principal).toMatchObject({
      credential: client.id,
      subject: 'corp:alice',
      scopes: ['orders.read'],
    })
  })

  it('is found in the request log as its credential, and stands nowhere itself (34)', async () => {
    const token = aToken({ jti: 'canary-of-a-token' })
    const refused = aToken({ jti: 'canary-of-a-token', exp: seconds() - 1 })
    await code(token)
    const id = (await call(refused)).header('x-request-id') ?? ''
    await until('the request is in the log', async () => (await server.api('GET', `/requests/${id}`)).status === 200)
    const row = (await server.api('GET', `/requests/${id}`)).body
    expect(row).toMatchObject({ credential: client.id, code: 'token_expired' })
    const everything = `${JSON.stringify(row)}${server.logged.join('\n')}`
    for (const text of [token, refused]) {
      const [, payload = '', signature = ''] = text.split('.')
      expect([everything.includes(payload), everything.includes(signature)]).toEqual([false, false])
    }
  })
})

describe('the keys of a declared issuer', () => {
  it('are changed without a request that fails', async () => {
    const next = aSigner('k2')
    expect(await code(aToken())).toBe('200')
    // More than half a minute of the issuer's life, so that an unknown key id may ask.
    issuer.keys = [next, signer]
    await use(issuersYaml().replace('ES256, RS256', 'ES256'))
    const codes = await Promise.all(Array.from({ length: 20 }, (_, i) => code(aToken({}, i % 2 === 0 ? signer : next))))
    expect(new Set(codes)).toEqual(new Set(['200']))
  })

  it('are fetched once for twenty requests at once', async () => {
    await use(issuersYaml().replace('/keys', '/keys?again'))
    const codes = await Promise.all(Array.from({ length: 20 }, () => code(aToken())))
    const fetched = issuer.fetched.filter((url) => url === '/keys?again')
    expect([new Set(codes), fetched.length]).toEqual([new Set(['200']), 1])
  })

  it('that cannot be had are 503, which doctor, metrics and the log tell of', async () => {
    issuer.status = 500
    await use(issuersYaml().replace('/keys', '/keys?down'))
    expect(await code(aToken())).toBe('503 decision_unavailable')
    expect(Number((await call(aToken())).header('retry-after'))).toBeGreaterThan(0)
    const { body } = await server.api('GET', '/system')
    expect(body.issuers).toEqual([
      {
        issuer: 'corp',
        state: 'none',
        keys: 0,
        age_seconds: null,
        failing: 'answered 500',
        credential: client.id,
        credential_state: 'active',
      },
    ])
    const metrics = await (await fetch(`${server.ops}/metrics`)).text()
    expect(metrics).toMatch(/^postern_issuer_keys\{issuer="corp"\} 0$/m)
    expect(metrics).toMatch(/^postern_issuer_keys_failures_total\{issuer="corp"\} [1-9]/m)
    expect(server.logged.join('\n')).toContain(
      '{"event":"issuer.keys_failing","issuer":"corp","reason":"answered 500"}',
    )
    const { out } = await cli(['doctor'])
    expect(out).toMatch(/^FAIL\tissuer corp\tno keys; they cannot be fetched: answered 500$/m)
    expect(out).toMatch(new RegExp(`^ok\tissuer corp\tits tokens act as ${client.id}, which is active$`, 'm'))
    // Keys of Postern's own are as good as before.
    const key = await issue(server.api, account.project)
    expect(await code(key.value)).toBe('200')
  })

  it('and the credential that a file names are what doctor looks at, because config check cannot', async () => {
    const nobody = 'cred_zzzzzzzzzzzz'
    const yaml = issuersYaml().replace(client.id, nobody)
    await use(yaml)
    await code(aToken())
    const { out } = await cli(['doctor'])
    expect(out).toMatch(/^ok\tissuer corp\t2 keys, [0-9]+ s old$/m)
    expect(out).toMatch(new RegExp(`^FAIL\tissuer corp\tits tokens act as ${nobody}, which does not exist$`, 'm'))
    const cwd = mkdtempSync(join(tmpdir(), 'postern-issuers-'))
    onTestFinished(() => rmSync(cwd, { recursive: true }))
    writeFileSync(
      join(cwd, 'postern.yaml'),
      `version: 1\nbrand: acme\n${yaml.replaceAll('UPSTREAM', server.upstream.url)}`,
    )
    const checked = await cli(['config', 'check', '--strict'], { cwd })
    expect(checked).toMatchObject({
      code: 0,
      out: 'postern.yaml is good: 2 APIs, 5 routes, 2 plans, 1 issuer\n',
      err: expect.stringContaining(
        `issuers.corp: whether there is a credential ${nobody} is not looked at here`,
      ) as unknown,
    })
  })

  it('verify no longer what is no longer declared', async () => {
    const token = aToken()
    expect(await code(token)).toBe('200')
    await use(issuersYaml().replace(`{shop: ["${audience}"]`, '{shop: [elsewhere]'))
    expect(await code(token)).toBe('401 wrong_audience')
    await use(issuersYaml().replace('ES256, RS256', 'RS256'))
    expect([await code(token), await code(aToken({}, rsa))]).toEqual(['401 credential_unknown', '200'])
    await use(apis)
    expect([await code(token), await code(aToken({}, rsa))]).toEqual([
      '401 credential_unknown',
      '401 credential_unknown',
    ])
  })
})
