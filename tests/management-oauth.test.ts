import type { wire } from '@postern/contract'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

import { startManagement, type Answer, type Running } from './support/management.ts'

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
