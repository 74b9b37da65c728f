import { connect } from 'node:net'
import { text } from 'node:stream/consumers'

import { codes, type wire } from '@postern/contract'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

import { systemRandom } from '../packages/server/src/base/random.ts'
import { makeKey } from '../packages/server/src/core/credentials/format.ts'
import { StoreUnavailable } from '../packages/server/src/core/store.ts'
import type { KnownRoute } from '../packages/server/src/management/not-found.ts'
import { publicRoutes } from '../packages/server/src/management/public.ts'
import { operationRule, operations, type Operation } from '../packages/server/src/management/rights.ts'
import { managementKey, startManagement, type Answer, type Running } from './support/management.ts'
import { aGrant, aMember, aSession, aToken } from './support/people.ts'

/** Promises over the whole API, generated from its router: an operation that is added is tested with the others. */
let running: Running
let routes: readonly KnownRoute[]
let a: Tenant
let b: Tenant
beforeAll(async () => {
  running = await startManagement()
  routes = running.app.knownRoutes.filter(({ url }) => url.startsWith('/api/v1/'))
  a = await aTenant('pro')
  b = await aTenant('everything')
})
afterAll(async () => await running.stop())
afterEach(() => {
  if (running.faults.length > 0) throw new Error(running.faults.join('\n'))
})

interface Tenant {
  readonly account: string
  readonly project: string
  readonly credential: string
  readonly secret: string
  readonly value: string
  /** Management key with every right in this account; empty where the plan has none. */
  readonly key: string
  readonly event: string
  readonly request: string
  readonly plan: string
  readonly api: string
  readonly connection: string
  readonly token: string
  readonly grant: string
  readonly member: string
  readonly invitation: string
  readonly user: string
  readonly session: string
}

const secretsMade: string[] = []
const brazeSettings = { endpoint: 'rest.iad-01.braze.com' }
const aConnection = { name: 'new', platform: 'braze', settings: brazeSettings, secrets: { api_key: 'new-at-braze' } }

async function aTenant(plan: 'pro' | 'everything'): Promise<Tenant> {
  const made = await running.call<wire.CreatedAccount>('POST', '/accounts', { body: { name: plan, plan } })
  const { account, project } = made.body
  const issue = async (body: object) =>
    (await running.call<wire.IssuedCredential>('POST', `/projects/${project.id}/credentials`, { body })).body
  const issued = await issue({ name: 'Key', kind: 'secret', apis: ['shop'], scopes: ['orders.read'] })
  const management =
    plan === 'pro' ? await issue({ name: 'Admin', kind: 'management', apis: ['postern'], scopes: ['*'] }) : null
  const value = issued.secret?.value ?? ''
  const headers = { authorization: `Bearer ${value}` }
  await running.call('POST', '/verify', {
    body: { api: 'shop', method: 'PUT', path: '/v1/orders/1', headers, ip: '203.0.113.9' },
  })
  await running.store.usage.flush(running.recorder.take(running.clock.now()))
  const connected = await running.call<wire.ChangedConnection>('POST', `/projects/${project.id}/connections`, {
    body: { name: 'braze', platform: 'braze', settings: brazeSettings, secrets: { api_key: `${account.id}-at-braze` } },
  })
  secretsMade.push(`${account.id}-at-braze`)
  const place = { account: account.id, project: project.id }
  const person = await aMember(running, account.id)
  const invited = await running.call<wire.IssuedInvitation>('POST', `/accounts/${account.id}/invitations`, {
    body: { email: `${account.id}@people.example`, role: 'viewer' },
  })
  const oauth = { type: 'public', redirect_uris: ['https://app.example/callback'] }
  const client = await issue({ name: 'App', kind: 'oauth_client', apis: ['shop'], scopes: ['orders.read'], oauth })
  const token = await aToken(running, place, issued.credential.id)
  secretsMade.push(token.value, invited.body.link.value ?? '')
  const events = await running.call<wire.EventList>('GET', `/events?account=${account.id}`)
  const log = await running.call<wire.RequestList>('GET', `/requests?account=${account.id}&api=shop`)
  const every = [
    ...made.body.credentials.map(({ secret }) => secret?.value ?? null),
    value,
    management?.secret?.value ?? null,
  ]
  secretsMade.push(...every.filter((secret) => secret !== null))
  return {
    account: account.id,
    project: project.id,
    credential: issued.credential.id,
    secret: issued.secret?.id ?? '',
    value,
    key: management?.secret?.value ?? '',
    event: String(events.body.data[0]?.sequence),
    request: log.body.data[0]?.id ?? '',
    plan,
    api: 'vch',
    connection: connected.body.connection.id,
    token: token.id,
    grant: (await aGrant(running, place, client.credential.id, person.user)).id,
    member: person.member,
    invitation: invited.body.invitation.id,
    user: person.user,
    session: await aSession(running, person.user),
  }
}

const unknown: Tenant = {
  account: 'acc_00000000000070000000000000000000',
  project: 'prj_00000000000070000000000000000000',
  credential: 'cred_AAAAAAAAAAAA',
  secret: 'sec_00000000000070000000000000000000',
  value: '',
  key: '',
  event: '99999999',
  request: 'req_00000000000070000000000000000000',
  plan: 'nothing',
  api: 'nothing',
  connection: 'conn_00000000000070000000000000000000',
  token: 'tok_00000000000070000000000000000000',
  grant: 'grt_AAAAAAAAAAAA',
  member: 'mem_00000000000070000000000000000000',
  invitation: 'inv_00000000000070000000000000000000',
  user: 'usr_00000000000070000000000000000000',
  session: 'ses_00000000000070000000000000000000',
}

/** The path of a route with the ids of a tenant. */
function pathOf(url: string, ids: Tenant): string {
  const resource = url.split('/')[3]
  const own: Readonly<Record<string, string>> = {
    accounts: ids.account,
    projects: ids.project,
    credentials: ids.credential,
    plans: ids.plan,
    apis: ids.api,
    requests: ids.request,
    connections: ids.connection,
    tokens: ids.token,
    grants: ids.grant,
    members: ids.member,
    invitations: ids.invitation,
    users: ids.user,
    platforms: 'braze',
  }
  return url
    .replace(':sid', resource === 'users' ? ids.session : ids.secret)
    .replace(':sequence', ids.event)
    .replace(':id', own[resource ?? ''] ?? '')
}

/** A body that each operation accepts. */
const bodies: Partial<Record<Operation, object>> = {
  createAccount: { name: 'New', plan: 'pro' },
  updateAccount: { name: 'New' },
  suspendAccount: { reason: 'x' },
  createProject: { name: 'New', environment: 'live' },
  updateProject: { name: 'New' },
  createCredential: { name: 'New', kind: 'secret', apis: ['shop'], scopes: [] },
  createCredentialOfAccount: { name: 'New', kind: 'secret', apis: ['shop'], scopes: [] },
  updateCredential: { name: 'New' },
  blockCredential: { reason: 'x' },
  importCredentials: {
    credentials: [{ digest: 'a'.repeat(64), name: 'Old', kind: 'secret', apis: ['shop'], scopes: [] }],
  },
  verifyRequest: { api: 'shop', method: 'GET', path: '/', headers: {}, ip: '203.0.113.9' },
  explainRequest: { api: 'shop', method: 'GET', path: '/', headers: {}, ip: '203.0.113.9' },
  createConnection: aConnection,
  createConnectionOfAccount: aConnection,
  createConnectionOfProject: aConnection,
  updateConnection: { name: 'renamed' },
  rotateConnection: { secrets: { api_key: 'another-at-braze' } },
  introspectToken: { token: 'anything' },
  inviteMember: { email: 'new@people.example', role: 'viewer' },
  updateMember: { role: 'viewer' },
}

const withoutBody: readonly Operation[] = [
  'unblockCredential',
  'resumeAccount',
  'revealSecret',
  'verifyAudit',
  'enableConnection',
  'checkConnection',
  'revealConnection',
  'revokeToken',
  'withdrawGrant',
  'revokeInvitation',
  'disableUser',
  'enableUser',
  'offerPasswordReset',
  'removeSecondFactor',
  'eraseUser',
  'endSession',
  'endSessions',
]

type Method = Parameters<Running['call']>[0]

async function callRoute(
  route: KnownRoute,
  ids: Tenant,
  options: { key: string | null; query?: string; more?: object },
): Promise<Answer<wire.Problem>> {
  const sends = route.method === 'POST' || route.method === 'PATCH'
  const body = route.operation === null ? undefined : (bodies[route.operation] ?? {})
  return await running.call<wire.Problem>(route.method as Method, pathOf(route.url, ids) + (options.query ?? ''), {
    key: options.key,
    ...(sends ? { body: { ...body, ...options.more } } : {}),
    ...(route.method === 'PATCH' ? { headers: { 'if-match': '"1"' } } : {}),
  })
}

function withoutRequestId({ status, headers, body }: Answer<wire.Problem>): object {
  const { 'x-request-id': _id, date: _date, ratelimit: _limit, ...rest } = headers
  const { request_id: _requestId, ...problem } = body
  return { status, headers: rest, problem }
}

describe('who may', () => {
  it('answers 401 without a credential, everywhere but on the public list (85)', async () => {
    let tested = 0
    for (const route of running.app.knownRoutes) {
      const method = route.method === 'HEAD' ? 'GET' : route.method
      if (publicRoutes.includes(`${method} ${route.url}`)) continue
      const answer = await callRoute(route, a, { key: null })
      expect([route.method, route.url, answer.status]).toEqual([route.method, route.url, 401])
      expect(answer.headers['www-authenticate']).toBe('Bearer realm="postern"')
      tested++
    }
    expect(tested).toBeGreaterThan(Object.keys(operations).length)
  })

  it('knows every public route, and every operation is routed (85)', () => {
    const known = new Set(running.app.knownRoutes.map(({ method, url }) => `${method} ${url}`))
    for (const route of publicRoutes) expect(known).toContain(route)
    const routed = new Set(routes.map(({ operation }) => operation))
    expect(Object.keys(operations).filter((name) => !routed.has(name as Operation))).toEqual([])
  })

  it('needs the right of each operation, and tells which (91)', async () => {
    const body = { name: 'None', kind: 'management', apis: ['postern'], scopes: [] }
    const made = await running.call<wire.IssuedCredential>('POST', `/projects/${a.project}/credentials`, { body })
    const key = made.body.secret?.value ?? null
    for (const route of routes) {
      if (route.operation === null || operationRule(route.operation).right === null) continue
      const answer = await callRoute(route, a, { key })
      expect([route.operation, answer.status]).toEqual([route.operation, 403])
      if (route.method === 'HEAD') continue
      expect(answer.body).toMatchObject({
        code: 'permission_missing',
        missing_scopes: [operationRule(route.operation).right],
      })
    }
    expect((await running.call('GET', '/whoami', { key })).status).toBe(200)
  })

  it("keeps the operator's operations from every other account, whatever its rights", async () => {
    for (const route of routes) {
      if (route.operation === null || operationRule(route.operation).operatorOnly !== true) continue
      expect([route.operation, (await callRoute(route, a, { key: a.key })).status]).toEqual([route.operation, 403])
    }
    const plan = await running.call('PATCH', `/accounts/${a.account}`, {
      key: a.key,
      body: { plan: 'everything' },
      headers: { 'if-match': '"1"' },
    })
    expect(plan).toMatchObject({ status: 403, body: { code: 'rights_exceeded', errors: [{ path: '/plan' }] } })
  })

  it('stops a management key that was revoked, before the answer to the revocation', async () => {
    const body = { name: 'Short', kind: 'management', apis: ['postern'], scopes: ['credentials.*'] }
    const made = await running.call<wire.IssuedCredential>('POST', `/projects/${a.project}/credentials`, { body })
    const key = made.body.secret?.value ?? null
    const own = `/credentials/${made.body.credential.id}`
    expect((await running.call('POST', `${own}/revoke`, { key })).status).toBe(200)
    expect(await running.call('GET', own, { key })).toMatchObject({ status: 401, body: { code: 'credential_revoked' } })
  })
})

describe('tenants', () => {
  it('answers for ids of another account as for ids that do not exist (83)', async () => {
    let tested = 0
    for (const route of routes) {
      if (!route.url.includes(':') || route.method === 'HEAD') continue
      // The same for everybody, and about nobody.
      if (route.operation === 'getPlatform') continue
      if (route.operation !== null && operationRule(route.operation).operatorOnly === true) continue
      const foreign = await callRoute(route, b, { key: a.key })
      const none = await callRoute(route, unknown, { key: a.key })
      expect([route.operation, foreign.status]).toEqual([route.operation, 404])
      expect(withoutRequestId(foreign)).toEqual(withoutRequestId(none))
      tested++
    }
    expect(tested).toBeGreaterThan(20)
  })

  it('answers for a secret of another account under an own credential as for none (83)', async () => {
    for (const verb of ['end', 'reveal']) {
      const foreign = await running.call<wire.Problem>(
        'POST',
        `/credentials/${a.credential}/secrets/${b.secret}/${verb}`,
        { key: a.key },
      )
      const none = await running.call<wire.Problem>(
        'POST',
        `/credentials/${a.credential}/secrets/${unknown.secret}/${verb}`,
        { key: a.key },
      )
      expect(foreign.status).toBe(404)
      expect(withoutRequestId(foreign)).toEqual(withoutRequestId(none))
    }
  })

  it.each([
    ['/accounts', []],
    ['/projects', ['account']],
    ['/credentials', ['account', 'project', 'search']],
    ['/events', ['account', 'credential', 'user', 'grant', 'token']],
    ['/requests', ['account', 'project', 'credential']],
    ['/connections', ['account', 'project']],
    ['/tokens', ['credential', 'grant']],
    ['/grants', ['client', 'user', 'project']],
    ['/members', ['account', 'user']],
    ['/invitations', ['account']],
  ])('lists nothing of another account, whatever the filter: %s (83)', async (path, filters) => {
    const own = await running.call(`GET`, path, { key: a.key })
    expect(own.status).toBe(200)
    const foreignIds = [b.account, b.project, b.credential, b.connection, b.token, b.grant, b.user, b.invitation]
    for (const id of foreignIds) expect(own.text).not.toContain(id)
    const values: Readonly<Record<string, string>> = {
      account: b.account,
      project: b.project,
      credential: b.credential,
      search: b.credential.slice(5),
      client: b.credential,
      grant: b.grant,
      token: b.token,
      user: b.user,
    }
    for (const filter of filters) {
      const foreign = await running.call(`GET`, `${path}?${filter}=${values[filter]}`, { key: a.key })
      expect(foreign.body).toEqual({ data: [], next_cursor: null })
    }
  })

  it('tells an account where its own people came from, and not where the operator did (83)', async () => {
    const body = { name: 'Mine', kind: 'secret', apis: ['shop'], scopes: [] }
    await running.call('POST', `/projects/${a.project}/credentials`, { key: a.key, body })
    const log = await running.call<wire.EventList>('GET', '/events', { key: a.key })
    expect(log.body.data[0]).toMatchObject({ actor: { kind: 'credential' }, ip: '127.0.0.1' })
    expect(log.body.data.at(-1)).toMatchObject({ actor: { kind: 'bootstrap' }, ip: null, user_agent: null })
  })

  it("shows nothing of another account with a cursor of the operator's list (83)", async () => {
    const lists = ['/accounts', '/projects', '/credentials', '/connections', '/events', '/requests']
    for (const path of [...lists, '/tokens', '/grants', '/members', '/invitations']) {
      const all = await running.call<wire.AccountList>('GET', `${path}?limit=1`)
      if (all.body.next_cursor === null) continue
      const answer = await running.call('GET', `${path}?limit=100&cursor=${all.body.next_cursor}`, { key: a.key })
      for (const id of [b.account, b.project, b.credential]) expect(answer.text).not.toContain(id)
    }
  })

  it('counts nothing of another account (83)', async () => {
    const period = 'from=2026-02-28T00:00:00Z&to=2026-03-02T00:00:00Z&group_by=account'
    const own = await running.call<wire.Usage>('GET', `/usage?${period}`, { key: a.key })
    expect(new Set(own.body.data.map(({ group }) => group['account']))).toEqual(new Set([a.account]))
    expect(own.body).toMatchObject({ latency_ms: null, dropped_requests: null })
    for (const filter of [`account=${b.account}`, `project=${b.project}`, `credential=${b.credential}`]) {
      const foreign = await running.call<wire.Usage>('GET', `/usage?${period}&${filter}`, { key: a.key })
      expect(foreign.body).toMatchObject({ data: [], latency_ms: null })
    }
  })

  it("does not decide about another account's credential, nor tell of its refused requests (83)", async () => {
    for (const path of ['/verify', '/explain']) {
      const ask = (value: string) => {
        const headers = { authorization: `Bearer ${value}` }
        return running.call<wire.Decision>('POST', path, {
          key: a.key,
          body: { api: 'shop', method: 'GET', path: '/v1/orders/1', headers, ip: '203.0.113.9' },
        })
      }
      const unheardOf = makeKey({
        brand: 'acme',
        kind: 'secret',
        environment: 'live',
        publicId: 'AAAAAAAAAAAA',
        random: systemRandom,
      }).reveal()
      const [foreign, nobodys] = [await ask(b.value), await ask(unheardOf)]
      expect(foreign.body).toMatchObject({ allowed: false, code: 'credential_unknown' })
      expect({ ...foreign.body, headers: null }).toEqual({ ...nobodys.body, headers: null })
      expect(foreign.status).toBe(nobodys.status)
    }
    const foreign = await running.call<wire.Problem>('POST', '/explain', {
      key: a.key,
      body: { request_id: b.request },
    })
    const none = await running.call<wire.Problem>('POST', '/explain', {
      key: a.key,
      body: { request_id: unknown.request },
    })
    expect(withoutRequestId(foreign)).toEqual(withoutRequestId(none))
  })

  it('takes account, creator, rights and times from nowhere but the credential (84)', async () => {
    const fields = [
      'tenantId',
      'userId',
      'ownerId',
      'account',
      'account_id',
      'state',
      'created_by',
      'isAdmin',
      'id',
      'version',
      'createdAt',
      'created_at',
      'primary',
      'limit',
    ]
    for (const route of routes) {
      if ((route.method !== 'POST' && route.method !== 'PATCH') || route.operation === null) continue
      if (withoutBody.includes(route.operation)) continue
      for (const field of fields) {
        const answer = await callRoute(route, a, { key: managementKey, more: { [field]: 'x' } })
        expect([route.operation, field, answer.status]).toEqual([route.operation, field, 400])
        expect(answer.body.errors).toContainEqual({ path: `/${field}`, message: 'is not a known field' })
      }
    }
  })

  it('refuses query parameters that an operation does not have (84)', async () => {
    for (const route of routes) {
      if (route.method !== 'GET' || route.operation === null) continue
      const answer = await callRoute(route, a, { key: managementKey, query: '?tenant=1' })
      expect([route.operation, answer.status]).toEqual([route.operation, 400])
      expect(answer.body.errors).toContainEqual({ path: 'tenant', message: 'is not a known field' })
    }
  })
})

describe('Idempotency-Key', () => {
  const body = { name: 'Once', kind: 'secret', apis: ['shop'], scopes: [] }
  const send = async (key: string, tenant: Tenant, sent: object = body, more: object = {}) =>
    await running.call<wire.IssuedCredential & wire.Problem>('POST', `/projects/${tenant.project}/credentials`, {
      body: sent,
      headers: { 'idempotency-key': key },
      ...more,
    })

  it('makes one credential of two requests, and keeps no secret for the replay', async () => {
    const first = await send('k1', a)
    const again = await send('k1', a)
    expect([first.status, again.status]).toEqual([201, 201])
    expect(again.body).toEqual({
      ...first.body,
      secret: { ...first.body.secret, value: null, secret_unavailable: true },
    })
    expect(again.headers['idempotent-replayed']).toBe('true')
    secretsMade.push(first.body.secret?.value ?? '')
  })

  it('refuses another body under the same key', async () => {
    await send('k2', a)
    const other = await send('k2', a, { ...body, name: 'Other' })
    expect(other).toMatchObject({ status: 422, body: { code: 'idempotency_mismatch' } })
  })

  it('answers 409 while the first is still running', async () => {
    const [one, two] = await Promise.all([send('k3', a), send('k3', a)])
    const statuses = [one.status, two.status].toSorted((x, y) => x - y)
    expect(statuses[0]).toBe(201)
    expect([201, 409]).toContain(statuses[1])
    expect(
      new Set([one.body, two.body].flatMap(({ credential }) => (credential === undefined ? [] : [credential.id]))).size,
    ).toBe(1)
  })

  it('may be used again after a refusal, which left nothing behind', async () => {
    expect((await send('k4', a, { ...body, apis: ['nothing'] })).status).toBe(422)
    expect((await send('k4', a)).status).toBe(201)
  })

  it('forgets after 24 hours', async () => {
    const first = await send('k5', a)
    running.clock.advance(86_400_000)
    const again = await send('k5', a)
    expect(again.body.credential.id).not.toBe(first.body.credential.id)
  })

  it('does not mix credentials, paths or tenants that use the same key and the same names (88)', async () => {
    const other = await running.call<wire.IssuedCredential>('POST', `/projects/${a.project}/credentials`, {
      body: { name: 'Second', kind: 'management', apis: ['postern'], scopes: ['*'] },
    })
    const made = [
      await send('same', a),
      await send('same', b),
      await send('same', a, body, { key: a.key }),
      await send('same', a, body, { key: other.body.secret?.value ?? null }),
    ]
    expect(made.map(({ status }) => status)).toEqual([201, 201, 201, 201])
    expect(new Set(made.map((answer) => answer.body.credential.id)).size).toBe(4)
  })

  it('refuses a key that is not visible ASCII', async () => {
    expect(await send('two words', a)).toMatchObject({ status: 400, body: { errors: [{ path: 'Idempotency-Key' }] } })
  })
})

describe('answers', () => {
  it('are never for a cache, with a secret or without (21)', async () => {
    const path = `/projects/${a.project}/credentials`
    const issued = await running.call<wire.IssuedCredential>('POST', path, {
      body: { name: 'K', kind: 'secret', apis: ['shop'], scopes: [] },
    })
    const { id } = issued.body.credential
    const answers = [
      issued,
      await running.call('POST', `/credentials/${id}/rotate`),
      await running.call('POST', '/accounts', { body: { name: 'N', plan: 'everything' } }),
      await running.call('GET', `/credentials/${id}`),
      await running.call('GET', '/nothing'),
      await running.call('GET', '/accounts', { key: null }),
      await running.call('GET', '/accounts/%ff'),
    ]
    for (const { headers } of answers) {
      expect(headers).toMatchObject({
        'cache-control': 'no-store',
        pragma: 'no-cache',
        'x-request-id': expect.stringMatching(/^req_/),
      })
      expect(headers['content-encoding']).toBeUndefined()
    }
  })

  it.each<[string, string, string | undefined, string, number, string]>([
    ['malformed JSON', 'POST', 'application/json', '{"name": "x"', 400, 'body_invalid'],
    [
      'a prototype key',
      'POST',
      'application/json',
      '{"name":"x","plan":"pro","__proto__":{"a":1}}',
      400,
      'body_invalid',
    ],
    [
      'a constructor key',
      'POST',
      'application/json',
      '{"name":"x","plan":"pro","metadata":{"constructor":{"prototype":{}}}}',
      400,
      'body_invalid',
    ],
    [
      'JSON that is too deep',
      'POST',
      'application/json',
      `{"metadata":${'['.repeat(33)}${']'.repeat(33)}}`,
      400,
      'body_invalid',
    ],
    ['another content type', 'POST', 'text/plain', 'name=x', 415, 'media_type_unsupported'],
    ['a form', 'POST', 'application/x-www-form-urlencoded', 'name=x', 415, 'media_type_unsupported'],
    [
      'a body over 1 MiB',
      'POST',
      'application/json',
      `{"name":"${'x'.repeat(1024 * 1024)}"}`,
      413,
      'request_too_large',
    ],
    ['a method that is not there', 'PUT', 'application/json', '{}', 405, 'method_not_allowed'],
    ['no body', 'POST', undefined, '', 400, 'body_invalid'],
  ])(
    'refuses %s with a problem that shows nothing of the inside',
    async (_what, method, type, payload, status, code) => {
      const answer = await running.app.inject({
        method: method as Method,
        url: '/api/v1/accounts',
        headers: { authorization: `Bearer ${managementKey}`, ...(type === undefined ? {} : { 'content-type': type }) },
        payload,
      })
      expect(answer.statusCode).toBe(status)
      expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/)
      expect(answer.json()).toMatchObject({
        type: `http://localhost:8081/docs/errors/${code}`,
        status,
        code,
        request_id: answer.headers['x-request-id'],
      })
      expect(answer.body).not.toMatch(/FST_|SQLITE|select |node_modules|\.ts|at \w+ \(/)
    },
  )

  it('answers what is not HTTP with a problem of its own, and closes', async () => {
    await running.app.listen({ port: 0, host: '127.0.0.1' })
    const address = running.app.server.address()
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0
    const socket = connect(port, '127.0.0.1')
    socket.write('GET /api/v1/whoami HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n')
    const answer = await text(socket)
    expect(answer).toMatch(/^HTTP\/1\.1 400 .*\r\nx-request-id: req_/)
    expect(answer).toContain('cache-control: no-store')
    expect(answer).toContain('"code":"request_malformed"')
  })

  it('names the methods that a path has', async () => {
    expect((await running.call('PUT', `/accounts/${a.account}`)).headers['allow']).toBe('GET, HEAD, PATCH')
  })

  it('names each wrong field of a body and repeats no value', async () => {
    const body = {
      name: '',
      plan: 7,
      metadata: { ok: 'hunter2-hunter2' },
      overrides: { limits: [{ name: 'x' }] },
      [`acme_sk_live_${'x'.repeat(50)}`]: 'hunter2-hunter2',
    }
    const answer = await running.call<wire.Problem>('POST', '/accounts', { body })
    expect(answer.status).toBe(400)
    expect(answer.body.errors?.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['/name', '/plan', '/overrides/limits/0/per', '/…']),
    )
    expect(answer.text).not.toMatch(/hunter2|acme_sk/)
  })

  it('says 503 with Retry-After where the store does not answer, and 500 without detail where we are wrong', async () => {
    const broken = await startManagement(({ store }) => ({
      store: {
        ...store,
        accounts: {
          ...store.accounts,
          list: async () => await Promise.reject(new StoreUnavailable('SQLITE_BUSY at /var/lib')),
        },
        projects: {
          ...store.projects,
          list: async () => await Promise.reject(new TypeError('x is not a function at /srv/postern')),
        },
      },
    }))
    try {
      const unavailable = await broken.call('GET', '/accounts')
      expect(unavailable).toMatchObject({ status: 503, body: { code: 'store_unavailable' } })
      expect(unavailable.headers['retry-after']).toBe('2')
      const fault = await broken.call('GET', '/projects')
      expect(fault).toMatchObject({ status: 500, body: { code: 'internal_error' } })
      expect(fault.text + unavailable.text).not.toMatch(/SQLITE|\/var|\/srv|TypeError/)
      expect(broken.faults).toHaveLength(1)
      expect(broken.faults[0]).toContain('x is not a function')
    } finally {
      await broken.stop()
    }
  })

  it('show no secret: not in any GET, list, error, event or fault', async () => {
    const texts: string[] = [...running.faults]
    for (const route of routes) {
      if (route.method !== 'GET') continue
      for (const tenant of [a, b]) {
        for (const key of [managementKey, a.key]) texts.push((await callRoute(route, tenant, { key })).text)
      }
    }
    for (const body of [{ name: a.value }, { [a.value]: 1 }, { request_id: a.value }]) {
      texts.push(
        (await running.call('POST', '/explain', { body })).text,
        (await running.call('POST', '/accounts', { body })).text,
      )
    }
    texts.push(
      (await running.call('GET', `/credentials/${a.value}`)).text,
      (await running.call('GET', `/credentials?${a.value}=1`)).text,
    )
    const all = texts.join('\n')
    expect(secretsMade.length).toBeGreaterThan(3)
    for (const secret of [...secretsMade, managementKey]) expect(all.includes(secret)).toBe(false)
  })
})

describe('documentation', () => {
  it('describes every operation once, with components and every error it can answer', async () => {
    const answer = await running.call<OpenApi>('GET', '/api/v1/openapi.json', { key: null })
    const { openapi, paths, components } = answer.body
    expect(openapi).toBe('3.1.0')
    const described = Object.values(paths).flatMap((path) => Object.values(path))
    expect(described.map(({ operationId }) => operationId).toSorted()).toEqual(Object.keys(operations).toSorted())
    for (const { responses } of described) {
      for (const status of ['400', '401', '403', '429', '500', '503']) {
        expect(responses[status]?.content['application/problem+json']?.schema).toEqual({
          $ref: '#/components/schemas/Problem',
        })
      }
    }
    const references = new Set(
      [...answer.text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name),
    )
    expect([...references].filter((name) => components.schemas[name ?? ''] === undefined)).toEqual([])
    expect(references.size).toBeGreaterThan(30)
  })

  it('has a page for every code, and a reference that loads nothing from elsewhere', async () => {
    const index = await running.call('GET', '/docs/errors', { key: null })
    for (const code of Object.keys(codes)) expect(index.text).toContain(`href="/docs/errors/${code}"`)
    const named = await running.call('GET', '/docs/errors/scope_missing', { key: null })
    expect(named.text).toContain('<code>missing_scopes</code> names it.')
    const page = await running.call('GET', '/docs/errors/version_mismatch', { key: null })
    expect(page.status).toBe(200)
    expect(page.text).toContain('<code>version_mismatch</code> · HTTP 412')
    expect(page.headers['content-security-policy']).toContain("default-src 'none'")
    const reference = await running.call('GET', '/api/docs', { key: null })
    expect(reference.headers['content-security-policy']).toContain("script-src 'self'")
    expect(reference.text).not.toMatch(/(src|href)="(https?:)?\/\//)
    expect((await running.call('GET', '/api/docs/static/swagger-ui-bundle.js', { key: null })).status).toBe(200)
  })
})

interface OpenApi {
  readonly openapi: string
  readonly paths: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          {
            readonly operationId: string
            readonly responses: Readonly<
              Record<string, { readonly content: Readonly<Record<string, { readonly schema: object }>> }>
            >
          }
        >
      >
    >
  >
  readonly components: { readonly schemas: Readonly<Record<string, object>> }
}
