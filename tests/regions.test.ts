import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { bearer, issue, makeAccount, makeProject, type Account } from './support/issue.ts'
import { request } from './support/raw.ts'
import { startTestServer, type TestServer } from './support/server.ts'
import { startEchoUpstream, type EchoUpstream } from './support/upstream.ts'

let eu: EchoUpstream
let us: EchoUpstream
let server: TestServer
let folder: string
let account: Account

const plans = 'plans: {pro: {apis: [shop], kinds: [secret]}}'
const scopes = 'scopes: {orders.read: Read}'
const yaml = () => `
regions: [eu, us, ap]
apis:
  shop:
    address: {live: {eu: eu.shop.test, us: us.shop.test}, sandbox: sandbox.shop.test}
    upstream: {live: {eu: ${eu.url}, us: ${us.url}}, sandbox: UPSTREAM}
    ${scopes}
${plans}
`

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'postern-regions-'))
  ;[eu, us] = await Promise.all([startEchoUpstream(), startEchoUpstream()])
  server = await startTestServer({ yaml: yaml(), folder })
  account = await makeAccount(server.api, 'pro')
})

afterAll(async () => {
  await server.stop()
  await Promise.all([eu.close(), us.close()])
  rmSync(folder, { recursive: true, force: true })
})

async function use(host: string, secret: string): Promise<string> {
  const answer = await request(server.gatewayPort, { host, headers: [bearer(secret)] })
  return answer.status === 200 ? '200' : `${answer.status} ${answer.body.code}`
}

const projectIn = (region: string | null, environment = 'live') =>
  makeProject(server.api, account.id, { name: `${environment} ${region}`, environment, region })

describe('VCH-12, CRC-7: a project in a region', () => {
  it('is served by the upstream of its region, at its address, and nowhere else', async () => {
    const inEu = await issue(server.api, (await projectIn('eu')).id)
    const inUs = await issue(server.api, (await projectIn('us')).id)
    const trying = await issue(server.api, (await projectIn('us', 'sandbox')).id)
    expect([await use('eu.shop.test', inEu.value), await use('us.shop.test', inEu.value)]).toEqual([
      '200',
      '403 wrong_region',
    ])
    expect([await use('eu.shop.test', inUs.value), await use('us.shop.test', inUs.value)]).toEqual([
      '403 wrong_region',
      '200',
    ])
    expect(await use('sandbox.shop.test', trying.value)).toBe('200')
    expect(await use('us.shop.test', trying.value)).toBe('403 wrong_environment')
    expect([eu.seen.length, us.seen.length, server.upstream.seen.length]).toEqual([1, 1, 1])
  })

  it('stays there from its first credential on; one without a region is given one, and works at once', async () => {
    const patch = (id: string, version: number, region: string | null) =>
      server.api('PATCH', `/projects/${id}`, { region }, { headers: { 'if-match': `"${version}"` } })
    const { id } = await projectIn(null)
    const key = await issue(server.api, id)
    expect(await use('us.shop.test', key.value)).toBe('403 wrong_region')
    const given = await patch(id, 1, 'us')
    expect([given.status, given.body.region, given.body.version]).toEqual([200, 'us', 2])
    expect(await use('us.shop.test', key.value)).toBe('200')
    for (const region of ['eu', null]) {
      const refused = await patch(id, 2, region)
      expect([refused.status, refused.body.code, refused.body.detail]).toEqual([
        409,
        'conflict',
        'The project has credentials, so it stays in its region. Make another project for the other region.',
      ])
    }
    const empty = await projectIn('eu')
    expect((await patch(empty.id, 1, 'us')).body.region).toBe('us')
  })

  it('is in one that is declared: others are refused with the nearest', async () => {
    const refused = await server.api('POST', `/accounts/${account.id}/projects`, {
      name: 'x',
      environment: 'live',
      region: 'uss',
    })
    expect([refused.status, refused.body.code, refused.body.errors]).toEqual([
      422,
      'not_acceptable_value',
      [{ path: '/region', message: 'is not a region that postern.yaml declares; did you mean "us"?' }],
    ])
    const made = await server.api('POST', '/accounts', { name: 'Acme EU', plan: 'pro', region: 'eu' })
    expect([made.status, made.body.project.region]).toEqual([201, 'eu'])
    expect((await server.api('POST', '/accounts', { name: 'x', plan: 'pro', region: 'mars' })).status).toBe(422)
    expect((await server.api('GET', `/projects/${made.body.project.id}`)).body.region).toBe('eu')
  })

  it('is shown with its addresses', async () => {
    const { body } = await server.api('GET', '/apis/shop')
    expect(body.addresses).toEqual([
      { host: 'eu.shop.test', port: null, prefix: '', environment: 'live', region: 'eu' },
      { host: 'us.shop.test', port: null, prefix: '', environment: 'live', region: 'us' },
      { host: 'sandbox.shop.test', port: null, prefix: '', environment: 'sandbox', region: null },
    ])
  })

  it('is not taken away by a reload while live credentials are in it', async () => {
    const key = await issue(server.api, (await projectIn('us')).id)
    const withoutUs = yaml()
      .replace(', us: us.shop.test', '')
      .replace(`, us: ${us.url}`, '')
      .replace('[eu, us, ap]', '[eu]')
    const refused = await server.reload(withoutUs)
    expect(refused.ok ? [] : refused.error).toEqual([
      expect.stringMatching(
        /^the API "shop" no longer serves live projects in the region "us", but there are \d live credentials of such; keep its address and upstream until there is none$/,
      ),
    ])
    expect(await use('us.shop.test', key.value)).toBe('200')
    expect((await server.reload(yaml().replace(', ap]', ']'))).ok).toBe(true)
  })

  it('has its region again after a restart', async () => {
    const key = await issue(server.api, (await projectIn('us')).id)
    await server.stop()
    server = await startTestServer({ yaml: yaml(), folder })
    expect([await use('us.shop.test', key.value), await use('eu.shop.test', key.value)]).toEqual([
      '200',
      '403 wrong_region',
    ])
  })
})
