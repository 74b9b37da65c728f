import type { wire } from '@postern/contract'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'

import { curl } from './support/curl.ts'
import { issue, makeAccount, type Account } from './support/issue.ts'
import { startTestServer, type TestServer } from './support/server.ts'

const yaml = `
apis:
  tracking: {address: ":PORT0", upstream: UPSTREAM, preset: wecantrack}
  tracking2:
    address: ":PORT1"
    upstream: UPSTREAM
    preset: wecantrack
    credentials: [{in: header, name: X-Tracking-Key}]
  clicks: {address: ":PORT2", upstream: UPSTREAM, preset: clickmeter}
  cards: {address: ":PORT3", upstream: UPSTREAM, preset: cardconnect, unmatched: forward}
plans:
  pro: {apis: [tracking, tracking2, clicks, cards], kinds: [secret]}
  free: {apis: [clicks], kinds: [secret]}
`

let server: TestServer
let account: Account

beforeAll(async () => {
  server = await startTestServer({
    yaml,
    ownPorts: 4,
    answer: ({ method, target, body }) => ({ method, target, body }),
  })
  account = await makeAccount(server.api, 'pro')
})
beforeEach(() => server.upstream.clear())
afterAll(() => server.stop())

const key = async (api: string, role: string | null = null) =>
  await issue(server.api, account.project, { apis: [api], scopes: role === null ? ['*'] : [], role })

/** Whether any header that the upstream saw holds the text. */
const seenByUpstream = (text: string): boolean => JSON.stringify(server.upstream.seen).includes(text)

describe('WeCanTrack', () => {
  it('answers the document’s curl command (WCT-4)', async () => {
    const { value } = await key('tracking')
    const answer = await curl(
      '-X',
      'GET',
      `${server.own[0]}/v1/data`,
      '-H',
      'Accept: application/json',
      '-H',
      `Authorization: Bearer ${value}`,
    )
    expect(answer).toEqual({ status: 200, body: { method: 'GET', target: '/v1/data', body: '' } })
    expect(seenByUpstream(value)).toBe(false)
  })

  it('takes the key in the header that the declaration names instead, and nowhere else (WCT-4)', async () => {
    const { value } = await key('tracking2')
    const inHeader = await curl(`${server.own[1]}/v1/data`, '-H', `X-Tracking-Key: ${value}`)
    const inBearer = await curl(`${server.own[1]}/v1/data`, '-H', `Authorization: Bearer ${value}`)
    expect([inHeader.status, inBearer.status, inBearer.body.code]).toEqual([200, 401, 'credential_missing'])
  })

  it('lets a read-only key read alone (WCT-12)', async () => {
    const { value } = await key('tracking', 'read-only')
    const auth = ['-H', `Authorization: Bearer ${value}`]
    const read = await curl(`${server.own[0]}/v1/data`, ...auth)
    const write = await curl(
      '-X',
      'POST',
      `${server.own[0]}/v1/data`,
      ...auth,
      '-H',
      'Content-Type: application/json',
      '-d',
      '{}',
    )
    expect([read.status, write.status, write.body.code, write.body.missing_scopes]).toEqual([
      200,
      403,
      'scope_missing',
      ['write'],
    ])
  })

  it('refuses a plan without the API, with what to do (WCT-5)', async () => {
    const free = await makeAccount(server.api, 'free')
    const refused = await server.api('POST', `/projects/${free.project}/credentials`, {
      name: 'x',
      kind: 'secret',
      apis: ['tracking'],
      scopes: [],
    })
    expect([refused.status, refused.body.code, refused.body.errors]).toEqual([
      403,
      'rights_exceeded',
      [{ path: '/apis/0', message: 'the plan does not include this API' }],
    ])
    const moved = await makeAccount(server.api, 'pro')
    const { value } = await issue(server.api, moved.project, { apis: ['tracking'], scopes: ['*'] })
    const auth = ['-H', `Authorization: Bearer ${value}`]
    expect((await curl(`${server.own[0]}/v1/data`, ...auth)).status).toBe(200)
    await server.api('PATCH', `/accounts/${moved.id}`, { plan: 'free' }, { headers: { 'if-match': '"1"' } })
    const after = await curl(`${server.own[0]}/v1/data`, ...auth)
    expect([after.status, after.body.code, after.body.detail]).toEqual([
      403,
      'plan_forbids',
      "The account's plan does not include this API, or this kind or age of credential. A plan that includes it makes the same credential work at once.",
    ])
  })
})

describe('ClickMeter', () => {
  it('answers the document’s curl command (CLM-2)', async () => {
    const { value } = await key('clicks')
    const answer = await curl(
      '-X',
      'GET',
      `${server.own[2]}/v2/links`,
      '-H',
      `X-ClickMeter-API-Key: ${value}`,
      '-H',
      'Content-Type: application/json',
    )
    expect(answer).toEqual({ status: 200, body: { method: 'GET', target: '/v2/links', body: '' } })
    expect(seenByUpstream(value)).toBe(false)
  })

  it.each(['GET', 'POST', 'PUT', 'DELETE'])('passes %s with a JSON body, key in the header (CLM-2)', async (method) => {
    const { value } = await key('clicks')
    const body = '{"title":"Spring \\u2192 caf\\u00e9"}'
    const answer = await curl(
      '-X',
      method,
      `${server.own[2]}/v2/links/1?a=1&a=2`,
      '-H',
      `x-clickmeter-api-key: ${value}`,
      '-H',
      'Content-Type: application/json',
      '-d',
      body,
    )
    expect(answer).toEqual({ status: 200, body: { method, target: '/v2/links/1?a=1&a=2', body } })
  })

  it.each(['GET', 'POST', 'PUT', 'DELETE'])(
    'passes %s with the key in the query, which the upstream never sees (CLM-3, 20)',
    async (method) => {
      const { value } = await key('clicks')
      const answer = await curl(
        '-X',
        method,
        `${server.own[2]}/v2/links?page=2&api_key=${value}&sort=%41`,
        '-H',
        'Content-Type: application/json',
        '-d',
        '{}',
      )
      expect(answer).toEqual({ status: 200, body: { method, target: '/v2/links?page=2&sort=%41', body: '{}' } })
      expect(seenByUpstream(value)).toBe(false)
    },
  )

  it('is served only while the account is active (CLM-4)', async () => {
    const other = await makeAccount(server.api, 'free')
    const { value } = await issue(server.api, other.project, { apis: ['clicks'], scopes: ['*'] })
    const call = async () => (await curl(`${server.own[2]}/v2/links`, '-H', `X-ClickMeter-API-Key: ${value}`)).status
    expect(await call()).toBe(200)
    await server.api('POST', `/accounts/${other.id}/suspend`, { reason: 'unpaid' })
    expect(await call()).toBe(403)
  })

  it('tells several keys apart by name (CLM-1)', async () => {
    await server.api('POST', `/projects/${account.project}/credentials`, {
      name: 'Newsletter',
      kind: 'secret',
      apis: ['clicks'],
      scopes: [],
    })
    const { body } = await server.api('GET', '/credentials?search=Newsletter')
    expect(body.data.map(({ name }: wire.Credential) => name)).toEqual(['Newsletter'])
  })
})

describe('Card Connect (CRC-4)', () => {
  it('takes the key in its header', async () => {
    const { value } = await key('cards')
    const answer = await curl(`${server.own[3]}/v1/payments`, '-H', `X-Api-Key: ${value}`)
    expect(answer).toEqual({ status: 200, body: { method: 'GET', target: '/v1/payments', body: '' } })
  })

  it('takes it as Basic, its public id as the user', async () => {
    const { publicId, value } = await key('cards')
    const answer = await curl('-u', `${publicId}:${value}`, `${server.own[3]}/v1/payments`)
    expect(answer.status).toBe(200)
    expect(JSON.stringify(server.upstream.seen).toLowerCase()).not.toContain('authorization')
  })

  it('refuses Basic where the user does not own the key, and says how to ask', async () => {
    const { value } = await key('cards')
    const wrong = await curl('-u', `somebody:${value}`, `${server.own[3]}/v1/payments`)
    const none = await curl(`${server.own[3]}/v1/payments`)
    expect([wrong.status, wrong.body.code, none.status, none.body.code]).toEqual([
      401,
      'credential_unknown',
      401,
      'credential_missing',
    ])
    const response = await fetch(`${server.own[3]}/v1/payments`)
    expect(response.headers.get('www-authenticate')).toBe(
      'ApiKey realm="cards", in="header", name="x-api-key", Basic realm="cards", charset="UTF-8", Bearer realm="cards"',
    )
    expect(server.upstream.seen).toEqual([])
  })
})
