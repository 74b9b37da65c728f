import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

import { makeAccount, type Account, type Holder } from '../support/issue.ts'
import { basic, failedStep, inBody, issueClient, logged, oauthYaml, post, postJson } from '../support/oauth.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
let account: Account
let client: Holder
let other: Holder
let open: Holder
let token: string

beforeAll(async () => {
  server = await startTestServer({ yaml: `failures: {attempts: 1000, window: 1m}\n${oauthYaml}`, ownPorts: 5 })
  account = await makeAccount(server.api, 'pro')
  client = await issueClient(server.api, account.project)
  other = await issueClient(server.api, account.project)
  open = await issueClient(server.api, account.project, {
    oauth: { type: 'public', redirect_uris: ['https://app.example/cb'] },
  })
  token = `${server.console}/oauth/token`
})
afterAll(async () => await server.stop())
afterEach(() => {
  const faults = server.logged.filter((line) => line.includes('fault'))
  if (faults.length > 0) throw new Error(faults.join('\n'))
})

const grant = { grant_type: 'client_credentials' }
const wrong = `acme_cs_${'0'.repeat(43)}`

function rawBasic(text: string): { readonly authorization: string } {
  return { authorization: `Basic ${Buffer.from(text).toString('base64')}` }
}

describe('a client', () => {
  it('authenticates by Basic, by body, and by JSON', async () => {
    const answers = [
      await post(token, grant, basic(client)),
      await post(token, grant, rawBasic(`${client.publicId}:${client.value}`)),
      await post(token, { ...grant, ...inBody(client) }),
      await postJson(token, { ...grant, ...inBody(client) }),
    ]
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    const rows = await Promise.all(answers.map((answer) => logged(server.api, answer)))
    for (const row of rows)
      expect(row).toMatchObject({
        api: 'postern',
        route: 'oauth.token',
        code: null,
        credential: client.id,
        status: 200,
      })
  })

  it('reads Basic form-encoded, byte by byte, and with the scheme in any case', async () => {
    const everyByte = (text: string) => [...Buffer.from(text)].map((byte) => `%${byte.toString(16)}`).join('')
    const encoded = rawBasic(`${everyByte(client.publicId)}:${everyByte(client.value)}`)
    expect((await post(token, grant, encoded)).status).toBe(200)
    const authorization = basic(client).authorization.replace('Basic', 'bAsIc')
    expect((await post(token, grant, { authorization })).status).toBe(200)
  })

  it('may name itself beside Basic, and nobody else', async () => {
    expect((await post(token, { ...grant, client_id: client.publicId }, basic(client))).status).toBe(200)
    const answer = await post(token, { ...grant, client_id: other.publicId }, basic(client))
    expect([answer.status, answer.body.error]).toEqual([400, 'invalid_request'])
    expect((await logged(server.api, answer)).code).toBe('client_ambiguous')
  })

  it.each([
    ['Basic and body', () => [inBody(client), basic(client)]],
    ['Basic and body of another', () => [inBody(other), basic(client)]],
    ['Basic and an assertion', () => [{ client_assertion_type: 'x', client_assertion: 'y' }, basic(client)]],
    ['body and an assertion', () => [{ ...inBody(client), client_assertion: 'y' }, {}]],
  ] as const)('30: never authenticates in two ways at once: %s', async (_, sent) => {
    const [form, headers] = sent()
    const answer = await post(token, { ...grant, ...form }, headers)
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_request' } })
    expect((await logged(server.api, answer)).code).toBe('client_ambiguous')
  })

  it('30: is told 401 with a challenge where it used Basic, and 401 without one where it did not', async () => {
    const byBasic = await post(token, grant, basic({ ...client, value: other.value }))
    expect([byBasic.status, byBasic.body.error]).toEqual([401, 'invalid_client'])
    expect(byBasic.headers.get('www-authenticate')).toBe('Basic realm="postern"')
    const byBody = await post(token, { ...grant, ...inBody({ ...client, value: other.value }) })
    expect([byBody.status, byBody.body.error]).toEqual([401, 'invalid_client'])
    expect(byBody.headers.get('www-authenticate')).toBeNull()
  })

  it('31: reads the same whether its id, its secret, both or their pairing is wrong', async () => {
    const attempts = [
      { publicId: 'AAAAAAAAAAAA', value: client.value },
      { publicId: client.publicId, value: other.value },
      { publicId: client.publicId, value: client.value.replace(/.$/, (last) => (last === 'a' ? 'b' : 'a')) },
      { publicId: client.publicId, value: wrong },
      { publicId: 'AAAAAAAAAAAA', value: 'nothing' },
      { publicId: 'x', value: 'y' },
      { publicId: open.publicId, value: client.value },
    ]
    const answers = []
    for (const attempt of attempts) {
      answers.push(await post(token, grant, basic(attempt)))
      answers.push(await post(token, { ...grant, ...inBody(attempt) }))
    }
    answers.push(await post(token, { ...grant, client_id: client.publicId }))
    answers.push(await post(token, { ...grant, client_id: 'AAAAAAAAAAAA' }))
    answers.push(await post(token, grant, rawBasic(`${client.publicId}:`)))
    const bodies = answers.map(({ body }) => ({ ...body, request_id: '' }))
    expect(new Set(bodies.map((body) => JSON.stringify(body))).size).toBe(1)
    expect(bodies[0]).toEqual({
      error: 'invalid_client',
      error_description:
        'Client authentication failed: the client is unknown, its secret is wrong, or it did not send one.',
      request_id: '',
    })
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 401))
  })

  it('31: finds the reason of its refusal in the request log alone', async () => {
    const unknown = await logged(server.api, await post(token, grant, basic({ ...client, value: other.value })))
    expect([unknown.code, failedStep(unknown)]).toEqual([
      'credential_unknown',
      `known: client ${client.publicId}, no record`,
    ])
    const mistyped = await logged(server.api, await post(token, grant, basic({ ...client, value: wrong })))
    expect(mistyped.code).toBe('credential_malformed')
    const named = await logged(server.api, await post(token, { ...grant, client_id: client.publicId }))
    expect([named.code, failedStep(named)]).toEqual([
      'client_unauthenticated',
      'known: a client that has a secret, named without it',
    ])
  })

  it('31: costs the same unknown or wrong: both are one look-up by digest', async () => {
    const time = async (attempt: Pick<Holder, 'publicId' | 'value'>): Promise<number> => {
      const began = performance.now()
      await post(token, { ...grant, ...inBody(attempt) })
      return performance.now() - began
    }
    const median = (times: readonly number[]) => times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0
    const unknown: number[] = []
    const known: number[] = []
    for (let i = 0; i < 150; i++) {
      unknown.push(await time({ publicId: 'AAAAAAAAAAAA', value: 'x'.repeat(57) }))
      known.push(await time({ publicId: client.publicId, value: 'x'.repeat(57) }))
    }
    expect(median(known) / median(unknown)).toBeGreaterThan(0.6)
    expect(median(known) / median(unknown)).toBeLessThan(1.6)
  })

  it.each([
    ['nothing at all', {}, {}, 401, 'invalid_client', 'client_missing'],
    ['a secret without an id', { client_secret: wrong }, {}, 401, 'invalid_client', 'client_missing'],
    ['an assertion', { client_assertion: 'x' }, {}, 401, 'invalid_client', 'client_method_unsupported'],
    ['a Bearer token', {}, { authorization: 'Bearer x' }, 401, 'invalid_client', 'client_method_unsupported'],
    ['Basic of nothing', {}, { authorization: 'Basic' }, 400, 'invalid_request', 'oauth_request_invalid'],
    ['no base64', {}, { authorization: 'Basic %%%' }, 400, 'invalid_request', 'oauth_request_invalid'],
    ['base64 without padding', {}, { authorization: 'Basic YTpiYg' }, 400, 'invalid_request', 'oauth_request_invalid'],
    ['no colon', {}, rawBasic('abc'), 400, 'invalid_request', 'oauth_request_invalid'],
    ['no id before the colon', {}, rawBasic(':abc'), 400, 'invalid_request', 'oauth_request_invalid'],
    ['no UTF-8', {}, { authorization: 'Basic /zp4' }, 400, 'invalid_request', 'oauth_request_invalid'],
  ])('that sends %s is refused', async (_, form, headers, status, error, code) => {
    const answer = await post(token, { ...grant, ...form }, headers)
    expect([answer.status, answer.body.error]).toEqual([status, error])
    expect((await logged(server.api, answer)).code).toBe(code)
  })

  it('that is public names itself, also by Basic with an empty password, and has no client_credentials', async () => {
    for (const answer of [
      await post(token, { ...grant, client_id: open.publicId }),
      await post(token, grant, rawBasic(`${open.publicId}:`)),
    ]) {
      expect([answer.status, answer.body.error]).toEqual([400, 'unauthorized_client'])
      expect(await logged(server.api, answer)).toMatchObject({ code: 'grant_type_not_allowed', credential: open.id })
    }
  })
})

describe('the state of a client', () => {
  it('is told to whoever has its secret: blocked, revoked, expired, rotated out', async () => {
    const holder = await issueClient(server.api, account.project)
    const at = `/credentials/${holder.id}`
    const asked = async () => {
      const answer = await post(token, grant, basic(holder))
      return [answer.status, answer.body.error ?? null, (await logged(server.api, answer)).code]
    }
    expect(await asked()).toEqual([200, null, null])
    await server.api('POST', `${at}/block`, { reason: 'test' })
    expect(await asked()).toEqual([401, 'invalid_client', 'credential_blocked'])
    const stranger = await post(token, grant, basic({ ...holder, value: other.value }))
    expect(stranger.body.error_description).toContain('Client authentication failed')
    await server.api('POST', `${at}/unblock`)
    expect(await asked()).toEqual([200, null, null])
    await server.api('POST', `${at}/revoke`, {})
    expect(await asked()).toEqual([401, 'invalid_client', 'credential_revoked'])
  })

  it('is that of its secret: both live while they overlap, and the old one not after', async () => {
    const holder = await issueClient(server.api, account.project)
    const rotated = await server.api('POST', `/credentials/${holder.id}/rotate`, { overlap: '1h' })
    const next = { ...holder, value: rotated.body.secret.value }
    expect((await post(token, grant, basic(holder))).status).toBe(200)
    expect((await post(token, grant, basic(next))).status).toBe(200)
    const ended = await server.api('POST', `/credentials/${holder.id}/rotate`, { overlap: '0s' })
    expect(ended.status).toBe(200)
    const answer = await post(token, grant, basic(next))
    expect(answer.status).toBe(401)
    expect((await logged(server.api, answer)).code).toBe('secret_rotated_out')
    expect((await post(token, grant, basic({ ...holder, value: ended.body.secret.value }))).status).toBe(200)
  })

  it('is that of its account and its addresses as well', async () => {
    const account2 = await makeAccount(server.api, 'pro')
    const holder = await issueClient(server.api, account2.project, { ip_allow: ['10.0.0.0/8'] })
    const elsewhere = await post(token, grant, basic(holder))
    expect([elsewhere.status, elsewhere.body.error]).toEqual([400, 'unauthorized_client'])
    expect((await logged(server.api, elsewhere)).code).toBe('ip_not_allowed')
    const free = await issueClient(server.api, account2.project)
    await server.api('POST', `/accounts/${account2.id}/suspend`, { reason: 'test' })
    const suspended = await post(token, grant, basic(free))
    expect([suspended.status, suspended.body.error]).toEqual([400, 'unauthorized_client'])
    expect((await logged(server.api, suspended)).code).toBe('account_suspended')
  })

  it('is that of its plan: a downgrade ends minting at once', async () => {
    const account2 = await makeAccount(server.api, 'pro')
    const holder = await issueClient(server.api, account2.project)
    expect((await post(token, grant, basic(holder))).status).toBe(200)
    const { body } = await server.api('GET', `/accounts/${account2.id}`)
    await server.api(
      'PATCH',
      `/accounts/${account2.id}`,
      { plan: 'small' },
      { headers: { 'if-match': `"${body.version}"` } },
    )
    const answer = await post(token, grant, basic(holder))
    expect([answer.status, answer.body.error]).toEqual([400, 'unauthorized_client'])
    expect((await logged(server.api, answer)).code).toBe('plan_forbids')
  })
})
