import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

import { makeAccount, type Account, type Holder } from '../support/issue.ts'
import {
  basic,
  failedStep,
  type Form,
  inBody,
  issueClient,
  logged,
  oauthYaml,
  post,
  postJson,
} from '../support/oauth.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
let account: Account
let client: Holder
let broad: Holder
let token: string

beforeAll(async () => {
  server = await startTestServer({ yaml: oauthYaml, ownPorts: 5 })
  account = await makeAccount(server.api, 'pro')
  client = await issueClient(server.api, account.project, { scopes: ['orders.read', 'orders.write'] })
  broad = await issueClient(server.api, account.project, { apis: ['shop', 'stock'], scopes: ['*'] })
  token = `${server.console}/oauth/token`
})
afterAll(async () => await server.stop())
afterEach(() => {
  const faults = server.logged.filter((line) => line.includes('fault'))
  if (faults.length > 0) throw new Error(faults.join('\n'))
})

async function ask(holder: Holder, form: Form = {}) {
  return await post(token, { grant_type: 'client_credentials', ...form }, basic(holder))
}

describe('client_credentials', () => {
  it('yields an opaque token for the only API of the client, with all that it may have (38, 47)', async () => {
    const answer = await ask(client)
    expect(answer.body).toEqual({
      access_token: expect.stringMatching(/^acme_at_[0-9A-Za-z]{49}$/),
      token_type: 'Bearer',
      expires_in: 900,
      scope: 'orders.read orders.write',
    })
    const { headers } = answer
    expect([answer.status, headers.get('cache-control'), headers.get('pragma')]).toEqual([200, 'no-store', 'no-cache'])
    expect(headers.get('content-type')).toBe('application/json')
    expect(headers.get('x-request-id')).toMatch(/^req_/)
  })

  it('36: echoes the whole scope: what was asked for, each once, and never more than the client may have', async () => {
    expect((await ask(client, { scope: 'orders.read' })).body.scope).toBe('orders.read')
    expect((await ask(client, { scope: ' orders.write   orders.read orders.write ' })).body.scope).toBe(
      'orders.write orders.read',
    )
    expect((await ask(client, { scope: '' })).body.scope).toBe('orders.read orders.write')
    expect((await ask(broad, { resource: 'https://shop.example.com' })).body.scope).toBe(
      'orders.read orders.write stock.read',
    )
  })

  it.each([
    ['unknown', 'orders.fly'],
    ['declared, and not the client’s', 'stock.read'],
    ['in part beyond it', 'orders.read stock.read'],
    ['everything', '*'],
    ['in another case', 'Orders.read'],
    ['separated by commas', 'orders.read,orders.write'],
    ['spaces alone', '   '],
  ])('36: is refused whole where the scope is %s', async (_, scope) => {
    const answer = await ask(client, { scope })
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_scope' } })
    expect(answer.body).not.toHaveProperty('access_token')
    expect(await logged(server.api, answer)).toMatchObject({ code: 'scope_invalid', credential: client.id })
  })

  it('35: is for exactly one API: the one that is named, or the only one', async () => {
    const shop = await ask(broad, { resource: 'https://shop.example.com' })
    const stock = await ask(broad, { resource: `${server.console}/apis/stock` })
    expect([shop.body.scope, stock.body.scope]).toEqual(['orders.read orders.write stock.read', 'stock.read'])
    expect((await ask(client, { resource: 'https://shop.example.com' })).status).toBe(200)
    expect((await ask(client, { resource: ['https://shop.example.com', 'https://shop.example.com'] })).status).toBe(200)
  })

  it.each([
    ['none of several', {}],
    ['an unknown one', { resource: 'https://other.example.com' }],
    ['one with a slash more', { resource: 'https://shop.example.com/' }],
    ['two of them', { resource: ['https://shop.example.com', 'https://stock.example.com'] }],
    ['the name of the API', { resource: 'shop' }],
    ['the management API', { resource: 'postern' }],
  ] as const)('35: is refused where the resource is %s', async (_, form) => {
    const answer = await ask(broad, form)
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_target' } })
    expect(answer.body.error_description).toContain('resource')
    expect((await logged(server.api, answer)).code).toBe('resource_invalid')
  })

  it('35: is refused for an API that is declared and not the client’s', async () => {
    const answer = await ask(client, { resource: `${server.console}/apis/stock` })
    expect(answer.body.error).toBe('invalid_target')
  })

  it.each(['password', 'implicit', 'urn:ietf:params:oauth:grant-type:device_code', 'CLIENT_CREDENTIALS', 'x'])(
    '28: there is no grant type %s',
    async (grant_type) => {
      const answer = await post(token, { grant_type, username: 'ada', password: 'secret' }, basic(client))
      expect(answer).toMatchObject({ status: 400, body: { error: 'unsupported_grant_type' } })
      expect((await logged(server.api, answer)).code).toBe('grant_type_unsupported')
    },
  )

  it('is for clients that were registered for it', async () => {
    const code = await issueClient(server.api, account.project, {
      oauth: { type: 'confidential', redirect_uris: ['https://app.example/cb'] },
    })
    const answer = await ask(code)
    expect(answer).toMatchObject({ status: 400, body: { error: 'unauthorized_client' } })
    expect(failedStep(await logged(server.api, answer))).toBe('grant_type: client_credentials')
    for (const grant_type of ['authorization_code', 'refresh_token'])
      expect((await post(token, { grant_type }, basic(client))).body.error).toBe('unauthorized_client')
  })

  it('takes JSON as it takes forms, and answers alike', async () => {
    const answer = await postJson(token, { grant_type: 'client_credentials', scope: 'orders.read', ...inBody(client) })
    expect(answer).toMatchObject({ status: 200, body: { scope: 'orders.read', token_type: 'Bearer', expires_in: 900 } })
  })

  it('is not for a key of an API that has no tokens from keys, and is for one that has (VCH-7)', async () => {
    const [pair] = account.pairs
    if (pair === undefined) throw new Error('no pair')
    expect(await ask(pair, { scope: 'vouchers' })).toMatchObject({ status: 200, body: { scope: 'vouchers' } })
    const key = await server.api('POST', `/projects/${account.project}/credentials`, {
      name: 'Key',
      kind: 'secret',
      apis: ['shop'],
      scopes: ['orders.read'],
    })
    const holder = { publicId: key.body.credential.public_id, value: key.body.secret.value }
    const answer = await post(token, { grant_type: 'client_credentials' }, basic(holder))
    expect(answer).toMatchObject({ status: 400, body: { error: 'unauthorized_client' } })
    expect((await logged(server.api, answer)).code).toBe('kind_not_allowed')
  })

  it('never yields the same token twice', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask(client)))
    expect(new Set(answers.map(({ body }) => body.access_token)).size).toBe(50)
  })
})
