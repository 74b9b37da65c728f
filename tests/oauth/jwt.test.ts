import { createLocalJWKSet, decodeProtectedHeader, jwtVerify, type JSONWebKeySet } from 'jose'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

import { makeAccount, type Account, type Holder } from '../support/issue.ts'
import { basic, issueClient, oauthYaml, post, send } from '../support/oauth.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
let account: Account
let client: Holder
let shop: string

beforeAll(async () => {
  const yaml = oauthYaml.replace('paths: standard,', 'paths: standard, access_token: jwt, ttl: 5m,')
  server = await startTestServer({ yaml, ownPorts: 5 })
  account = await makeAccount(server.api, 'pro')
  client = await issueClient(server.api, account.project, { scopes: ['orders.read', 'orders.write'] })
  shop = server.own[0] ?? ''
})
afterAll(async () => await server.stop())
afterEach(() => {
  const faults = server.logged.filter((line) => line.includes('fault'))
  if (faults.length > 0) throw new Error(faults.join('\n'))
})

async function mint(scope = 'orders.read'): Promise<string> {
  const answer = await post(`${server.console}/oauth/token`, { grant_type: 'client_credentials', scope }, basic(client))
  expect(answer).toMatchObject({ status: 200, body: { token_type: 'Bearer', expires_in: 300, scope } })
  return answer.body.access_token
}

const call = async (token: string, path = '/v1/orders/1') =>
  (await send(shop + path, 'GET', { authorization: `Bearer ${token}` })).status

describe('a JWT access token (RFC 9068)', () => {
  it('says who it is for, about and from, signed by a published key', async () => {
    const token = await mint()
    const keys: JSONWebKeySet = (await send(`${server.console}/oauth/jwks`, 'GET')).body
    const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(keys), {
      issuer: server.console,
      audience: 'https://shop.example.com',
      typ: 'at+jwt',
      algorithms: ['ES256'],
    })
    expect(protectedHeader).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: keys.keys[0]?.kid })
    expect(payload).toEqual({
      iss: server.console,
      sub: client.id,
      aud: 'https://shop.example.com',
      exp: (payload.iat ?? 0) + 300,
      iat: expect.any(Number),
      jti: expect.stringMatching(/^tok_[0-9a-f]{32}$/),
      client_id: client.publicId,
      scope: 'orders.read',
    })
  })

  it('32: is about a client by what no user is called', async () => {
    const [, payload = ''] = (await mint()).split('.')
    expect(JSON.parse(Buffer.from(payload, 'base64url').toString()).sub).toMatch(/^cred_[0-9A-Za-z]{12}$/)
  })

  it('is taken by the gateway, within its scope', async () => {
    const token = await mint()
    expect(await call(token)).toBe(200)
    const put = await send(`${shop}/v1/orders/1`, 'PUT', { authorization: `Bearer ${token}` })
    expect(put.status).toBe(403)
  })

  it('can be introspected and revoked like an opaque one, and is refused at once (D4)', async () => {
    const token = await mint()
    expect(await call(token)).toBe(200)
    const told = await post(`${server.console}/oauth/introspect`, { token }, basic(client))
    expect(told.body).toMatchObject({
      active: true,
      client_id: client.publicId,
      scope: 'orders.read',
      token_type: 'Bearer',
    })
    expect((await post(`${server.console}/oauth/revoke`, { token }, basic(client))).body).toEqual({})
    expect((await post(`${server.console}/oauth/introspect`, { token }, basic(client))).body).toEqual({ active: false })
    expect(await call(token)).toBe(401)
  })

  it('that was altered, or signed by nobody, is neither taken nor told about', async () => {
    const token = await mint()
    const [header = '', payload = '', signature = ''] = token.split('.')
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
    const altered = Buffer.from(JSON.stringify({ ...claims, scope: 'orders.read orders.write' })).toString('base64url')
    const none = Buffer.from(JSON.stringify({ alg: 'none', typ: 'at+jwt' })).toString('base64url')
    for (const forged of [
      `${header}.${altered}.${signature}`,
      `${none}.${payload}.`,
      `${header}.${payload}.`,
      `${header}.${payload}.${signature.slice(0, -1)}${signature.endsWith('A') ? 'B' : 'A'}`,
    ]) {
      expect(await call(forged)).toBe(401)
      const told = await post(`${server.console}/oauth/introspect`, { token: forged }, basic(client))
      expect(told.body).toEqual({ active: false })
    }
    expect(await call(token)).toBe(200)
  })

  it('names the key that signed it', async () => {
    const { kid } = decodeProtectedHeader(await mint())
    const { keys } = (await send(`${server.console}/oauth/jwks`, 'GET')).body
    expect(keys.map((key: { kid: string }) => key.kid)).toContain(kid)
  })
})
