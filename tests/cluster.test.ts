import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'

import { systemRandom } from '../packages/server/src/base/random.ts'
import { makeKey } from '../packages/server/src/core/credentials/format.ts'
import { bearer, issue, makeAccount, type Account, type Holder } from './support/issue.ts'
import { request } from './support/raw.ts'
import { startTestServer, type TestServer } from './support/server.ts'
import { until } from './support/until.ts'
import { startWire, type Wire } from './support/wire.ts'

const yaml = `
stale_after: 2s
failures: {attempts: 1000000, window: 1m}
apis:
  shop:
    address: shop.test
    upstream: UPSTREAM
    scopes: {orders.read: Read}
    routes:
      - {id: getOrder, methods: [GET], path: "/v1/orders/{id}", scopes: {any: [orders.read]}}
      - {id: status, methods: [GET], path: "/v1/status", on_stale: serve}
plans:
  pro: {apis: [shop], kinds: [secret, management]}
  none: {apis: [], kinds: [secret]}
  counted:
    apis: [shop]
    kinds: [secret]
    quotas: [{name: month, per: account, requests: 10, period: month}]
`

async function freshDatabase(name: string): Promise<URL> {
  const url = inject('postgresUrl')
  const client = new pg.Client(url)
  await client.connect()
  await client.query(`create database ${name}`)
  await client.end()
  const database = new URL(url)
  database.pathname = `/${name}`
  return database
}

const through = (database: URL, wire: Wire): string => {
  const url = new URL(database)
  url.hostname = '127.0.0.1'
  url.port = String(wire.port)
  return url.toString()
}

async function use(node: TestServer, value: string, target = '/v1/orders/1'): Promise<string> {
  const answer = await request(node.gatewayPort, { target, headers: [bearer(value)] })
  return answer.status === 200 ? '200' : `${answer.status} ${answer.body.code}`
}

/** What all nodes together have told the store of an account's quota. */
async function storedCount(accountId: string): Promise<number> {
  const client = new pg.Client(database.toString())
  await client.connect()
  const { rows } = await client.query<{ used: string }>('select used from quotas where key like $1', [`%|${accountId}`])
  await client.end()
  return Number(rows[0]?.used ?? 0)
}

const unknownKey = () =>
  makeKey({
    brand: 'acme',
    kind: 'secret',
    environment: 'live',
    publicId: 'AAAAAAAAAAAA',
    random: systemRandom,
  }).reveal()

let database: URL
let wire: Wire
let deafWire: Wire
let a: TestServer
let b: TestServer
/** Never hears a hint. */
let deaf: TestServer
let account: Account

beforeAll(async () => {
  database = await freshDatabase(`cluster_${process.pid}_${Date.now()}`)
  const target = {
    host: database.hostname === 'localhost' ? '127.0.0.1' : database.hostname,
    port: Number(database.port),
  }
  wire = await startWire(target)
  deafWire = await startWire(target, 'listen postern_events')
  a = await startTestServer({ yaml, store: database.toString() })
  b = await startTestServer({ yaml, store: through(database, wire) })
  deaf = await startTestServer({ yaml, store: through(database, deafWire) })
})

beforeEach(async () => {
  account = await makeAccount(a.api, 'pro')
})

afterAll(async () => {
  for (const node of [deaf, b, a]) await node.stop()
  await wire.close()
  await deafWire.close()
})

type Change = readonly [what: string, make: (key: Holder) => Promise<{ status: number; text: string }>, code: string]

const changes: readonly Change[] = [
  ['revoke', (key) => a.api('POST', `/credentials/${key.id}/revoke`, {}), '401 credential_revoked'],
  ['block', (key) => a.api('POST', `/credentials/${key.id}/block`, { reason: 'x' }), '401 credential_blocked'],
  ['compromise', (key) => a.api('POST', `/credentials/${key.id}/compromise`, {}), '401 credential_revoked'],
  [
    'end of a secret',
    (key) => a.api('POST', `/credentials/${key.id}/secrets/${key.secretId}/end`, {}),
    '401 secret_rotated_out',
  ],
  [
    'fewer scopes',
    (key) => a.api('PATCH', `/credentials/${key.id}`, { scopes: [] }, { headers: { 'if-match': '"1"' } }),
    '403 scope_missing',
  ],
  ['suspend', (key) => a.api('POST', `/accounts/${key.account}/suspend`, { reason: 'x' }), '403 account_suspended'],
  [
    'change of plan',
    (key) => a.api('PATCH', `/accounts/${key.account}`, { plan: 'none' }, { headers: { 'if-match': '"1"' } }),
    '403 plan_forbids',
  ],
]

/** Milliseconds from the answer of the change on A to the first refusal on the node. */
async function lag(node: TestServer, [, make, code]: Change): Promise<number> {
  const own = await makeAccount(a.api, 'pro')
  const key = await issue(a.api, own.project)
  expect(await use(node, key.value)).toBe('200')
  const answer = await make(key)
  expect(answer.status, answer.text).toBe(200)
  const answered = performance.now()
  for (;;) {
    const said = await use(node, key.value)
    if (said !== '200') {
      expect(said).toBe(code)
      return performance.now() - answered
    }
  }
}

describe('a change on one node', () => {
  it.each(changes)(
    '%s: refused on another within 1 s by the hint, within 2 s by polling alone (30)',
    async (...change) => {
      for (let round = 0; round < 2; round++) {
        expect(await lag(b, change)).toBeLessThan(1_000)
        expect(await lag(deaf, change)).toBeLessThan(2_000)
      }
    },
  )

  it('a key works everywhere the moment it was answered', async () => {
    for (let round = 0; round < 10; round++) {
      const key = await issue(a.api, account.project)
      expect(await Promise.all([use(a, key.value), use(b, key.value), use(deaf, key.value)])).toEqual([
        '200',
        '200',
        '200',
      ])
    }
  })

  it('a rotated secret too, and what nobody issued is unknown, not unavailable', async () => {
    const key = await issue(a.api, account.project)
    const rotated = await a.api('POST', `/credentials/${key.id}/rotate`, {})
    expect(await use(deaf, rotated.body.secret.value)).toBe('200')
    expect([await use(b, unknownKey()), await use(deaf, unknownKey())]).toEqual([
      '401 credential_unknown',
      '401 credential_unknown',
    ])
  })

  it('a management key revoked here writes nothing there, not even before it was told (29)', async () => {
    for (let round = 0; round < 10; round++) {
      const manager = await issue(a.api, account.project, { kind: 'management', apis: ['postern'], scopes: ['*'] })
      expect((await deaf.api('GET', '/whoami', undefined, { key: manager.value })).status).toBe(200)
      await a.api('POST', `/credentials/${manager.id}/revoke`, {})
      const body = { name: 'Successor', kind: 'management', apis: ['postern'], scopes: ['*'] }
      const written = await Promise.all(
        [b, deaf].map((node) =>
          node.api('POST', `/projects/${account.project}/credentials`, body, { key: manager.value }),
        ),
      )
      expect(written.map((answer) => [answer.status, answer.body.code])).toEqual([
        [401, 'credential_revoked'],
        [401, 'credential_revoked'],
      ])
    }
    expect((await a.api('GET', '/credentials?search=Successor')).body.data).toEqual([])
  })

  it('quotas are summed over nodes', async () => {
    const own = await makeAccount(a.api, 'counted')
    const key = await issue(a.api, own.project)
    for (let i = 0; i < 6; i++) expect(await use(a, key.value)).toBe('200')
    await until('the store knows what the first node counted', async () => (await storedCount(own.id)) === 6)
    expect(await use(b, key.value)).toBe('200')
    await until('the store knows what the second node counted', async () => (await storedCount(own.id)) === 7)
    // Its answer to the second node comes before that node's next one to us.
    await b.api('GET', '/system')
    let more = 0
    while ((await use(b, key.value)) === '200') more++
    expect(more).toBe(3)
    // A node that has counted nothing meanwhile learns with its next flush: a second of its own requests at most.
    const begun = performance.now()
    await until('the first node refuses too', async () => (await use(a, key.value)) === '429 quota_exceeded')
    expect(performance.now() - begun).toBeLessThan(3_000)
  })
})

describe('a node that loses its database', () => {
  it.each(['cut', 'held'] as const)(
    '%s: known keys go on for stale_after, nothing is called unknown, and it recovers by itself (design section 5)',
    async (state) => {
      const known = await issue(a.api, account.project)
      expect(await use(b, known.value)).toBe('200')
      wire.set(state)
      const lost = performance.now()
      try {
        expect(await use(b, known.value)).toBe('200')
        const later = await issue(a.api, account.project)
        const [stranger, fresh, managed] = await Promise.all([
          use(b, unknownKey()),
          use(b, later.value),
          b.api('POST', `/credentials/${known.id}/block`, { reason: 'x' }),
        ])
        expect([stranger, fresh]).toEqual(['503 decision_unavailable', '503 decision_unavailable'])
        expect([managed.status, managed.headers.get('retry-after') !== null]).toEqual([503, true])
        expect(['store_unavailable', 'decision_unavailable']).toContain(managed.body.code)
        await until(
          'nothing is decided on what is remembered',
          async () => (await use(b, known.value)) === '503 decision_unavailable',
        )
        expect(performance.now() - lost).toBeGreaterThan(1_400)
        expect(await use(b, known.value, '/v1/status')).toBe('200')
        expect(await use(b, unknownKey(), '/v1/status')).toBe('503 decision_unavailable')
        expect((await fetch(`${b.ops}/readyz`)).status).toBe(503)
        expect((await fetch(`${b.ops}/healthz`)).status).toBe(200)
        const revoked = await a.api('POST', `/credentials/${known.id}/revoke`, {})
        // A route that serves stale records: nothing can be promised.
        expect([revoked.status, revoked.body.effective_everywhere_by]).toEqual([200, null])
      } finally {
        wire.set('open')
      }
      await until('it decides again', async () => (await use(b, known.value)) === '401 credential_revoked', 20_000)
      expect(await use(b, (await issue(a.api, account.project)).value)).toBe('200')
      await until('it is ready', async () => (await fetch(`${b.ops}/readyz`)).status === 200)
      expect((await b.api('GET', '/system')).body.feed.stale).toBe(false)
    },
  )
})
