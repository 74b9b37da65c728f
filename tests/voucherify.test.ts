import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import type { wire } from '@postern/contract'
import type * as Sdk from '@voucherify/sdk'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'

import { fixedClock, type FixedClock } from '../packages/server/src/base/clock.ts'
import { curl } from './support/curl.ts'
import { holderOf, issue, makeAccount, makeProject, type Account, type Holder } from './support/issue.ts'
import { request } from './support/raw.ts'
import { startTestServer, type TestServer } from './support/server.ts'
import { until } from './support/until.ts'
import type { Echo } from './support/upstream.ts'

// A CommonJS file whose names Node cannot see from an import.
const voucherify = createRequire(import.meta.url)('@voucherify/sdk') as typeof Sdk

const yaml = `
apis:
  vch:
    address: {live: ":PORT0", sandbox: ":PORT1"}
    upstream: UPSTREAM
    preset: voucherify
plans:
  business:
    apis: [vch]
    kinds: [secret, publishable, integration]
    limits: [{name: default, per: account, requests: 100, window: 1m}]
  metered:
    apis: [vch]
    kinds: [secret]
    limits: [{name: default, per: account, requests: 2, window: 1m}]
  no-pages: {apis: [vch], kinds: [secret]}
`

const minutes15 = 900_000
const days14 = 1_209_600_000
let clock: FixedClock
let server: TestServer
let account: Account
let sandbox: readonly Holder[]
let serverPair: Holder
let clientPair: Holder

/** As the vendor's own API answers these paths. */
function vendor({ method, target }: Echo): unknown {
  if (target.startsWith('/v1/vouchers/'))
    return { id: 'v_1', code: target.slice('/v1/vouchers/'.length), object: 'voucher' }
  if (target.startsWith('/client/v1/validat'))
    return { valid: true, code: 'BLCKFRDY', tracking_id: 'track_1', redeemables: [] }
  return { object: 'list', method, target }
}

beforeAll(async () => {
  clock = fixedClock(Date.UTC(2026, 2, 1))
  server = await startTestServer({ yaml, clock, ownPorts: 2, answer: vendor })
})

afterAll(() => server.stop())

beforeEach(async () => {
  account = await makeAccount(server.api, 'business')
  const [first, second] = account.pairs
  if (first === undefined || second === undefined) throw new Error('no default pairs')
  serverPair = first
  clientPair = second
  sandbox = (await makeProject(server.api, account.id, { name: 'Sandbox', environment: 'sandbox' })).pairs
  await allowOrigins(clientPair, ['yourdomain.com', 'https://shop.example'])
  server.upstream.clear()
})

async function allowOrigins(pair: Holder, origins: readonly string[]): Promise<void> {
  const { body } = await server.api('GET', `/credentials/${pair.id}`)
  const answer = await server.api(
    'PATCH',
    `/credentials/${pair.id}`,
    { origin_allow: origins },
    { headers: { 'if-match': `"${body.version}"` } },
  )
  expect(answer.status, answer.text).toBe(200)
}

const live = () => server.own[0] ?? ''
const livePort = () => Number(new URL(live()).port)
const serverSide = ({ publicId, value }: Holder, apiUrl = live()) =>
  voucherify.VoucherifyServerSide({ applicationId: publicId, secretKey: value, apiUrl })
const clientSide = ({ publicId, value }: Holder, origin = 'shop.example') =>
  voucherify.VoucherifyClientSide({ clientApplicationId: publicId, clientSecretKey: value, apiUrl: live(), origin })

interface Thrown {
  readonly code: number
  readonly key: string
  readonly message: string
  readonly details: string
  readonly request_id: string
}

/** What the vendor's client throws. */
async function thrown(call: Promise<unknown>) {
  const error = (await call.then(
    () => null,
    (reason: unknown) => reason,
  )) as Thrown
  const { code, key, message, details, request_id } = error
  return { code, key, message, details, request_id }
}

function headerOf(echo: Echo | undefined, name: string): string | null {
  const at = echo?.headers.findIndex((line, i) => i % 2 === 0 && line.toLowerCase() === name) ?? -1
  return at === -1 ? null : (echo?.headers[at + 1] ?? null)
}

describe('a project of the preset', () => {
  it('comes with one pair of each kind, shaped like the vendor’s (VCH-1)', async () => {
    const answer = await server.api('POST', `/accounts/${account.id}/projects`, { name: 'Third', environment: 'live' })
    expect(answer.body.skipped).toEqual([])
    expect(
      answer.body.credentials.map(({ credential }: wire.IssuedCredential) => [
        credential.kind,
        credential.primary,
        credential.origin_allow,
        credential.scopes,
      ]),
    ).toEqual([
      ['secret', true, null, ['*']],
      ['publishable', true, [], ['*']],
    ])
    const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
    for (const { secret } of answer.body.credentials) {
      expect(secret.public_id).toMatch(uuid)
      expect(secret.value).toMatch(uuid)
    }
  })

  it('says which pair the plan left out', async () => {
    const answer = await server.api('POST', '/accounts', { name: 'Small', plan: 'no-pages' })
    expect(answer.body.credentials).toHaveLength(1)
    expect(answer.body.skipped).toEqual([
      { name: 'Client-side', kind: 'publishable', apis: ['vch'], code: 'plan_forbids' },
    ])
  })
})

describe('the vendor’s own server-side client', () => {
  it('works unchanged but for host and credential', async () => {
    expect(await serverSide(serverPair).vouchers.get('SUMMER')).toEqual({
      id: 'v_1',
      code: 'SUMMER',
      object: 'voucher',
    })
    const [echo] = server.upstream.seen
    expect([echo?.method, echo?.target]).toEqual(['GET', '/v1/vouchers/SUMMER'])
    expect([headerOf(echo, 'x-app-id'), headerOf(echo, 'x-app-token')]).toEqual([null, null])
    expect([
      headerOf(echo, 'x-postern-credential'),
      headerOf(echo, 'x-postern-kind'),
      headerOf(echo, 'x-postern-environment'),
    ]).toEqual([serverPair.id, 'secret', 'live'])
    expect(headerOf(echo, 'x-voucherify-channel')).toContain('SDK-v2.9.0')
  })

  it('reads our limits with its own handler', async () => {
    const client = serverSide(serverPair)
    await client.vouchers.get('A')
    const handler = client.apiLimitsHandler
    expect([handler.areLimitsAvailable(), handler.getRateLimit(), handler.getRateLimitRemaining()]).toEqual([
      true,
      100,
      99,
    ])
    await client.vouchers.get('A')
    expect(handler.getRateLimitRemaining()).toBe(98)
    // It looks at Retry-After alone, which only a 429 has, and keeps what the last success said.
    expect(handler.getRetryAfter()).toBe(0)
  })

  it('throws the vendor’s error with all of its fields', async () => {
    const wrong = await thrown(serverSide({ ...serverPair, value: clientPair.value }).vouchers.get('A'))
    expect(wrong).toEqual({
      code: 401,
      key: 'unauthorized',
      message: 'Unauthorized',
      details: 'No credential with this value is known. Check that it was copied in full and belongs to this provider.',
      request_id: expect.stringMatching(/^v-[0-9a-f]{18}$/),
    })
    const narrow = await issue(server.api, account.project, { apis: ['vch'], scopes: ['validations'] })
    expect(await thrown(serverSide(narrow).vouchers.get('A'))).toMatchObject({
      code: 403,
      key: 'missing_required_permission',
      message: 'Missing permission',
    })
    const metered = await makeAccount(server.api, 'metered')
    const [pair] = metered.pairs
    const client = serverSide(pair ?? serverPair)
    await client.vouchers.get('A')
    await client.vouchers.get('A')
    expect(await thrown(client.vouchers.get('A'))).toMatchObject({
      code: 429,
      key: 'too_many_requests',
      message: 'Too many requests hit the API too quickly.',
    })
  })

  it('is refused by the name of a foreign pair: an id that does not own the secret is unknown', async () => {
    const other = await makeAccount(server.api, 'business')
    const [foreign] = other.pairs
    expect(
      await thrown(serverSide({ ...serverPair, publicId: foreign?.publicId ?? '' }).vouchers.get('A')),
    ).toMatchObject({ code: 401, key: 'unauthorized' })
    expect(server.upstream.seen).toEqual([])
  })

  it('is refused in the other environment, whose pair is good at its own address', async () => {
    const [pair = serverPair] = sandbox
    expect(await thrown(serverSide(pair).vouchers.get('A'))).toMatchObject({ code: 403, key: 'forbidden' })
    expect(await serverSide(pair, server.own[1]).vouchers.get('A')).toMatchObject({ code: 'A' })
    expect(headerOf(server.upstream.seen[0], 'x-postern-environment')).toBe('sandbox')
  })
})

describe('the vendor’s own client-side client (VCH-6)', () => {
  it('works from a listed origin without a scheme', async () => {
    expect(await clientSide(clientPair).validate({ code: 'BLCKFRDY' })).toMatchObject({ valid: true, code: 'BLCKFRDY' })
    const [echo] = server.upstream.seen
    expect(echo?.target.startsWith('/client/v1/validate?')).toBe(true)
    expect([
      headerOf(echo, 'x-client-application-id'),
      headerOf(echo, 'x-client-token'),
      headerOf(echo, 'x-postern-kind'),
    ]).toEqual([null, null, 'publishable'])
  })

  it.each([
    'evil.example',
    'shop.example.evil.test',
    'xshop.example',
    'http://shop.example',
    'https://shop.example:444',
    'null',
    'sub.shop.example',
  ])('is refused from %s', async (origin) => {
    expect(await thrown(clientSide(clientPair, origin).validate({ code: 'A' }))).toMatchObject({
      code: 403,
      key: 'forbidden',
    })
    expect(server.upstream.seen).toEqual([])
  })

  it('reaches nothing that is not client-side, and a server pair nothing through the client’s headers', async () => {
    const asServer = await request(livePort(), {
      target: '/v1/vouchers/A',
      headers: [
        ['X-Client-Application-Id', clientPair.publicId],
        ['X-Client-Token', clientPair.value],
        ['Origin', 'https://shop.example'],
      ],
    })
    const inOthers = await request(livePort(), {
      target: '/v1/vouchers/A',
      headers: [
        ['X-App-Id', clientPair.publicId],
        ['X-App-Token', clientPair.value],
        ['Origin', 'https://shop.example'],
      ],
    })
    const serverInClient = await request(livePort(), {
      target: '/client/v1/validate',
      headers: [
        ['X-Client-Application-Id', serverPair.publicId],
        ['X-Client-Token', serverPair.value],
      ],
    })
    for (const answer of [asServer, inOthers, serverInClient])
      expect([answer.status, answer.body.key]).toEqual([403, 'forbidden'])
    expect(server.upstream.seen).toEqual([])
  })

  it('works with the document’s own curl command', async () => {
    const answer = await curl(
      '-X',
      'GET',
      '-H',
      `X-Client-Application-Id: ${clientPair.publicId}`,
      '-H',
      `X-Client-Token: ${clientPair.value}`,
      '-H',
      'Content-Type: application/json',
      '-H',
      'origin: yourdomain.com',
      '-d',
      '{"order":{"amount":20000}}',
      `${live()}/client/v1/validate?code=BLCKFRDY`,
    )
    expect(answer).toEqual({
      status: 200,
      body: { valid: true, code: 'BLCKFRDY', tracking_id: 'track_1', redeemables: [] },
    })
    const [echo] = server.upstream.seen
    expect([echo?.method, echo?.target, echo?.body]).toEqual([
      'GET',
      '/client/v1/validate?code=BLCKFRDY',
      '{"order":{"amount":20000}}',
    ])
  })

  it('answers a page as a browser asks: first the preflight, then the request', async () => {
    const origin: readonly [string, string] = ['Origin', 'https://shop.example']
    const preflight = await request(livePort(), {
      method: 'OPTIONS',
      target: '/client/v1/validations',
      headers: [
        origin,
        ['Access-Control-Request-Method', 'POST'],
        ['Access-Control-Request-Headers', 'content-type,x-client-application-id,x-client-token,x-voucherify-channel'],
      ],
    })
    expect(preflight.status).toBe(204)
    expect(preflight.header('access-control-allow-origin')).toBe('https://shop.example')
    const allowed = (preflight.header('access-control-allow-headers') ?? '').split(', ')
    expect(allowed).toEqual(
      expect.arrayContaining(['content-type', 'x-client-application-id', 'x-client-token', 'x-voucherify-channel']),
    )
    expect(preflight.header('access-control-allow-credentials')).toBeNull()
    expect(preflight.header('vary')).toContain('Origin')
    expect(server.upstream.seen).toEqual([])

    const real = await request(livePort(), {
      method: 'POST',
      target: '/client/v1/validations',
      headers: [
        origin,
        ['X-Client-Application-Id', clientPair.publicId],
        ['X-Client-Token', clientPair.value],
        ['Content-Type', 'application/json'],
      ],
      body: '{}',
    })
    expect([
      real.status,
      real.header('access-control-allow-origin'),
      real.header('access-control-allow-credentials'),
    ]).toEqual([200, 'https://shop.example', null])
    expect((real.header('access-control-expose-headers') ?? '').toLowerCase()).toContain('x-rate-limit-remaining')

    const refused = await request(livePort(), {
      method: 'POST',
      target: '/client/v1/validations',
      headers: [origin, ['X-Client-Application-Id', clientPair.publicId], ['X-Client-Token', 'wrong']],
      body: '{}',
    })
    expect([refused.status, refused.header('access-control-allow-origin')]).toEqual([401, 'https://shop.example'])

    const foreign = await request(livePort(), {
      method: 'OPTIONS',
      target: '/client/v1/validations',
      headers: [
        ['Origin', 'https://evil.example'],
        ['Access-Control-Request-Method', 'POST'],
      ],
    })
    expect([foreign.status, foreign.header('access-control-allow-origin'), foreign.header('vary')]).toEqual([
      403,
      null,
      'Origin',
    ])
  })

  it('works from any origin where "*" is listed, but for null', async () => {
    await allowOrigins(clientPair, ['*'])
    expect(await clientSide(clientPair, 'https://anything.example:8443').validate({ code: 'A' })).toMatchObject({
      valid: true,
    })
    expect(await thrown(clientSide(clientPair, 'null').validate({ code: 'A' }))).toMatchObject({ code: 403 })
  })
})

describe('visibility (VCH-3, VCH-4)', () => {
  const reveal = async (holder: Holder) => {
    const answer = await server.api('POST', `/credentials/${holder.id}/secrets/${holder.secretId}/reveal`)
    return answer.status === 200 ? answer.body.value : `${answer.status} ${answer.body.code}`
  }
  const closed = '410 window_closed'

  it('shows a primary secret again for 14 days, and not an instant longer', async () => {
    clock.setWall(clock.now() + days14 - 1)
    expect(await reveal(serverPair)).toBe(serverPair.value)
    clock.setWall(clock.now() + 1)
    expect(await reveal(serverPair)).toBe(closed)
    expect(await serverSide(serverPair).vouchers.get('A')).toMatchObject({ code: 'A' })
  })

  it('shows a regenerated, a secondary and an integration secret for 15 minutes', async () => {
    const regenerated = holderOf((await server.api('POST', `/credentials/${serverPair.id}/rotate`, {})).body)
    const secondary = await issue(server.api, account.project, { apis: ['vch'], scopes: ['api'] })
    const integration = await issue(server.api, account.project, {
      apis: ['vch'],
      scopes: ['vouchers'],
      kind: 'integration',
      name: 'Braze',
      role: 'Merchant',
    })
    clock.setWall(clock.now() + minutes15 - 1)
    for (const holder of [regenerated, secondary, integration]) expect(await reveal(holder)).toBe(holder.value)
    clock.setWall(clock.now() + 1)
    for (const holder of [regenerated, secondary, integration]) expect(await reveal(holder)).toBe(closed)
    expect(await reveal(serverPair)).toBe(serverPair.value)
    expect(await serverSide(integration).validations.validateVoucher('A', {})).toBeDefined()
  })

  it('shows what is in a sandbox and what is client-side always', async () => {
    clock.setWall(clock.now() + 366 * 86_400_000)
    for (const holder of [clientPair, ...sandbox]) expect(await reveal(holder)).toBe(holder.value)
  })

  it('leaves nothing of a closed window: no ciphertext in the store, no key on the disk', async () => {
    const secondary = await issue(server.api, account.project, { apis: ['vch'], scopes: ['api'] })
    const keys = () => readdirSync(join(server.folder, 'keys', 'windows'))
    const sealed = sealedBytes(secondary.secretId)
    expect(sealed).not.toBeNull()
    expect(holds(sealed)).toBe(true)
    const before = keys().length
    clock.setWall(clock.now() + minutes15)
    clock.advance(60_000)
    await until('the copy has left every file', () => !holds(sealed))
    clock.setWall(clock.now() + minutes15)
    clock.advance(60_000)
    await until('the key of the bucket is gone', () => keys().length < before)
    expect(await reveal(secondary)).toBe(closed)
  })

  function holds(bytes: Buffer | null): boolean {
    const folder = join(server.folder, 'data')
    return readdirSync(folder, { withFileTypes: true }).some(
      (file) => file.isFile() && bytes !== null && readFileSync(join(folder, file.name)).includes(bytes),
    )
  }

  function sealedBytes(secret: string): Buffer | null {
    const database = new DatabaseSync(join(server.folder, 'data', 'postern.db'), { readOnly: true })
    try {
      const row = database.prepare('select bytes from sealed_copies where secret = ?').get(secret)
      return row?.['bytes'] instanceof Uint8Array ? Buffer.from(row['bytes']) : null
    } finally {
      database.close()
    }
  }
})
