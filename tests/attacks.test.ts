import { createHash } from 'node:crypto'

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'

import { systemRandom } from '../packages/server/src/base/random.ts'
import { makeKey } from '../packages/server/src/core/credentials/format.ts'
import { bearer, holderOf, issue, makeAccount, type Account, type Holder } from './support/issue.ts'
import { request } from './support/raw.ts'
import { managementKey, startTestServer, type ApiAnswer, type TestServer } from './support/server.ts'
import { until } from './support/until.ts'

const yaml = `
apis:
  shop:
    address: shop.test
    upstream: UPSTREAM
    scopes: {orders.read: Read, orders.write: Write}
    routes:
      - {id: getOrder, methods: [GET], path: "/v1/orders/{id}", scopes: {any: [orders.read]}}
      - {id: putOrder, methods: [PUT], path: "/v1/orders/{id}", scopes: {any: [orders.write]}}
      - {id: purge, methods: [POST], path: "/v1/orders:purge", scopes: {all: [orders.write]}}
      - {id: page, methods: [GET], path: /v1/page, client_side: true}
  admin:
    address: shop.test/admin
    upstream: UPSTREAM
    unmatched: forward
plans:
  pro: {apis: [shop], kinds: [secret, publishable, management], max_keys: 40}
  staff: {apis: [shop, admin], kinds: [secret, management]}
`

let server: TestServer
let victim: Account
let attacker: Account
let victimKey: Holder
/** A management key of the attacker's own account with every right there is. */
let owner: Holder
/** One that may only read. */
let reader: Holder

beforeAll(async () => {
  server = await startTestServer({
    yaml,
    listen: ', trusted_proxies: [127.0.0.1], plain_http_from: ["0.0.0.0/0", "::/0"]',
  })
  victim = await makeAccount(server.api, 'pro', 'Victim')
  attacker = await makeAccount(server.api, 'pro', 'Attacker')
  victimKey = await issue(server.api, victim.project)
  const management = { kind: 'management', apis: ['postern'] }
  owner = await issue(server.api, attacker.project, { ...management, scopes: ['*'] })
  reader = await issue(server.api, attacker.project, { ...management, scopes: ['credentials.read'] })
})
beforeEach(() => server.upstream.clear())
afterAll(() => server.stop())

const as = async (
  key: Holder,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<ApiAnswer> => await server.api(method, path, body, { key: key.value, headers })
const said = ({ status, body }: ApiAnswer) => `${status} ${body?.code ?? ''}`.trim()
/** From an address of its own, so that no attack spends the budget of another test. */
const from = (ip: string): readonly [string, string] => ['X-Forwarded-For', ip]

describe('a customer’s management key, against another customer (83)', () => {
  it('finds nothing of it, in no operation: the answer is the one for what does not exist', async () => {
    const { id: account, project } = victim
    const credential = victimKey.id
    const secret = victimKey.secretId
    const match = { 'if-match': '"1"' }
    const good = { name: 'x', kind: 'secret', apis: ['shop'], scopes: [] }
    const attempts: readonly (readonly [
      method: string,
      path: (id: string) => string,
      id: string,
      body?: unknown,
      headers?: Record<string, string>,
    ])[] = [
      ['GET', (id) => `/accounts/${id}`, account],
      ['PATCH', (id) => `/accounts/${id}`, account, { name: 'mine' }, match],
      ['POST', (id) => `/accounts/${id}/suspend`, account, { reason: 'x' }],
      ['POST', (id) => `/accounts/${id}/resume`, account],
      ['POST', (id) => `/accounts/${id}/projects`, account, { name: 'x', environment: 'live' }],
      ['POST', (id) => `/accounts/${id}/credentials`, account, good],
      ['GET', (id) => `/projects/${id}`, project],
      ['PATCH', (id) => `/projects/${id}`, project, { name: 'mine' }, match],
      ['GET', (id) => `/projects/${id}/credentials`, project],
      ['POST', (id) => `/projects/${id}/credentials`, project, good],
      [
        'POST',
        (id) => `/projects/${id}/credentials/import`,
        project,
        { credentials: [{ digest: 'a'.repeat(64), ...good }] },
      ],
      ['GET', (id) => `/credentials/${id}`, credential],
      ['PATCH', (id) => `/credentials/${id}`, credential, { scopes: ['*'] }, match],
      ['DELETE', (id) => `/credentials/${id}`, credential],
      ['POST', (id) => `/credentials/${id}/block`, credential, { reason: 'x' }],
      ['POST', (id) => `/credentials/${id}/unblock`, credential],
      ['POST', (id) => `/credentials/${id}/revoke`, credential, {}],
      ['POST', (id) => `/credentials/${id}/compromise`, credential, {}],
      ['POST', (id) => `/credentials/${id}/rotate`, credential, {}],
      ['GET', (id) => `/credentials/${id}/secrets`, credential],
      ['POST', (id) => `/credentials/${id}/secrets/${secret}/reveal`, credential],
      ['POST', (id) => `/credentials/${id}/secrets/${secret}/end`, credential, {}],
    ]
    for (const [method, path, id, body, headers] of attempts) {
      const nobody = id.slice(0, id.indexOf('_') + 1) + 'z'.repeat(12)
      const real = await as(owner, method, path(id), body, headers)
      const none = await as(owner, method, path(nobody), body, headers)
      const same = ({ status, body: answered }: ApiAnswer) => ({ status, ...answered, request_id: '' })
      expect(same(real), `${method} ${path('ID')}`).toEqual(same(none))
      expect([403, 404], `${method} ${path('ID')}: ${real.text}`).toContain(real.status)
    }
    const untouched = await server.api('GET', `/credentials/${credential}`)
    expect([untouched.body.version, untouched.body.state, untouched.body.scopes]).toEqual([
      1,
      'active',
      ['orders.read'],
    ])
  })

  it('sees nothing of it in any list, filter, search or usage', async () => {
    await request(server.gatewayPort, {
      target: '/v1/orders/1',
      headers: [bearer(victimKey.value), from('198.51.100.1')],
    })
    await until(
      'the request is logged',
      async () => (await server.api('GET', `/requests?credential=${victimKey.id}`)).body.data.length > 0,
    )
    const [logged] = (await server.api('GET', `/requests?credential=${victimKey.id}`)).body.data
    const period = `from=${new Date(Date.now() - 3_600_000).toISOString()}&to=${new Date(Date.now() + 60_000).toISOString()}&step=minute`
    const foreign = new RegExp(
      [victim.id, victim.project, victimKey.id, victimKey.publicId, 'Victim', logged.id].join('|'),
    )
    for (const path of [
      '/accounts',
      '/projects',
      '/credentials',
      '/events',
      '/requests',
      `/credentials?account=${victim.id}`,
      `/credentials?project=${victim.project}`,
      `/credentials?search=${victimKey.publicId}`,
      `/events?account=${victim.id}`,
      `/events?credential=${victimKey.id}`,
      `/requests?account=${victim.id}`,
      `/requests?credential=${victimKey.id}`,
      `/requests?project=${victim.project}`,
      `/requests/${logged.id}`,
      `/usage?${period}&account=${victim.id}`,
      `/usage?${period}&credential=${victimKey.id}`,
      `/usage?${period}&project=${victim.project}&group_by=credential,account`,
    ]) {
      const answer = await as(owner, 'GET', path)
      // What the caller itself once wrote into a path is in its own log.
      expect(answer.text.replaceAll(/"path":"[^"]*"/g, ''), path).not.toMatch(foreign)
      if (answer.status === 200 && path.includes('=')) expect(answer.body.data, path).toEqual([])
    }
    expect(said(await as(owner, 'POST', '/explain', { request_id: logged.id }))).toBe('404 not_found')
  })

  it('learns nothing from verify and explain about a key that it has found or guessed: it reads like one of nobody (33)', async () => {
    const asked = (value: string) => ({
      api: 'shop',
      method: 'GET',
      path: '/v1/orders/1',
      headers: { Authorization: `Bearer ${value}` },
      ip: '198.51.100.2',
    })
    const dead = await issue(server.api, victim.project)
    await server.api('POST', `/credentials/${dead.id}/revoke`, {})
    const guessable = 'legacy-secret-0815'
    await server.api('POST', `/projects/${victim.project}/credentials/import`, {
      credentials: [
        {
          digest: createHash('sha256').update(guessable).digest('hex'),
          name: 'Old',
          kind: 'secret',
          apis: ['shop'],
          scopes: ['*'],
        },
      ],
    })
    const nobody = makeKey({
      brand: 'acme',
      kind: 'secret',
      environment: 'live',
      publicId: 'AAAAAAAAAAAA',
      random: systemRandom,
    }).reveal()
    for (const operation of ['/verify', '/explain']) {
      const heard = async (value: string) => {
        const { status, body } = await as(owner, 'POST', operation, asked(value))
        const { headers, ...rest } = body
        return { http: status, ...rest, headers: { ...headers, 'X-Request-Id': '' } }
      }
      const unknown = await heard(nobody)
      expect([unknown.http, unknown.allowed, unknown.code, unknown.principal]).toEqual([
        200,
        false,
        'credential_unknown',
        null,
      ])
      expect(await heard(victimKey.value)).toEqual(unknown)
      expect(await heard(dead.value)).toEqual(unknown)
      expect({ ...(await heard(guessable)), trace: [] }).toEqual({ ...unknown, trace: [] })
    }
    expect(said(await as(owner, 'POST', '/explain', { ...asked(victimKey.value), api: 'postern' }))).toBe(
      '422 not_acceptable_value',
    )
  })

  it('cannot spend the failed attempts of an address that it merely names', async () => {
    for (let i = 0; i < 40; i++) {
      const answer = await as(
        owner,
        'POST',
        '/verify',
        {
          api: 'shop',
          method: 'GET',
          path: '/v1/orders/1',
          headers: { Authorization: `Bearer guess-${i}` },
          ip: '203.0.113.99',
        },
        { 'x-forwarded-for': '203.0.113.98' },
      )
      expect(answer.status).toBe(200)
    }
    const neighbour = await request(server.gatewayPort, {
      target: '/v1/orders/1',
      headers: [bearer('mistyped'), from('203.0.113.99')],
    })
    expect([neighbour.status, neighbour.body.code]).toEqual([401, 'credential_unknown'])
    const itself = await request(server.gatewayPort, {
      target: '/v1/orders/1',
      headers: [bearer('mistyped'), from('203.0.113.98')],
    })
    expect([itself.status, itself.body.code]).toEqual([429, 'too_many_failures'])
  })

  it('carries no cursor of its own list into another’s', async () => {
    const page = await server.api('GET', '/credentials?limit=1')
    const answer = await as(owner, 'GET', `/credentials?limit=100&cursor=${page.body.next_cursor}`)
    if (answer.status === 200) for (const { account } of answer.body.data) expect(account).toBe(attacker.id)
    else expect(said(answer)).toBe('400 body_invalid')
  })

  it('shares no Idempotency-Key with it (88)', async () => {
    const headers = { 'idempotency-key': 'same-for-both' }
    const other = await issue(server.api, victim.project, { kind: 'management', apis: ['postern'], scopes: ['*'] })
    const theirs = await server.api(
      'POST',
      `/projects/${victim.project}/credentials`,
      { name: 'Theirs', kind: 'secret', apis: ['shop'], scopes: [] },
      { key: other.value, headers },
    )
    const mine = await as(
      owner,
      'POST',
      `/projects/${attacker.project}/credentials`,
      { name: 'Mine', kind: 'secret', apis: ['shop'], scopes: [] },
      headers,
    )
    expect([theirs.body.credential.name, mine.body.credential.name]).toEqual(['Theirs', 'Mine'])
  })

  it('cannot take a digest that is somebody’s, nor find out that it is', async () => {
    const digest = createHash('sha256').update(victimKey.value).digest('hex')
    const line = { digest, name: 'Mine', kind: 'secret', apis: ['shop'], scopes: ['*'] }
    const taken = await as(owner, 'POST', `/projects/${attacker.project}/credentials/import`, { credentials: [line] })
    expect(taken.status).toBe(422)
    expect(taken.text).not.toMatch(new RegExp([victim.id, victimKey.id].join('|')))
    await request(server.gatewayPort, {
      target: '/v1/orders/1',
      headers: [bearer(victimKey.value), from('198.51.100.3')],
    })
    const [seen] = server.upstream.seen
    expect(seen?.headers).toContain(victim.id)
  })
})

describe('a customer’s management key, against the operator', () => {
  it.each([
    ['GET', '/system'],
    ['POST', '/system/backup'],
    ['POST', '/accounts'],
  ])('%s %s is the operator’s alone', async (method, path) => {
    const answer = await as(owner, method, path, method === 'POST' ? { name: 'x', plan: 'staff' } : undefined)
    expect(said(answer)).toBe('403 permission_missing')
  })

  it('raises neither its own plan nor its limits, nor resumes itself', async () => {
    for (const body of [{ plan: 'staff' }, { overrides: { limits: [] } }]) {
      const answer = await as(owner, 'PATCH', `/accounts/${attacker.id}`, body, { 'if-match': '"1"' })
      expect(said(answer), JSON.stringify(body)).toMatch(/^403 /)
    }
    expect((await server.api('GET', `/accounts/${attacker.id}`)).body.plan).toBe('pro')
    const suspended = await makeAccount(server.api, 'pro')
    const own = await issue(server.api, suspended.project, { kind: 'management', apis: ['postern'], scopes: ['*'] })
    await server.api('POST', `/accounts/${suspended.id}/suspend`, { reason: 'x' })
    expect(said(await as(own, 'POST', `/accounts/${suspended.id}/resume`))).toBe('403 account_suspended')
  })

  it('issues nothing for an API that its plan lacks, nor more keys than it allows, however many at once', async () => {
    const refused = await as(owner, 'POST', `/projects/${attacker.project}/credentials`, {
      name: 'x',
      kind: 'secret',
      apis: ['admin'],
      scopes: [],
    })
    expect(said(refused)).toBe('403 rights_exceeded')
    const greedy = await makeAccount(server.api, 'pro')
    const key = await issue(server.api, greedy.project, { kind: 'management', apis: ['postern'], scopes: ['*'] })
    const answers = await Promise.all(
      Array.from({ length: 60 }, () =>
        as(key, 'POST', `/projects/${greedy.project}/credentials`, {
          name: 'x',
          kind: 'secret',
          apis: ['shop'],
          scopes: [],
        }),
      ),
    )
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(39)
    expect(new Set(answers.filter(({ status }) => status !== 201).map(said))).toEqual(new Set(['409 conflict']))
  })
})

describe('a management key with few rights', () => {
  it('does nothing but what it holds', async () => {
    const project = `/projects/${attacker.project}/credentials`
    for (const [method, path, body] of [
      ['POST', project, { name: 'x', kind: 'secret', apis: ['shop'], scopes: [] }],
      ['POST', `/credentials/${owner.id}/rotate`, {}],
      ['POST', `/credentials/${reader.id}/rotate`, {}],
      ['POST', `/credentials/${owner.id}/revoke`, {}],
      ['POST', `/credentials/${owner.id}/secrets/${owner.secretId}/reveal`, undefined],
      ['PATCH', `/credentials/${reader.id}`, { scopes: ['*'] }],
      ['GET', '/events', undefined],
      ['GET', '/requests', undefined],
      ['POST', '/verify', { api: 'shop', method: 'GET', path: '/', headers: {}, ip: '1.1.1.1' }],
    ] as const) {
      expect(said(await as(reader, method, path, body, { 'if-match': '"1"' })), `${method} ${path}`).toBe(
        '403 permission_missing',
      )
    }
    expect((await as(reader, 'GET', '/credentials')).status).toBe(200)
  })

  it('makes no key with more rights than its own: not by issuing, changing or rotating', async () => {
    const writer = await issue(server.api, attacker.project, {
      kind: 'management',
      apis: ['postern'],
      scopes: [
        'credentials.read',
        'credentials.create',
        'credentials.update',
        'credentials.rotate',
        'credentials.write',
      ].filter((scope) => scope !== ''),
    }).catch(() => null)
    const rights = (await server.api('GET', '/apis/postern')).body.scopes
    const held = Object.keys(rights).filter((right) => right.startsWith('credentials.'))
    const key =
      writer ?? (await issue(server.api, attacker.project, { kind: 'management', apis: ['postern'], scopes: held }))
    const project = `/projects/${attacker.project}/credentials`
    for (const scopes of [['*'], ['accounts.*'], ['events.read'], ['accounts.read']]) {
      expect(
        said(await as(key, 'POST', project, { name: 'x', kind: 'management', apis: ['postern'], scopes })),
        scopes.join(),
      ).toMatch(/^(403 rights_exceeded|422 not_acceptable_value)$/)
    }
    expect(said(await as(key, 'POST', `/credentials/${owner.id}/rotate`, {}))).toBe('403 rights_exceeded')
    expect(said(await as(key, 'PATCH', `/credentials/${owner.id}`, { name: 'mine' }, { 'if-match': '"1"' }))).toBe(
      '403 rights_exceeded',
    )
    expect(said(await as(key, 'PATCH', `/credentials/${key.id}`, { scopes: ['*'] }, { 'if-match': '"1"' }))).toBe(
      '403 rights_exceeded',
    )
    const imported = await as(key, 'POST', `${project}/import`, {
      credentials: [{ digest: 'b'.repeat(64), name: 'x', kind: 'management', apis: ['postern'], scopes: ['*'] }],
    })
    expect(imported.status).toBe(422)
  })

  it('cannot be widened through a role', async () => {
    const roles = (await server.api('GET', '/apis/postern')).body.roles
    for (const role of Object.keys(roles)) {
      const answer = await as(reader, 'POST', `/projects/${attacker.project}/credentials`, {
        name: 'x',
        kind: 'management',
        apis: ['postern'],
        scopes: [],
        role,
      })
      expect(said(answer)).toBe('403 permission_missing')
    }
  })

  it('that is revoked mints no successor, not even at once (29)', async () => {
    for (let round = 0; round < 10; round++) {
      const key = await issue(server.api, victim.project, { kind: 'management', apis: ['postern'], scopes: ['*'] })
      const results: string[] = []
      const minting = Array.from({ length: 8 }, async () => {
        for (let i = 0; i < 3; i++)
          results.push(said(await as(key, 'POST', `/credentials/${key.id}/rotate`, { overlap: '0s' })))
      })
      const revoked = await server.api('POST', `/credentials/${key.id}/revoke`, {})
      expect(revoked.status).toBe(200)
      const after = await as(key, 'POST', `/projects/${victim.project}/credentials`, {
        name: 'Successor',
        kind: 'secret',
        apis: ['shop'],
        scopes: [],
      })
      expect(said(after)).toMatch(/^401 /)
      await Promise.all(minting)
    }
    expect((await server.api('GET', '/credentials?search=Successor')).body.data).toEqual([])
  })
})

describe('a customer’s own key, against the routes', () => {
  const key = { value: '' }
  beforeAll(async () => {
    key.value = victimKey.value
  })
  const code = async (asked: Parameters<typeof request>[1]) => {
    const answer = await request(server.gatewayPort, {
      ...asked,
      headers: [bearer(key.value), from('198.51.100.4'), ...(asked.headers ?? [])],
    })
    return answer.status === 200 ? '200' : `${answer.status} ${answer.body.code}`
  }

  it.each(['/v1/orders:purge', '/v1/orders%3Apurge', '/v1/orders%3apurge', '/v1/%6frders:purge', '/v1/orders:pur%67e'])(
    '%s needs the right of the operation, however it is spelt',
    async (target) => {
      expect(await code({ method: 'POST', target })).toBe('403 scope_missing')
    },
  )

  it.each([
    '/admin/x',
    '/admin',
    '/%61dmin/x',
    '/admin%2f',
    '/admin/../admin/x',
    '/v1/../admin/x',
    '/ADMIN/x',
    '/admin;/x',
    '/./admin/x',
    '/v1/%2e%2e/admin/x',
    '/admin%00',
    '//admin/x',
    '/admin\\x',
    '/v1/orders/..%5c..%5cadmin',
  ])('%s never reaches the API beside', async (target) => {
    expect(await code({ target })).toMatch(
      /^(403 wrong_api|403 plan_forbids|400 path_not_canonical|404 route_unknown)$/,
    )
    expect(server.upstream.seen).toEqual([])
  })

  it.each([
    'X-HTTP-Method-Override',
    'X-HTTP-Method',
    'X-Method-Override',
    '_method',
    'X-Original-URL',
    'X-Rewrite-URL',
    'X-Original-Method',
    'X-Forwarded-Path',
  ])('%s changes neither the decision nor what is forwarded', async (name) => {
    expect(
      await code({
        target: '/v1/orders/1',
        headers: [[name, name.includes('URL') || name.includes('Path') ? '/admin/x' : 'PUT']],
      }),
    ).toBe('200')
    const [echo] = server.upstream.seen
    expect([echo?.method, echo?.target]).toEqual(['GET', '/v1/orders/1'])
    if (name !== '_method') expect(echo?.headers.some((line) => line.toLowerCase() === name.toLowerCase())).toBe(false)
  })

  it('HEAD and OPTIONS are no way around (37)', async () => {
    expect(await code({ method: 'OPTIONS', target: '/v1/orders/1' })).toBe('405 method_not_allowed')
    expect(
      await code({
        method: 'OPTIONS',
        target: '/v1/orders/1',
        headers: [
          ['Origin', 'https://x.example'],
          ['Access-Control-Request-Method', 'PUT'],
        ],
      }),
    ).toMatch(/^40[35] /)
    const head = await request(server.gatewayPort, {
      method: 'HEAD',
      target: '/v1/orders/1',
      headers: [bearer(reader.value), from('198.51.100.5')],
    })
    expect([403, 405]).toContain(head.status)
    expect(server.upstream.seen).toEqual([])
  })

  it('is no management key, and a management key is none for the API', async () => {
    const whoami = await server.api('GET', '/whoami', undefined, { key: key.value })
    expect(said(whoami)).toBe('403 wrong_api')
    const answer = await request(server.gatewayPort, {
      target: '/v1/orders/1',
      headers: [bearer(owner.value), from('198.51.100.6')],
    })
    expect([answer.status, answer.body.code]).toEqual([403, 'wrong_api'])
    const first = await request(server.gatewayPort, {
      target: '/v1/orders/1',
      headers: [bearer(managementKey), from('198.51.100.7')],
    })
    expect(first.status).toBe(403)
    expect(server.upstream.seen).toEqual([])
  })
})

describe('somebody without a credential', () => {
  const attempt = async (ip: string, value: string) => {
    const answer = await request(server.gatewayPort, { target: '/v1/orders/1', headers: [bearer(value), from(ip)] })
    return `${answer.status} ${answer.body?.code ?? ''}`.trim()
  }

  it('gets thirty guesses a minute, and locks nobody out: neither a neighbour nor a key behind the same address', async () => {
    const results: string[] = []
    for (let i = 0; i < 35; i++) results.push(await attempt('203.0.113.50', `guess-${i}`))
    expect(results.slice(0, 30)).toEqual(results.slice(0, 30).map(() => '401 credential_unknown'))
    expect(results.slice(31)).toEqual(results.slice(31).map(() => '429 too_many_failures'))
    const good = await request(server.gatewayPort, {
      target: '/v1/orders/1',
      headers: [bearer(victimKey.value), from('203.0.113.50')],
    })
    expect(good.status).toBe(200)
    expect(await attempt('203.0.113.51', 'guess')).toBe('401 credential_unknown')
  })

  it('cannot guess on behind the budget: a dead key and a good imported one look alike then', async () => {
    const imported = 'imported-secret-of-an-older-system'
    await server.api('POST', `/projects/${victim.project}/credentials/import`, {
      credentials: [
        {
          digest: createHash('sha256').update(imported).digest('hex'),
          name: 'Old',
          kind: 'secret',
          apis: ['shop'],
          scopes: ['*'],
        },
      ],
    })
    for (let i = 0; i < 31; i++) await attempt('203.0.113.60', `guess-${i}`)
    expect(await attempt('203.0.113.60', imported)).toBe('429 too_many_failures')
    expect(await attempt('203.0.113.61', imported)).toBe('200')
    const dead = await issue(server.api, victim.project)
    await server.api('POST', `/credentials/${dead.id}/revoke`, {})
    expect(await attempt('203.0.113.60', dead.value)).toBe('429 too_many_failures')
    expect(await attempt('203.0.113.61', dead.value)).toBe('401 credential_revoked')
  })

  it('has one budget for a whole IPv6 network of /64', async () => {
    for (let i = 0; i < 31; i++) await attempt(`2001:db8:1:2::${i.toString(16)}`, `guess-${i}`)
    expect(await attempt('2001:db8:1:2:ffff::1', 'guess')).toBe('429 too_many_failures')
    expect(await attempt('2001:db8:1:3::1', 'guess')).toBe('401 credential_unknown')
  })

  it('hears the same of an unknown id, a wrong secret and a changed one (33)', async () => {
    const heard = async (value: string) => {
      const answer = await request(server.gatewayPort, {
        target: '/v1/orders/1',
        headers: [bearer(value), from('203.0.113.70')],
      })
      const names = answer.lines.filter((_, i) => i % 2 === 0)
      return { status: answer.status, names, body: { ...answer.body, request_id: '' } }
    }
    const dead = await issue(server.api, victim.project)
    await server.api('POST', `/credentials/${dead.id}/revoke`, {})
    const tampered = (value: string) => `${value.slice(0, -1)}${value.endsWith('0') ? '1' : '0'}`
    expect(await heard(tampered(victimKey.value))).toEqual(await heard(tampered(dead.value)))
    expect(await heard('unknown-of-somebody-else')).toEqual(await heard('another-unknown-one'))
  })

  it('finds no metrics, health or management on the gateway, no gateway on the console', async () => {
    for (const target of ['/metrics', '/healthz', '/readyz', '/api/v1/whoami', '/api/docs', '/forward-auth']) {
      const answer = await request(server.gatewayPort, { target, headers: [from('203.0.113.80')] })
      expect([answer.status, answer.body.code], target).toEqual([401, 'credential_missing'])
      const nobody = await request(server.gatewayPort, { target, host: 'nobody.test', headers: [from('203.0.113.80')] })
      expect([nobody.status, nobody.body.code], target).toEqual([404, 'api_unknown'])
    }
    const port = Number(new URL(server.console).port)
    const metrics = await request(port, { target: '/metrics', headers: [from('203.0.113.80')] })
    expect(metrics.status).toBe(404)
  })

  it('gets no answer that a cache may keep, and none that names the server (67, 114)', async () => {
    for (const headers of [[], [bearer('wrong')], [bearer(victimKey.value)]] as (readonly [string, string])[][]) {
      const answer = await request(server.gatewayPort, {
        target: '/v1/none',
        headers: [...headers, from('203.0.113.90')],
      })
      expect([answer.header('cache-control'), answer.header('server'), answer.header('x-powered-by')]).toEqual([
        'no-store',
        null,
        null,
      ])
    }
  })
})

describe('a rotated management key', () => {
  it('cannot take its successor back: the old secret ends, the new one stays', async () => {
    const key = await issue(server.api, victim.project, { kind: 'management', apis: ['postern'], scopes: ['*'] })
    const rotated = holderOf((await as(key, 'POST', `/credentials/${key.id}/rotate`, { overlap: '0s' })).body)
    expect(said(await as(key, 'GET', '/whoami'))).toBe('401 secret_rotated_out')
    expect((await as(rotated, 'GET', '/whoami')).status).toBe(200)
  })
})
