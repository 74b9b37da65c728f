import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { allEvents } from '../../packages/server/src/core/audit/all-events.ts'
import {
  aClient,
  aWorld,
  consent,
  done,
  provenance,
  redemption,
  redirectUri,
  startEngine,
  verifier,
  proof,
  type Engine,
  type EngineClient,
  type World,
} from '../support/engine.ts'
import type { Form } from '../support/oauth.ts'

let engine: Engine
let world: World
let client: EngineClient
let other: EngineClient
let open: EngineClient

beforeAll(async () => {
  engine = await startEngine()
  world = await aWorld(engine)
  client = await aClient(engine, world)
  other = await aClient(engine, world)
  open = await aClient(engine, world, { type: 'public' })
})
afterAll(async () => await engine.stop())

const redeem = (code: string, more: Form = {}, by = client) => engine.post('/oauth/token', redemption(by, code, more))
const active = async (token: string, by = client): Promise<boolean> =>
  (await engine.post('/oauth/introspect', { token, ...proof(by) })).body.active

async function events(action: string): Promise<number> {
  let count = 0
  for await (const event of allEvents(engine.store.events)) if (event.action === action) count++
  return count
}

describe('an authorization code', () => {
  it('yields an access token and a refresh token, for what was agreed to', async () => {
    const answer = await redeem(await consent(engine, client, world, { scope: 'orders.read' }))
    expect(answer).toMatchObject({ status: 200, evaluation: { allowed: true, principal: { credential: client.id } } })
    expect(answer.body).toEqual({
      access_token: expect.stringMatching(/^acme_at_/),
      token_type: 'Bearer',
      expires_in: 900,
      refresh_token: expect.stringMatching(/^acme_rt_/),
      scope: 'orders.read',
    })
    expect([answer.header('cache-control'), answer.header('pragma')]).toEqual(['no-store', 'no-cache'])
    const told = await engine.post('/oauth/introspect', { token: answer.body.access_token, ...proof(client) })
    expect(told.body).toMatchObject({ active: true, sub: world.user, client_id: client.clientId, scope: 'orders.read' })
  })

  it('is redeemed by a public client with its verifier alone', async () => {
    const answer = await redeem(await consent(engine, open, world), {}, open)
    expect(answer.status).toBe(200)
    expect(answer.body.refresh_token).toBeDefined()
  })

  it('yields no refresh token to a client that has no use for one', async () => {
    const once = await aClient(engine, world, { grantTypes: ['authorization_code'] })
    const answer = await redeem(await consent(engine, once, world), {}, once)
    expect(answer.status).toBe(200)
    expect(answer.body).not.toHaveProperty('refresh_token')
  })

  it('20: lives for 60 seconds: at 59,999 ms it does, at 60,000 it does not', async () => {
    const [early, late] = [await consent(engine, client, world), await consent(engine, client, world)]
    engine.clock.advance(59_999)
    expect((await redeem(early)).status).toBe(200)
    engine.clock.advance(1)
    const answer = await redeem(late)
    expect(answer).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
      evaluation: { refusal: { code: 'code_expired' } },
    })
  })

  it('21: that is used twice revokes everything that came of it, also what was refreshed since', async () => {
    const code = await consent(engine, client, world)
    const first = await redeem(code)
    const refreshed = await engine.post('/oauth/token', {
      grant_type: 'refresh_token',
      refresh_token: first.body.refresh_token,
      ...proof(client),
    })
    expect(refreshed.status).toBe(200)
    expect(await active(refreshed.body.access_token)).toBe(true)
    const before = await events('token.reused')
    const again = await redeem(code)
    expect(again).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
      evaluation: { refusal: { code: 'code_reused' } },
    })
    expect(await active(first.body.access_token)).toBe(false)
    expect(await active(refreshed.body.access_token)).toBe(false)
    expect(await active(refreshed.body.refresh_token)).toBe(false)
    expect(await events('token.reused')).toBe(before + 1)
  })

  it('21: does so whoever comes with it, and however wrong', async () => {
    for (const attempt of [
      (code: string) => redeem(code, {}, other),
      (code: string) => redeem(code, { code_verifier: undefined }),
      (code: string) => redeem(code, { redirect_uri: 'https://evil.example' }),
    ]) {
      const code = await consent(engine, client, world)
      const { body } = await redeem(code)
      expect((await attempt(code)).body.error).toBe('invalid_grant')
      expect(await active(body.access_token)).toBe(false)
    }
  })

  it.each([
    ['17: without its verifier', { code_verifier: undefined }, 'verifier_mismatch'],
    ['17: with another verifier', { code_verifier: verifier.toUpperCase() }, 'verifier_mismatch'],
    ['17: with a verifier that is too short', { code_verifier: verifier.slice(0, 42) }, 'verifier_mismatch'],
    ['17: with a verifier that is too long', { code_verifier: 'x'.repeat(129) }, 'verifier_mismatch'],
    [
      '17: with the challenge instead',
      { code_verifier: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM' },
      'verifier_mismatch',
    ],
    ['19: with another redirect URI', { redirect_uri: `${redirectUri}/` }, 'code_mismatch'],
    ['19: without its redirect URI', { redirect_uri: undefined }, 'code_mismatch'],
    ['19: for another resource', { resource: 'https://stock.example.com' }, 'code_mismatch'],
    ['19: for an unknown resource', { resource: 'https://other.example' }, 'code_mismatch'],
  ])('%s is refused, and spent', async (_, more, reason) => {
    const code = await consent(engine, client, world)
    const answer = await redeem(code, more)
    expect(answer).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
      evaluation: { allowed: false, refusal: { code: reason }, principal: { credential: client.id } },
    })
    expect(answer.body).not.toHaveProperty('access_token')
    expect((await redeem(code)).evaluation).toMatchObject({ refusal: { code: 'code_reused' } })
  })

  it('19: of another client is refused, and spent', async () => {
    const code = await consent(engine, client, world)
    expect(await redeem(code, {}, other)).toMatchObject({
      body: { error: 'invalid_grant' },
      evaluation: { refusal: { code: 'code_mismatch' }, principal: { credential: other.id } },
    })
    expect((await redeem(code)).status).toBe(400)
  })

  it('19: takes the resource that it was issued for', async () => {
    const code = await consent(engine, client, world, { resource: 'https://shop.example.com' })
    expect((await redeem(code, { resource: 'https://shop.example.com' })).status).toBe(200)
  })

  it('is bound to no redirect URI where the request named none, and still to none that is not registered', async () => {
    const without = () => consent(engine, client, world, { redirect_uri: undefined })
    expect((await redeem(await without(), { redirect_uri: undefined })).status).toBe(200)
    expect((await redeem(await without())).status).toBe(200)
    expect((await redeem(await without(), { redirect_uri: 'https://evil.example' })).status).toBe(400)
  })

  it.each([
    ['nonsense', 'x'],
    ['a code that is cut off', 'acme_ac_0123'],
    ['a refresh token', 'acme_rt_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg4cZD9C'],
    ['a code that nobody was given', 'acme_ac_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg000000'],
  ])('that is %s is unknown', async (_, code) => {
    expect(await redeem(code)).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
      evaluation: { refusal: { code: 'code_unknown' } },
    })
  })

  it('reads the same whatever is wrong with it: unknown, expired, used, another’s', async () => {
    const used = await consent(engine, client, world)
    await redeem(used)
    const expired = await consent(engine, client, world)
    engine.clock.advance(60_000)
    const answers = [
      await redeem('x'),
      await redeem(used),
      await redeem(expired),
      await redeem(await consent(engine, client, world), {}, other),
    ]
    expect(new Set(answers.map(({ body }) => body.error_description)).size).toBe(1)
  })

  it('18: a verifier without a challenge cannot be: no request without one is taken', async () => {
    await expect(consent(engine, client, world, { code_challenge: undefined })).rejects.toThrow('redirect')
  })

  it('26: dies with the consent, the client, and the person', async () => {
    const by = provenance(engine.clock)
    const doomed = await aClient(engine, world)
    const code = await consent(engine, doomed, world)
    const [grant] = (
      await engine.store.grants.list({
        limit: 1,
        after: null,
        scope: null,
        client: doomed.id,
        user: null,
        project: null,
        state: null,
      })
    ).items
    done(await engine.store.grants.withdraw({ id: grant?.id ?? '', user: null, scope: null, by }))
    expect(await redeem(code, {}, doomed)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })

    const blocked = await aClient(engine, world)
    const second = await consent(engine, blocked, world)
    const change = { to: 'blocked', reason: 'test', until: null } as const
    done(await engine.store.credentials.setState({ id: blocked.id, scope: null, change, by }))
    await engine.catchUp()
    expect(await redeem(second, {}, blocked)).toMatchObject({ status: 401, body: { error: 'invalid_client' } })

    const person = await aWorld(engine)
    const third = await consent(engine, client, person)
    done(await engine.store.people.setUserState({ user: person.user, state: 'disabled', by }))
    expect(await redeem(third)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
  })
})
