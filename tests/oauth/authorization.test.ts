import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { allEvents } from '../../packages/server/src/core/audit/all-events.ts'
import type { Evaluation } from '../../packages/server/src/core/decision/evaluation.ts'
import type { AuthorizationRefusal } from '../../packages/server/src/core/oauth/authorization.ts'
import {
  aClient,
  asking,
  aWorld,
  challenge,
  done,
  headerOf,
  provenance,
  redirectUri,
  startEngine,
  verifier,
  type Engine,
  type EngineClient,
  type World,
} from '../support/engine.ts'
import { encoded, type Form } from '../support/oauth.ts'

let engine: Engine
let world: World
let client: EngineClient
let native: EngineClient

beforeAll(async () => {
  engine = await startEngine()
  world = await aWorld(engine)
  client = await aClient(engine, world)
  native = await aClient(engine, world, {
    type: 'public',
    redirectUris: ['http://127.0.0.1/cb', 'com.example.app:/cb'],
  })
})
afterAll(async () => await engine.stop())

const read = (form: Form | string, headers: Readonly<Record<string, string>> = {}) =>
  engine.oauth.authorization.read(
    engine.request('GET', `/oauth/authorize?${typeof form === 'string' ? form : encoded(form)}`, undefined, headers),
  )

async function refused(form: Form | string): Promise<AuthorizationRefusal> {
  const answer = await read(form)
  if (answer.ok) throw new Error('it was taken')
  return answer.error
}

/** Where an error was sent, and what the log is told. */
async function redirected(form: Form | string): Promise<{ readonly to: URL; readonly evaluation: Evaluation }> {
  const refusal = await refused(form)
  if (refusal.kind === 'page') throw new Error(`a page: ${refusal.detail}`)
  const { answer, evaluation } = refusal.served
  expect([answer.status, answer.body]).toEqual([303, ''])
  expect(headerOf(answer.headers, 'access-control-allow-origin')).toBeNull()
  return { to: new URL(headerOf(answer.headers, 'location') ?? ''), evaluation }
}

const failed = ({ trace }: Evaluation) => {
  const step = trace?.find(({ outcome }) => outcome === 'fail')
  return step && `${step.step}: ${step.compared}`
}

describe('an authorization request', () => {
  it('is read: client, redirect URI, API, scopes, challenge', async () => {
    const answer = await read(asking(client, { scope: 'orders.read', prompt: 'login consent' }))
    expect(answer).toMatchObject({
      ok: true,
      value: {
        client: {
          credential: client.id,
          id: client.clientId,
          name: 'The App',
          account: world.account,
          type: 'confidential',
          refreshes: true,
        },
        redirectUri,
        redirectUriSent: true,
        state: 'a state',
        api: { id: 'shop' },
        scopes: ['orders.read'],
        challenge,
        prompt: ['login', 'consent'],
        evaluation: { allowed: true, refusal: null, principal: { credential: client.id } },
      },
    })
  })

  it('asks for all that the client may have where it names no scope, and needs no state', async () => {
    const answer = await read(asking(client, { state: undefined }))
    expect(answer).toMatchObject({
      ok: true,
      value: { scopes: ['orders.read', 'orders.write'], state: null, prompt: [] },
    })
  })

  it('may come as a form as well', async () => {
    const request = engine.request('POST', '/oauth/authorize', asking(client))
    expect(await engine.oauth.authorization.read(request)).toMatchObject({ ok: true, value: { redirectUri } })
    const mixed = engine.request('POST', `/oauth/authorize?${encoded(asking(client))}`, asking(client))
    expect(await engine.oauth.authorization.read(mixed)).toMatchObject({ ok: false, error: { kind: 'page' } })
  })

  it('may leave the redirect URI out where the client has exactly one', async () => {
    const answer = await read(asking(client, { redirect_uri: undefined }))
    expect(answer).toMatchObject({ ok: true, value: { redirectUri, redirectUriSent: false } })
    expect(await refused(asking(native, { redirect_uri: undefined }))).toMatchObject({ kind: 'page' })
  })

  it('2: may name the port that a loopback client listens at', async () => {
    const answer = await read(asking(native, { redirect_uri: 'http://127.0.0.1:51234/cb' }))
    expect(answer).toMatchObject({ ok: true, value: { redirectUri: 'http://127.0.0.1:51234/cb' } })
  })
})

describe('what is never sent anywhere (1, 4, 5)', () => {
  it.each([
    ['no client', { client_id: undefined }, 'authorization_client_unknown'],
    ['an empty client', { client_id: '' }, 'authorization_client_unknown'],
    ['an unknown client', { client_id: 'AAAAAAAAAAAA' }, 'authorization_client_unknown'],
    ['a client twice', { client_id: ['x', 'x'] }, 'authorization_client_unknown'],
    ['a client with a control character', { client_id: 'a\u0000' }, 'authorization_client_unknown'],
    ['a client that is too long', { client_id: 'a'.repeat(201) }, 'authorization_client_unknown'],
    ['a redirect URI twice', { redirect_uri: [redirectUri, redirectUri] }, 'redirect_uri_mismatch'],
    ['another redirect URI', { redirect_uri: 'https://evil.example/cb' }, 'redirect_uri_mismatch'],
    ['a slash more', { redirect_uri: `${redirectUri}/` }, 'redirect_uri_mismatch'],
    ['a query more', { redirect_uri: `${redirectUri}?x=1` }, 'redirect_uri_mismatch'],
    ['a script', { redirect_uri: 'javascript:alert(1)' }, 'redirect_uri_mismatch'],
    ['a path alone', { redirect_uri: '/cb' }, 'redirect_uri_mismatch'],
    ['a URI that is too long', { redirect_uri: `${redirectUri}${'x'.repeat(2048)}` }, 'redirect_uri_mismatch'],
    ['a loopback port of another client', { redirect_uri: 'http://127.0.0.1:1/cb' }, 'redirect_uri_mismatch'],
  ])('%s: a page says why, with the reason in the log', async (_, more, code) => {
    const refusal = await refused(asking(client, more))
    expect(refusal).toMatchObject({ kind: 'page', status: 400, evaluation: { allowed: false, refusal: { code } } })
    expect(JSON.stringify(refusal)).not.toContain('location')
  })

  it('a client that is a key, blocked, revoked or used from elsewhere', async () => {
    const by = provenance(engine.clock)
    for (const change of [
      { to: 'blocked', reason: 'test', until: null },
      { to: 'revoked', reason: null, hide: false },
    ] as const) {
      const dead = await aClient(engine, world)
      expect((await read(asking(dead))).ok).toBe(true)
      done(await engine.store.credentials.setState({ id: dead.id, scope: null, change, by }))
      await engine.catchUp()
      const refusal = await refused(asking(dead))
      expect(refusal).toMatchObject({ kind: 'page', evaluation: { refusal: { code: 'authorization_client_unknown' } } })
      if (refusal.kind === 'page') expect(failed(refusal.evaluation)).toMatch(/^state: state (blocked|revoked)$/)
    }
    const far = await aClient(engine, world, { ipAllow: ['10.0.0.0/8'] })
    expect(await refused(asking(far))).toMatchObject({ kind: 'page' })
  })

  it('a request by another method, or one that cannot be read', async () => {
    const request = engine.request('DELETE', `/oauth/authorize?${encoded(asking(client))}`)
    const answer = await engine.oauth.authorization.read(request)
    expect(answer).toMatchObject({ ok: false, error: { kind: 'page', status: 405 } })
    expect(await refused(`${encoded(asking(client))}&${'x=1&'.repeat(100)}`)).toMatchObject({ kind: 'page' })
  })
})

describe('what is told by a redirect, with the issuer (10) and the state', () => {
  const wrong: readonly (readonly [string, Form, string])[] = [
    ['9: a token in the front channel', { response_type: 'token' }, 'unsupported_response_type'],
    ['9: an id_token', { response_type: 'code id_token' }, 'unsupported_response_type'],
    ['9: nothing', { response_type: 'none' }, 'unsupported_response_type'],
    ['no response type', { response_type: undefined }, 'invalid_request'],
    ['a response type twice', { response_type: ['code', 'code'] }, 'invalid_request'],
    ['another response mode', { response_mode: 'fragment' }, 'invalid_request'],
    ['15: no challenge', { code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request'],
    ['15: a method without a challenge', { code_challenge: undefined }, 'invalid_request'],
    ['16: the method plain', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['16: no method, which means plain', { code_challenge_method: undefined }, 'invalid_request'],
    ['16: the method in another case', { code_challenge_method: 's256' }, 'invalid_request'],
    ['15: a challenge that is too short', { code_challenge: challenge.slice(1) }, 'invalid_request'],
    ['15: a challenge of other letters', { code_challenge: `${challenge.slice(1)}=` }, 'invalid_request'],
    ['15: a challenge twice', { code_challenge: [challenge, challenge] }, 'invalid_request'],
    ['36: an unknown scope', { scope: 'orders.fly' }, 'invalid_scope'],
    ['36: a scope beyond the client', { scope: 'orders.read stock.read' }, 'invalid_scope'],
    ['35: an unknown resource', { resource: 'https://other.example' }, 'invalid_target'],
    ['35: a resource of another client', { resource: 'https://stock.example.com' }, 'invalid_target'],
    ['35: two resources', { resource: ['https://shop.example.com', 'https://stock.example.com'] }, 'invalid_target'],
    ['a request object', { request: 'eyJ' }, 'request_not_supported'],
    ['a request by reference', { request_uri: 'https://evil.example/r' }, 'request_uri_not_supported'],
    ['a prompt that nobody knows', { prompt: 'nothing' }, 'invalid_request'],
    ['a prompt of none and something', { prompt: 'none login' }, 'invalid_request'],
  ]

  it.each(wrong)('%s', async (_, more, error) => {
    const { to, evaluation } = await redirected(asking(client, more))
    expect(to.origin + to.pathname).toBe(redirectUri)
    expect(Object.fromEntries(to.searchParams)).toEqual({
      error,
      error_description: expect.any(String),
      state: 'a state',
      iss: engine.issuer,
    })
    expect(evaluation).toMatchObject({ allowed: false, principal: { credential: client.id } })
    expect(failed(evaluation)).toBeDefined()
  })

  it('a client that has no authorization_code', async () => {
    const machine = await aClient(engine, world, { grantTypes: ['client_credentials'] })
    const { to } = await redirected(asking(machine))
    expect(to.searchParams.get('error')).toBe('unauthorized_client')
  })

  it('a state that comes twice, is too long or has control characters, without one', async () => {
    for (const state of [['a', 'a'], 'x'.repeat(2049), 'a\u0007']) {
      const { to } = await redirected(asking(client, { state }))
      expect([to.searchParams.get('error'), to.searchParams.get('state')]).toEqual(['invalid_request', null])
    }
    expect(await read(asking(client, { state: 'x'.repeat(2048) }))).toMatchObject({ ok: true })
  })

  it('a query that the redirect URI has stays, and what is added cannot leave its parameter', async () => {
    const own = await aClient(engine, world, { redirectUris: ['https://app.example/cb?tenant=7'] })
    const { to } = await redirected(asking(own, { scope: 'nope', state: '&error=none#x\u00e9 ' }))
    expect(Object.fromEntries(to.searchParams)).toMatchObject({
      tenant: '7',
      error: 'invalid_scope',
      state: '&error=none#x\u00e9 ',
    })
    expect(to.hash).toBe('')
  })

  it('what the person says: refused, or that nobody could be asked', async () => {
    const request = await read(asking(client, { prompt: 'none' }))
    if (!request.ok) throw new Error('refused')
    const { answer, evaluation } = engine.oauth.authorization.refuse(
      request.value,
      'login_required',
      'Nobody is signed in.',
    )
    const to = new URL(headerOf(answer.headers, 'location') ?? '')
    expect([to.searchParams.get('error'), to.searchParams.get('iss')]).toEqual(['login_required', engine.issuer])
    expect(evaluation).toMatchObject({ allowed: false, refusal: { code: 'authorization_denied' } })
  })
})

describe('an approval', () => {
  const approve = async (scopes?: readonly string[], more: Form = {}) => {
    const request = await read(asking(client, more))
    if (!request.ok) throw new Error('refused')
    const { user, account, project } = world
    const approval = { user, account, project, scopes: scopes ?? request.value.scopes }
    const by = { ...provenance(engine.clock), actor: { kind: 'user', id: user } } as const
    return await engine.oauth.authorization.approve(request.value, approval, by)
  }

  it('6, 8, 10: sends the browser back by 303 with code, state and issuer, and nothing that any cache keeps', async () => {
    const answer = await approve()
    if (!answer.ok) throw new Error(JSON.stringify(answer.error))
    const { status, headers } = answer.value.answer
    const to = new URL(headerOf(headers, 'location') ?? '')
    expect(status).toBe(303)
    expect(to.origin + to.pathname).toBe(redirectUri)
    expect(Object.fromEntries(to.searchParams)).toEqual({
      code: expect.stringMatching(/^acme_ac_[0-9A-Za-z]{49}$/),
      state: 'a state',
      iss: engine.issuer,
    })
    expect([headerOf(headers, 'cache-control'), headerOf(headers, 'referrer-policy')]).toEqual([
      'no-store',
      'no-referrer',
    ])
    expect(answer.value.evaluation).toMatchObject({ allowed: true, principal: { credential: client.id } })
  })

  it('36: may be of less than was asked for, and never of more', async () => {
    expect(await approve(['orders.read'])).toMatchObject({ ok: true })
    await expect(approve(['orders.read', 'stock.read'])).rejects.toThrow('more was approved')
  })

  it('of somebody who is no member any more is refused, as denied', async () => {
    const other = await aWorld(engine)
    const request = await read(asking(client))
    if (!request.ok) throw new Error('refused')
    const { account, project } = world
    const approval = { user: other.user, account, project, scopes: request.value.scopes }
    const answer = await engine.oauth.authorization.approve(request.value, approval, provenance(engine.clock))
    if (answer.ok || answer.error.kind === 'page') throw new Error('not by redirect')
    expect(headerOf(answer.error.served.answer.headers, 'location')).toContain('error=access_denied')
  })

  it('counts nothing where the client has died since it was read', async () => {
    const dying = await aClient(engine, world)
    const request = await read(asking(dying))
    if (!request.ok) throw new Error('refused')
    const change = { to: 'revoked', reason: null, hide: false } as const
    done(await engine.store.credentials.setState({ id: dying.id, scope: null, change, by: provenance(engine.clock) }))
    await engine.catchUp()
    const approval = { ...world, scopes: request.value.scopes }
    const answer = await engine.oauth.authorization.approve(request.value, approval, provenance(engine.clock))
    expect(answer).toMatchObject({ ok: false, error: { kind: 'page' } })
  })

  it('34: leaves neither code nor verifier in what is stored about it', async () => {
    const answer = await approve()
    if (!answer.ok) throw new Error('refused')
    const code = new URL(headerOf(answer.value.answer.headers, 'location') ?? '').searchParams.get('code') ?? ''
    let text = ''
    for await (const event of allEvents(engine.store.events)) text += JSON.stringify(event)
    expect(text).toContain('grant.')
    for (const secret of [code, verifier]) expect(text).not.toContain(secret)
  })
})
