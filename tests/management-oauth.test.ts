import type { wire } from '@postern/contract'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

import { startManagement, type Answer, type Running } from './support/management.ts'
import { aGrant, aMember, aToken } from './support/people.ts'

/** OAuth clients, tokens, grants and signing keys over HTTP; what holds for every operation is in management-promises. */
let running: Running
let project: string
let account: string

beforeAll(async () => {
  running = await startManagement()
  const made = await running.call<wire.CreatedAccount>('POST', '/accounts', { body: { name: 'Acme', plan: 'pro' } })
  account = made.body.account.id
  project = made.body.project.id
})
afterAll(async () => await running.stop())
afterEach(() => {
  if (running.faults.length > 0) throw new Error(running.faults.join('\n'))
})

const confidential: wire.CreateOAuthClient = { type: 'confidential', grant_types: ['client_credentials'] }
const app: wire.CreateOAuthClient = {
  type: 'public',
  redirect_uris: ['https://app.example/callback', 'http://127.0.0.1/cb'],
}

/** Whatever is said in `terms` is sent, right or wrong. */
async function create(
  terms: object = {},
  more: { readonly headers?: Record<string, string> } = {},
): Promise<Answer<wire.IssuedCredential & wire.Problem>> {
  const body = {
    name: 'App',
    kind: 'oauth_client',
    apis: ['shop'],
    scopes: ['orders.read'],
    oauth: confidential,
    ...terms,
  }
  return await running.call('POST', `/projects/${project}/credentials`, { body, ...more })
}

async function aClient(terms: object = {}): Promise<wire.Credential> {
  const { status, body } = await create(terms)
  expect(status).toBe(201)
  return body.credential
}

describe('OAuth clients', () => {
  it('are credentials with a client id, and a secret that is in this answer alone', async () => {
    const { body, headers } = await create()
    const { credential, secret } = body
    expect(credential).toMatchObject({
      kind: 'oauth_client',
      form: 'key',
      client_id: credential.public_id,
      oauth: { ...confidential, redirect_uris: [] },
    })
    expect(credential.id).toBe(`cred_${credential.client_id}`)
    expect(secret?.value).toMatch(/^acme_cs_[0-9A-Za-z]{49}$/)
    expect(headers['location']).toBe(`/api/v1/credentials/${credential.id}`)
    const read = await running.call<wire.CredentialDetail>('GET', `/credentials/${credential.id}`)
    expect(read.body).toMatchObject({ ...credential, secrets: [{ hint: secret?.hint }] })
    expect(read.text).not.toContain(secret?.value)
  })

  it('that are public have no secret, and none can be made', async () => {
    const { status, body } = await create({ oauth: app })
    expect([status, body.secret]).toEqual([201, null])
    expect(body.credential.oauth).toEqual({ ...app, grant_types: ['authorization_code', 'refresh_token'] })
    const path = `/credentials/${body.credential.id}`
    expect((await running.call<wire.CredentialDetail>('GET', path)).body.secrets).toEqual([])
    const rotated = await running.call<wire.Problem>('POST', `${path}/rotate`)
    expect([rotated.status, rotated.body.code]).toEqual([409, 'conflict'])
    expect(rotated.body.detail).toContain('public')
  })

  it('are made once under an Idempotency-Key, whose replay has no secret', async () => {
    const headers = { 'idempotency-key': 'one-client' }
    const [first, again] = [await create({}, { headers }), await create({}, { headers })]
    expect(again.body).toEqual({
      ...first.body,
      secret: { ...first.body.secret, value: null, secret_unavailable: true },
    })
    const ofPublic = { 'idempotency-key': 'one-public-client' }
    const oauth: wire.CreateOAuthClient = { type: 'public', redirect_uris: ['https://a.example/'] }
    const made = await create({ oauth }, { headers: ofPublic })
    const replayed = await create({ oauth }, { headers: ofPublic })
    expect(replayed.body).toEqual(made.body)
  })

  it.each<[string, object, number, string]>([
    ['without what makes one', { oauth: undefined }, 422, '/oauth'],
    ['of another kind', { kind: 'secret' }, 422, '/oauth'],
    ['of no type', { oauth: { grant_types: ['client_credentials'] } }, 400, '/oauth/type'],
    ['of an unknown type', { oauth: { type: 'secret' } }, 400, '/oauth/type'],
    [
      'with a grant type that is not there',
      { oauth: { type: 'public', grant_types: ['password'] } },
      400,
      '/oauth/grant_types/0',
    ],
    ['with no grant type', { oauth: { type: 'confidential', grant_types: [] } }, 400, '/oauth/grant_types'],
    [
      'that is public and has to prove itself by a secret',
      { oauth: { type: 'public', grant_types: ['client_credentials'] } },
      422,
      '/oauth/grant_types',
    ],
    ['that sends people nowhere', { oauth: { type: 'public' } }, 422, '/oauth/redirect_uris'],
    [
      'with a redirect URI in plain HTTP',
      { oauth: { type: 'public', redirect_uris: ['http://app.example/cb'] } },
      422,
      '/oauth/redirect_uris/0',
    ],
    [
      'with a redirect URI with a fragment',
      { oauth: { type: 'public', redirect_uris: ['https://app.example/#x'] } },
      422,
      '/oauth/redirect_uris/0',
    ],
    [
      'with a redirect URI named twice',
      { oauth: { type: 'public', redirect_uris: ['https://a.example/', 'https://a.example/'] } },
      422,
      '/oauth/redirect_uris/1',
    ],
    [
      'with 21 redirect URIs',
      { oauth: { type: 'public', redirect_uris: Array.from({ length: 21 }, (_, i) => `https://a.example/${i}`) } },
      400,
      '/oauth/redirect_uris',
    ],
    ['with a field too many', { oauth: { ...confidential, secret: 'mine' } }, 400, '/oauth/secret'],
  ])('are refused %s', async (_, terms, status, path) => {
    const answer = await create(terms)
    expect([answer.status, answer.body.errors?.map((each) => each.path)]).toEqual([status, [path]])
  })

  it('follow the plan: neither kind nor scope beyond it', async () => {
    const made = await running.call<wire.CreatedAccount>('POST', '/accounts', {
      body: { name: 'Small', plan: 'narrow' },
    })
    const body = { name: 'App', kind: 'oauth_client', apis: ['shop'], scopes: ['stock.read'], oauth: confidential }
    const answer = await running.call<wire.Problem>('POST', `/projects/${made.body.project.id}/credentials`, { body })
    expect(answer).toMatchObject({ status: 403, body: { code: 'rights_exceeded' } })
    expect(answer.body.errors?.map(({ path }) => path)).toEqual(['/kind', '/scopes/0'])
  })

  it('are found by kind, and by their client id', async () => {
    const client = await aClient()
    const of = async (query: string) =>
      (await running.call<wire.CredentialList>('GET', `/credentials?limit=100&${query}`)).body.data
    const kinds = (await of(`kind=oauth_client&account=${account}`)).map(({ kind }) => kind)
    expect(new Set(kinds)).toEqual(new Set(['oauth_client']))
    expect((await of(`search=${client.client_id}`)).map(({ id }) => id)).toEqual([client.id])
    expect((await of('kind=secret')).every(({ oauth, client_id: id }) => oauth === null && id === null)).toBe(true)
  })

  it('change where they send people and how they get tokens, against the version that was read', async () => {
    const { id, version } = await aClient({ oauth: app })
    const change = async (oauth: unknown, of = version) =>
      await running.call<wire.Credential & wire.Problem>('PATCH', `/credentials/${id}`, {
        body: { oauth },
        headers: { 'if-match': `"${of}"` },
      })
    const moved = await change({ redirect_uris: ['https://b.example/cb'] })
    expect(moved).toMatchObject({ status: 200, headers: { etag: `"${version + 1}"` } })
    expect(moved.body.oauth).toEqual({
      type: 'public',
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: ['https://b.example/cb'],
    })
    expect((await change({ grant_types: ['authorization_code'] })).status).toBe(412)
    const narrowed = await change({ grant_types: ['authorization_code'] }, version + 1)
    expect(narrowed.body.oauth?.grant_types).toEqual(['authorization_code'])
    const refused = [
      await change({ redirect_uris: [] }, version + 2),
      await change({ grant_types: ['client_credentials'] }, version + 2),
      await change({ type: 'confidential' }, version + 2),
      await change({}, version + 2),
    ]
    expect(refused.map((each) => [each.status, each.body.errors?.[0]?.path])).toEqual([
      [422, '/oauth/redirect_uris'],
      [422, '/oauth/grant_types'],
      [400, '/oauth/type'],
      [400, '/oauth'],
    ])
    const key = await running.call<wire.IssuedCredential>('POST', `/projects/${project}/credentials`, {
      body: { name: 'Key', kind: 'secret', apis: ['shop'], scopes: [] },
    })
    const onKey = await running.call<wire.Problem>('PATCH', `/credentials/${key.body.credential.id}`, {
      body: { oauth: { redirect_uris: ['https://a.example/'] } },
      headers: { 'if-match': '"1"' },
    })
    expect([onKey.status, onKey.body.errors?.[0]?.path]).toEqual([422, '/oauth'])
    const events = await running.call<wire.EventList>('GET', `/events?credential=${id}`)
    expect(events.body.data[0]).toMatchObject({
      action: 'credential.updated',
      before: { oauth: { grantTypes: ['authorization_code', 'refresh_token'] } },
      after: { oauth: { grantTypes: ['authorization_code'] } },
    })
  })

  it('rotate with overlap, are blocked, unblocked and revoked like keys', async () => {
    const { body } = await create()
    const path = `/credentials/${body.credential.id}`
    const rotated = await running.call<wire.RotatedCredential>('POST', `${path}/rotate`, { body: { overlap: '1h' } })
    expect(rotated.body.secret.value).toMatch(/^acme_cs_/)
    expect(rotated.body.secret.value).not.toBe(body.secret?.value)
    expect(rotated.body.secrets.map(({ not_after: end }) => end !== null)).toEqual([true, false])
    expect(rotated.body.credential.client_id).toBe(body.credential.client_id)
    const state = async (verb: string, sent?: object) =>
      (await running.call<wire.ChangedCredential>('POST', `${path}/${verb}`, { ...(sent && { body: sent }) })).body
        .credential.state
    expect(await state('block', { reason: 'looked at' })).toBe('blocked')
    expect(await state('unblock')).toBe('active')
    expect(await state('revoke', {})).toBe('revoked')
  })

  it('of another system come in by client id and digest, but not public ones', async () => {
    const line = {
      digest: 'b'.repeat(64),
      name: 'Old',
      kind: 'oauth_client',
      apis: ['shop'],
      scopes: [],
      oauth: confidential,
    }
    const send = async (...credentials: readonly object[]) =>
      await running.call<wire.ImportReport & wire.Problem>('POST', `/projects/${project}/credentials/import`, {
        body: { credentials },
      })
    const imported = await send({ ...line, public_id: 'legacy-client' })
    expect(imported.body.imported).toHaveLength(1)
    const { body } = await running.call<wire.Credential>('GET', `/credentials/${imported.body.imported[0]}`)
    expect(body).toMatchObject({ client_id: 'legacy-client', oauth: { type: 'confidential' } })
    const refused = await send(line, {
      ...line,
      public_id: 'x',
      oauth: { type: 'public', redirect_uris: ['https://a.example/'] },
    })
    expect(refused.body.errors?.map(({ message }) => message.split(' ')[0])).toEqual(['/public_id', '/oauth/type'])
  })
})

/** A management key with these rights in an account of its own, which has the project. */
async function aCaller(scopes: readonly string[]) {
  const made = await running.call<wire.CreatedAccount>('POST', '/accounts', { body: { name: 'Other', plan: 'pro' } })
  const place = { account: made.body.account.id, project: made.body.project.id }
  const body = { name: 'Admin', kind: 'management', apis: ['postern'], scopes }
  const issued = await running.call<wire.IssuedCredential>('POST', `/projects/${place.project}/credentials`, { body })
  return { ...place, key: issued.body.secret?.value ?? '' }
}

describe('tokens', () => {
  const place = () => ({ account, project })
  const list = async (query: string, key?: string) =>
    (await running.call<wire.TokenList>('GET', `/tokens?${query}`, { ...(key !== undefined && { key }) })).body.data

  it('are listed newest first, by credential, grant, kind and whether they live, and never with their value', async () => {
    const client = await aClient()
    const old = await aToken(running, place(), client.id, { expiresAt: running.clock.now() + 1_000, label: 'kiosk' })
    running.clock.advance(1_000)
    const live = await aToken(running, place(), client.id, { format: 'jwt' })
    const answer = await running.call<wire.TokenList>('GET', `/tokens?credential=${client.id}`)
    expect(answer.body.data.map(({ id, state }) => [id, state])).toEqual([
      [live.id, 'live'],
      [old.id, 'expired'],
    ])
    expect(answer.body.data[1]).toEqual({
      id: old.id,
      kind: 'access',
      format: 'opaque',
      credential: client.id,
      grant: null,
      family: null,
      account,
      project,
      api: 'shop',
      scopes: ['orders.read'],
      label: 'kiosk',
      state: 'expired',
      created_at: new Date(running.clock.now() - 1_000).toISOString(),
      expires_at: new Date(running.clock.now()).toISOString(),
      spent_at: null,
      revoked_at: null,
    })
    expect(answer.text).not.toContain(old.value)
    expect((await list(`credential=${client.id}&live=true`)).map(({ id }) => id)).toEqual([live.id])
    expect(await list(`credential=${client.id}&kind=refresh`)).toEqual([])
    const page = await running.call<wire.TokenList>('GET', `/tokens?credential=${client.id}&limit=1`)
    const next = await list(`credential=${client.id}&limit=1&cursor=${page.body.next_cursor}`)
    expect(next.map(({ id }) => id)).toEqual([old.id])
    expect((await running.call('GET', `/tokens/${live.id}`)).body).toMatchObject({ id: live.id, format: 'jwt' })
    for (const query of ['kind=id', 'live=perhaps', 'cursor=x'])
      expect((await running.call('GET', `/tokens?${query}`)).status).toBe(400)
  })

  it('are found by what their holder presents, and answered like none where they are not yours', async () => {
    const mine = await aCaller(['tokens.read'])
    const client = await aClient()
    const token = await aToken(running, place(), client.id)
    const ask = async (text: string, key?: string) =>
      await running.call<wire.Token & wire.Problem>('POST', '/tokens/introspect', {
        body: { token: text },
        headers: { 'idempotency-key': 'introspect' },
        ...(key !== undefined && { key }),
      })
    const found = await ask(token.value)
    expect(found).toMatchObject({ status: 200, body: { id: token.id, state: 'live' } })
    expect(found.text).not.toContain(token.value)
    const { request_id: _foreign, ...foreign } = (await ask(token.value, mine.key)).body
    const { request_id: _none, ...none } = (await ask('acme_at_nothing', mine.key)).body
    expect([foreign.status, foreign]).toEqual([404, none])
    const wrong = await running.call<wire.Problem>('POST', '/tokens/introspect', { body: { token: '' } })
    expect(wrong.status).toBe(400)
  })

  it('are revoked for good and once; a code or refresh token with all that came from the same consent', async () => {
    const client = await aClient()
    const { id } = await aToken(running, place(), client.id)
    const revoke = async (of: string) =>
      await running.call<wire.ChangedToken & wire.Problem>('POST', `/tokens/${of}/revoke`)
    const revoked = await revoke(id)
    expect(revoked).toMatchObject({ status: 200, body: { token: { state: 'revoked' } } })
    expect(revoked.body.effective_everywhere_by).not.toBeNull()
    expect((await revoke(id)).body).toMatchObject({ status: 409, code: 'conflict' })
    const event = await running.call<wire.EventList>('GET', `/events?token=${id}`)
    expect(event.body.data.map(({ action, sequence }) => [action, sequence])).toEqual([
      ['token.revoked', revoked.body.sequence],
    ])
    const { user } = await aMember(running, account)
    const forPeople = await aClient({ oauth: app })
    const grant = await aGrant(running, place(), forPeople.id, user)
    const family = { grant: grant.id, family: grant.code }
    const access = await aToken(running, place(), forPeople.id, family)
    const end = { familyEndsAt: running.clock.now() + 900_000 }
    const refresh = await aToken(running, place(), forPeople.id, { ...family, ...end, kind: 'refresh' })
    expect((await revoke(refresh.id)).status).toBe(200)
    const states = (await list(`grant=${grant.id}`)).map((each) => [each.id, each.state])
    expect(new Map(states as [string, string][])).toEqual(
      new Map([access.id, refresh.id, grant.code].map((each) => [each, 'revoked'])),
    )
  })

  it('are read with one right and revoked with another', async () => {
    const reader = await aCaller(['tokens.read', 'credentials.create'])
    const credential = await running.call<wire.IssuedCredential>('POST', `/projects/${reader.project}/credentials`, {
      key: reader.key,
      body: { name: 'Key', kind: 'secret', apis: ['shop'], scopes: [] },
    })
    const { id } = await aToken(running, reader, credential.body.credential.id)
    expect((await list('', reader.key)).map((each) => each.id)).toEqual([id])
    expect(await running.call('POST', `/tokens/${id}/revoke`, { key: reader.key })).toMatchObject({
      status: 403,
      body: { missing_scopes: ['tokens.revoke'] },
    })
  })
})

describe('grants', () => {
  it('are listed and read by those whose project it is about, and by those whose client it is', async () => {
    const theirs = await aCaller(['grants.*', 'tokens.*'])
    const client = await aClient({ oauth: app })
    const { user } = await aMember(running, theirs.account)
    const { id, code } = await aGrant(running, theirs, client.id, user)
    const grant = await running.call<wire.Grant>('GET', `/grants/${id}`, { key: theirs.key })
    expect(grant.body).toEqual({
      id,
      client: client.id,
      user,
      account: theirs.account,
      project: theirs.project,
      apis: ['shop'],
      scopes: ['orders.read'],
      state: 'active',
      created_at: new Date(running.clock.now()).toISOString(),
      updated_at: new Date(running.clock.now()).toISOString(),
      withdrawn_at: null,
      version: 1,
    })
    expect(grant.headers['etag']).toBe('"1"')
    const ids = async (query: string, key?: string) =>
      (
        await running.call<wire.GrantList>('GET', `/grants?${query}`, { ...(key !== undefined && { key }) })
      ).body.data.map((each) => each.id)
    for (const query of [
      `client=${client.id}`,
      `user=${user}`,
      `project=${theirs.project}`,
      `user=${user}&state=active`,
    ])
      expect(await ids(query)).toEqual([id])
    expect(await ids(`user=${user}&state=withdrawn`)).toEqual([])
    expect((await running.call('GET', '/grants?state=gone')).status).toBe(400)

    const body = { name: 'Maker', kind: 'management', apis: ['postern'], scopes: ['grants.*', 'tokens.read'] }
    const maker = await running.call<wire.IssuedCredential>('POST', `/projects/${project}/credentials`, { body })
    const key = maker.body.secret?.value ?? ''
    expect(await ids('', key)).toContain(id)
    const refused = await running.call<wire.Problem>('POST', `/grants/${id}/withdraw`, { key })
    expect([refused.status, refused.body.detail]).toEqual([409, expect.stringContaining('only that account')])
    expect((await running.call('GET', `/tokens/${code}`, { key })).status).toBe(404)

    const withdrawn = await running.call<wire.ChangedGrant>('POST', `/grants/${id}/withdraw`, { key: theirs.key })
    expect(withdrawn).toMatchObject({ status: 200, body: { grant: { state: 'withdrawn', version: 2 } } })
    expect(withdrawn.body.effective_everywhere_by).not.toBeNull()
    expect((await running.call('POST', `/grants/${id}/withdraw`)).body).toMatchObject({ code: 'conflict' })
    expect((await running.call<wire.Token>('GET', `/tokens/${code}`)).body.state).toBe('revoked')
    const events = await running.call<wire.EventList>('GET', `/events?grant=${id}`)
    expect(events.body.data.map(({ action, actor }) => [action, actor.kind])).toEqual([
      ['grant.withdrawn', 'credential'],
      ['grant.created', 'user'],
    ])
  })
})

describe('signing keys', () => {
  const list = async () => (await running.call<wire.SigningKeyList>('GET', '/signing-keys')).body.data
  const rotate = async (body: object, key?: string) =>
    await running.call<wire.RotatedSigningKeys & wire.Problem>('POST', '/signing-keys/rotate', {
      body,
      ...(key !== undefined && { key }),
    })

  it('take over from each other once everybody can have seen the next one', async () => {
    const [current] = await list()
    expect(current).toMatchObject({ algorithm: 'ES256', state: 'current', used_until: null })
    const rotated = await rotate({})
    expect(rotated.body.data.map(({ state }) => state).toSorted()).toEqual(['current', 'next'])
    expect((await rotate({})).body.data).toEqual(rotated.body.data)
    const next = rotated.body.data.find(({ state }) => state === 'next')
    running.clock.advance(86_400_000 - 1)
    expect((await list()).find(({ state }) => state === 'current')?.kid).toBe(current?.kid)
    running.clock.advance(1)
    const after = await list()
    expect(new Map(after.map(({ kid, state }) => [kid, state]))).toEqual(
      new Map([
        [next?.kid, 'current'],
        [current?.kid, 'retired'],
      ]),
    )
  })

  it('that are compromised go at once, and the audit log says so', async () => {
    const before = (await list()).find(({ state }) => state === 'current')
    const rotated = await rotate({ compromised: true })
    expect(rotated.status).toBe(200)
    expect(rotated.body.effective_everywhere_by).not.toBeNull()
    const kids = rotated.body.data.map(({ kid }) => kid)
    expect(kids).not.toContain(before?.kid)
    expect(rotated.body.data.find(({ state }) => state === 'current')).toMatchObject({ used_until: null })
    const event = await running.call<wire.Event>('GET', `/events/${rotated.body.sequence}`)
    expect(event.body).toMatchObject({
      action: 'signing_key.removed',
      target: { kind: 'signing_key', id: before?.kid },
      actor: { kind: 'bootstrap' },
    })
  })

  it('are the operator’s, each act with its right', async () => {
    const { key } = await aCaller(['*'])
    expect((await rotate({}, key)).status).toBe(403)
    expect((await rotate({ kid: 'x' })).status).toBe(400)
    expect((await rotate({ compromised: 'yes' })).status).toBe(400)
  })
})
