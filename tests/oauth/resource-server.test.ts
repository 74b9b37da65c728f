import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'

import { fixedClock, type FixedClock } from '../../packages/server/src/base/clock.ts'
import { bearer, issue, makeAccount, type Account, type Holder } from '../support/issue.ts'
import { basic, type Form, issueClient, oauthYaml, post } from '../support/oauth.ts'
import { request, type RawAnswer } from '../support/raw.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

/** Tokens are good for the API `shop` at its own port, `vch` mints them from its pairs. */
let server: TestServer
let clock: FixedClock
let account: Account
let shopPort: number
let vchPort: number

beforeAll(async () => {
  clock = fixedClock(Date.UTC(2026, 5, 1))
  server = await startTestServer({
    yaml: oauthYaml,
    ownPorts: 5,
    clock,
    listen: ', trusted_proxies: ["127.0.0.3"], plain_http_from: ["127.0.0.1"]',
  })
  shopPort = Number(new URL(server.own[0] ?? '').port)
  vchPort = Number(new URL(server.own[2] ?? '').port)
})
beforeEach(async () => {
  account = await makeAccount(server.api, 'pro')
})
afterAll(async () => await server.stop())
afterEach(() => {
  const faults = server.logged.filter((line) => line.includes('fault'))
  if (faults.length > 0) throw new Error(faults.join('\n'))
})

async function mint(client: Holder, form: Form = {}): Promise<string> {
  const answer = await post(`${server.console}/oauth/token`, { grant_type: 'client_credentials', ...form }, basic(client))
  if (answer.status !== 200) throw new Error(answer.text)
  return answer.body.access_token
}

/** As Voucherify's pairs mint them, for all of the server side unless said. */
async function mintFromPair(pair: Holder | undefined, form: Form = {}): Promise<string> {
  const headers = { 'x-app-id': pair?.publicId ?? '', 'x-app-token': pair?.value ?? '' }
  const fields = { grant_type: 'client_credentials', scope: 'api', ...form }
  const answer = await post(`${server.own[2]}/v1/oauth/token`, fields, headers)
  if (answer.status !== 200) throw new Error(answer.text)
  return answer.body.access_token
}

type Headers = readonly (readonly [string, string])[]

const ask = (port: number, target: string, headers: Headers, more: object = {}): Promise<RawAnswer> =>
  request(port, { target, headers, ...more })

async function said(token: string, target = '/v1/orders/1', port = shopPort): Promise<string> {
  const answer = await ask(port, target, [bearer(token)])
  return answer.status === 200 ? '200' : `${answer.status} ${answer.body.code}`
}

/** Voucherify's bodies hide our codes: the row of the request tells them. */
async function codeOf(answer: RawAnswer): Promise<string | null> {
  const path = `/requests/${answer.header('x-request-id')}`
  clock.advance(1_000)
  await until('the request is in the log', async () => (await server.api('GET', path)).status === 200)
  return (await server.api('GET', path)).body.code
}

async function saidByVoucherify(token: string, target: string, more: Headers = []): Promise<string> {
  const answer = await ask(vchPort, target, [bearer(token), ...more])
  return answer.status === 200 ? '200' : `${answer.status} ${await codeOf(answer)}`
}

describe('a token at the gateway', () => {
  it('44, 45: is cut out before the upstream, which is told who it is and believes nobody else', async () => {
    const client = await issueClient(server.api, account.project)
    const token = await mint(client)
    const forged: Headers = [
      ['X-Postern-Subject', 'usr_forged'],
      ['x_postern_grant', 'grt_forged'],
      ['X-Consumer-Id', 'kept'],
    ]
    const answer = await ask(shopPort, '/v1/orders/1', [bearer(token), ...forged])
    expect(answer.status).toBe(200)
    const seen = server.upstream.seen.at(-1)
    expect(JSON.stringify(seen)).not.toContain(token)
    expect(JSON.stringify(seen)).not.toContain('forged')
    expect(seen?.headers).toMatchObject({
      'x-postern-credential': client.id,
      'x-postern-kind': 'oauth_client',
      'x-postern-account': account.id,
      'x-postern-project': account.project,
      'x-postern-scopes': 'orders.read',
      'x-postern-subject': '',
      'x-postern-grant': '',
    })
  })

  it('39: stands in the Authorization header alone: not in the URL, not in a form, not beside another', async () => {
    const token = await mint(await issueClient(server.api, account.project))
    const inQuery = await ask(shopPort, `/v1/orders/1?access_token=${token}`, [])
    expect([inQuery.status, inQuery.body.code]).toEqual([401, 'credential_missing'])
    const twice = await ask(shopPort, `/v1/orders/1?access_token=${token}`, [bearer(token)])
    expect([twice.status, twice.body.code]).toEqual([400, 'credential_ambiguous'])
    const form = { method: 'GET', body: `access_token=${token}` }
    const inForm = await ask(shopPort, '/v1/orders/1', [['Content-Type', 'application/x-www-form-urlencoded']], form)
    expect([inForm.status, inForm.body.code]).toEqual([401, 'credential_missing'])
    clock.advance(1_000)
    const path = `/requests/${twice.header('x-request-id')}`
    await until('the request is in the log', async () => (await server.api('GET', path)).status === 200)
    expect((await server.api('GET', path)).text).not.toContain(token)
    expect(JSON.stringify(server.upstream.seen)).not.toContain(token)
  })

  it('41: without one, with a bad one and without a scope is challenged as RFC 6750 has it', async () => {
    const token = await mint(await issueClient(server.api, account.project))
    const challenge = async (headers: Headers, more: object = {}) => {
      const answer = await ask(shopPort, '/v1/orders/1', headers, more)
      return [answer.status, answer.headers('www-authenticate').find((line) => line.startsWith('Bearer'))]
    }
    expect(await challenge([])).toEqual([401, 'Bearer realm="shop"'])
    expect(await challenge([bearer(`${token.slice(0, -1)}-`)])).toEqual([
      401,
      expect.stringMatching(/^Bearer realm="shop", error="invalid_token", error_description="[ !#-[\]-~]+"$/),
    ])
    expect(await challenge([bearer(token)], { method: 'PUT' })).toEqual([
      403,
      'Bearer realm="shop", error="insufficient_scope", scope="orders.write"',
    ])
    clock.advance(900_000)
    expect(await said(token)).toBe('401 token_expired')
  })

  it('41: for another API is not good here, whatever its client may do here', async () => {
    const client = await issueClient(server.api, account.project, { apis: ['shop', 'stock'], scopes: ['*'] })
    const token = await mint(client, { resource: `${server.console}/apis/stock` })
    const answer = await ask(shopPort, '/v1/orders/1', [bearer(token)])
    expect([answer.status, answer.body.code]).toEqual([401, 'wrong_audience'])
    expect(answer.header('www-authenticate')).toContain('error="invalid_token"')
  })

  it('47: lives to the millisecond, and is never let in afterwards', async () => {
    const token = await mint(await issueClient(server.api, account.project))
    clock.advance(899_999)
    expect(await said(token)).toBe('200')
    clock.advance(1)
    expect(await said(token)).toBe('401 token_expired')
  })

  it('43: dies with what its client loses at the moment that this is answered, and sleeps while it is blocked', async () => {
    const client = await issueClient(server.api, account.project)
    const token = await mint(client)
    const change = async (path: string, body: object) => {
      const answer = await server.api('POST', path, body)
      expect(answer.status, answer.text).toBe(200)
      return await said(token)
    }
    expect(await said(token)).toBe('200')
    expect(await change(`/credentials/${client.id}/block`, { reason: 'x' })).toBe('401 credential_blocked')
    expect(await change(`/credentials/${client.id}/unblock`, {})).toBe('200')
    expect(await change(`/accounts/${account.id}/suspend`, { reason: 'x' })).toBe('403 account_suspended')
    expect(await change(`/accounts/${account.id}/resume`, {})).toBe('200')
    expect(await change(`/credentials/${client.id}/rotate`, { overlap: '0s' })).toBe('200')
    expect(await change(`/credentials/${client.id}/revoke`, {})).toBe('401 credential_revoked')
  })

  it('46: keeps to the addresses of its client as the gateway sees them, not as the caller says', async () => {
    const client = await issueClient(server.api, account.project)
    const token = await mint(client)
    const listed = { ip_allow: ['198.51.100.7'] }
    await server.api('PATCH', `/credentials/${client.id}`, listed, { headers: { 'if-match': '"1"' } })
    const forwarded: Headers = [bearer(token), ['X-Forwarded-For', '198.51.100.7'], ['X-Forwarded-Proto', 'https']]
    expect((await ask(shopPort, '/v1/orders/1', forwarded)).body.code).toBe('ip_not_allowed')
    expect((await ask(shopPort, '/v1/orders/1', forwarded, { from: '127.0.0.3' })).status).toBe(200)
  })

  it('31: costs a stranger no more to guess than a key: unknown and mistyped ones are counted', async () => {
    const token = await mint(await issueClient(server.api, account.project))
    const from = { from: '127.0.0.3' }
    const proxied: Headers = [['X-Forwarded-For', '192.0.2.77'], ['X-Forwarded-Proto', 'https']]
    const wrong = `${token.slice(0, -1)}${token.endsWith('0') ? '1' : '0'}`
    const codes = new Set<string>()
    for (let i = 0; i < 31; i++) {
      codes.add((await ask(shopPort, '/v1/orders/1', [bearer(wrong), ...proxied], from)).body.code)
    }
    expect(codes).toEqual(new Set(['credential_malformed', 'too_many_failures']))
    expect((await ask(shopPort, '/v1/orders/1', [bearer(token), ...proxied], from)).status).toBe(200)
  })
})

describe('what is no access token', () => {
  it('is not taken: the secret of a client, and a key where tokens alone are', async () => {
    const client = await issueClient(server.api, account.project)
    expect(await said(client.value)).toBe('403 kind_not_allowed')
    const key = await issue(server.api, account.project, { apis: ['line'], scopes: [] })
    const linePort = Number(new URL(server.own[4] ?? '').port)
    expect(await said(key.value, '/v1/anything', linePort)).toMatch(/^(401|403) /)
  })

  it('a token is not taken where keys alone are', async () => {
    const token = await mint(await issueClient(server.api, account.project))
    const answer = await ask(shopPort, '/v1/orders/1', [['X-Api-Key', token]])
    expect([answer.status, answer.body.code]).toEqual([403, 'kind_not_allowed'])
  })
})

describe('tokens from a pair (VCH-7 to VCH-11)', () => {
  it('VCH-7: open the server side, the client side, or what the scope names, and nothing else', async () => {
    const [pair] = account.pairs
    const all = await mintFromPair(pair)
    const vouchers = await mintFromPair(pair, { scope: 'vouchers' })
    const page = await mintFromPair(pair, { scope: 'client_api' })
    const skus = await mintFromPair(pair, { scope: 'SKUs' })
    const paths = ['/v1/vouchers/A', '/v1/campaigns', '/v1/SKUs/1', '/client/v1/validate']
    const opened = async (token: string) => {
      const statuses = []
      for (const path of paths) statuses.push((await ask(vchPort, path, [bearer(token)])).status)
      return statuses
    }
    expect(await opened(all)).toEqual([200, 200, 200, 403])
    expect(await opened(vouchers)).toEqual([200, 403, 403, 403])
    expect(await opened(page)).toEqual([403, 403, 403, 200])
    expect(await opened(skus)).toEqual([403, 403, 200, 403])
  })

  it('VCH-7: answer in the words of the vendor when they are not good', async () => {
    const token = await mintFromPair(account.pairs[0], { scope: 'vouchers' })
    const missing = await ask(vchPort, '/v1/campaigns', [bearer(token)])
    expect([missing.status, missing.body.key]).toEqual([403, 'missing_required_permission'])
    clock.advance(900_000)
    const expired = await ask(vchPort, '/v1/vouchers', [bearer(token)])
    expect([expired.status, expired.body]).toMatchObject([401, { code: 401, key: 'unauthorized', message: 'Unauthorized' }])
    expect(await codeOf(expired)).toBe('token_expired')
  })

  it('VCH-8: have the permissions and addresses of their pair as these are now', async () => {
    const pair = await issue(server.api, account.project, { apis: ['vch'], scopes: ['api'] })
    const token = await mintFromPair(pair)
    expect(await saidByVoucherify(token, '/v1/campaigns')).toBe('200')
    const patch = (fields: object, version: number) =>
      server.api('PATCH', `/credentials/${pair.id}`, fields, { headers: { 'if-match': `"${version}"` } })
    expect((await patch({ scopes: ['vouchers'] }, 1)).status).toBe(200)
    expect(await saidByVoucherify(token, '/v1/campaigns')).toBe('403 scope_missing')
    expect(await saidByVoucherify(token, '/v1/vouchers')).toBe('200')
    expect((await patch({ ip_allow: ['198.51.100.7'] }, 2)).status).toBe(200)
    expect(await saidByVoucherify(token, '/v1/vouchers')).toBe('403 ip_not_allowed')
  })

  it('VCH-9: end when the pair is blocked, revoked or deleted, and no new one is made', async () => {
    for (const [end, code] of [
      [(id: string) => server.api('POST', `/credentials/${id}/block`, { reason: 'x' }), 'credential_blocked'],
      [(id: string) => server.api('POST', `/credentials/${id}/revoke`, {}), 'credential_revoked'],
      [(id: string) => server.api('DELETE', `/credentials/${id}`), 'credential_revoked'],
    ] as const) {
      const pair = await issue(server.api, account.project, { apis: ['vch'], scopes: ['api'] })
      const token = await mintFromPair(pair)
      expect(await saidByVoucherify(token, '/v1/vouchers')).toBe('200')
      expect((await end(pair.id)).status).toBe(200)
      expect(await saidByVoucherify(token, '/v1/vouchers')).toBe(`401 ${code}`)
      await expect(mintFromPair(pair)).rejects.toThrow(/401|unauthorized|Unauthorized/)
    }
  })

  it('VCH-10: live through a regeneration of the pair, and can be revoked one by one', async () => {
    const pair = await issue(server.api, account.project, { apis: ['vch'], scopes: ['api'] })
    const [first, second] = [await mintFromPair(pair), await mintFromPair(pair)]
    const rotated = await server.api('POST', `/credentials/${pair.id}/rotate`, { overlap: '0s' })
    const renewed = { ...pair, value: rotated.body.secret.value }
    expect(await saidByVoucherify(first, '/v1/vouchers')).toBe('200')
    const headers = { 'x-app-id': renewed.publicId, 'x-app-token': renewed.value }
    const revoked = await post(`${server.own[2]}/v1/oauth/token/revoke`, { access_token: first }, headers)
    expect(revoked.status).toBe(204)
    expect(await saidByVoucherify(first, '/v1/vouchers')).toBe('401 token_revoked')
    expect(await saidByVoucherify(second, '/v1/vouchers')).toBe('200')
  })

  it('VCH-11: are told apart in the request log by the label that the broker gave each', async () => {
    const [pair] = account.pairs
    const till = await mintFromPair(pair, { label: 'till 7' })
    const kiosk = await mintFromPair(pair, { label: 'kiosk' })
    await ask(vchPort, '/v1/vouchers/till', [bearer(till)])
    await ask(vchPort, '/v1/vouchers/kiosk', [bearer(kiosk)])
    clock.advance(1_000)
    const rows = async (query: string) => (await server.api('GET', `/requests?api=vch&${query}`)).body.data
    await until('both are logged', async () => (await rows(`credential=${pair?.id}`)).some(({ path }: { path: string }) => path === '/v1/vouchers/kiosk'))
    const [row] = await rows('label=till%207')
    expect(row).toMatchObject({ credential: pair?.id, label: 'till 7', secret: null, path: '/v1/vouchers/till' })
    expect(await rows('label=till%207')).toHaveLength(1)
    expect(await rows(`token=${row.token}`)).toEqual([row])
    expect(JSON.stringify(await rows(`credential=${pair?.id}`))).not.toContain(till)
  })

  it('and a pair at once: the token decides, and both have to be of one project', async () => {
    const [pair] = account.pairs
    const token = await mintFromPair(pair, { scope: 'vouchers' })
    const beside = ({ publicId, value }: Pick<Holder, 'publicId' | 'value'>): Headers => [
      ['X-App-Id', publicId],
      ['X-App-Token', value],
    ]
    const own = await issue(server.api, account.project, { apis: ['vch'], scopes: ['api'] })
    expect(await saidByVoucherify(token, '/v1/vouchers', beside(own))).toBe('200')
    expect(await saidByVoucherify(token, '/v1/campaigns', beside(own))).toBe('403 scope_missing')
    const other = await makeAccount(server.api, 'pro')
    const foreign = other.pairs[0] ?? own
    expect(await saidByVoucherify(token, '/v1/vouchers', beside(foreign))).toBe('401 credential_unknown')
    expect(await saidByVoucherify(token, '/v1/vouchers', beside({ ...own, value: foreign.value }))).toBe(
      '401 credential_unknown',
    )
    expect(await saidByVoucherify(token, '/v1/vouchers', beside({ publicId: '', value: '' }))).toBe('200')
  })

  it('VCH-6: of a client-side pair keep its origins', async () => {
    const client = await issue(server.api, account.project, {
      apis: ['vch'],
      scopes: ['client_api'],
      kind: 'publishable',
      origin_allow: ['https://shop.example'],
    })
    const headers = {
      'x-client-application-id': client.publicId,
      'x-client-token': client.value,
      origin: 'https://shop.example',
    }
    const form = { grant_type: 'client_credentials', scope: 'client_api' }
    const minted = await post(`${server.own[2]}/v1/oauth/token`, form, headers)
    expect(minted.status, minted.text).toBe(200)
    const token: string = minted.body.access_token
    const from = (origin: string): Headers => [['Origin', origin]]
    expect(await saidByVoucherify(token, '/client/v1/validate', from('https://shop.example'))).toBe('200')
    expect(await saidByVoucherify(token, '/client/v1/validate', from('https://evil.example'))).toBe('403 origin_not_allowed')
    expect(await saidByVoucherify(token, '/client/v1/validate')).toBe('403 origin_not_allowed')
    const preflight = await request(vchPort, {
      method: 'OPTIONS',
      target: '/client/v1/validate',
      headers: [...from('https://shop.example'), ['Access-Control-Request-Method', 'GET']],
    })
    expect([preflight.status, preflight.header('access-control-allow-headers')]).toEqual([
      204,
      expect.stringContaining('authorization'),
    ])
  })
})

describe('a token over plain HTTP (48)', () => {
  it('is refused, an event of its credential that names it, and nothing of it is kept', async () => {
    const client = await issueClient(server.api, account.project)
    const token = await mint(client)
    const answer = await ask(shopPort, '/v1/orders/1', [bearer(token)], { from: '127.0.0.2' })
    expect([answer.status, answer.body.code]).toEqual([403, 'insecure_transport'])
    const events = async () =>
      (await server.api('GET', `/events?credential=${client.id}&action=credential.exposed`)).body.data
    await until('it is an event', async () => (await events()).length === 1)
    const [event] = await events()
    expect(event).toMatchObject({
      account: account.id,
      ip: '127.0.0.2',
      after: { token: expect.stringMatching(/^tok_/) },
    })
    expect(JSON.stringify(event)).not.toContain(token)
    expect(await said(token)).toBe('200')
  })
})
