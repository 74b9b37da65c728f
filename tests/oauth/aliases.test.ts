import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

import { fixedClock, type FixedClock } from '../../packages/server/src/base/clock.ts'
import { makeAccount, type Account, type Holder } from '../support/issue.ts'
import { basic, type Form, inBody, issueClient, logged, oauthYaml, post, postJson, send } from '../support/oauth.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
let account: Account
let clock: FixedClock
let serverSide: Holder
let clientSide: Holder
let cards: Holder
let shop: string
let vch: string
let card: string

beforeAll(async () => {
  clock = fixedClock(Date.UTC(2026, 5, 1, 12, 0, 0, 700))
  server = await startTestServer({ yaml: oauthYaml, ownPorts: 5, clock })
  ;[shop = '', , vch = '', card = ''] = server.own
  account = await makeAccount(server.api, 'pro')
  const [first, second] = account.pairs
  if (first === undefined || second === undefined) throw new Error('no pairs')
  serverSide = first
  clientSide = second
  cards = await issueClient(server.api, account.project, { apis: ['cards'], scopes: [] })
})
afterAll(async () => await server.stop())
afterEach(() => {
  const faults = server.logged.filter((line) => line.includes('fault'))
  if (faults.length > 0) throw new Error(faults.join('\n'))
})

const pair = ({ publicId, value }: Holder) => ({ 'x-app-id': publicId, 'x-app-token': value })

describe('Card Connect', () => {
  it('has tokens for client_id and client_secret at /v1/auth/token (CRC-2)', async () => {
    const answer = await post(`${card}/v1/auth/token`, { grant_type: 'client_credentials', ...inBody(cards) })
    expect(answer).toMatchObject({ status: 200 })
    expect(answer.body).toEqual({
      access_token: expect.stringMatching(/^acme_at_/),
      token_type: 'Bearer',
      expires_in: 900,
    })
    const introspected = await post(
      `${server.console}/oauth/introspect`,
      { token: answer.body.access_token },
      basic(cards),
    )
    expect(introspected.body).toMatchObject({ active: true, client_id: cards.publicId })
  })

  it('takes JSON, and Basic, at the same path', async () => {
    const json = await postJson(`${card}/v1/auth/token`, { grant_type: 'client_credentials', ...inBody(cards) })
    const byBasic = await post(`${card}/v1/auth/token`, { grant_type: 'client_credentials' }, basic(cards))
    expect([json.status, byBasic.status]).toEqual([200, 200])
  })

  it('answers errors as RFC 6749 has them', async () => {
    const answer = await post(`${card}/v1/auth/token`, {
      grant_type: 'client_credentials',
      client_id: 'x',
      client_secret: 'y',
    })
    expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
    expect(server.upstream.seen.some(({ target }) => target.includes('/v1/auth/token'))).toBe(false)
  })

  it('35: mints for this API alone, and for clients that have it', async () => {
    const form = { grant_type: 'client_credentials', resource: 'https://shop.example.com' }
    expect((await post(`${card}/v1/auth/token`, form, basic(cards))).body.error).toBe('invalid_target')
    const other = await issueClient(server.api, account.project)
    const answer = await post(`${card}/v1/auth/token`, { grant_type: 'client_credentials' }, basic(other))
    expect(answer.body.error).toBe('unauthorized_client')
    expect(await logged2(answer)).toMatchObject({ api: 'cards', route: 'oauth.token', code: 'wrong_api' })
  })
})

async function logged2(answer: Awaited<ReturnType<typeof post>>) {
  clock.advance(1000)
  return await logged(server.api, answer)
}

describe('Voucherify', () => {
  const mint = (form: Form = {}, headers: Record<string, string> = pair(serverSide)) =>
    post(`${vch}/v1/oauth/token`, { grant_type: 'client_credentials', scope: 'vouchers campaigns', ...form }, headers)

  it('mints from the pair in its headers, and answers the six fields (VCH-7)', async () => {
    const answer = await mint()
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json'])
    expect(answer.body).toEqual({
      access_token: expect.stringMatching(/^acme_at_/),
      client_id: serverSide.publicId,
      expires_at: Math.floor((clock.now() + 900_000) / 1000),
      expires_in: 900,
      scope: 'vouchers campaigns',
      token_type: 'Bearer',
    })
  })

  it('mints for all of the server side, or of the client side, from one pair (VCH-7)', async () => {
    expect((await mint({ scope: 'api' })).body.scope).toBe('api')
    expect((await mint({ scope: 'client_api' })).body.scope).toBe('client_api')
    expect((await mint({ scope: 'api client_validate' })).body.scope).toBe('api client_validate')
    expect((await mint({ scope: 'SKUs' })).status).toBe(200)
  })

  it('takes an empty header for an absent one', async () => {
    const answer = await mint(inBody(serverSide), { 'x-app-id': '', 'x-app-token': '', 'x-client-token': '' })
    expect(answer.status).toBe(200)
  })

  it('30: never takes the pair and something else', async () => {
    for (const answer of [
      await mint(inBody(serverSide)),
      await mint({}, { ...pair(serverSide), ...basic(serverSide) }),
      await mint(
        {},
        { ...pair(serverSide), 'x-client-application-id': clientSide.publicId, 'x-client-token': clientSide.value },
      ),
    ]) {
      expect(answer.status).toBe(400)
      expect((await logged2(answer)).code).toBe('client_ambiguous')
    }
  })

  it.each([
    [
      'an unknown scope',
      { scope: 'vouchers nope other' },
      { code: 400, key: 'invalid_scope', message: 'Invalid scope: nope,other' },
    ],
    [
      'a grant type',
      { grant_type: 'password' },
      { code: 400, key: 'invalid_grant_type', message: 'Invalid grant_type' },
    ],
    [
      'no grant type',
      { grant_type: undefined },
      { code: 400, key: 'invalid_grant_type', message: 'Invalid grant_type' },
    ],
    ['no scope', { scope: undefined }, { code: 400, key: 'missing_parameters', message: 'Missing parameters' }],
    [
      'refresh tokens',
      { grant_type: 'refresh_token' },
      { code: 400, key: 'invalid_grant_type', message: 'Invalid grant_type' },
    ],
  ])('answers %s in its own words', async (_, form, body) => {
    const answer = await mint(form)
    expect([answer.status, answer.body]).toEqual([400, body])
  })

  it('answers a wrong pair as it answers one at its API', async () => {
    const answer = await mint({}, { 'x-app-id': serverSide.publicId, 'x-app-token': clientSide.value })
    expect(answer.status).toBe(401)
    expect(answer.body).toMatchObject({ code: 401, key: 'unauthorized', message: 'Unauthorized' })
    expect(answer.body.request_id).toMatch(/^v-[0-9a-f]{18}$/)
    expect((await mint({}, { 'x-app-id': serverSide.publicId })).status).toBe(401)
    expect((await mint({}, {})).status).toBe(401)
  })

  it('introspects: the six fields and active, or exactly {"active":false}', async () => {
    const { body } = await mint()
    const introspect = (form: Form) => post(`${vch}/v1/oauth/introspect`, form, pair(serverSide))
    const answer = await introspect({ access_token: body.access_token })
    expect([answer.status, answer.body]).toEqual([200, { ...body, active: true }])
    expect((await introspect({ access_token: 'unknown' })).text).toBe('{"active":false}')
    const missing = await introspect({ token: body.access_token })
    expect([missing.status, missing.body]).toEqual([
      400,
      { code: 400, key: 'missing_parameters', message: 'Missing parameters' },
    ])
  })

  it('revokes: 204 and nothing, then 404 and nothing', async () => {
    const { body } = await mint()
    const revoke = () => post(`${vch}/v1/oauth/token/revoke`, { access_token: body.access_token }, pair(serverSide))
    const first = await revoke()
    expect([first.status, first.text, first.headers.get('content-length')]).toEqual([204, '', null])
    const second = await revoke()
    expect([second.status, second.text]).toEqual([404, ''])
    const after = await post(`${vch}/v1/oauth/introspect`, { access_token: body.access_token }, pair(serverSide))
    expect(after.text).toBe('{"active":false}')
  })

  it('lets a broker label what it mints, and tells the label again (VCH-11)', async () => {
    const { body } = await mint({ label: 'till 7 in shop 12' })
    const told = await post(`${server.console}/oauth/introspect`, { token: body.access_token }, basic(serverSide))
    expect(told.body).toMatchObject({ active: true, label: 'till 7 in shop 12' })
    const key = await mint({
      label: `key ${serverSide.value} acme_sk_live_2QxBxQRgwt5ELeZtGlV94K4aosUH24GdqpeaoF1MoVMe3mOjBF`,
    })
    const masked = await post(`${server.console}/oauth/introspect`, { token: key.body.access_token }, basic(serverSide))
    expect(masked.text).not.toContain('ELeZtGlV94K4')
    expect((await mint({ label: 'x'.repeat(101) })).status).toBe(400)
  })

  it('does not mint from a client-side pair without its origin', async () => {
    const headers = { 'x-client-application-id': clientSide.publicId, 'x-client-token': clientSide.value }
    const answer = await mint({ scope: 'client_validate' }, headers)
    expect(answer.status).toBe(400)
    expect((await logged2(answer)).code).toBe('origin_not_allowed')
  })

  it('has a second endpoint that wants Basic and the project', async () => {
    const ask = (form: Form, headers = basic(serverSide)) =>
      post(`${vch}/v2/oauth/token`, { grant_type: 'client_credentials', scope: 'vouchers', ...form }, headers)
    const answer = await ask({ project_id: account.project })
    expect(answer).toMatchObject({ status: 200, body: { scope: 'vouchers', expires_in: 900, token_type: 'Bearer' } })
    const missing = await ask({})
    expect([missing.status, missing.body]).toEqual([
      400,
      { code: 400, key: 'missing_parameters', message: 'Missing parameters' },
    ])
    expect((await ask({ project_id: 'prj_other' })).status).toBe(400)
    const byHeaders = await post(
      `${vch}/v2/oauth/token`,
      { grant_type: 'client_credentials', scope: 'vouchers', project_id: account.project },
      pair(serverSide),
    )
    expect(byHeaders.status).toBe(401)
  })
})

describe('an endpoint under the address of an API', () => {
  it('stands at the paths that are declared', async () => {
    const holder = await issueClient(server.api, account.project)
    const token = await post(`${shop}/oauth/token`, { grant_type: 'client_credentials' }, basic(holder))
    const form = { token: token.body.access_token }
    expect((await post(`${shop}/oauth/introspect`, form, basic(holder))).body.active).toBe(true)
    expect((await post(`${shop}/oauth/revoke`, form, basic(holder))).body).toEqual({})
    expect((await post(`${shop}/oauth/introspect`, form, basic(holder))).body.active).toBe(false)
  })

  it('is told as such by verify, explain and forward-auth, which decide nothing about it', async () => {
    const described = {
      api: 'cards',
      method: 'POST',
      path: '/v1/auth/token',
      headers: { authorization: basic(cards).authorization },
      ip: '127.0.0.1',
    }
    for (const operation of ['/verify', '/explain']) {
      const { status, body } = await server.api('POST', operation, described)
      expect(status).toBe(200)
      expect(body).toMatchObject({ allowed: false, code: 'served_by_postern', status: 421, principal: null })
    }
    const asked = await fetch(`${server.ops}/forward-auth`, {
      headers: {
        'x-forwarded-method': 'POST',
        'x-forwarded-proto': 'http',
        'x-forwarded-host': new URL(card).host,
        'x-forwarded-uri': '/v1/auth/token',
        'x-forwarded-for': '127.0.0.1',
      },
    })
    expect([403, 421]).toContain(asked.status)
  })

  it('11: may be called from pages: a preflight is answered, and nobody reads what a confidential client gets', async () => {
    const preflight = await send(`${card}/v1/auth/token`, 'OPTIONS', {
      origin: 'https://app.example',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type',
    })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-origin')).toBe('https://app.example')
    expect(preflight.headers.get('access-control-allow-credentials')).toBeNull()
    const form = { grant_type: 'client_credentials', ...inBody(cards) }
    const answer = await post(`${card}/v1/auth/token`, form, { origin: 'https://app.example' })
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, null])
  })

  it('11: lets pages of a public client read what it gets, at the origins of its redirect URIs', async () => {
    const open = await issueClient(server.api, account.project, {
      oauth: { type: 'public', redirect_uris: ['https://app.example/cb', 'http://127.0.0.1/cb'] },
    })
    const read = async (origin: string) => {
      const form = { grant_type: 'refresh_token', refresh_token: 'x', client_id: open.publicId }
      return (await post(`${server.console}/oauth/token`, form, { origin })).headers.get('access-control-allow-origin')
    }
    expect(await read('https://app.example')).toBe('https://app.example')
    for (const origin of ['https://app.example.evil.example', 'http://app.example', 'null', 'https://app.example:8443'])
      expect(await read(origin)).toBeNull()
  })

  it.each(['GET', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'])('says which methods it has: not %s', async (method) => {
    const answer = await send(`${card}/v1/auth/token`, method, basic(cards))
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST, OPTIONS'])
  })
})
