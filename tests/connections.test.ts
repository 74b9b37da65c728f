import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import pg from 'pg'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'

import { operatorAccountId } from '../packages/server/src/core/accounts/account.ts'
import { makeAuthority } from './support/certificates.ts'
import { bearer, issue, makeAccount, makeProject, type Account, type Holder } from './support/issue.ts'
import { request, type RawAnswer } from './support/raw.ts'
import { startTestServer, type ApiAnswer, type TestServer } from './support/server.ts'
import { until } from './support/until.ts'

const yaml = `
connections: {allow_private: [loopback]}
apis:
  shop:
    address: shop.test
    upstream: UPSTREAM
    credentials: [{in: bearer}]
    scopes: {orders.read: Read}
    routes:
      - {id: models, path: /v1/models, connection: openai}
      - {id: collect, path: /mp/collect, connection: analytics}
      - {id: track, path: /users/track, connection: {platform: braze}}
      - {id: byEnvironment, path: /env, connection: {live: openai}}
      - {id: mail, path: /mail, connection: mail}
      - {id: nobody, path: /nobody, connection: nobody}
      - {id: plain, path: /plain}
plans:
  pro: {apis: [shop, postern], kinds: [secret, management]}
`
async function freshDatabase(name: string): Promise<string> {
  const url = inject('postgresUrl')
  const client = new pg.Client(url)
  await client.connect()
  await client.query(`create database ${name}`)
  await client.end()
  const database = new URL(url)
  database.pathname = `/${name}`
  return database.toString()
}

const authorityOfPlatforms = makeAuthority()
const openaiKey = 'sk-proj-of-the-operator-0123456789'

/** What the stand-in for a platform answers next; it is reached at any host, over TLS of its own authority. */
let platformStatus = 200
const called: string[] = []
const platform = createServer(
  authorityOfPlatforms.issue({ names: ['127.0.0.1', 'localhost'] }),
  (incoming, response) => {
    called.push(`${incoming.method} ${incoming.url} ${incoming.headers.authorization}`)
    response.writeHead(platformStatus, { location: 'https://elsewhere.test/' }).end('the answer of the platform')
  },
)

let server: TestServer
let account: Account
let key: Holder
let platformUrl: string

beforeAll(async () => {
  await new Promise<void>((resolve) => platform.listen(0, '127.0.0.1', resolve))
  platformUrl = `https://localhost:${(platform.address() as AddressInfo).port}`
  server = await startTestServer({ yaml, outbound: { ca: authorityOfPlatforms.cert } })
  account = await makeAccount(server.api, 'pro')
  key = await issue(server.api, account.project)
  await make({ name: 'openai', platform: 'openai', secrets: { api_key: openaiKey } })
})
afterAll(async () => {
  await server.stop()
  platform.closeAllConnections()
  platform.close()
})

const call = (target: string, holder = key): Promise<RawAnswer> =>
  request(server.gatewayPort, { target, headers: [bearer(holder.value)] })

const isCollect = ({ route }: { readonly route: string | null }): boolean => route === 'collect'

/** Header lines of that name which the upstream saw of its last request. */
function seen(name: string): string[] {
  const lines = server.upstream.seen.at(-1)?.headers ?? []
  return lines.filter((_, i) => i % 2 === 1 && lines[i - 1]?.toLowerCase() === name)
}

async function make(body: object, path = '/connections') {
  const answer = await server.api('POST', path, body)
  if (answer.status !== 201) throw new Error(answer.text)
  return answer.body.connection
}

const custom = (name: string, settings: object, secret = 'a-secret-of-the-operator') =>
  make({ name, platform: 'custom', settings: { in: 'bearer', ...settings }, secrets: { secret } })

describe('connections of the operator (VCH-5, APK-2)', () => {
  it('are written, and read back as hint and fingerprint alone (7)', async () => {
    const body = { name: 'written', platform: 'openai', secrets: { api_key: openaiKey } }
    const made = await server.api('POST', '/connections', body)
    expect(made).toMatchObject({
      status: 201,
      body: {
        connection: {
          account: operatorAccountId,
          project: null,
          platform: 'openai',
          name: 'written',
          injectable: true,
          settings: {},
          secrets: [
            { field: 'api_key', hint: '6789', fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/) as unknown },
          ],
          state: 'active',
          last_check: null,
          version: 1,
        },
      },
    })
    const { id } = made.body.connection
    expect(made.headers.get('location')).toBe(`/api/v1/connections/${id}`)
    expect(id).toMatch(/^conn_[0-9a-f]{32}$/)
    const read = await server.api('GET', `/connections/${id}`)
    expect(read.body).toEqual(made.body.connection)
    for (const { text } of [made, read, await server.api('GET', '/connections'), await server.api('GET', '/events')])
      expect(text).not.toContain(openaiKey)
    expect(await server.api('POST', '/connections', body)).toMatchObject({ status: 409, body: { code: 'conflict' } })
  })

  it('are injected by the routes that name them, and the client’s own credential is not', async () => {
    expect((await call('/v1/models')).status).toBe(200)
    expect(seen('authorization')).toEqual([`Bearer ${openaiKey}`])
    expect((await call('/plain')).status).toBe(200)
    expect(seen('authorization')).toEqual([])
  })

  it('travel in the query where the platform wants it so, and in no log (CLM-3)', async () => {
    const secrets = { api_secret: 'the-secret-of-the-stream' }
    await make({
      name: 'analytics',
      platform: 'google-analytics',
      settings: { measurement_id: 'G-0000000000' },
      secrets,
    })
    expect((await call('/mp/collect?v=2&api_secret=mine')).status).toBe(200)
    expect(server.upstream.seen.at(-1)?.target).toBe(
      '/mp/collect?v=2&measurement_id=G-0000000000&api_secret=the-secret-of-the-stream',
    )
    await until('the request is logged', async () =>
      (await server.api('GET', `/requests?credential=${key.id}&limit=100`)).body.data.some(isCollect),
    )
    expect((await server.api('GET', `/requests?credential=${key.id}&limit=100`)).text).not.toContain(
      'the-secret-of-the-stream',
    )
    expect(server.logged.join('\n')).not.toContain('the-secret-of-the-stream')
  })

  it('give the new secret to the next request once they are rotated', async () => {
    const [{ id, secrets }] = (await server.api('GET', '/connections?name=openai')).body.data
    const rotated = await server.api('POST', `/connections/${id}/rotate`, {
      secrets: { api_key: 'sk-the-second-one-01' },
    })
    expect(rotated).toMatchObject({ status: 200, body: { connection: { version: 2, secrets: [{ hint: 'e-01' }] } } })
    expect(rotated.body.connection.secrets[0].fingerprint).not.toBe(secrets[0].fingerprint)
    await call('/v1/models')
    expect(seen('authorization')).toEqual(['Bearer sk-the-second-one-01'])
    const back = await server.api('POST', `/connections/${id}/rotate`, { secrets: { api_key: openaiKey } })
    expect(back.body.connection.secrets).toEqual(secrets)
  })

  it('are refused while disabled, absent, or not declared for the environment, and nothing is forwarded', async () => {
    const [{ id }] = (await server.api('GET', '/connections?name=openai')).body.data
    const sandbox = await makeProject(server.api, account.id, { name: 'Sandbox', environment: 'sandbox' })
    const trial = await issue(server.api, sandbox.id)
    server.upstream.clear()
    expect(await server.api('POST', `/connections/${id}/disable`, { reason: 'leaked' })).toMatchObject({
      body: { connection: { state: 'disabled', state_reason: 'leaked' } },
    })
    for (const [target, holder] of [
      ['/v1/models', key],
      ['/nobody', key],
      ['/env', trial],
      ['/users/track', key],
    ] as const) {
      const answer = await call(target, holder)
      expect([target, answer.status]).toEqual([target, 503])
      expect(JSON.parse(answer.text)).toMatchObject({ code: 'connection_unavailable' })
    }
    expect(server.upstream.seen).toEqual([])
    expect(server.logged.filter((line) => line.includes('connection.unavailable')).length).toBe(4)
    await server.api('POST', `/connections/${id}/enable`)
    expect((await call('/v1/models')).status).toBe(200)
    expect((await call('/env')).status).toBe(200)
  })

  it('are refused where the platform takes its credential in the body, and declared so they are an error', async () => {
    const made = await make({ name: 'mail', platform: 'mandrill', secrets: { api_key: 'md-the-key-of-mandrill' } })
    expect(made.injectable).toBe(false)
    expect((await call('/mail')).status).toBe(503)
    expect(server.logged.filter((line) => line.includes('connection.unavailable')).at(-1)).toContain(
      'the platform takes its credential in the body, which the gateway does not rewrite',
    )
    expect(() => server.reload(yaml.replace('{platform: braze}', '{platform: mandrill}'))).toThrow(
      /takes its credential in the body/,
    )
  })

  it('are gone for the next request once they are deleted, and their name is free', async () => {
    const [{ id }] = (await server.api('GET', '/connections?name=analytics')).body.data
    expect((await server.api('DELETE', `/connections/${id}`)).status).toBe(200)
    expect((await call('/mp/collect')).status).toBe(503)
    expect((await server.api('GET', `/connections/${id}`)).status).toBe(404)
    expect((await server.api('POST', `/connections/${id}/reveal`)).status).toBe(404)
  })

  it('fail closed where the key file is another one, say so, and work again with the right one', async () => {
    await custom('nobody', {}, 'the-secret-of-nobody')
    const file = join(server.folder, 'keys', 'standing', 'connections.key')
    renameSync(file, `${file}.away`)
    server.upstream.clear()
    expect((await call('/nobody')).status).toBe(503)
    expect(server.upstream.seen).toEqual([])
    const [{ id }] = (await server.api('GET', '/connections?name=nobody')).body.data
    expect(await server.api('POST', `/connections/${id}/check`)).toMatchObject({ body: { reason: 'seal_broken' } })
    expect(await server.api('POST', `/connections/${id}/reveal`)).toMatchObject({ status: 409 })
    renameSync(`${file}.away`, file)
    expect((await server.api('POST', `/connections/${id}/reveal`)).body.secrets).toEqual({
      secret: 'the-secret-of-nobody',
    })
  })
})

describe('reading a secret', () => {
  it('is for services of the operator, an event each time, and kept by nobody on the way', async () => {
    const [{ id }] = (await server.api('GET', '/connections?name=openai')).body.data
    const read = await server.api('POST', `/connections/${id}/reveal`, undefined, {
      headers: { 'idempotency-key': 'once' },
    })
    expect(read).toMatchObject({
      status: 200,
      body: { id, platform: 'openai', secrets: { api_key: openaiKey } },
    })
    expect(read.headers.get('cache-control')).toBe('no-store')
    const again = await server.api('POST', `/connections/${id}/reveal`, undefined, {
      headers: { 'idempotency-key': 'once' },
    })
    expect(again.headers.get('idempotent-replayed')).toBeNull()
    const events = (await server.api('GET', '/events?action=connection.read')).body.data
    expect(events.filter(({ target }: { target: { id: string } }) => target.id === id)).toMatchObject([
      { actor: { kind: 'bootstrap' }, ip: '127.0.0.1', target: { kind: 'connection' } },
      { actor: { kind: 'bootstrap' }, ip: '127.0.0.1', target: { kind: 'connection' } },
    ])
    await server.api('POST', `/connections/${id}/disable`, {})
    expect(await server.api('POST', `/connections/${id}/reveal`)).toMatchObject({
      status: 409,
      body: { code: 'conflict' },
    })
    await server.api('POST', `/connections/${id}/enable`)
  })

  it('is for no key of a customer, whatever its rights, nor for an operator’s key without the right', async () => {
    const management = { kind: 'management', apis: ['postern'] }
    const theirs = await issue(server.api, account.project, { ...management, scopes: ['*'] })
    const settings = { endpoint: 'rest.iad-01.braze.com' }
    const body = { name: 'braze', platform: 'braze', settings, secrets: { api_key: 'the-key-of-the-customer' } }
    const own = await server.api('POST', '/connections', body, { key: theirs.value })
    expect(own).toMatchObject({ status: 201, body: { connection: { account: account.id, project: null } } })
    const { id } = own.body.connection
    const denied = { status: 403, body: { code: 'permission_missing', missing_scopes: ['connections.read_secret'] } }
    expect(await server.api('POST', `/connections/${id}/reveal`, undefined, { key: theirs.value })).toMatchObject(
      denied,
    )
    const [{ id: project }] = (await server.api('GET', `/accounts/${operatorAccountId}/projects`)).body.data
    const scopes = ['connections.read', 'connections.rotate', 'connections.update', 'connections.check']
    const narrow = await issue(server.api, project, { ...management, scopes })
    expect(await server.api('POST', `/connections/${id}/reveal`, undefined, { key: narrow.value })).toMatchObject(
      denied,
    )
    const wide = await issue(server.api, project, { ...management, scopes: ['connections.read_secret'] })
    expect(
      (await server.api('POST', `/connections/${id}/reveal`, undefined, { key: wide.value })).body.secrets,
    ).toEqual({
      api_key: 'the-key-of-the-customer',
    })
  })
})

describe('connections of customers', () => {
  it('serve the requests of their project, or else of all projects of the account', async () => {
    await call('/users/track')
    expect(seen('authorization')).toEqual(['Bearer the-key-of-the-customer'])
    const settings = { endpoint: 'rest.fra-01.braze.eu' }
    const body = { name: 'braze', platform: 'braze', settings, secrets: { api_key: 'the-key-of-the-project' } }
    await make(body, `/projects/${account.project}/connections`)
    await call('/users/track')
    expect(seen('authorization')).toEqual(['Bearer the-key-of-the-project'])
    const other = await makeAccount(server.api, 'pro', 'Others')
    expect((await call('/users/track', await issue(server.api, other.project))).status).toBe(503)
  })

  it('cannot be made in the operator’s project, where postern.yaml could not name them', async () => {
    const [{ id }] = (await server.api('GET', `/accounts/${operatorAccountId}/projects`)).body.data
    const body = { name: 'x', platform: 'openai', secrets: { api_key: 'x'.repeat(20) } }
    expect(await server.api('POST', `/projects/${id}/connections`, body)).toMatchObject({ status: 409 })
  })
})

describe('a check', () => {
  it('asks the platform with the credential, and keeps the verdict until the next secret', async () => {
    const { id } = await custom('checked', { base_url: platformUrl, check_path: '/v1/me' }, 'good-secret-0123')
    platformStatus = 200
    const good = await server.api('POST', `/connections/${id}/check`)
    expect(good).toMatchObject({ status: 200, body: { ok: true, reason: 'ok', status: 200 } })
    expect(called.at(-1)).toBe('GET /v1/me Bearer good-secret-0123')
    platformStatus = 401
    const bad = await server.api('POST', `/connections/${id}/check`)
    expect(bad.body).toMatchObject({ ok: false, reason: 'credential_refused', status: 401 })
    expect(bad.text).not.toContain('the answer of the platform')
    expect((await server.api('GET', `/connections/${id}`)).body.last_check).toEqual(bad.body)
    const [event] = (await server.api('GET', '/events?action=connection.checked')).body.data
    expect(event).toMatchObject({ target: { id }, after: { reason: 'credential_refused', status: 401 } })
    await server.api('POST', `/connections/${id}/rotate`, { secrets: { secret: 'another-secret-0123' } })
    expect((await server.api('GET', `/connections/${id}`)).body.last_check).toBeNull()
    platformStatus = 302
    const before = called.length
    expect((await server.api('POST', `/connections/${id}/check`)).body.reason).toBe('unexpected_answer')
    expect(called.length).toBe(before + 1)
  })

  it('of a customer reaches nothing of the operator’s own network (50)', async () => {
    const before = called.length
    const settings = { in: 'bearer', base_url: platformUrl, check_path: '/v1/me' }
    const body = { name: 'inside', platform: 'custom', settings, secrets: { secret: 'whatever-0123456' } }
    const { id } = await make(body, `/accounts/${account.id}/connections`)
    const answer = await server.api('POST', `/connections/${id}/check`)
    expect(answer.body).toMatchObject({ ok: false, reason: 'address_forbidden', status: null })
    expect(called.length).toBe(before)
  })

  it('can be made ten times a minute by a customer, whatever connection it is, and by the operator all the same', async () => {
    const home = await makeAccount(server.api, 'pro')
    const rights = { kind: 'management', apis: ['postern'], scopes: ['connections.check'] }
    const { value } = await issue(server.api, home.project, rights)
    const settings = { in: 'bearer', base_url: platformUrl, check_path: '/v1/me' }
    const ids: string[] = []
    for (const name of ['one', 'two']) {
      const body = { name, platform: 'custom', settings, secrets: { secret: 'whatever-0123456' } }
      ids.push((await make(body, `/accounts/${home.id}/connections`)).id)
    }
    const check = (i: number, options = {}) =>
      server.api('POST', `/connections/${ids[i % 2]}/check`, undefined, options)
    const answers: ApiAnswer[] = []
    for (let i = 0; i < 14; i++) answers.push(await check(i, { key: value }))
    expect(answers.slice(0, 10).map(({ status, body }) => [status, body.reason])).toEqual(
      Array.from({ length: 10 }, () => [200, 'address_forbidden']),
    )
    const refused = answers.at(-1)
    expect([refused?.status, refused?.body.code]).toEqual([429, 'rate_limited'])
    expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await check(0)).status).toBe(200)
  })

  it('is refused where there is nothing to ask', async () => {
    const segment = {
      name: 'segment',
      platform: 'segment',
      settings: { host: 'api.segment.io' },
      secrets: { write_key: 'w'.repeat(32) },
    }
    const { id } = await make(segment)
    expect(await server.api('POST', `/connections/${id}/check`)).toMatchObject({
      status: 409,
      body: { code: 'conflict', detail: expect.stringContaining('has no call that reads') as unknown },
    })
  })

  it('does not send the secret anywhere else than where it was pasted for', async () => {
    const { id, version } = await custom('moved', { base_url: platformUrl, check_path: '/v1/me' })
    const move = await server.api(
      'PATCH',
      `/connections/${id}`,
      { settings: { in: 'bearer', base_url: 'https://evil.test' } },
      { headers: { 'if-match': `"${version}"` } },
    )
    expect(move).toMatchObject({ status: 400, body: { code: 'body_invalid' } })
    const settings = { in: 'bearer', base_url: 'https://evil.test', check_path: '/' }
    expect(await server.api('POST', `/connections/${id}/rotate`, { settings })).toMatchObject({ status: 400 })
  })
})

describe('what is pasted wrong', () => {
  it.each([
    ['an unknown platform', { platform: 'nope' }, { path: '/platform' }],
    ['a setting of the wrong form', { settings: { endpoint: 'evil.test' } }, { path: '/settings/endpoint' }],
    ['a field that is none', { settings: { endpoint: 'rest.iad-01.braze.com', x: 'y' } }, { path: '/settings' }],
    ['a secret with a line break', { secrets: { api_key: 'a\r\nX: y' } }, { path: '/secrets/api_key' }],
    ['a secret that is missing', { secrets: {} }, { path: '/secrets/api_key' }],
  ])('is refused by name, without its value: %s', async (_what, over, fault) => {
    const settings = { endpoint: 'rest.iad-01.braze.com' }
    const body = { name: 'wrong', platform: 'braze', settings, secrets: { api_key: 'the-key-of-braze' }, ...over }
    const answer = await server.api('POST', '/connections', body)
    expect(answer).toMatchObject({ status: 422, body: { code: 'not_acceptable_value', errors: [fault] } })
    expect(answer.text).not.toMatch(/evil\.test|X: y|the-key-of-braze/)
  })

  it('a creation that is repeated under one Idempotency-Key is one, and its secret is part of what is compared', async () => {
    const send = (secret: string) =>
      server.api(
        'POST',
        '/connections',
        { name: 'once', platform: 'openai', secrets: { api_key: secret } },
        { headers: { 'idempotency-key': 'connection-1' } },
      )
    const first = await send('the-first-secret-0123')
    const again = await send('the-first-secret-0123')
    expect([first.status, again.status, again.headers.get('idempotent-replayed')]).toEqual([201, 201, 'true'])
    expect(again.body).toEqual(first.body)
    expect(await send('the-other-secret-0123')).toMatchObject({ status: 422, body: { code: 'idempotency_mismatch' } })
  })

  it('platforms say what they ask for, and never how it is checked here', async () => {
    const list = await server.api('GET', '/platforms?limit=100')
    expect(list.body.data.length).toBe(23)
    expect(await server.api('GET', '/platforms/mandrill')).toMatchObject({
      status: 200,
      body: { injectable: false, checkable: true, rotation: { overlap: true } },
    })
    expect((await server.api('GET', '/platforms/nope')).status).toBe(404)
  })
})

describe('backup and restart', () => {
  it('keep them sealed, and the key file out of the backup', async () => {
    expect((await server.api('POST', '/system/backup', { name: 'connections' })).status).toBe(200)
    const copy = readFileSync(join(server.folder, 'data', 'backups', 'connections', 'postern.db'))
    expect(copy.includes('conn_')).toBe(true)
    for (const secret of [openaiKey, 'sk-the-second-one-01', 'the-key-of-the-project'])
      expect(copy.includes(secret)).toBe(false)
    const keyFile = readFileSync(join(server.folder, 'keys', 'standing', 'connections.key'))
    expect(copy.includes(keyFile)).toBe(false)
  })

  it('keep them and their last use over a restart', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'postern-connections-'))
    try {
      const before = await startTestServer({ yaml, folder })
      const home = await makeAccount(before.api, 'pro')
      const holder = await issue(before.api, home.project)
      const body = { name: 'openai', platform: 'openai', secrets: { api_key: openaiKey } }
      const { id } = (await before.api('POST', '/connections', body)).body.connection
      const get = (node: TestServer) =>
        request(node.gatewayPort, { target: '/v1/models', headers: [bearer(holder.value)] })
      expect((await get(before)).status).toBe(200)
      await before.stop()
      const after = await startTestServer({ yaml, folder })
      const read = await after.api('GET', `/connections/${id}`)
      expect(Date.parse(read.body.last_used_at)).toBeGreaterThanOrEqual(Date.parse(read.body.created_at))
      expect(read.body.version).toBe(1)
      expect((await get(after)).status).toBe(200)
      expect(after.upstream.seen.at(-1)?.headers).toContain(`Bearer ${openaiKey}`)
      await after.stop()
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

describe('several nodes', () => {
  it('inject the new secret and refuse a disabled connection within the bounds of the change feed', async () => {
    const store = await freshDatabase('connections')
    const nodes = [await startTestServer({ yaml, store })]
    const [first] = nodes
    if (first === undefined) throw new Error('no node')
    const keys = join(first.folder, 'keys')
    nodes.push(await startTestServer({ yaml, store, keys }))
    const [, second] = nodes
    if (second === undefined) throw new Error('no node')
    try {
      const home = await makeAccount(first.api, 'pro')
      const holder = await issue(first.api, home.project)
      const made = await first.api('POST', '/connections', {
        name: 'openai',
        platform: 'openai',
        secrets: { api_key: 'sk-one-0123456789' },
      })
      const { id } = made.body.connection
      const there = async () => {
        const answer = await request(second.gatewayPort, { target: '/v1/models', headers: [bearer(holder.value)] })
        const lines = second.upstream.seen.at(-1)?.headers ?? []
        return `${answer.status} ${lines[lines.findIndex((line) => line.toLowerCase() === 'authorization') + 1]}`
      }
      await until('the other node injects it', async () => (await there()) === '200 Bearer sk-one-0123456789')
      await first.api('POST', `/connections/${id}/rotate`, { secrets: { api_key: 'sk-two-0123456789' } })
      await until('the other node injects the new one', async () => (await there()) === '200 Bearer sk-two-0123456789')
      await first.api('POST', `/connections/${id}/disable`, {})
      await until('the other node refuses', async () => (await there()).startsWith('503'))
      expect((await first.api('GET', `/connections/${id}`)).body).toMatchObject({ state: 'disabled', version: 3 })
    } finally {
      for (const node of nodes) await node.stop()
    }
  })
})
