import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

import { makeAccount, type Account, type Holder } from '../support/issue.ts'
import { basic, encoded, inBody, issueClient, logged, oauthYaml, post, postJson, send } from '../support/oauth.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
let account: Account
let client: Holder
let oauth: string

beforeAll(async () => {
  server = await startTestServer({ yaml: oauthYaml, ownPorts: 5 })
  account = await makeAccount(server.api, 'pro')
  client = await issueClient(server.api, account.project)
  oauth = `${server.console}/oauth`
})
afterAll(async () => await server.stop())
afterEach(() => {
  const faults = server.logged.filter((line) => line.includes('fault'))
  if (faults.length > 0) throw new Error(faults.join('\n'))
})

const formType = { 'content-type': 'application/x-www-form-urlencoded' }
const lengths = {
  grant_type: 200,
  client_id: 200,
  client_secret: 1024,
  scope: 8192,
  resource: 2048,
  label: 100,
  code: 512,
  redirect_uri: 2048,
  code_verifier: 512,
  refresh_token: 1024,
  token: 8192,
  token_type_hint: 200,
} as const

/** Sent to the token endpoint with everything that it needs beside. */
async function refused(body: string, headers: Readonly<Record<string, string>> = {}) {
  const answer = await post(`${oauth}/token`, body, { ...basic(client), ...headers })
  return [answer.status, answer.body?.error, answer.headers.get('cache-control')]
}

const invalid = [400, 'invalid_request', 'no-store']

describe('a parameter', () => {
  it.each(Object.keys(lengths))(
    '%s that comes twice is refused, also where it says the same or nothing',
    async (name) => {
      if (name === 'resource') return
      for (const twice of [`${name}=a&${name}=a`, `${name}=a&${name}=b`, `${name}=&${name}=a`, `${name}=&${name}=`])
        expect(await refused(`grant_type=client_credentials&${twice}`)).toEqual(invalid)
    },
  )

  it.each(Object.entries(lengths))('%s of more than %i characters is refused', async (name, max) => {
    const form = name === 'grant_type' ? '' : 'grant_type=client_credentials&'
    const answer = await post(`${oauth}/token`, `${form}${name}=${'x'.repeat(max + 1)}`, basic(client))
    expect([answer.status, answer.body.error, answer.body.error_description]).toEqual([
      400,
      'invalid_request',
      expect.stringContaining(`'${name}' is too long.`),
    ])
    expect(answer.text.length).toBeLessThan(500)
  })

  it.each(Object.keys(lengths))('%s with control characters or broken encoding is refused', async (name) => {
    for (const value of ['a%00b', 'a%0d%0ab', '%7f', '%c2%85', '%ff', '%', '%4', '%zz', '%ed%a0%80'])
      expect(await refused(`grant_type=client_credentials&${name}=${value}`)).toEqual(invalid)
  })

  it('that is empty is one that is not there', async () => {
    expect(
      (await post(`${oauth}/token`, 'grant_type=client_credentials&scope=&resource=&code=', basic(client))).status,
    ).toBe(200)
    expect(await refused('grant_type=')).toEqual(invalid)
    expect(await refused('grant_type')).toEqual(invalid)
  })

  it('that nobody knows is not looked at, even twice', async () => {
    const form = 'grant_type=client_credentials&audience=a&audience=b&username=x&%ff=1&__proto__=2&constructor=3'
    const answer = await post(`${oauth}/token`, form.replace('%ff=1&', ''), basic(client))
    expect(answer.status).toBe(200)
    expect(await refused(form)).toEqual(invalid)
  })

  it('is not taken from the query, where logs and browsers keep it', async () => {
    for (const name of ['client_secret', 'grant_type', 'token', 'scope', 'client%5Fsecret']) {
      const answer = await post(`${oauth}/token?${name}=x`, { grant_type: 'client_credentials' }, basic(client))
      expect([answer.status, answer.body.error]).toEqual([400, 'invalid_request'])
      expect(answer.body.error_description).toContain('must not stand in the query')
    }
    const everything = encoded({ grant_type: 'client_credentials', ...inBody(client) })
    expect((await send(`${oauth}/token?${everything}`, 'POST', formType)).status).toBe(400)
    expect(
      (await post(`${oauth}/token?utm_source=x`, { grant_type: 'client_credentials' }, basic(client))).status,
    ).toBe(200)
  })

  it('is one of a hundred at most', async () => {
    const many = (count: number) => Array.from({ length: count }, (_, i) => `&x${i}=1`).join('')
    expect((await post(`${oauth}/token`, `grant_type=client_credentials${many(99)}`, basic(client))).status).toBe(200)
    expect(await refused(`grant_type=client_credentials${many(100)}`)).toEqual(invalid)
  })
})

describe('a body', () => {
  it.each([
    ['none', ''],
    ['text/plain', 'text/plain'],
    ['multipart', 'multipart/form-data; boundary=x'],
    ['XML', 'application/xml'],
    ['another charset', 'application/x-www-form-urlencoded; charset=iso-8859-1'],
    ['another parameter', 'application/x-www-form-urlencoded; x=y'],
    ['two types', 'application/json, application/x-www-form-urlencoded'],
    ['JSON of a kind', 'application/problem+json'],
  ])('of the type "%s" is refused', async (_, type) => {
    const body = new TextEncoder().encode('grant_type=client_credentials')
    const headers = type === '' ? {} : { 'content-type': type }
    const answer = await send(`${oauth}/token`, 'POST', { ...basic(client), ...headers }, body)
    expect([answer.status, answer.body.error]).toEqual([400, 'invalid_request'])
    expect(answer.body.error_description).toContain('Content-Type')
  })

  it.each([
    'application/x-www-form-urlencoded;charset=UTF-8',
    'Application/X-WWW-Form-Urlencoded; charset="utf-8"',
    'application/x-www-form-urlencoded ; CHARSET=utf8',
  ])('of the type %s is read', async (type) => {
    const answer = await post(`${oauth}/token`, 'grant_type=client_credentials', {
      ...basic(client),
      'content-type': type,
    })
    expect(answer.status).toBe(200)
  })

  it('that is compressed, or no UTF-8, is refused', async () => {
    expect(await refused('grant_type=client_credentials', { 'content-encoding': 'gzip' })).toEqual(invalid)
    const latin1 = new Uint8Array([...Buffer.from('grant_type=client_credentials&scope='), 0xe9])
    const answer = await send(`${oauth}/token`, 'POST', { ...basic(client), ...formType }, latin1)
    expect(answer.body.error).toBe('invalid_request')
  })

  it.each([
    ['no object', '"grant_type"'],
    ['an array', '[]'],
    ['nothing', ''],
    ['cut off', '{"grant_type": "client_credentials"'],
    ['a name twice', '{"grant_type": "a", "grant_type": "client_credentials"}'],
    ['a name twice in another case', '{"grant_type": "a", "GRANT_TYPE": "client_credentials"}'],
    ['an array as value', '{"grant_type": ["client_credentials"]}'],
    ['an object as value', '{"grant_type": "client_credentials", "claims": {}}'],
    ['a number', '{"grant_type": 1}'],
    ['true', '{"grant_type": true}'],
    ['null', '{"grant_type": null}'],
    ['half a surrogate pair', '{"grant_type": "client_credentials", "label": "\\ud800"}'],
    ['a control character', '{"grant_type": "client_credentials", "label": "\\u0000"}'],
    ['a mark before it', '\ufeff{"grant_type": "client_credentials"}'],
    ['a comment', '{"grant_type": "client_credentials" /* x */}'],
    ['a prototype', '{"__proto__": {"grant_type": "client_credentials"}}'],
  ])('of JSON that is %s is refused', async (_, text) => {
    const answer = await postJson(`${oauth}/token`, text)
    expect([answer.status, answer.body.error]).toEqual([400, 'invalid_request'])
  })
})

describe('each endpoint', () => {
  it.each(['token', 'introspect', 'revoke'])('%s names what is missing, and counts it', async (endpoint) => {
    const missing = endpoint === 'token' ? 'grant_type' : 'token'
    const answer = await post(`${oauth}/${endpoint}`, {}, basic(client))
    expect([answer.status, answer.body.error]).toEqual([400, 'invalid_request'])
    expect(answer.body.error_description).toContain(`'${missing}' is missing.`)
    expect(await logged(server.api, answer)).toMatchObject({
      api: 'postern',
      route: `oauth.${endpoint}`,
      code: 'oauth_request_invalid',
      credential: client.id,
    })
  })

  it.each(['token', 'introspect', 'revoke'])(
    '%s answers errors that RFC 6749 allows: ASCII without quotes',
    async (endpoint) => {
      for (const form of ['x=1', 'grant_type=nothing', 'grant_type=client_credentials&scope=nope', 'token=']) {
        const { body } = await post(`${oauth}/${endpoint}`, form, basic(client))
        if (body.error === undefined) continue
        expect(body.error).toMatch(/^[a-z_]+$/)
        expect(body.error_description).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]*$/)
      }
    },
  )

  it.each([
    ['authorization_code', 'code'],
    ['refresh_token', 'refresh_token'],
  ])('token says what %s needs', async (grant_type, needed) => {
    const holder = await issueClient(server.api, account.project, {
      oauth: { type: 'confidential', redirect_uris: ['https://app.example/cb'] },
    })
    const answer = await post(`${oauth}/token`, { grant_type }, basic(holder))
    expect([answer.status, answer.body.error]).toEqual([400, 'invalid_request'])
    expect(answer.body.error_description).toContain(needed)
  })
})
