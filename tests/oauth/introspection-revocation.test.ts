import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

import { fixedClock, type FixedClock } from '../../packages/server/src/base/clock.ts'
import { issue, makeAccount, type Account, type Holder } from '../support/issue.ts'
import { basic, inBody, issueClient, oauthYaml, post } from '../support/oauth.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
let account: Account
let client: Holder
let other: Holder
let clock: FixedClock
let oauth: string

beforeAll(async () => {
  clock = fixedClock(Date.UTC(2026, 5, 1))
  server = await startTestServer({ yaml: oauthYaml, ownPorts: 5, clock })
  account = await makeAccount(server.api, 'pro')
  client = await issueClient(server.api, account.project, { scopes: ['orders.read', 'orders.write'] })
  other = await issueClient(server.api, account.project)
  oauth = `${server.console}/oauth`
})
afterAll(async () => await server.stop())
afterEach(() => {
  const faults = server.logged.filter((line) => line.includes('fault'))
  if (faults.length > 0) throw new Error(faults.join('\n'))
})

async function mint(holder: Holder = client): Promise<string> {
  const { body } = await post(`${oauth}/token`, { grant_type: 'client_credentials' }, basic(holder))
  return body.access_token
}

const introspect = (token: string, holder: Holder = client) => post(`${oauth}/introspect`, { token }, basic(holder))
const revoke = (token: string, holder: Holder = client) => post(`${oauth}/revoke`, { token }, basic(holder))

const inactive = { active: false }

describe('introspection (RFC 7662)', () => {
  it('tells a client of its own token', async () => {
    const token = await mint()
    const answer = await introspect(token)
    const now = clock.now() / 1000
    expect(answer).toMatchObject({ status: 200 })
    expect(answer.body).toEqual({
      active: true,
      scope: 'orders.read orders.write',
      client_id: client.publicId,
      token_type: 'Bearer',
      exp: now + 900,
      iat: now,
      sub: client.id,
      aud: 'https://shop.example.com',
      iss: server.console,
      jti: expect.stringMatching(/^tok_[0-9a-f]{32}$/),
    })
    expect([answer.headers.get('cache-control'), answer.headers.get('pragma')]).toEqual(['no-store', 'no-cache'])
    expect(answer.text).not.toContain(token)
  })

  it('32: names a client by what no user can be called', async () => {
    const { body } = await introspect(await mint())
    expect(body.sub).toMatch(/^cred_/)
  })

  it('says of another client’s token, of an unknown one and of nonsense the same', async () => {
    const token = await mint()
    const unknown = token.slice(0, -1) + (token.endsWith('a') ? 'b' : 'a')
    for (const answer of [
      await introspect(token, other),
      await introspect(unknown),
      await introspect('nonsense'),
      await introspect(client.value),
      await introspect('a.b.c'),
    ])
      expect([answer.status, answer.body]).toEqual([200, inactive])
  })

  it('tells a client of the operator’s about tokens for its APIs, and about no others', async () => {
    const projects = await server.api('GET', '/projects?account=postern')
    const server1 = await issueClient(server.api, projects.body.data[0].id, { name: 'API', scopes: [] })
    const server2 = await issueClient(server.api, projects.body.data[0].id, {
      name: 'API',
      apis: ['stock'],
      scopes: [],
    })
    const token = await mint()
    expect((await introspect(token, server1)).body).toMatchObject({ active: true, client_id: client.publicId })
    expect((await introspect(token, server2)).body).toEqual(inactive)
  })

  it('is for clients that prove themselves: a public one is refused', async () => {
    const open = await issueClient(server.api, account.project, {
      oauth: { type: 'public', redirect_uris: ['https://app.example/cb'] },
    })
    const answer = await post(`${oauth}/introspect`, { token: await mint(), client_id: open.publicId })
    expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
  })

  it('ends with the token: to the millisecond', async () => {
    const token = await mint()
    clock.advance(900_000 - 1)
    expect((await introspect(token)).body.active).toBe(true)
    clock.advance(1)
    expect((await introspect(token)).body).toEqual(inactive)
  })

  it('follows what the client may do now: scopes, block, plan, account (VCH-8, VCH-9)', async () => {
    const account2 = await makeAccount(server.api, 'pro')
    const holder = await issueClient(server.api, account2.project, { scopes: ['orders.read', 'orders.write'] })
    const at = `/credentials/${holder.id}`
    const token = await mint(holder)
    const versioned = async (path: string, body: object) => {
      const { body: read } = await server.api('GET', path)
      const answer = await server.api('PATCH', path, body, { headers: { 'if-match': `"${read.version}"` } })
      expect(answer.status).toBe(200)
    }
    await versioned(at, { scopes: ['orders.read'] })
    expect((await introspect(token, holder)).body.scope).toBe('orders.read')
    const projects = await server.api('GET', '/projects?account=postern')
    const rs = await issueClient(server.api, projects.body.data[0].id, { name: 'API', scopes: [] })
    const active = async () => (await introspect(token, rs)).body.active
    await server.api('POST', `${at}/block`, { reason: 'test' })
    expect(await active()).toBe(false)
    await server.api('POST', `${at}/unblock`)
    expect(await active()).toBe(true)
    await server.api('POST', `/accounts/${account2.id}/suspend`, { reason: 'test' })
    expect(await active()).toBe(false)
    await server.api('POST', `/accounts/${account2.id}/resume`)
    expect(await active()).toBe(true)
    await server.api('POST', `${at}/revoke`, {})
    expect(await active()).toBe(false)
  })
})

describe('revocation (RFC 7009)', () => {
  it('answers 200 with an empty object, and the token is dead at once', async () => {
    const token = await mint()
    const answer = await revoke(token)
    expect([answer.status, answer.body, answer.headers.get('cache-control')]).toEqual([200, {}, 'no-store'])
    expect((await introspect(token)).body).toEqual(inactive)
    expect([(await revoke(token)).status, (await revoke(token)).body]).toEqual([200, {}])
  })

  it('leaves another client’s token as it is, and reads alike', async () => {
    const token = await mint()
    const answer = await revoke(token, other)
    expect([answer.status, answer.body]).toEqual([200, {}])
    expect((await introspect(token)).body.active).toBe(true)
  })

  it.each(['nonsense', 'acme_at_x', 'a.b.c', 'x'.repeat(8000)])('answers 200 for what is no token', async (token) => {
    const answer = await revoke(token)
    expect([answer.status, answer.body]).toEqual([200, {}])
  })

  it('is an event that tells who ended it', async () => {
    const token = await mint()
    const { body } = await introspect(token)
    await revoke(token)
    const events = await server.api('GET', '/events?limit=1')
    expect(events.body.data[0]).toMatchObject({
      action: 'token.revoked',
      actor: { kind: 'credential', id: client.id },
      target: { kind: 'token', id: body.jti },
    })
    expect(events.text).not.toContain(token)
  })

  it('takes a hint, right or wrong, and JSON, and the body’s client', async () => {
    for (const token_type_hint of ['access_token', 'refresh_token', 'nonsense']) {
      const token = await mint()
      const answer = await post(`${oauth}/revoke`, { token, token_type_hint, ...inBody(client) })
      expect(answer.status).toBe(200)
      expect((await introspect(token)).body).toEqual(inactive)
    }
  })

  it('needs a token and an authenticated client', async () => {
    expect((await post(`${oauth}/revoke`, {}, basic(client))).body.error).toBe('invalid_request')
    expect((await post(`${oauth}/revoke`, { token: 'x' })).body.error).toBe('invalid_client')
    expect((await post(`${oauth}/revoke`, { token: 'x', client_id: client.publicId })).status).toBe(401)
  })

  it('does not touch a key', async () => {
    const key = await issue(server.api, account.project)
    await revoke(key.value)
    const answer = await fetch(`${server.own[0]}/v1/orders/1`, { headers: { authorization: `Bearer ${key.value}` } })
    expect(answer.status).toBe(200)
  })
})

describe('answers', () => {
  it('34: hold no secret, code, token or verifier that was sent, nor does the log', async () => {
    const canaries = { client_secret: 'canary-secret-4711', token: 'canary-token-4711', code: 'canary-code-4711' }
    const answers = [
      await post(`${oauth}/token`, { grant_type: 'authorization_code', client_id: 'x', ...canaries }),
      await post(`${oauth}/introspect`, { client_id: 'x', ...canaries }),
      await post(`${oauth}/revoke`, { client_id: 'x', ...canaries }),
      await post(`${oauth}/introspect`, { token: canaries.token, code: canaries.code }, basic(client)),
    ]
    clock.advance(2000)
    const requests = await server.api('GET', '/requests?limit=100')
    for (const text of [...answers.map((answer) => answer.text), requests.text, server.logged.join('\n')])
      expect(text).not.toContain('4711')
  })
})
