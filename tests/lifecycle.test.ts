import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { wire } from '@postern/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { fixedClock, type FixedClock } from '../packages/server/src/base/clock.ts'
import { keepAliveClients } from './support/clients.ts'
import { bearer, holderOf, issue, makeAccount, makeProject, type Account } from './support/issue.ts'
import { request } from './support/raw.ts'
import { startTestServer, type TestServer } from './support/server.ts'
import { until } from './support/until.ts'

const apis = `
apis:
  shop:
    address: shop.test
    upstream: UPSTREAM
    scopes: {orders.read: Read, orders.write: Write}
    routes:
      - {id: getOrder, methods: [GET], path: "/v1/orders/{id}", scopes: {any: [orders.read]}}
  books: {address: books.test, upstream: UPSTREAM}
`
const yaml = `${apis}
plans:
  pro:
    apis: [shop, books]
    kinds: [secret, publishable, management]
  counted:
    apis: [shop]
    kinds: [secret]
    quotas: [{name: month, per: account, requests: 5, period: month}]
`

let folder: string
let clock: FixedClock
let server: TestServer
let account: Account

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'postern-lifecycle-'))
  clock = fixedClock(Date.UTC(2026, 2, 1))
  server = await startTestServer({ yaml, clock, folder })
  account = await makeAccount(server.api, 'pro')
})

afterAll(async () => {
  await server.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** What the gateway says to the holder of the secret: a status and, where it refuses, the code. */
async function use(value: string): Promise<string> {
  const answer = await request(server.gatewayPort, {
    target: '/v1/orders/1',
    headers: [bearer(value), ['User-Agent', `test/${value.slice(-4)}`]],
  })
  return answer.status === 200 ? '200' : `${answer.status} ${answer.body.code}`
}

async function change(method: string, path: string, body: object = {}, headers: Record<string, string> = {}) {
  const answer = await server.api(method, path, body, { headers })
  expect(answer.status, answer.text).toBe(200)
  return answer.body
}

const inMs = (ms: number) => new Date(clock.now() + ms).toISOString()

describe('the life of a key', () => {
  it('is issued and works at once', async () => {
    const key = await issue(server.api, account.project)
    expect(await use(key.value)).toBe('200')
  })

  it('is rotated: both secrets work until the overlap ends, and each tells its own last use (WCT-8)', async () => {
    const key = await issue(server.api, account.project)
    const rotated = holderOf(await change('POST', `/credentials/${key.id}/rotate`, { overlap: '1h' }))
    expect(rotated.value.startsWith('acme_sk_live_')).toBe(true)
    expect([await use(key.value), await use(rotated.value)]).toEqual(['200', '200'])
    clock.advance(1_000)
    const lastUses = async () => {
      const { body } = await server.api('GET', `/credentials/${key.id}/secrets`)
      return Object.fromEntries(
        body.data.map((secret: wire.Secret) => [secret.id, secret.last_accepted?.user_agent ?? null]),
      )
    }
    const expected = {
      [key.secretId]: `test/${key.value.slice(-4)}`,
      [rotated.secretId]: `test/${rotated.value.slice(-4)}`,
    }
    await until('both uses are known', async () => Object.values(await lastUses()).every((agent) => agent !== null))
    expect(await lastUses()).toEqual(expected)
    clock.advance(3_600_000 - 1_000 - 1)
    expect([await use(key.value), await use(rotated.value)]).toEqual(['200', '200'])
    clock.advance(1)
    expect([await use(key.value), await use(rotated.value)]).toEqual(['401 secret_rotated_out', '200'])
  })

  it('has at most three live secrets, and an overlap of nothing ends the others at once', async () => {
    const key = await issue(server.api, account.project)
    const second = holderOf(await change('POST', `/credentials/${key.id}/rotate`, { overlap: '1h' }))
    await change('POST', `/credentials/${key.id}/rotate`, { overlap: '1h' })
    const fourth = await server.api('POST', `/credentials/${key.id}/rotate`, { overlap: '1h' })
    expect([fourth.status, fourth.body.code]).toEqual([409, 'conflict'])
    await change('POST', `/credentials/${key.id}/secrets/${second.secretId}/end`)
    expect([await use(key.value), await use(second.value)]).toEqual(['200', '401 secret_rotated_out'])
    const last = holderOf(await change('POST', `/credentials/${key.id}/rotate`, { overlap: '0s' }))
    expect([await use(key.value), await use(last.value)]).toEqual(['401 secret_rotated_out', '200'])
  })

  it('is blocked until an instant, exactly (34), or until it is unblocked', async () => {
    const key = await issue(server.api, account.project)
    await change('POST', `/credentials/${key.id}/block`, { reason: 'odd traffic', until: inMs(60_000) })
    expect(await use(key.value)).toBe('401 credential_blocked')
    clock.advance(59_999)
    expect(await use(key.value)).toBe('401 credential_blocked')
    clock.advance(1)
    expect(await use(key.value)).toBe('200')
    await change('POST', `/credentials/${key.id}/block`, { reason: 'odd traffic' })
    clock.setWall(clock.now() + 86_400_000)
    expect(await use(key.value)).toBe('401 credential_blocked')
    await change('POST', `/credentials/${key.id}/unblock`)
    expect(await use(key.value)).toBe('200')
  })

  it.each(['revoke', 'compromise'])('ends with %s, for every secret and for good', async (end) => {
    const key = await issue(server.api, account.project)
    const second = holderOf(await change('POST', `/credentials/${key.id}/rotate`, { overlap: '1h' }))
    await change('POST', `/credentials/${key.id}/${end}`)
    expect([await use(key.value), await use(second.value)]).toEqual([
      '401 credential_revoked',
      '401 credential_revoked',
    ])
    for (const [path, body] of [
      ['unblock', {}],
      ['rotate', {}],
      ['block', { reason: 'x' }],
    ] as const) {
      const answer = await server.api('POST', `/credentials/${key.id}/${path}`, body)
      expect([path, answer.status, answer.body.code]).toEqual([path, 409, 'conflict'])
    }
    clock.advance(3_600_000)
    expect([await use(key.value), await use(second.value)]).toEqual([
      '401 credential_revoked',
      '401 credential_revoked',
    ])
  })

  it('ends with DELETE too: hidden, and still refused by name to its holder', async () => {
    const key = await issue(server.api, account.project)
    expect((await server.api('DELETE', `/credentials/${key.id}`)).status).toBe(200)
    expect(await use(key.value)).toBe('401 credential_revoked')
    const listed = await server.api('GET', `/credentials?search=${key.publicId}`)
    expect(listed.body.data).toEqual([])
  })

  it('is not revived by rotation once it has expired (keys 7.5)', async () => {
    const key = await issue(server.api, account.project, { expires_at: inMs(1_000) })
    clock.advance(1_000)
    const answer = await server.api('POST', `/credentials/${key.id}/rotate`, {})
    expect([answer.status, answer.body.code]).toEqual([409, 'conflict'])
    expect(await use(key.value)).toBe('401 credential_expired')
  })

  it('cannot be issued already expired, and an expiry of the epoch is an expiry (keys 7.5)', async () => {
    for (const expires_at of [new Date(0).toISOString(), inMs(0)]) {
      const answer = await server.api('POST', `/projects/${account.project}/credentials`, {
        name: 'Late',
        kind: 'secret',
        apis: ['shop'],
        scopes: [],
        expires_at,
      })
      expect([answer.status, answer.body.code, answer.body.errors[0].path]).toEqual([
        422,
        'not_acceptable_value',
        '/expires_at',
      ])
    }
  })

  it('loses at once what is taken from it: scopes, addresses, the addresses of its project', async () => {
    const project = await makeProject(server.api, account.id, { name: 'Other', environment: 'live' })
    const key = await issue(server.api, project.id)
    expect(await use(key.value)).toBe('200')
    await change('PATCH', `/credentials/${key.id}`, { scopes: ['orders.write'] }, { 'if-match': '"1"' })
    expect(await use(key.value)).toBe('403 scope_missing')
    await change(
      'PATCH',
      `/credentials/${key.id}`,
      { scopes: ['orders.read'], ip_allow: ['192.0.2.0/24'] },
      { 'if-match': '"2"' },
    )
    expect(await use(key.value)).toBe('403 ip_not_allowed')
    await change('PATCH', `/credentials/${key.id}`, { ip_allow: ['127.0.0.1'] }, { 'if-match': '"3"' })
    expect(await use(key.value)).toBe('200')
    await change('PATCH', `/projects/${project.id}`, { ip_allow: ['2001:db8::/32'] }, { 'if-match': '"1"' })
    expect(await use(key.value)).toBe('403 ip_not_allowed')
    await change('PATCH', `/projects/${project.id}`, { ip_allow: [] }, { 'if-match': '"2"' })
    expect(await use(key.value)).toBe('200')
  })
})

describe('the life of an account', () => {
  it('is suspended and resumed: all of its keys with it, nobody else’s', async () => {
    const other = await makeAccount(server.api, 'pro')
    const [first, second, foreign] = [
      await issue(server.api, other.project),
      await issue(server.api, other.project),
      await issue(server.api, account.project),
    ]
    await change('POST', `/accounts/${other.id}/suspend`, { reason: 'unpaid' })
    expect([await use(first.value), await use(second.value), await use(foreign.value)]).toEqual([
      '403 account_suspended',
      '403 account_suspended',
      '200',
    ])
    await change('POST', `/accounts/${other.id}/resume`)
    expect([await use(first.value), await use(second.value)]).toEqual(['200', '200'])
  })

  it('is downgraded by a change of the plan in the file, and restored by the next (WCT-5)', async () => {
    const key = await issue(server.api, account.project)
    expect(await use(key.value)).toBe('200')
    const without = yaml.replace('apis: [shop, books]', 'apis: [books]')
    expect(await server.reload(without)).toEqual({ ok: true, value: null })
    expect(await use(key.value)).toBe('403 plan_forbids')
    expect(
      await server.reload(yaml.replace('kinds: [secret, publishable, management]', 'kinds: [publishable]')),
    ).toEqual({ ok: true, value: null })
    expect(await use(key.value)).toBe('403 plan_forbids')
    expect(
      await server.reload(
        yaml.replace(
          'kinds: [secret, publishable, management]',
          'kinds: [secret, publishable, management]\n    scopes: [orders.write]',
        ),
      ),
    ).toEqual({ ok: true, value: null })
    expect(await use(key.value)).toBe('403 scope_missing')
    expect(await server.reload(yaml)).toEqual({ ok: true, value: null })
    expect(await use(key.value)).toBe('200')
  })
})

describe('revoking under load (28)', () => {
  it('lets none of 64 clients in with a request begun after the answer, in 20 rounds', async () => {
    const clients = keepAliveClients(server.gatewayPort, 64)
    let accepted = 0
    let late = 0
    for (let round = 0; round < 20; round++) {
      const key = await issue(server.api, account.project)
      let answeredAt = Number.POSITIVE_INFINITY
      const client = async () => {
        for (let after = 0; after < 2;) {
          const begun = performance.now()
          const status = await clients.get('/v1/orders/1', { host: 'shop.test', authorization: `Bearer ${key.value}` })
          if (status === 200) accepted++
          if (begun <= answeredAt) continue
          after++
          if (status === 200) late++
        }
      }
      const running = Array.from({ length: 64 }, client)
      await until('every client has been let in', () => accepted >= (round + 1) * 64)
      await change('POST', `/credentials/${key.id}/${round % 2 === 0 ? 'revoke' : 'compromise'}`)
      answeredAt = performance.now()
      await Promise.all(running)
    }
    clients.close()
    expect(late).toBe(0)
    expect(accepted).toBeGreaterThan(64)
  })
})

describe('time', () => {
  it('is exact at each edge, and a restart changes nothing (34)', async () => {
    const notYet = await issue(server.api, account.project, { not_before: inMs(10_000), expires_at: inMs(20_000) })
    const rotated = await issue(server.api, account.project)
    const successor = holderOf(await change('POST', `/credentials/${rotated.id}/rotate`, { overlap: '15s' }))
    const blocked = await issue(server.api, account.project)
    await change('POST', `/credentials/${blocked.id}/block`, { reason: 'test', until: inMs(12_000) })
    const revoked = await issue(server.api, account.project)
    await change('POST', `/credentials/${revoked.id}/revoke`)
    const all = async () => [
      await use(notYet.value),
      await use(rotated.value),
      await use(successor.value),
      await use(blocked.value),
      await use(revoked.value),
    ]
    const dead = '401 credential_revoked'

    clock.advance(9_999)
    expect(await all()).toEqual(['401 credential_not_yet_valid', '200', '200', '401 credential_blocked', dead])
    await restart()
    expect(await all()).toEqual(['401 credential_not_yet_valid', '200', '200', '401 credential_blocked', dead])
    clock.advance(1)
    expect(await all()).toEqual(['200', '200', '200', '401 credential_blocked', dead])
    clock.advance(1_999)
    await restart()
    expect(await all()).toEqual(['200', '200', '200', '401 credential_blocked', dead])
    clock.advance(1)
    expect(await all()).toEqual(['200', '200', '200', '200', dead])
    clock.advance(2_999)
    expect(await all()).toEqual(['200', '200', '200', '200', dead])
    clock.advance(1)
    expect(await all()).toEqual(['200', '401 secret_rotated_out', '200', '200', dead])
    clock.advance(4_999)
    await restart()
    expect(await all()).toEqual(['200', '401 secret_rotated_out', '200', '200', dead])
    clock.advance(1)
    expect(await all()).toEqual(['401 credential_expired', '401 secret_rotated_out', '200', '200', dead])
  })

  it('that is set back revives nothing that the store says is over', async () => {
    const key = await issue(server.api, account.project)
    await change('POST', `/credentials/${key.id}/revoke`)
    clock.setWall(clock.now() - 3_600_000)
    expect(await use(key.value)).toBe('401 credential_revoked')
    clock.setWall(clock.now() + 3_600_000)
  })

  it('does not give back a quota that was used: not by a restart, not by a change of the file', async () => {
    const metered = await makeAccount(server.api, 'counted')
    const key = await issue(server.api, metered.project)
    for (let i = 0; i < 3; i++) expect(await use(key.value)).toBe('200')
    await restart()
    for (let i = 0; i < 2; i++) expect(await use(key.value)).toBe('200')
    expect(await use(key.value)).toBe('429 quota_exceeded')
    expect(await server.reload(yaml.replace('requests: 5, period', 'requests: 6, period'))).toEqual({
      ok: true,
      value: null,
    })
    expect([await use(key.value), await use(key.value)]).toEqual(['200', '429 quota_exceeded'])
    expect(await server.reload(yaml)).toEqual({ ok: true, value: null })
    expect(await use(key.value)).toBe('429 quota_exceeded')
    clock.setWall(clock.now() + 31 * 86_400_000)
    expect(await use(key.value)).toBe('200')
  })

  async function restart(): Promise<void> {
    await server.stop()
    server = await startTestServer({ yaml, clock, folder })
  }
})
