import { existsSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { bearer, issue, makeAccount, type Account, type Holder } from './support/issue.ts'
import { startServerProcess } from './support/process.ts'
import { request } from './support/raw.ts'
import { startTestServer, type TestServer } from './support/server.ts'
import { until } from './support/until.ts'

const apis = `
apis:
  shop:
    address: shop.test
    upstream: UPSTREAM
    credentials: [{in: bearer}, {in: query, name: api_key}]
    scopes: {orders.read: Read, orders.write: Write}
    routes:
      - {id: getOrder, methods: [GET], path: "/v1/orders/{id}", scopes: {any: [orders.read]}}
      - {id: putOrder, methods: [PUT], path: "/v1/orders/{id}", scopes: {any: [orders.write]}}
plans:
  pro: {apis: [shop], kinds: [secret], scopes: ["*"]}
`
const withLog = `log: {access: ./access.log}\n${apis}`
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

let server: TestServer
let account: Account
let key: Holder

beforeAll(async () => {
  server = await startTestServer({ yaml: withLog, listen: ', trusted_proxies: [127.0.0.1]' })
  account = await makeAccount(server.api, 'pro')
  key = await issue(server.api, account.project)
})
afterAll(() => server.stop())

const forwarded = [
  ['X-Forwarded-For', '203.0.113.7'],
  ['X-Forwarded-Proto', 'https'],
] as const

function lines(): Record<string, unknown>[] {
  const file = join(server.folder, 'access.log')
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line))
}

async function lineOf(id: string | null): Promise<Record<string, unknown>> {
  await until('the line is written', () => lines().some((line) => line['id'] === id))
  return lines().find((line) => line['id'] === id) ?? {}
}

describe('the access log of a real server', () => {
  it('tells of a request through the gateway what its row tells, and the trace that it belongs to', async () => {
    const answer = await request(server.gatewayPort, {
      target: `/v1/orders/1?api_key=${key.value}`,
      headers: [...forwarded, ['traceparent', traceparent], ['User-Agent', `tool/${key.value}`]],
    })
    const line = await lineOf(answer.header('x-request-id'))
    expect(line).toMatchObject({
      via: 'gateway',
      method: 'GET',
      path: '/v1/orders/1',
      status: 200,
      outcome: '2xx',
      code: null,
      api: 'shop',
      route: 'getOrder',
      account: account.id,
      project: account.project,
      credential: key.id,
      ip: '203.0.113.7',
      trace_id: '0af7651916cd43dd8448eb211c80319c',
      sent: answer.text.length,
    })
    expect(Number(line['upstream_ms'])).toBeGreaterThan(0)
    expect(Number(line['ms'])).toBeGreaterThanOrEqual(Number(line['upstream_ms']))
    expect(server.upstream.seen.at(-1)?.headers).toEqual(expect.arrayContaining(['traceparent', traceparent]))
  })

  it('tells of a refusal, and of a question of forward-auth', async () => {
    const refused = await request(server.gatewayPort, {
      method: 'PUT',
      target: '/v1/orders/1',
      headers: [...forwarded, bearer(key.value)],
    })
    expect(await lineOf(refused.header('x-request-id'))).toMatchObject({
      status: 403,
      outcome: 'scope_missing',
      code: 'scope_missing',
      credential: key.id,
      upstream_ms: null,
    })
    const asked = await request(Number(new URL(server.ops).port), {
      target: '/forward-auth',
      headers: [
        ...forwarded,
        ['X-Forwarded-Method', 'GET'],
        ['X-Forwarded-Host', 'shop.test'],
        ['X-Forwarded-Uri', '/v1/orders/1'],
        bearer(key.value),
      ],
    })
    expect(await lineOf(asked.header('x-request-id'))).toMatchObject({
      via: 'forward_auth',
      method: 'GET',
      path: '/v1/orders/1',
      status: 200,
      upstream_ms: null,
    })
    expect(readFileSync(join(server.folder, 'access.log'), 'utf8')).not.toContain(key.value)
  })

  it('goes to a new file after a reload where the old one was moved away, and to none once it is off', async () => {
    const file = join(server.folder, 'access.log')
    const send = () =>
      request(server.gatewayPort, { target: '/v1/orders/1', headers: [...forwarded, bearer(key.value)] })
    renameSync(file, `${file}.1`)
    expect(await server.reload(withLog)).toMatchObject({ ok: true })
    await lineOf((await send()).header('x-request-id'))
    const refused = await server.reload(`log: {access: /nowhere/at/all.log}\n${apis}`)
    expect(refused).toEqual({ ok: false, error: [expect.stringContaining('the access log cannot be written: ENOENT')] })
    const last = await send()
    await lineOf(last.header('x-request-id'))
    expect(await server.reload(`log: {access: off}\n${apis}`)).toMatchObject({ ok: true })
    await send()
    expect(await server.reload(withLog)).toMatchObject({ ok: true })
    const after = await send()
    await lineOf(after.header('x-request-id'))
    expect(
      lines()
        .map((line) => line['id'])
        .slice(-2),
    ).toEqual([last.header('x-request-id'), after.header('x-request-id')])
  })

  it('goes to standard output of a process, whole, also what came last before it stopped', async () => {
    const child = await startServerProcess({
      listen: ', trusted_proxies: [127.0.0.1]',
      yaml: `log: {access: stdout}\n${apis.replace('UPSTREAM', server.upstream.url)}`,
    })
    try {
      const ids: (string | null)[] = []
      for (let i = 0; i < 20; i++) {
        const answer = await request(child.gatewayPort, { target: '/v1/orders/1', headers: forwarded })
        ids.push(answer.header('x-request-id'))
      }
      await child.stop()
      const written = child
        .output()
        .split('\n')
        .filter((line) => line.startsWith('{"at":'))
        .map((line): Record<string, unknown> => JSON.parse(line))
      expect(written.map(({ id }) => id)).toEqual(ids)
    } finally {
      await child.kill()
      child.remove()
    }
  })
})

describe('a scrape of a real server', () => {
  it('has the times of each API and route, and no secret', async () => {
    await request(server.gatewayPort, { target: '/v1/orders/1', headers: [...forwarded, bearer(key.value)] })
    await request(server.gatewayPort, { target: '/v1/none', headers: [...forwarded, bearer(key.value)] })
    await request(server.gatewayPort, { target: '//', headers: forwarded })
    await until('the requests have been told', async () => {
      const text = await (await fetch(`${server.ops}/metrics`)).text()
      return text.includes('route="",outcome="refused"')
    })
    const text = await (await fetch(`${server.ops}/metrics`)).text()
    const labels = 'api="shop",route="getOrder"'
    for (const name of ['postern_request_seconds', 'postern_upstream_seconds', 'postern_decision_seconds']) {
      const count = Number(new RegExp(`^${name}_count\\{${labels}\\} (\\d+)$`, 'm').exec(text)?.[1])
      expect([name, count > 0]).toEqual([name, true])
      expect(text).toContain(`${name}_bucket{${labels},le="+Inf"} ${count}\n`)
      // Each bucket holds those before it.
      const buckets = [...text.matchAll(new RegExp(`^${name}_bucket\\{${labels},le="[^"]+"\\} (\\d+)$`, 'gm'))].map(
        ([, value]) => Number(value),
      )
      expect(buckets).toEqual(buckets.toSorted((a, b) => a - b))
      expect(buckets.at(-1)).toBe(count)
    }
    expect(text).toMatch(/postern_route_requests_total\{api="shop",route="putOrder",outcome="refused"\} 1/)
    expect(text).toContain('postern_access_lines_dropped 0')
    expect(text).not.toContain(key.value)
  })

  it('points at slow requests whose rows can be read', async () => {
    const { routes } = JSON.parse(await (await fetch(`${server.ops}/exemplars`)).text())
    const [slowest] = routes.find(({ route }: { route: string }) => route === 'getOrder').slowest
    expect(slowest).toMatchObject({ status: 200, outcome: '2xx', request_id: expect.stringMatching(/^req_/) })
    await until(
      'its row is written',
      async () => (await server.api('GET', `/requests/${slowest.request_id}`)).status === 200,
    )
  })
})
