import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { fixedClock, type FixedClock } from '../../packages/server/src/base/clock.ts'
import { makeAccount, type Account } from '../support/issue.ts'
import { basic, inBody, issueClient, oauthYaml, post } from '../support/oauth.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
let account: Account
let clock: FixedClock

beforeAll(async () => {
  clock = fixedClock(Date.UTC(2026, 5, 1))
  server = await startTestServer({ yaml: `failures: {attempts: 5, window: 1m}\n${oauthYaml}`, ownPorts: 5, clock })
  account = await makeAccount(server.api, 'pro')
})
afterAll(async () => await server.stop())

const grant = { grant_type: 'client_credentials' }

describe('failed attempts at the endpoints', () => {
  it('31: have a budget for each peer, and lock out nobody who has a live secret or is a public client', async () => {
    const client = await issueClient(server.api, account.project)
    const open = await issueClient(server.api, account.project, {
      oauth: { type: 'public', redirect_uris: ['https://app.example/cb'] },
    })
    const token = `${server.console}/oauth/token`
    const statuses: number[] = []
    for (let i = 0; i < 6; i++) statuses.push((await post(token, grant, basic({ publicId: 'x', value: 'y' }))).status)
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429])
    const refused = await post(
      `${server.console}/oauth/introspect`,
      { token: 'x' },
      basic({ publicId: 'x', value: 'z' }),
    )
    expect(refused).toMatchObject({ status: 429, body: { error: 'temporarily_unavailable' } })
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await post(token, grant, basic(client))).status).toBe(200)
    expect((await post(token, { ...grant, client_id: open.publicId })).body.error).toBe('unauthorized_client')
    clock.advance(60_000)
    expect((await post(token, grant, basic({ publicId: 'x', value: 'y' }))).status).toBe(401)
    clock.advance(60_000)
  })

  it('are one budget with those of the API: a key that is tried counts as well', async () => {
    for (let i = 0; i < 5; i++) await post(`${server.console}/oauth/token`, grant, basic({ publicId: 'x', value: 'y' }))
    const answer = await fetch(`${server.own[0]}/v1/orders/1`, { headers: { authorization: 'Bearer nothing' } })
    expect(answer.status).toBe(429)
    clock.advance(60_000)
  })

  it('of a program that probes (Basic first, then the body) are two at most, and its good secret none', async () => {
    const client = await issueClient(server.api, account.project)
    const token = `${server.console}/oauth/token`
    for (let i = 0; i < 20; i++) {
      expect((await post(token, grant, basic(client))).status).toBe(200)
      expect((await post(token, { ...grant, ...inBody(client) })).status).toBe(200)
    }
    const wrong = { ...client, value: 'wrong' }
    for (const _ of [1, 2]) {
      expect((await post(token, grant, basic(wrong))).status).toBe(401)
      expect((await post(token, { ...grant, ...inBody(wrong) })).status).toBe(401)
    }
    expect((await post(token, grant, basic(wrong))).status).toBe(401)
  })
})
