import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'

import { TOTP } from 'otpauth'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { runCli } from '../packages/cli/src/cli.ts'
import { testIo } from '../packages/cli/src/testing/io.ts'
import { systemRandom } from '../packages/server/src/base/random.ts'
import { makeToken } from '../packages/server/src/core/credentials/format.ts'
import { aPerson, type Person, type Shown } from './identity/support/person.ts'
import { bearer, holderOf, issue, makeAccount, makeProject, type Account, type Holder } from './support/issue.ts'
import { basic, post, type Form } from './support/oauth.ts'
import { freePorts } from './support/ports.ts'
import { startServerProcess, type ServerProcess } from './support/process.ts'
import { exchange, request } from './support/raw.ts'
import { managementKey, type ApiAnswer } from './support/server.ts'
import { until } from './support/until.ts'
import { startEchoUpstream, type EchoUpstream } from './support/upstream.ts'

/**
 * Statements 1, 4, 6, 8, 20, 21, 110, 111: secrets of every kind go through every surface of a real process, then
 * every file and every answer is searched for them. Only two places may hold one in clear or be able to give it
 * back: the answer that issued or revealed it, and, where the server made the first key itself, management.key
 * (0600). Sealed copies of open windows are ciphertext, so that even they show none of these texts.
 */
let upstream: EchoUpstream
let server: ServerProcess
/** Every secret that was issued, imported, guessed or sent, by what it was. */
const secrets = new Map<string, string>()
/** Answers that must not hold any: all but those of issuing, rotating and revealing. */
const answers: string[] = []

const importedSecret = 'legacy-secret-value-of-an-older-system-0815'
const wrongSecret = 'not-a-key-of-anybody-but-somebody-typed-it-4711'

beforeAll(async () => {
  upstream = await startEchoUpstream(() => ({ ok: true }))
  const [own = 0] = await freePorts(1)
  server = await startServerProcess({
    listen: ', plain_http_from: [127.0.0.1], trusted_proxies: [127.0.0.3]',
    yaml: `
log: {access: ./access.log}
failures: {attempts: 1000000, window: 1m}
apis:
  shop:
    address: shop.test
    upstream: ${upstream.url}
    credentials:
      - {in: bearer}
      - {in: header, name: X-Api-Key}
      - {in: query, name: api_key}
      - {in: basic}
    scopes: {orders.read: Read}
    routes:
      - {id: getOrder, methods: [GET], path: "/v1/orders/{id}", scopes: {any: [orders.read]}}
      - {id: broken, path: "/broken/**"}
      - {id: provided, path: /provided, connection: provider}
      - {id: tracked, path: /tracked, connection: tracker}
      - {id: theirs, path: /theirs, connection: {platform: braze}}
  vch: {address: ":${own}", upstream: ${upstream.url}, preset: voucherify}
  dead: {address: dead.test, upstream: "http://127.0.0.1:9", unmatched: forward}
plans:
  pro: {apis: [shop, vch, dead], kinds: [secret, publishable, integration, management, oauth_client]}
  other: {apis: [shop], kinds: [secret]}
`,
  })
  await drive(own)
  await server.stop()
}, 120_000)

afterAll(async () => {
  await server.kill()
  server.remove()
  await upstream.close()
})

async function drive(vchPort: number): Promise<void> {
  const { api } = server
  const keep = async (
    method: string,
    path: string,
    body?: unknown,
    options?: { key?: string; headers?: Record<string, string> },
  ) => {
    const answer = await api(method, path, body, options)
    answers.push(answer.text, JSON.stringify([...answer.headers]))
    return answer
  }
  const account = await makeAccount(api, 'pro')
  const sandbox = await makeProject(api, account.id, { name: 'Sandbox', environment: 'sandbox' })
  const remember = (what: string, holder: Holder): Holder => {
    secrets.set(what, holder.value)
    return holder
  }
  secrets.set('management key of the environment', managementKey)
  secrets.set('imported', importedSecret)
  secrets.set('wrong', wrongSecret)
  for (const [i, pair] of [...account.pairs, ...sandbox.pairs].entries()) remember(`default pair ${i}`, pair)
  const key = remember('key', await issue(api, account.project))
  const page = remember(
    'publishable',
    await issue(api, account.project, { kind: 'publishable', origin_allow: ['https://shop.example'] }),
  )
  const manager = remember(
    'management',
    await issue(api, account.project, { kind: 'management', apis: ['postern'], scopes: ['credentials.read'] }),
  )
  const integration = remember(
    'integration',
    await issue(api, account.project, { kind: 'integration', apis: ['vch'], scopes: ['api'] }),
  )
  const revoked = remember('revoked', await issue(api, account.project))
  const narrow = remember('without scopes', await issue(api, account.project, { scopes: [] }))
  const leaked = remember('over plain HTTP', await issue(api, account.project))
  const rotated = remember(
    'rotated',
    holderOf((await api('POST', `/credentials/${key.id}/rotate`, { overlap: '1h' })).body),
  )
  const idempotent = await api(
    'POST',
    `/projects/${account.project}/credentials`,
    { name: 'Once', kind: 'secret', apis: ['shop'], scopes: [] },
    { headers: { 'idempotency-key': 'canary-1' } },
  )
  secrets.set('idempotent', idempotent.body.secret.value)
  const replay = await keep(
    'POST',
    `/projects/${account.project}/credentials`,
    { name: 'Once', kind: 'secret', apis: ['shop'], scopes: [] },
    { headers: { 'idempotency-key': 'canary-1' } },
  )
  expect([replay.status, replay.body.secret.value, replay.body.secret.secret_unavailable]).toEqual([201, null, true])
  await keep('POST', `/credentials/${revoked.id}/revoke`, { reason: 'canary' })

  // The gateway: every place, allowed and refused for every reason.
  const values = [key, page, manager, revoked, narrow, rotated, integration].map(({ value }) => value)
  for (const value of [...values, wrongSecret, importedSecret, `${key.value.slice(0, -1)}!`, key.value.slice(0, -3)]) {
    const asUser = `Basic ${Buffer.from(`user:${value}`).toString('base64')}`
    for (const asked of [
      { headers: [bearer(value)] },
      { headers: [['X-Api-Key', value] as const] },
      { headers: [['Authorization', asUser] as const] },
      { target: `/v1/orders/1?api_key=${value}&x=1` },
      {
        target: `/v1/orders/1?api_key=${encodeURIComponent(value)}`,
        headers: [['Referer', `https://shop.test/?api_key=${value}`] as const],
      },
      { target: `/v1/unknown/${value.length}`, headers: [bearer(value)] },
      { target: '/v1/../x', headers: [bearer(value)] },
      {
        target: `/v1/orders/${encodeURIComponent(value)}`,
        headers: [bearer(value), ['User-Agent', `tool/${value}`] as const],
      },
      { headers: [bearer(value), ['X-Api-Key', value] as const] },
      { host: 'unknown.test', headers: [bearer(value)] },
      { host: 'dead.test', headers: [bearer(value)] },
      { from: '127.0.0.2', headers: [bearer(value)] },
    ]) {
      const answer = await request(server.gatewayPort, { target: '/v1/orders/1', ...asked })
      answers.push(answer.text, answer.lines.join('\n'))
    }
    // Forward-auth: what a proxy is told it may pass on to clients and write into its own log.
    for (const { uri = '/v1/orders/1', headers = [], from = '127.0.0.3' } of [
      { headers: [bearer(value)] },
      { headers: [['X-Api-Key', value] as const, bearer(value)] },
      { uri: `/v1/orders/1?api_key=${value}&x=1`, headers: [['Referer', `https://a.test/?api_key=${value}`] as const] },
      { headers: [bearer(value), ['X-Forwarded-Uri', `/?api_key=${value}`] as const] },
      { headers: [bearer(value)], from: '127.0.0.2' },
    ] as readonly {
      readonly uri?: string
      readonly headers?: readonly (readonly [string, string])[]
      readonly from?: string
    }[]) {
      const answer = await request(Number(new URL(server.ops).port), {
        target: '/forward-auth',
        from,
        headers: [
          ['X-Forwarded-Method', 'GET'],
          ['X-Forwarded-Proto', 'https'],
          ['X-Forwarded-Host', 'shop.test'],
          ['X-Forwarded-Uri', uri],
          ['X-Forwarded-For', '203.0.113.7'],
          ...headers,
        ],
      })
      answers.push(answer.text, answer.lines.join('\n'))
    }
    const raw = await exchange(
      server.gatewayPort,
      `GET / HTTP/1.1\r\nHost: shop.test\r\nHost: x\r\nAuthorization: Bearer ${value}\r\n\r\n`,
    )
    answers.push(...raw.map(({ text }) => text))
  }
  for (const { publicId, value } of [...account.pairs, integration]) {
    const answer = await request(vchPort, {
      target: '/v1/vouchers/A',
      headers: [
        ['X-App-Id', publicId],
        ['X-App-Token', value],
      ],
    })
    answers.push(answer.text)
  }
  await request(server.gatewayPort, { from: '127.0.0.2', headers: [bearer(leaked.value)] })

  // verify and explain, with the credential in headers, query and where it does not belong.
  for (const operation of ['verify', 'explain']) {
    for (const value of values) {
      await keep('POST', `/${operation}`, {
        api: 'shop',
        method: 'GET',
        path: `/v1/orders/1?api_key=${value}`,
        headers: { Authorization: [`Bearer ${value}`], 'X-Api-Key': value },
        ip: '127.0.0.1',
      })
      await keep('POST', `/${operation}`, {
        api: 'shop',
        method: 'GET',
        path: '/v1/orders/1',
        headers: { Authorization: `Bearer ${value}` },
        ip: '127.0.0.1',
        host: 'shop.test',
      })
      await keep('POST', `/${operation}`, {
        api: 'shop',
        method: 'GET',
        path: '/v1/orders/1',
        headers: { Authorization: `Bearer ${value}` },
        ip: 'nonsense',
        unknown: value,
      })
      await keep('POST', `/${operation}`, { api: value, method: value, path: value, headers: value })
    }
  }

  // Management: wrong keys, broken bodies, secrets where they do not belong.
  const project = `/projects/${account.project}/credentials`
  for (const value of [...values, wrongSecret]) {
    await keep('GET', '/whoami', undefined, { key: value })
    await keep('POST', project, `{"name": "${value}", "kind"`)
    await keep('POST', project, { name: 'x', kind: value, apis: [value], scopes: [value] })
    await keep('POST', project, { name: 'x', kind: 'secret', apis: ['shop'], scopes: [value], secret: value })
    // In a path only what is shaped like ours can be known for a secret.
    if (value.startsWith('acme_'))
      await keep('GET', `/credentials/${value}`, undefined, { headers: { 'user-agent': `tool ${value}` } })
    await keep('GET', `/credentials?cursor=${value}`)
    await keep('GET', `/nowhere/${value}?api_key=${value}`)
    await keep('PATCH', `/credentials/${key.id}`, { name: 'y' }, { headers: { 'if-match': value } })
    await keep('POST', '/system/backup', { name: `../${value}` })
  }
  const digest = createHash('sha256').update(importedSecret).digest('hex')
  await keep('POST', `${project}/import`, {
    credentials: [{ digest, name: 'Old', kind: 'secret', apis: ['shop'], scopes: [] }],
  })
  await keep('POST', `${project}/import`, {
    credentials: [{ digest: importedSecret, name: 'Old', kind: 'secret', apis: ['shop'], scopes: [] }],
  })
  await keep('POST', `${project}/import`, {
    credentials: [{ digest, secret: importedSecret, name: 'Old', kind: 'secret', apis: ['shop'], scopes: [] }],
  })
  const [primary] = account.pairs
  const revealed = await api('POST', `/credentials/${primary?.id}/secrets/${primary?.secretId}/reveal`)
  expect([revealed.body.value, revealed.headers.get('cache-control'), revealed.headers.get('pragma')]).toEqual([
    primary?.value,
    'no-store',
    'no-cache',
  ])
  await keep('POST', `/credentials/${key.id}/secrets/${key.secretId}/reveal`)

  await driveConnections(keep, account, key)
  await driveTokens(keep, account)
  await drivePeople(keep, account)

  await until(
    'the request log is written',
    async () => (await api('GET', `/requests?credential=${narrow.id}`)).body.data.length > 0,
  )
  for (const path of [
    '/requests?limit=100',
    '/events?limit=100',
    '/credentials?limit=100',
    `/credentials/${key.id}`,
    `/credentials/${key.id}/secrets`,
    '/accounts',
    '/connections?limit=100',
    '/platforms?limit=100',
    '/system',
    '/apis',
    '/plans',
    '/openapi.json',
    `/usage?from=${new Date(Date.now() - 3_600_000).toISOString()}&to=${new Date(Date.now() + 60_000).toISOString()}&step=minute&group_by=credential,outcome`,
  ]) {
    expect((await keep('GET', path)).status, path).toBe(200)
  }
  for (const { id } of (await api('GET', '/requests?limit=100')).body.data) await keep('GET', `/requests/${id}`)
  for (const path of ['/metrics', '/exemplars', '/healthz', '/readyz'])
    answers.push(await (await fetch(server.ops + path)).text())
  expect((await keep('POST', '/system/backup', { name: 'canary' })).status).toBe(200)
}

type Keep = (
  method: string,
  path: string,
  body?: unknown,
  options?: { key?: string; headers?: Record<string, string> },
) => Promise<ApiAnswer>

/** Credentials of third parties: pasted, injected, rotated, checked, pasted wrong, and handled by the command line. */
async function driveConnections(keep: Keep, account: Account, key: Holder): Promise<void> {
  const thirdParty = (what: string) => {
    const value = `third-party-${what}-0123456789abcdef`
    secrets.set(`third party: ${what}`, value)
    return value
  }
  const first = thirdParty('first')
  const made = await keep(
    'POST',
    '/connections',
    { name: 'provider', platform: 'openai', secrets: { api_key: first } },
    { headers: { 'idempotency-key': 'canary-connection' } },
  )
  expect(made.status).toBe(201)
  const { id } = made.body.connection
  const settings = { in: 'query', name: 'api_secret', base_url: upstream.url, check_path: '/check' }
  const tracker = { name: 'tracker', platform: 'custom', settings, secrets: { secret: thirdParty('query') } }
  const tracked = (await keep('POST', '/connections', tracker)).body.connection.id
  const braze = { name: 'braze', platform: 'braze', settings: { endpoint: 'rest.iad-01.braze.com' } }
  const theirs = { ...braze, secrets: { api_key: thirdParty('customer') } }
  expect((await keep('POST', `/projects/${account.project}/connections`, theirs)).status).toBe(201)
  const get = async (target: string) => {
    const answer = await request(server.gatewayPort, { target, headers: [bearer(key.value)] })
    answers.push(answer.text, answer.lines.join('\n'))
    return answer.status
  }
  const targets = ['/provided', '/tracked?x=1&api_secret=mine', '/theirs']
  for (const target of targets) expect([target, await get(target)]).toEqual([target, 200])

  expect((await keep('POST', `/connections/${id}/rotate`, { secrets: { api_key: thirdParty('second') } })).status).toBe(
    200,
  )
  expect(await get('/provided')).toBe(200)
  expect((await keep('POST', `/connections/${tracked}/check`)).body.reason).toBe('address_forbidden')
  const revealed = await server.api('POST', `/connections/${id}/reveal`)
  expect(revealed.body.secrets.api_key).toBe(secrets.get('third party: second'))
  for (const change of ['disable', 'enable']) await keep('POST', `/connections/${id}/${change}`, {})

  const wrong = thirdParty('wrong')
  for (const body of [
    { ...braze, name: wrong, secrets: { api_key: wrong } },
    { ...braze, name: 'x', secrets: { api_key: `${wrong}\r\n` } },
    { ...braze, name: 'x', settings: { endpoint: wrong }, secrets: {} },
    { ...braze, name: 'x', settings: { api_key: wrong }, secrets: { endpoint: wrong } },
    { ...braze, name: 'x', platform: wrong, secrets: { api_key: wrong } },
    { ...braze, name: 'x', secrets: wrong },
    { ...braze, name: 'x', secrets: { api_key: [wrong] } },
    { ...braze, name: 'x', secrets: { api_key: wrong }, more: wrong },
  ])
    expect((await keep('POST', '/connections', body)).status).toBeGreaterThanOrEqual(400)
  await keep('POST', `/connections/${id}/rotate`, { secrets: { api_key: 1, other: wrong } })
  await keep('POST', `/connections/${id}/disable`, { reason: 'canary', secrets: wrong })
  await keep(
    'PATCH',
    `/connections/${id}`,
    { name: 'x', secrets: { api_key: wrong } },
    { headers: { 'if-match': '"1"' } },
  )

  const env = {
    POSTERN_URL: server.console,
    POSTERN_MANAGEMENT_KEY: managementKey,
    PASTED: thirdParty('by the command line'),
  }
  for (const args of [
    ['create', '--platform', 'anthropic', '--name', 'cli', '--secret-env', 'PASTED'],
    ['create', '--platform', 'anthropic', '--name', 'cli', '--secret-env', 'PASTED'],
    ['create', '--platform', 'anthropic', '--name', 'cli', '--set', `api_key=${wrong}`],
    ['list'],
    ['show', id],
    ['rotate', id, '--secret-env', 'PASTED'],
    ['check', id],
    ['read', id],
    ['disable', id, '--reason', 'canary'],
  ]) {
    const io = testIo({ env })
    await runCli(io, ['--verbose', '--json', 'connection', ...args])
    answers.push(io.printed.out(), io.printed.err())
  }
  expect((await keep('DELETE', `/connections/${tracked}`)).status).toBe(200)
  expect(await get('/tracked')).toBe(503)
}

/** Client secrets, tokens, codes and refresh tokens: minted, used, introspected, revoked, and where they do not belong. */
async function driveTokens(keep: Keep, account: Account): Promise<void> {
  const oauth = { type: 'confidential', grant_types: ['client_credentials'] }
  const client = await issue(server.api, account.project, { kind: 'oauth_client', oauth })
  secrets.set('client secret', client.value)
  const rotated = await server.api('POST', `/credentials/${client.id}/rotate`, { overlap: '1h' })
  secrets.set('client secret, rotated', rotated.body.secret.value)
  const minted: string[] = []
  for (const value of [client.value, rotated.body.secret.value]) {
    const grant = { grant_type: 'client_credentials' }
    const answer = await post(`${server.console}/oauth/token`, grant, basic({ ...client, value }))
    minted.push(answer.body.access_token)
    secrets.set(`access token ${minted.length}`, answer.body.access_token)
  }
  const [live = '', dead = ''] = minted
  const shaped = (token: 'code' | 'refresh' | 'access') => {
    const value = makeToken({ brand: 'acme', token, random: systemRandom }).reveal()
    secrets.set(`${token} of nobody`, value)
    return value
  }
  const code = shaped('code')
  const refresh = shaped('refresh')
  const unknown = shaped('access')
  const sent = [live, dead, code, refresh, unknown, client.value]
  const owner = basic(client)
  for (const value of sent) {
    for (const [path, form, headers] of [
      ['introspect', { token: value }, owner],
      ['introspect', { token: value }, basic({ ...client, value: `${value}x` })],
      ['token', { grant_type: 'authorization_code', code: value, redirect_uri: 'https://a.example/' }, owner],
      ['token', { grant_type: 'refresh_token', refresh_token: value }, owner],
      ['token', { grant_type: 'client_credentials', scope: value, resource: value }, owner],
      ['token', { grant_type: value, client_id: client.publicId, client_secret: value }, {}],
      [`token?client_secret=${value}&code=${value}`, { grant_type: 'client_credentials' }, {}],
      ['revoke', { token: value, client_id: client.publicId, client_secret: 'x' }, {}],
    ] as readonly [string, Form, Record<string, string>][]) {
      const answer = await post(`${server.console}/oauth/${path}`, form, headers)
      answers.push(answer.text, JSON.stringify([...answer.headers]))
    }
    const authorize = `/oauth/authorize?response_type=code&client_id=${client.publicId}&state=${value}&scope=${value}`
    const page = await fetch(server.console + authorize, { redirect: 'manual' })
    answers.push(await page.text())
    for (const asked of [
      { headers: [bearer(value)] },
      { target: `/v1/orders/1?access_token=${value}` },
      { headers: [bearer(value), ['X-Api-Key', value] as const] },
    ]) {
      const answer = await request(server.gatewayPort, { target: '/v1/orders/1', ...asked })
      answers.push(answer.text, answer.lines.join('\n'))
    }
    await keep('POST', '/tokens/introspect', { token: value })
    await keep('POST', '/tokens/introspect', { token: [value], more: value })
    await keep('GET', `/tokens/${value}`)
    await keep('GET', `/tokens?cursor=${value}`)
    await keep('POST', '/explain', {
      api: 'shop',
      method: 'GET',
      path: '/v1/orders/1',
      headers: { authorization: `Bearer ${value}` },
      ip: '127.0.0.1',
    })
  }
  const tokens = await keep('GET', `/tokens?credential=${client.id}`)
  expect((await keep('POST', `/tokens/${tokens.body.data[0].id}/revoke`)).status).toBe(200)
  const env = { POSTERN_URL: server.console, POSTERN_MANAGEMENT_KEY: managementKey, TOKEN: live }
  for (const args of [
    ['token', 'introspect', '--token-env', 'TOKEN'],
    ['token', 'list', '--credential', client.id],
    ['client', 'show', client.id],
    ['explain', '--api', 'shop', '--path', '/v1/orders/1', '--key-env', 'TOKEN'],
  ]) {
    const io = testIo({ env })
    await runCli(io, ['--verbose', '--json', ...args])
    answers.push(io.printed.out(), io.printed.err())
  }
}

/** Links, passwords, second factors, recovery codes and cookies of people. */
async function drivePeople(keep: Keep, account: Account): Promise<void> {
  const email = 'ada@people.example'
  const headers = { 'idempotency-key': 'canary-invitation' }
  const invited = { email, role: 'owner' }
  const made = await server.api('POST', `/accounts/${account.id}/invitations`, invited, { headers })
  const linkOf = (what: string, answer: ApiAnswer): string => {
    const { pathname } = new URL(answer.body.link.value)
    secrets.set(what, pathname.split('/').at(-1) ?? '')
    return pathname
  }
  const link = linkOf('invitation link', made)
  expect((await keep('POST', `/accounts/${account.id}/invitations`, invited, { headers })).body.link.value).toBeNull()

  const browser = (): Person => aPerson(server.console, { 'user-agent': 'Mozilla/5.0 (canary)' })
  const person = browser()
  const see = (shown: Shown, of = person): Shown => {
    answers.push(shown.text, shown.location ?? '')
    for (const value of of.cookies.values()) if (!remembered.has(value)) secrets.set(`cookie ${secrets.size}`, value)
    for (const value of of.cookies.values()) remembered.add(value)
    return shown
  }
  const remembered = new Set<string>()
  const password = (what: string) => {
    const value = `a ${what} of words that nobody guesses`
    secrets.set(`password: ${what}`, value)
    return value
  }
  const first = password('first sentence')
  const welcome = see(await person.get(link))
  see(await person.submit(welcome, { name: 'Ada', password: password('mistyped one'), repeated: first }))
  const joined = see(
    await person.submit(see(await person.get(link)), { name: 'Ada', password: first, repeated: first }),
  )
  expect(joined.location).toContain('/me')

  const offered = await person.get('/me/second-factor')
  const key = (/<code[^>]*>([A-Z2-7 ]+)<\/code>/.exec(offered.text)?.[1] ?? '').replaceAll(' ', '')
  secrets.set('second factor', key)
  const code = () => new TOTP({ secret: key }).generate()
  const codes = await person.submit(offered, { code: code() })
  const recovery = [...codes.text.matchAll(/<code>([0-9a-z-]{19})<\/code>/g)].map(([, each = '']) => each)
  expect([key.length > 20, recovery.length > 3]).toEqual([true, true])
  for (const [i, each] of recovery.entries()) secrets.set(`recovery code ${i}`, each)
  for (const path of ['/me', '/me/password', '/sign-in', '/sign-out']) see(await person.get(path))

  const { data } = (await keep('GET', '/users?search=ada')).body
  const [{ id }] = data
  const reset = linkOf('reset link', await server.api('POST', `/users/${id}/reset-password`))
  const stranger = aPerson(server.console)
  for (const path of [link, reset, `${reset}?x=${secrets.get('reset link')}`, `/sign-in?continue=${reset}`])
    answers.push((await stranger.get(path)).text)
  const second = password('second sentence')
  const asked = see(await person.get(reset))
  see(await person.submit(asked, { password: second, repeated: second }))
  for (const [who, secret, factor] of [
    [email, first, ''],
    [email, second, recovery[0] ?? ''],
    ['nobody@people.example', second, ''],
  ] as const) {
    const other = browser()
    const page = see(await other.get('/sign-in'), other)
    const answer = see(await other.submit(page, { email: who, password: secret }), other)
    if (answer.location?.includes('factor') !== true) continue
    const asking = see(await other.follow(answer), other)
    see(await other.submit(asking, { code: factor }), other)
  }
  for (const path of ['', '/sessions', '/export']) expect((await keep('GET', `/users/${id}${path}`)).status).toBe(200)
  await keep('GET', `/invitations?cursor=${secrets.get('invitation link')}`)
  await keep('POST', `/accounts/${account.id}/invitations`, { email: first, role: second })
  for (const verb of ['remove-factor', 'sessions/end', 'disable', 'enable']) await keep('POST', `/users/${id}/${verb}`)
  for (const path of ['/members', '/invitations', '/users', `/events?user=${id}`]) await keep('GET', path)
}

/** A text in the forms in which it could have been written down. */
function forms(secret: string): Buffer[] {
  const bytes = Buffer.from(secret)
  // Base64 of what stands in the middle of something longer: the parts that do not depend on what is around it.
  const shifted = [0, 1, 2].map((shift) =>
    Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .slice(shift === 0 ? 0 : 4, -4),
  )
  const texts = [
    secret,
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
    encodeURIComponent(secret),
    ...shifted,
    ...shifted.map((text) => text.replaceAll('+', '-').replaceAll('/', '_')),
  ]
  return [...new Set(texts)].map((text) => Buffer.from(text)).concat(Buffer.from(secret, 'utf16le'))
}

function found(within: Buffer): string[] {
  return [...secrets].filter(([, secret]) => forms(secret).some((form) => within.includes(form))).map(([what]) => what)
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    return entry.isDirectory() ? filesBelow(path) : [path]
  })
}

describe('no secret that was issued or sent is found again', () => {
  it('in any file: databases, write-ahead logs, backup, checkpoints, key files (1, 4, 8)', () => {
    const files = filesBelow(server.folder)
    const names = files.map((file) => relative(server.folder, file))
    expect(names).toEqual(
      expect.arrayContaining([
        'data/postern.db',
        'data/usage.db',
        'access.log',
        'data/backups/canary/postern.db',
        'data/backups/canary/usage.db',
      ]),
    )
    expect(names.some((name) => name.startsWith('keys/windows/'))).toBe(true)
    expect(names.some((name) => name.startsWith('data/checkpoints/'))).toBe(true)
    expect(names).not.toContain('data/management.key')
    expect(
      Object.fromEntries(
        files
          .map((file) => [relative(server.folder, file), found(readFileSync(file))])
          .filter(([, hits]) => hits?.length !== 0),
      ),
    ).toEqual({})
  })

  it('in what the process wrote to standard output and standard error (111)', () => {
    expect(server.output()).toContain('server.started')
    expect(found(Buffer.from(server.output()))).toEqual([])
    for (const line of server.output().trim().split('\n')) expect(() => JSON.parse(line) as unknown).not.toThrow()
  })

  it('in any answer but that of issuing, rotating or revealing (21, 110)', () => {
    expect(answers.length).toBeGreaterThan(300)
    expect(answers.filter((answer) => found(Buffer.from(answer)).length > 0)).toEqual([])
  })

  it('and no answer tells how the product is made: no stack, no SQL, no path of the machine (110)', () => {
    const inner =
      /node_modules|\.ts:\d|at (async )?[A-Za-z.]+ \(|select .* from|insert into|SQLITE_|ECONN|127\.0\.0\.1:9\b|\/tmp\/postern/i
    // The operator alone is told where a backup lies and which targets an upstream has.
    const operators = (answer: string) =>
      answer.includes('"folder"') || /"targets":|^postern_upstream_target_up/m.test(answer)
    expect(answers.filter((answer) => inner.test(answer) && !operators(answer))).toEqual([])
  })

  it('in what the upstream saw, and the query key’s parameter never reached it (20)', () => {
    expect(upstream.seen.length).toBeGreaterThan(5)
    // What a client writes into its own path or User-Agent is the client's message, and goes on unchanged.
    const unasked = upstream.seen.filter(({ headers }) => !headers.some((line) => line.startsWith('tool/')))
    const unexpected = found(Buffer.from(JSON.stringify(unasked))).filter((what) => !what.startsWith('third party'))
    expect(unexpected).toEqual([])
    // The credential that it expects is the one thing of ours that an upstream is shown.
    expect(found(Buffer.from(JSON.stringify(unasked)))).toContain('third party: first')
    expect(upstream.seen.filter(({ target }) => target.includes('api_key'))).toEqual([])
  })

  it('would be found if it were there', () => {
    const key = secrets.get('key') ?? ''
    expect(found(Buffer.from(`xx${Buffer.from(`user:${key}`).toString('base64')}`))).toContain('key')
    expect(found(Buffer.from(`"${Buffer.from(key).toString('hex')}"`))).toContain('key')
    expect(found(Buffer.from(`?k=${encodeURIComponent(key)}`))).toContain('key')
  })
})

describe('files', () => {
  it('of keys and data are readable by their owner alone (8)', () => {
    const open = filesBelow(server.folder).filter(
      (file) => !file.endsWith('postern.yaml') && (statSync(file).mode & 0o077) !== 0,
    )
    expect(open.map((file) => relative(server.folder, file))).toEqual([])
  })

  it('hold the first management key only where the server made it, mode 0600, and nowhere else', async () => {
    const fresh = await startServerProcess({ yaml: 'apis: {}\nplans: {}', withKey: false })
    try {
      const path = join(fresh.folder, 'data', 'management.key')
      const made = readFileSync(path, 'utf8').trim()
      expect((await fresh.api('GET', '/whoami', undefined, { key: made })).status).toBe(200)
      await fresh.stop()
      expect(statSync(path).mode & 0o777).toBe(0o600)
      const holders = filesBelow(fresh.folder).filter((file) =>
        forms(made).some((form) => readFileSync(file).includes(form)),
      )
      expect(holders).toEqual([path])
      expect(forms(made).some((form) => Buffer.from(fresh.output()).includes(form))).toBe(false)
    } finally {
      await fresh.kill()
      fresh.remove()
    }
  })
})
