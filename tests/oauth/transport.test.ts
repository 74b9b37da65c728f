import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { makeAuthority } from '../support/certificates.ts'
import { makeAccount, type Account, type Holder } from '../support/issue.ts'
import { basic, encoded, inBody, issueClient, oauthYaml } from '../support/oauth.ts'
import { request, type RawRequest } from '../support/raw.ts'
import { callApi, managementKey, startTestServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const portOf = (url: string | undefined): number => Number(new URL(url ?? '').port)
const form = { grant_type: 'client_credentials' }
const type = ['Content-Type', 'application/x-www-form-urlencoded'] as const

const mounts = [
  ['the gateway', (server: TestServer) => portOf(server.own[3]), '/v1/auth/token'],
  ['the console', (server: TestServer) => portOf(server.console), '/oauth/token'],
] as const

describe('a secret over plain HTTP (48, THL-4)', () => {
  let server: TestServer
  let account: Account

  beforeAll(async () => {
    // 127.0.0.1 is a proxy of ours; 127.0.0.2 is anybody.
    server = await startTestServer({
      yaml: oauthYaml,
      ownPorts: 5,
      listen: ', trusted_proxies: [127.0.0.1], plain_http_from: [127.0.0.1]',
    })
    account = await makeAccount(server.api, 'pro')
  })
  afterAll(async () => await server.stop())

  const client = () => issueClient(server.api, account.project, { apis: ['cards'], scopes: [] })
  const exposed = async ({ id }: Holder) => (await server.api('GET', `/credentials/${id}`)).body.exposed_at !== null

  it.each(mounts)(
    'is refused on %s, never redirected, and its client is marked: in the body and in Basic',
    async (_, port, target) => {
      for (const sent of [
        (holder: Holder): RawRequest => ({ body: encoded({ ...form, ...inBody(holder) }), headers: [type] }),
        (holder: Holder): RawRequest => ({
          body: encoded(form),
          headers: [type, ['Authorization', basic(holder).authorization]],
        }),
      ]) {
        const holder = await client()
        const answer = await request(port(server), { method: 'POST', target, from: '127.0.0.2', ...sent(holder) })
        expect([answer.status, answer.body.error, answer.header('location')]).toEqual([403, 'invalid_request', null])
        expect(answer.text).not.toContain('access_token')
        await until('it is marked', () => exposed(holder))
      }
    },
  )

  it.each(mounts)('that is wrong is refused on %s alike, and marks nobody', async (_, port, target) => {
    const holder = await client()
    const body = encoded({ ...form, ...inBody({ ...holder, value: `${holder.value}x` }) })
    const answer = await request(port(server), { method: 'POST', target, from: '127.0.0.2', headers: [type], body })
    expect([answer.status, answer.body.error]).toEqual([403, 'invalid_request'])
    expect(await exposed(holder)).toBe(false)
  })

  it.each(mounts)('is taken on %s from a proxy of ours, if that had it over TLS', async (_, port, target) => {
    const body = encoded({ ...form, ...inBody(await client()) })
    const through = (proto: string) => {
      const headers = [type, ['X-Forwarded-For', '203.0.113.7'], ['X-Forwarded-Proto', proto]] as const
      return request(port(server), { method: 'POST', target, headers, body })
    }
    expect((await through('https')).status).toBe(200)
    expect((await through('http')).status).toBe(403)
  })

  it('46: addresses are those of the proxy’s client, not of whoever says so', async () => {
    const holder = await issueClient(server.api, account.project, {
      apis: ['cards'],
      scopes: [],
      ip_allow: ['203.0.113.7'],
    })
    const body = encoded({ ...form, ...inBody(holder) })
    const from = (chain: string) => {
      const headers = [type, ['X-Forwarded-For', chain], ['X-Forwarded-Proto', 'https']] as const
      return request(portOf(server.console), { method: 'POST', target: '/oauth/token', headers, body })
    }
    expect((await from('203.0.113.7')).status).toBe(200)
    expect((await from('203.0.113.7, 198.51.100.9')).status).toBe(400)
  })

  it('metadata, keys and everything else is refused as well', async () => {
    for (const target of ['/.well-known/oauth-authorization-server', '/oauth/jwks'])
      expect((await request(portOf(server.console), { target, from: '127.0.0.2' })).status).toBe(403)
  })
})

describe('over TLS', () => {
  const authority = makeAuthority()
  const tls = { ca: authority.cert, servername: 'shop.test' }
  let folder: string
  let server: TestServer
  let client: Holder

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'postern-oauth-tls-'))
    const { cert, key } = authority.issue({ names: ['shop.test', '127.0.0.1'] })
    writeFileSync(join(folder, 'shop.pem'), cert)
    writeFileSync(join(folder, 'shop.key'), key, { mode: 0o600 })
    const plain = await startTestServer({ folder, yaml: oauthYaml, ownPorts: 5 })
    const account = await makeAccount(plain.api, 'pro')
    client = await issueClient(callApi(plain.console), account.project, { apis: ['cards'], scopes: [] })
    await plain.stop()
    server = await startTestServer({
      folder,
      yaml: oauthYaml,
      ownPorts: 5,
      listen:
        ', plain_http_from: [], tls: {listeners: [gateway, console], hsts: 365d, certificates: [{cert: ./shop.pem, key: ./shop.key}]}',
    })
  })
  afterAll(async () => {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  it.each(mounts)('tokens are issued on %s, with HSTS', async (_, port, target) => {
    const body = encoded({ ...form, ...inBody(client) })
    const answer = await request(port(server), {
      method: 'POST',
      target,
      tls,
      headers: [type],
      body,
      from: '127.0.0.2',
    })
    expect([answer.status, answer.header('strict-transport-security')]).toEqual([200, 'max-age=31536000'])
    const refused = await request(port(server), { method: 'POST', target, tls, headers: [type], body: 'x=1' })
    expect([refused.status, refused.headers('strict-transport-security')]).toEqual([401, ['max-age=31536000']])
  })

  it.each(mounts)('plain HTTP to the port of %s is refused, without HSTS', async (_, port, target) => {
    const body = encoded({ ...form, ...inBody(client) })
    const answer = await request(port(server), { method: 'POST', target, headers: [type], body })
    expect([answer.status, answer.body.error, answer.header('strict-transport-security')]).toEqual([
      403,
      'invalid_request',
      null,
    ])
    const shown = await request(portOf(server.console), {
      tls,
      target: `/api/v1/credentials/${client.id}`,
      headers: [['Authorization', `Bearer ${managementKey}`]],
    })
    expect(shown.status).toBe(200)
    await until('it is marked', async () => {
      const again = await request(portOf(server.console), {
        tls,
        target: `/api/v1/credentials/${client.id}`,
        headers: [['Authorization', `Bearer ${managementKey}`]],
      })
      return again.body.exposed_at !== null
    })
  })
})
