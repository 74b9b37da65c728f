import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { allEvents } from '../../packages/server/src/core/audit/all-events.ts'
import {
  aClient,
  aWorld,
  consent,
  done,
  proof,
  provenance,
  redemption,
  startEngine,
  type Engine,
  type EngineClient,
  type World,
} from '../support/engine.ts'
import type { Form } from '../support/oauth.ts'

const dayMs = 86_400_000

let engine: Engine
let world: World
let client: EngineClient
let open: EngineClient

beforeAll(async () => {
  engine = await startEngine()
  world = await aWorld(engine)
  client = await aClient(engine, world)
  open = await aClient(engine, world, { type: 'public' })
})
afterAll(async () => await engine.stop())

interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
  readonly scope: string
}

async function tokens(by = client, of = world, more: Form = {}): Promise<Tokens> {
  const answer = await engine.post('/oauth/token', redemption(by, await consent(engine, by, of, more)))
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body))
  return answer.body
}

const refresh = (refresh_token: string, more: Form = {}, by = client) =>
  engine.post('/oauth/token', { grant_type: 'refresh_token', refresh_token, ...proof(by), ...more })
const active = async (token: string, by = client): Promise<boolean> =>
  (await engine.post('/oauth/introspect', { token, ...proof(by) })).body.active

async function events(action: string): Promise<number> {
  let count = 0
  for await (const event of allEvents(engine.store.events)) if (event.action === action) count++
  return count
}

const refusedAs = (code: string) => ({
  status: 400,
  body: { error: 'invalid_grant' },
  evaluation: { allowed: false, refusal: { code }, principal: { credential: client.id } },
})

describe('a refresh token', () => {
  it.each([
    ['a confidential client', () => client],
    ['a public client', () => open],
  ])('22: is rotated at each use, of %s', async (_, who) => {
    const by = who()
    const first = await tokens(by)
    const answer = await refresh(first.refresh_token, {}, by)
    expect(answer.status).toBe(200)
    expect(answer.body).toEqual({
      access_token: expect.stringMatching(/^acme_at_/),
      token_type: 'Bearer',
      expires_in: 900,
      refresh_token: expect.stringMatching(/^acme_rt_/),
      scope: 'orders.read orders.write',
    })
    expect(answer.body.refresh_token).not.toBe(first.refresh_token)
    expect(answer.body.access_token).not.toBe(first.access_token)
    expect((await refresh(answer.body.refresh_token, {}, by)).status).toBe(200)
  })

  it('23: that is used again within ten seconds is refused, and its family lives', async () => {
    const first = await tokens()
    const second = await refresh(first.refresh_token)
    engine.clock.advance(9_999)
    const before = await events('token.reused')
    expect(await refresh(first.refresh_token)).toMatchObject(refusedAs('refresh_raced'))
    expect(await active(second.body.access_token)).toBe(true)
    expect((await refresh(second.body.refresh_token)).status).toBe(200)
    expect(await events('token.reused')).toBe(before)
  })

  it('23: that is used again after ten seconds ends its family, access tokens included, with an event', async () => {
    const first = await tokens()
    const second = await refresh(first.refresh_token)
    engine.clock.advance(10_000)
    const before = await events('token.reused')
    expect(await refresh(first.refresh_token)).toMatchObject(refusedAs('refresh_reused'))
    expect(await active(first.access_token)).toBe(false)
    expect(await active(second.body.access_token)).toBe(false)
    expect(await refresh(second.body.refresh_token)).toMatchObject(refusedAs('refresh_revoked'))
    expect(await events('token.reused')).toBe(before + 1)
  })

  it('23: is told as reused whatever else is asked for with it', async () => {
    const first = await tokens()
    await refresh(first.refresh_token)
    engine.clock.advance(10_000)
    expect(await refresh(first.refresh_token, { scope: 'nope', resource: 'https://x' })).toMatchObject(
      refusedAs('refresh_reused'),
    )
  })

  it('25: narrows the scope of its access token, and never widens it', async () => {
    const first = await tokens()
    const narrow = await refresh(first.refresh_token, { scope: 'orders.read' })
    expect(narrow.body.scope).toBe('orders.read')
    // The next one has all of it again: what was agreed to has not changed (RFC 6749, section 6).
    const whole = await refresh(narrow.body.refresh_token)
    expect(whole.body.scope).toBe('orders.read orders.write')
    const less = await tokens(client, world, { scope: 'orders.read' })
    for (const scope of ['orders.read orders.write', 'orders.write', 'stock.read', '*']) {
      const answer = await refresh(less.refresh_token, { scope })
      expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_scope' } })
    }
    // What was refused has not been spent.
    expect((await refresh(less.refresh_token)).body.scope).toBe('orders.read')
  })

  it('25: is for the API of the consent alone', async () => {
    const first = await tokens()
    for (const resource of ['https://stock.example.com', 'https://other.example'])
      expect((await refresh(first.refresh_token, { resource })).body.error).toBe('invalid_target')
    expect((await refresh(first.refresh_token, { resource: 'https://shop.example.com' })).status).toBe(200)
  })

  it('26: ends when it was idle for 30 days: at the last millisecond it lives, then it does not', async () => {
    const [one, two] = [await tokens(), await tokens()]
    engine.clock.advance(30 * dayMs - 1)
    expect((await refresh(one.refresh_token)).status).toBe(200)
    engine.clock.advance(1)
    expect(await refresh(two.refresh_token)).toMatchObject(refusedAs('refresh_expired'))
  })

  it('26: ends 90 days after the consent, however often it was used', async () => {
    let { refresh_token } = await tokens()
    for (const days of [29, 29, 29, 2]) {
      engine.clock.advance(days * dayMs)
      const answer = await refresh(refresh_token)
      expect(answer.status).toBe(200)
      refresh_token = answer.body.refresh_token
    }
    engine.clock.advance(dayMs)
    expect(await refresh(refresh_token)).toMatchObject(refusedAs('refresh_expired'))
  })

  it('26: dies with the consent', async () => {
    const doomed = await aClient(engine, world)
    const { refresh_token, access_token } = await tokens(doomed)
    const filter = { limit: 1, after: null, scope: null, user: null, project: null, state: null }
    const [grant] = (await engine.store.grants.list({ ...filter, client: doomed.id })).items
    const by = provenance(engine.clock)
    done(await engine.store.grants.withdraw({ id: grant?.id ?? '', user: null, scope: null, by }))
    await engine.catchUp()
    expect(await active(access_token, doomed)).toBe(false)
    expect(await refresh(refresh_token, {}, doomed)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
  })

  it('26: dies with a new password, and while the person may not sign in', async () => {
    const by = provenance(engine.clock)
    const person = await aWorld(engine)
    const first = await tokens(client, person)
    done(await engine.store.people.setUserState({ user: person.user, state: 'disabled', by }))
    expect(await refresh(first.refresh_token)).toMatchObject(refusedAs('refresh_revoked'))
    done(await engine.store.people.setUserState({ user: person.user, state: 'active', by }))
    const other = await aWorld(engine)
    const second = await tokens(client, other)
    done(await engine.store.people.setPassword({ user: other.user, passwordHash: 'new', keepSession: null, by }))
    expect(await refresh(second.refresh_token)).toMatchObject(refusedAs('refresh_revoked'))
  })

  it('26: sleeps while its client is blocked, and is dead when that is revoked', async () => {
    const blocked = await aClient(engine, world)
    const { refresh_token } = await tokens(blocked)
    const by = provenance(engine.clock)
    const set = async (change: Parameters<typeof engine.store.credentials.setState>[0]['change']) => {
      done(await engine.store.credentials.setState({ id: blocked.id, scope: null, change, by }))
      await engine.catchUp()
    }
    await set({ to: 'blocked', reason: 'test', until: null })
    expect(await refresh(refresh_token, {}, blocked)).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
    await set({ to: 'active' })
    const answer = await refresh(refresh_token, {}, blocked)
    expect(answer.status).toBe(200)
    await set({ to: 'revoked', reason: null, hide: false })
    expect((await refresh(answer.body.refresh_token, {}, blocked)).status).toBe(401)
  })

  it('27: is its client’s: another one is refused, and it is not spent', async () => {
    const first = await tokens()
    const other = await aClient(engine, world)
    for (const by of [other, open]) {
      const answer = await refresh(first.refresh_token, {}, by)
      expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
      expect(answer.evaluation).toMatchObject({ refusal: { code: 'refresh_unknown' } })
    }
    expect((await refresh(first.refresh_token)).status).toBe(200)
  })

  it('27: of a confidential client needs its secret', async () => {
    const first = await tokens()
    const answer = await refresh(first.refresh_token, { client_secret: undefined })
    expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
  })

  it.each([
    ['nonsense', 'x'],
    ['one that is cut off', 'acme_rt_0123'],
    ['an access token', 'acme_at_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg4cZD9C'],
  ])('that is %s is unknown', async (_, token) => {
    expect(await refresh(token)).toMatchObject(refusedAs('refresh_unknown'))
  })

  it('is not for a client that may not refresh any more', async () => {
    const narrowed = await aClient(engine, world)
    const { refresh_token } = await tokens(narrowed)
    const oauth = {
      type: narrowed.type,
      grantTypes: ['authorization_code'],
      redirectUris: narrowed.redirectUris,
    } as const
    const by = provenance(engine.clock)
    done(await engine.store.credentials.update({ id: narrowed.id, scope: null, version: 1, set: { oauth }, by }))
    await engine.catchUp()
    expect((await refresh(refresh_token, {}, narrowed)).body.error).toBe('unauthorized_client')
  })

  it('is revoked with all of its family, also when an older one is presented (RFC 7009)', async () => {
    const first = await tokens()
    const second = await refresh(first.refresh_token)
    const answer = await engine.post('/oauth/revoke', { token: first.refresh_token, ...proof(client) })
    expect([answer.status, answer.body]).toEqual([200, {}])
    expect(await active(second.body.access_token)).toBe(false)
    expect(await refresh(second.body.refresh_token)).toMatchObject(refusedAs('refresh_revoked'))
  })

  it('is told about to its client, and to nobody else', async () => {
    const { refresh_token } = await tokens()
    const told = await engine.post('/oauth/introspect', { token: refresh_token, ...proof(client) })
    expect(told.body).toMatchObject({ active: true, sub: world.user, scope: 'orders.read orders.write' })
    expect(told.body).not.toHaveProperty('token_type')
    const other = await aClient(engine, world)
    expect(await active(refresh_token, other)).toBe(false)
    await refresh(refresh_token)
    expect(await active(refresh_token)).toBe(false)
  })
})
