import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { ipInRanges } from '../base/ip.ts'
import type { Api, Route } from '../core/apis/api.ts'
import { targetAt } from '../core/apis/upstream.ts'
import type { Config } from './config.ts'
import { formatConfigError } from './issue.ts'
import { loadConfig, loadConfigText } from './load.ts'
import type { Env } from './source.ts'
import { initTemplate } from './template.ts'

const head = 'version: 1\nbrand: acme\n'
const shop = `${head}apis:
  shop:
    address: shop.example.com
    upstream: http://127.0.0.1:3000
`

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'postern-config-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function put(name: string, text: string): void {
  writeFileSync(join(folder, name), text)
}

function load(text: string, env: Env = {}, previous: Config | null = null): Config {
  const result = loadConfigText(text, { file: join(folder, 'postern.yaml'), env, previous })
  if (!result.ok) throw new Error(result.error.map(formatConfigError).join('\n'))
  return result.value
}

/** `line:column path: message` of every error. */
function errors(text: string, env: Env = {}): readonly string[] {
  const result = loadConfigText(text, { file: 'postern.yaml', env })
  return result.ok ? [] : result.error.map((error) => formatConfigError(error).replace(/^postern\.yaml/, ''))
}

function apiOf(config: Config, id = 'shop'): Api {
  const api = config.declaration.apis.get(id)
  if (api === undefined) throw new Error(`no API ${id}`)
  return api
}

function routeAt(config: Config, method: string, path: string): Route | null {
  const match = apiOf(config).routes.match(method, path)
  return match?.methodMatched === true ? match.route : null
}

describe('the template of postern.yaml', () => {
  it('is valid as it stands', () => {
    expect(errors(initTemplate())).toEqual([])
  })

  it('is valid with every commented setting taken in that needs no file', () => {
    const all = initTemplate()
      .replace(
        /^( *)# (former_brands|max_|memory|failures|on_exposed|shutdown|stale_after|retention|request_log|case_insensitive)/gm,
        '$1$2',
      )
      .replace(/^( *)# (client_side|body_max|timeouts|on_stale|on_revoke|raw_path|limits)/gm, '$1$2')
    expect(errors(all)).toEqual([])
  })
})

describe('a small file', () => {
  it('gets good defaults', () => {
    const config = load(shop)
    expect(config.listen).toEqual({
      gateway: { host: '127.0.0.1', port: 8080 },
      console: { host: '127.0.0.1', port: 8081 },
      ops: { host: '127.0.0.1', port: 8082 },
      forwardAuth: null,
      own: [],
      tls: null,
      maxHeaderLines: 100,
      maxHeaderBytes: 16_384,
      maxTargetBytes: 8_192,
      maxBodyBytes: 10_485_760,
      maxConnections: 10_000,
    })
    expect(config).toMatchObject({
      data: join(folder, 'data'),
      keys: join(folder, 'keys'),
      store: { kind: 'sqlite' },
      geoip: null,
      maxCredentials: 1_000_000,
      staleAfterMs: 30_000,
      retention: {
        requestsMs: 7_776_000_000,
        minutesMs: 172_800_000,
        hoursMs: 7_776_000_000,
        daysMs: 65_664_000_000,
        eventsMs: null,
      },
      requestLog: { refusalsPerSecondPerIp: 10, queue: 100_000 },
      managementKey: null,
      notes: [],
    })
    expect(config.declaration).toMatchObject({
      brand: 'acme',
      formerBrands: [],
      publicUrl: 'http://localhost:8081',
      failures: { attempts: 30, windowMs: 60_000 },
      issuers: [],
    })
    expect(ipInRanges(0x7f_00_00_01, config.declaration.transport.plainHttpFrom)).toBe(true)
    expect(ipInRanges(0x0a_00_00_01, config.declaration.transport.plainHttpFrom)).toBe(false)
    expect(ipInRanges(0x7f_00_00_01, config.declaration.transport.trustedProxies)).toBe(false)
  })

  it('forwards everything where no route is declared', () => {
    const api = apiOf(load(shop))
    expect(api.unmatched).toBe('forward')
    expect(api.preset.id).toBe('generic')
    expect(api.unmatchedRoute).toMatchObject({
      scopes: { any: [], all: [] },
      methods: [],
      clientSide: false,
      onStale: 'refuse',
      onRevoke: 'close',
      bodyBytesMax: 10_485_760,
      connection: null,
      timeouts: { connectMs: 5_000, firstByteMs: 60_000, idleMs: 120_000, totalMs: null },
    })
  })

  it('needs only version and brand', () => {
    expect(load(head).declaration.apis.size).toBe(0)
    expect(errors('version: 1\n')).toEqual([expect.stringContaining('"brand" is missing')])
  })

  it('is frozen all the way down', () => {
    const config = load(shop)
    expect(
      [config, config.listen, config.declaration, apiOf(config), apiOf(config).unmatchedRoute].every(Object.isFrozen),
    ).toBe(true)
  })
})

const wholeExample = `${head}former_brands: [acm1]
listen: {gateway: "[::1]:80", console: 0.0.0.0:81, ops: localhost:82, trusted_proxies: [private, 203.0.113.0/24], plain_http_from: []}
public_url: https://console.example.com/p
store: {url: "postgres://u:hunter2@db/x"}
stale_after: 500ms
retention: {events: 400d}
apis:
  shop:
    address: {live: shop.example.com/v1, sandbox: ":9001"}
    upstream: {live: "https://up.example/base/", sandbox: "http://127.0.0.1:3000"}
    credentials:
      - {in: bearer, accept: [key, token, jwt]}
      - {in: header, name: X-Api-Key, kinds: [secret]}
      - {in: query, name: api_key}
      - {in: basic}
      - {in: pair, id: X-App-Id, secret: X-App-Token}
    scopes: {orders.read: Read orders, orders.write: {description: Write orders, retired: true}}
    roles: {reader: [orders.read]}
    routes:
      - {id: getOrder, methods: [GET], path: "/v1/orders/{id}", scopes: {any: [orders.read]}, client_side: true, cost: 3,
         timeouts: {first_byte: 5s}, body_max: 1KiB, on_stale: serve, on_revoke: finish, raw_path: true,
         limits: [{name: r, per: ip, requests: 5, window: 1s}]}
    on_stale: refuse
    timeouts: {idle: 10m, total: 30m}
    case_insensitive_paths: true
plans:
  pro:
    apis: [shop, postern]
    kinds: [secret, publishable, oauth_client]
    scopes: [orders.read, credentials.read]
    limits: [{name: default, per: credential, requests: 100, window: 1m, burst: 20}]
    quotas: [{name: month, per: account, requests: 1000000, period: month}]
    max_keys: 10
    max_key_age: 90d
    retired: true
`
const whole = (): Config => load(wholeExample)

describe('the whole example', () => {
  it('becomes places, scopes, roles and upstreams', () => {
    const api = apiOf(whole())
    expect(api.places).toEqual([
      { in: 'bearer', accept: ['key', 'token', 'jwt'], kinds: null },
      { in: 'header', name: 'x-api-key', accept: ['key'], kinds: ['secret'] },
      { in: 'query', name: 'api_key', accept: ['key'], kinds: null },
      { in: 'basic', accept: ['key'], kinds: null },
      { in: 'pair', id: 'x-app-id', secret: 'x-app-token', accept: ['key'], kinds: null },
    ])
    expect(api.scopes).toEqual(
      new Map([
        ['orders.read', 'Read orders'],
        ['orders.write', 'Write orders'],
      ]),
    )
    expect(api.roles).toEqual(new Map([['reader', ['orders.read']]]))
    expect(api.upstreams).toEqual({
      live: expect.objectContaining({
        name: 'shop/live',
        targets: [targetAt(new URL('https://up.example/base/'), {})],
      }),
      sandbox: expect.objectContaining({ targets: [targetAt(new URL('http://127.0.0.1:3000'), {})] }),
    })
    expect(whole().retiredScopes).toEqual(['orders.write'])
  })

  it('becomes routes whose own words go before those of their API', () => {
    expect(routeAt(whole(), 'GET', '/V1/Orders/1')).toMatchObject({
      id: 'getOrder',
      scopes: { any: ['orders.read'], all: [] },
      clientSide: true,
      cost: 3,
      rawPath: true,
      onStale: 'serve',
      onRevoke: 'finish',
      bodyBytesMax: 1_024,
      timeouts: { connectMs: 5_000, firstByteMs: 5_000, idleMs: 600_000, totalMs: 1_800_000 },
      limits: [{ name: 'r', per: 'ip', requests: 5, windowMs: 1_000, burst: 5 }],
    })
    expect(apiOf(whole()).unmatched).toBe('refuse')
  })

  it('becomes addresses that fix the environment, and a listener of its own', () => {
    const { declaration, listen } = whole()
    const found = (host: string, port: number, path: string) =>
      declaration.addresses.find(host, port, path)?.environment
    expect(found('shop.example.com', 80, '/v1/x')).toBe('live')
    expect(found('any', 9_001, '/v1/x')).toBe('sandbox')
    expect(found('shop.example.com', 80, '/v2')).toBeUndefined()
    expect(listen.own).toEqual([{ host: '::1', port: 9_001 }])
    expect(listen.gateway).toEqual({ host: '::1', port: 80 })
  })

  it('has scopes that stand for others, and says what members may allow', () => {
    const api = apiOf(
      load(
        `${shop}    scopes: {a: A, b: {description: B, includes: [a]}, c: {description: C, includes: [b]}}
    member_scopes: {viewer: [a], developer: [b]}\n`,
      ),
    )
    expect(api.implies).toEqual(
      new Map([
        ['b', new Set(['a'])],
        ['c', new Set(['b', 'a'])],
      ]),
    )
    expect(api.memberScopes).toEqual({ owner: ['*'], admin: ['*'], developer: ['b'], viewer: ['a'] })
    expect(apiOf(whole()).memberScopes).toEqual({ owner: ['*'], admin: ['*'], developer: ['*'], viewer: [] })
    const preset = apiOf(
      load(`${shop}    preset: voucherify\n    scopes: {api: {description: Mine, includes: [skus]}}\n`),
    )
    expect(preset.implies.get('api')).toEqual(new Set(['skus', 'SKUs']))
    expect(preset.implies.get('client_api')?.has('client_validate')).toBe(true)
  })

  it('becomes a plan', () => {
    expect(whole().declaration.plans.get('pro')).toEqual({
      id: 'pro',
      apis: new Set(['shop', 'postern']),
      kinds: new Set(['secret', 'publishable', 'oauth_client']),
      scopes: new Set(['orders.read', 'credentials.read']),
      limits: [{ name: 'default', per: 'credential', requests: 100, windowMs: 60_000, burst: 20 }],
      quotas: [{ name: 'month', per: 'account', requests: 1_000_000, period: 'month' }],
      budgets: [],
      models: null,
      maxKeys: 10,
      maxKeyAgeMs: 7_776_000_000,
      onExposed: null,
      retired: true,
    })
    expect(whole().notes).toEqual([])
  })

  it('never prints the password of the store', () => {
    const { store } = whole()
    expect(store.kind === 'postgres' && store.url.reveal()).toBe('postgres://u:hunter2@db/x')
    expect(inspect(whole(), { depth: 10 }) + JSON.stringify(store)).not.toContain('hunter2')
  })
})

describe('secrets and the environment', () => {
  it('replaces ${NAME} in values, and says which variable is absent', () => {
    const text = `${head}store: {url: "\${DB}"}\n`
    expect(load(text, { DB: 'postgres://db/x' }).store.kind).toBe('postgres')
    expect(errors(text)).toEqual([':3:14: the environment variable DB is not set'])
  })

  it('reads file: without its last line break, and says which file is absent', () => {
    put('url.txt', 'postgres://u:p@db/x\n')
    const { store } = load(`${head}store: {url: "file:url.txt"}\n`)
    expect(store.kind === 'postgres' && store.url.reveal()).toBe('postgres://u:p@db/x')
    expect(errors(`${head}store: {url: "file:/nowhere/url"}\n`)).toEqual([
      ':3:14 store.url: /nowhere/url cannot be read: there is no such file',
    ])
  })

  it('does not repeat a store URL or an upstream that is wrong', () => {
    const text = `${head}store: {url: "mysql://u:hunter2@db"}\napis:\n  shop: {address: a.example, upstream: "http://u:hunter2@x"}\n`
    expect(errors(text)).toHaveLength(2)
    expect(errors(text).join('\n')).not.toContain('hunter2')
  })

  it('takes the first management key from POSTERN_MANAGEMENT_KEY, of 32 characters and more', () => {
    const key = 'k'.repeat(32)
    expect(load(head, { POSTERN_MANAGEMENT_KEY: key }).managementKey?.reveal()).toBe(key)
    expect(load(head, { POSTERN_MANAGEMENT_KEY: '' }).managementKey).toBeNull()
    expect(errors(head, { POSTERN_MANAGEMENT_KEY: key.slice(1) })).toEqual([
      expect.stringContaining('POSTERN_MANAGEMENT_KEY must be at least 32 printable characters'),
    ])
  })
})

describe('an error', () => {
  it.each([
    ['a: [', ':1:5: flow sequence'],
    [`${head}brand: twice\n`, ':3:1: map keys must be unique'],
    ['', ':1:1: has no value; it must be a map'],
    ['- 1\n', ':1:1: must be a map'],
    ['{a: b}: 1\n', ':1:1: a key must be plain text; put it in quotes'],
    ['version: 2\nbrand: acme\n', ':1:10 version: must be 1'],
    ['version: 1\nbrand: Acme\n', ':2:8 brand: must be two to twelve lower-case letters and digits'],
    ['version: 1\nbrand: a\n', ':2:8 brand: must be two to twelve'],
    ['version: 1\nbrand: abcdefghijklm\n', ':2:8 brand: must be two to twelve'],
    ['version: 1\nbrand: 1acme\n', ':2:8 brand: must be two to twelve'],
    [`${head}lisen: {}\n`, ':3:1 lisen: unknown key; did you mean "listen"?'],
    [`${head}zzz: {}\n`, ':3:1 zzz: unknown key; allowed here: version, brand'],
    [`${head}listen: {gatway: x}\n`, ':3:10 listen.gatway: unknown key; did you mean "gateway"?'],
    [`${head}listen: {gateway: 8080}\n`, ':3:19 listen.gateway: must be host:port'],
    [`${head}listen: {gateway: "x:70000"}\n`, ':3:19 listen.gateway: the port is not a number from 0 to 65535'],
    [`${head}listen: {console: "127.0.0.1:8080"}\n`, ':3:19 listen.console: uses the same port as gateway'],
    [`${head}listen: {ops: "0.0.0.0:8081"}\n`, ':3:15 listen.ops: uses the same port as console'],
    [
      `${head}listen: {trusted_proxies: [10.0.0.0/33]}\n`,
      ':3:28 listen.trusted_proxies[0]: "10.0.0.0/33" must be an IP address',
    ],
    [
      `${head}listen: {max_body: 10}\n`,
      ':3:20 listen.max_body: must be a size such as 512B, 16KiB or 10MiB; the unit is missing',
    ],
    [
      `${head}stale_after: 30\n`,
      ':3:14 stale_after: must be a duration such as 500ms, 30s, 15m, 1h or 90d; the unit is missing',
    ],
    [`${head}stale_after:\n`, ':3:1 stale_after: has no value; it must be a duration'],
    [`${head}former_brands: [acme]\n`, ':3:17 former_brands[0]: is the brand in use'],
    [`${head}former_brands: [old1, old1]\n`, ':3:23 former_brands[1]: stands here twice'],
    [`${head}public_url: http://console.example.com\n`, ':3:13 public_url: must be https:// unless its host is'],
    [`${head}public_url: http://127.0.0.1.example.com\n`, ':3:13 public_url: must be https:// unless its host is'],
    [`${head}public_url: console.example.com\n`, ':3:13 public_url: must be a URL that begins with https://'],
    [`${head}public_url: "https://x/?a"\n`, ':3:13 public_url: must have no user, query or fragment'],
    [`${head}store: {url: mysql}\n`, ':3:14 store.url: must be sqlite or a URL that begins with postgres://'],
    [`${head}memory: {max_credentials: 0}\n`, ':3:27 memory.max_credentials: must be a whole number from 1'],
    [`${head}plans: {pro: {apis: [shop]}}\n`, ':3:22 plans.pro.apis[0]: no API "shop" is declared'],
    [`${head}plans: {Pro: {apis: []}}\n`, ':3:9 plans.Pro: "Pro" must be lower-case letters'],
    [
      `${head}apis: {postern: {address: a.example, upstream: "http://x"}}\n`,
      ':3:8 apis.postern: is the name of the management API',
    ],
    [`${head}apis: {shop: {upstream: "http://x"}}\n`, ':3:8 apis.shop: "address" is missing'],
    [`${head}apis: {shop: {address: {}, upstream: "http://x"}}\n`, ':3:24 apis.shop.address: must not be empty'],
    [
      `${head}apis: {shop: {address: "a:80", upstream: "http://x"}}\n`,
      ':3:24 apis.shop.address: an address with a host has no port',
    ],
    [
      `${head}apis: {shop: {address: ":8081", upstream: "http://x"}}\n`,
      ':3:24 apis.shop.address: uses the same port as listen.console',
    ],
    [
      `${head}apis: {shop: {address: {live: a.example, sandbox: b.example}, upstream: {live: "http://x"}}}\n`,
      ':3:73 apis.shop.upstream: "sandbox" is missing: it has an address',
    ],
    [
      `${head}apis: {shop: {address: a, upstream: "ftp://x"}}\n`,
      ':3:37 apis.shop.upstream: must be a URL that begins with http://',
    ],
    [`${head}apis: {shop: {address: a, upstream: "http://x?y"}}\n`, ':3:37 apis.shop.upstream: must have no query'],
    [
      `${shop}    preset: vocherify\n`,
      ':7:13 apis.shop.preset: no preset "vocherify"; there are generic, wecantrack, clickmeter, cardconnect, voucherify, throughline; did you mean "voucherify"?',
    ],
    [`${shop}    unmatched: refuse\n`, ':7:16 apis.shop.unmatched: refuses every request'],
    [`${shop}    unmatched: refuze\n`, ':7:16 apis.shop.unmatched: must be refuse or forward; did you mean "refuse"?'],
    [`${shop}    scopes: {"a b": x}\n`, ':7:14 apis.shop.scopes.a b: a scope has no spaces'],
    [`${shop}    scopes: {"*": x}\n`, ':7:14 apis.shop.scopes.*: a scope has no spaces'],
    [
      `${shop}    scopes: {orders.read: x, all: {description: y, includes: [orders.raed]}}\n`,
      ':7:63 apis.shop.scopes.all.includes[0]: "orders.raed" is not a declared scope; did you mean "orders.read"?',
    ],
    [
      `${shop}    scopes: {all: {description: y, includes: [all]}}\n`,
      ':7:46 apis.shop.scopes.all.includes: a scope includes itself anyway',
    ],
    [
      `${shop}    scopes: {orders.read: x}\n    member_scopes: {viewer: [orders.raed]}\n`,
      ':8:30 apis.shop.member_scopes.viewer[0]: "orders.raed" is not a declared scope; did you mean "orders.read"?',
    ],
    [
      `${shop}    member_scopes: {viewr: []}\n`,
      ':7:21 apis.shop.member_scopes.viewr: unknown key; did you mean "viewer"?',
    ],
    [
      `${shop}    credentials: [{in: query, name: t, accept: [key, token]}]\n`,
      ':7:48 apis.shop.credentials[0].accept: tokens do not travel in the query',
    ],
    [
      `${shop}    scopes: {orders.read: x}\n    roles: {r: [orders.raed]}\n`,
      ':8:17 apis.shop.roles.r[0]: "orders.raed" is not a declared scope; did you mean "orders.read"?',
    ],
    [`${shop}    credentials: [bearer]\n`, ':7:19 apis.shop.credentials[0]: must be a place such as {in: bearer}'],
    [`${shop}    credentials: [{name: x}]\n`, ':7:19 apis.shop.credentials[0]: "in" is missing'],
    [
      `${shop}    credentials: [{in: heder, name: x}]\n`,
      ':7:24 apis.shop.credentials[0].in: must be bearer, header, query, basic or pair; did you mean "header"?',
    ],
    [
      `${shop}    credentials: [{in: bearer}, {in: bearer}]\n`,
      ':7:33 apis.shop.credentials[1]: this place stands in the list already',
    ],
    [
      `${shop}    credentials: [{in: header, name: A}, {in: pair, id: a, secret: b}]\n`,
      ':7:57 apis.shop.credentials[1].id: this place stands in the list already',
    ],
    [
      `${shop}    credentials: [{in: header, name: Host}]\n`,
      ':7:38 apis.shop.credentials[0].name: the header "Host" cannot carry a credential',
    ],
    [`${shop}    credentials: [{in: header, name: Authorization}]\n`, 'say "in: bearer" or "in: basic"'],
    [`${shop}    credentials: [{in: bearer, accept: [saml]}]\n`, 'accept[0]: must be key, token or jwt'],
    [`${shop}    routes: [{id: a}]\n`, ':7:14 apis.shop.routes[0]: "path" is missing'],
    [`${shop}    routes: [{id: a, path: x}]\n`, ':7:28 apis.shop.routes[0].path: a path begins with "/"'],
    [
      `${shop}    routes: [{id: a, path: /x, methods: [POSTT]}]\n`,
      'apis.shop.routes[0].methods[0]: no request with the method "POSTT" is served; did you mean "POST"?',
    ],
    [`${shop}    routes: [{id: a, path: /x, methods: [TRACE]}]\n`, 'no request with the method "TRACE" is served'],
    [`${head}geoip: ./nowhere.mmdb\n`, ':3:8 geoip: '],
    [`${shop}    routes: [{id: a, path: /x, methods: [get]}]\n`, 'methods[0]: must be a method in upper case'],
    [
      `${shop}    routes: [{id: a, path: /x}, {id: a, path: /y}]\n`,
      ':7:38 apis.shop.routes[1].id: a route named "a" stands here already',
    ],
    [
      `${shop}    routes: [{id: a, path: "/{x}"}, {id: b, path: "/{y}"}]\n`,
      ':7:51 apis.shop.routes[1].path: the routes "a" (/{x}) and "b" (/{y}) are equal for every method',
    ],
    [`${shop}    routes: [{id: a, path: /x, scopes: {any: [zz]}}]\n`, 'scopes.any[0]: "zz" is not a declared scope'],
    [
      `${shop}    routes: [{id: a, path: /x, limits: [{name: l, per: ip, requests: 1, window: 0s}]}]\n`,
      'window: must be longer than 0',
    ],
    [
      `${shop}    preset: voucherify\n    routes: [{id: mine, path: /v1/vouchers/special}]\n`,
      ':8:31 apis.shop.routes[0].path: overlaps /v1/vouchers/**, the preset\'s route "vouchers"',
    ],
    [`${shop}    openapi: nowhere.yaml\n`, 'nowhere.yaml cannot be read: there is no such file'],
    [
      `${shop}plans: {pro: {apis: [shopp]}}\n`,
      ':7:22 plans.pro.apis[0]: no API "shopp" is declared; did you mean "shop"?',
    ],
    [`${shop}plans: {pro: {apis: [shop], scopes: [x]}}\n`, ':7:38 plans.pro.scopes[0]: "x" is not declared by shop'],
    [
      `${shop}plans: {pro: {apis: [shop], kinds: [secrets]}}\n`,
      'kinds[0]: must be secret, publishable, integration, management or oauth_client; did you mean "secret"?',
    ],
    [
      `${shop}plans: {pro: {apis: [shop], limits: [{name: l, per: ip, requests: 5, window: 1s, burst: 6}]}}\n`,
      'burst: must not exceed requests (5)',
    ],
    [
      `${shop}plans: {pro: {apis: [shop], limits: [{name: l, per: ip, requests: 5, window: 1s}], quotas: [{name: l, per: account, requests: 1, period: day}]}}\n`,
      'plans.pro.quotas[0].name: a limit or quota named "l" stands here already',
    ],
    [
      `${shop}  two: {address: Shop.Example.com/, upstream: "http://x"}\n`,
      ':7:18 apis.two.address: is the same address as apis.shop.address',
    ],
  ])('in %j says %s', (text, message) => {
    expect(errors(text)).toEqual([expect.stringContaining(message)])
  })

  it('never comes alone where there are several: all are told, in order of lines', () => {
    expect(errors('version: 3\nbrand: X\nzz: 1\n').map((error) => error.split(' ')[0])).toEqual([
      ':1:10',
      ':2:8',
      ':3:1',
    ])
  })

  it('names the file that cannot be read', () => {
    const path = join(folder, 'absent.yaml')
    expect(loadConfig({ path, env: {} })).toMatchObject({
      ok: false,
      error: [{ file: path, line: null, message: 'cannot be read: there is no such file' }],
    })
  })

  it('refuses a file that would unfold without end', () => {
    const bomb = ['a: &a [x, x, x, x, x, x, x, x, x, x]']
    for (const [from, to] of ['ab', 'bc', 'cd', 'de'].map((pair) => pair.split('')))
      bomb.push(`${to}: &${to} [${`*${from},`.repeat(10)}]`)
    expect(errors(bomb.join('\n'))).toEqual([expect.stringContaining('excessive alias count')])
  })
})

describe('a preset', () => {
  it('gives places, scopes and routes; the operator adds to them and replaces by id', () => {
    const config = load(`${shop}    preset: voucherify
    roles: {Cashier: [redemptions]}
    routes:
      - {id: vouchers, limits: [{name: slow, per: route, requests: 1, window: 1s}]}
      - {id: health, path: /health}
`)
    expect(apiOf(config).places).toHaveLength(3)
    expect([...apiOf(config).roles.keys()]).toEqual(['Admin', 'Merchant', 'Cashier'])
    expect(routeAt(config, 'GET', '/v1/vouchers/x')).toMatchObject({
      id: 'vouchers',
      pattern: '/v1/vouchers/**',
      scopes: { any: ['api', 'vouchers'], all: [] },
      limits: [{ name: 'slow' }],
    })
    expect(routeAt(config, 'GET', '/client/v1/validate')).toMatchObject({ id: 'client_validate', clientSide: true })
    expect(routeAt(config, 'GET', '/health')?.id).toBe('health')
    expect(apiOf(config).unmatched).toBe('refuse')
  })

  it('gives way where it speaks of the whole API', () => {
    const config = load(`${shop}    preset: clickmeter\n    routes: [{id: links, methods: [GET], path: /v2/links}]\n`)
    expect(routeAt(config, 'GET', '/v2/links')?.id).toBe('links')
    expect(routeAt(config, 'POST', '/v2/links')?.id).toBe('write')
  })
})

const withOpenapi = (more = ''): string => `${shop}    openapi: ./shop.json\n${more}`

describe('an OpenAPI file', () => {
  const document = {
    openapi: '3.1.0',
    servers: [{ url: 'https://shop.example/v1' }],
    security: [{ oauth: ['read'] }],
    paths: {
      '/orders': {
        get: { operationId: 'listOrders' },
        post: { operationId: 'createOrder', security: [{ oauth: ['read', 'write'] }] },
      },
      '/orders/{id}': {
        get: { operationId: 'getOrder', security: [{ oauth: ['read'] }, { other: ['write'] }, { key: [] }] },
        delete: {},
      },
      '/health': { get: { operationId: 'health', security: [] } },
    },
    components: {
      securitySchemes: {
        oauth: { type: 'oauth2', flows: { clientCredentials: { scopes: { read: 'R', write: 'W' } } } },
      },
    },
  }
  it('gives one route for each operation, with its scopes', () => {
    put('shop.json', JSON.stringify(document))
    const config = load(withOpenapi())
    expect(apiOf(config).scopes).toEqual(
      new Map([
        ['read', 'R'],
        ['write', 'W'],
      ]),
    )
    expect(routeAt(config, 'GET', '/v1/orders')).toMatchObject({ id: 'listOrders', scopes: { any: [], all: ['read'] } })
    expect(routeAt(config, 'POST', '/v1/orders')).toMatchObject({ scopes: { any: [], all: ['read', 'write'] } })
    expect(routeAt(config, 'GET', '/v1/orders/1')).toMatchObject({ scopes: { any: ['read', 'write'], all: [] } })
    expect(routeAt(config, 'DELETE', '/v1/orders/1')?.id).toBe('delete_orders_id')
    expect(routeAt(config, 'GET', '/v1/health')).toMatchObject({ scopes: { any: [], all: [] } })
    expect(apiOf(config).unmatched).toBe('refuse')
  })

  it('is changed by routes with the id of an operation', () => {
    put('shop.json', JSON.stringify(document))
    const config = load(withOpenapi('    routes: [{id: getOrder, cost: 7, scopes: {all: [read]}}]\n'))
    expect(routeAt(config, 'GET', '/v1/orders/1')).toMatchObject({
      id: 'getOrder',
      cost: 7,
      scopes: { any: [], all: ['read'] },
    })
    expect(apiOf(config).routes.routes).toHaveLength(5)
  })

  it('does not repeat the path that the upstream has already', () => {
    put('shop.json', JSON.stringify(document))
    const config = load(withOpenapi().replace(':3000', ':3000/v1'))
    expect(routeAt(config, 'GET', '/orders')?.id).toBe('listOrders')
  })

  it.each([
    ['openapi: 2.0.0\n', ':1:10 openapi: is not OpenAPI 3'],
    ['openapi: 3.0.0\npaths: {/a: {get: 1}}\n', ':2:19 paths./a.get: is not OpenAPI 3'],
    ['openapi: [', ':1:11: flow sequence'],
    [
      'openapi: 3.0.0\npaths: {/a: {get: {operationId: x}, put: {operationId: x}}}\n',
      'paths./a.put: another operation has the id "x" already',
    ],
    ['openapi: 3.0.0\npaths: {/a: {get: {operationId: "a b"}}}\n', 'paths./a.get.operationId: must be letters'],
    ['openapi: 3.0.0\npaths: {/a: {$ref: x}}\n', '$ref is not supported'],
    [
      'openapi: 3.0.0\npaths: {/a: {get: {security: [{x: [a, b]}, {y: [c, d]}]}}}\n',
      'alternatives with several scopes each',
    ],
    [
      'openapi: 3.0.0\npaths: {/a: {get: {operationId: x, security: [{x: [zz]}]}}}\n',
      'the operation "x" (/a): needs a scope that is not declared: "zz"',
    ],
    [
      'openapi: 3.0.0\npaths: {"/a/{b}.json": {get: {operationId: x}}}\n',
      'the operation "x" (/a/{b}.json): "{b}.json" is not supported',
    ],
  ])('%j is refused: %s', (text, message) => {
    put('shop.json', text)
    const result = loadConfigText(withOpenapi(), { file: join(folder, 'postern.yaml'), env: {} })
    const told = result.ok ? [] : result.error.map(formatConfigError)
    expect(told).toEqual([expect.stringContaining(message)])
  })
})

/** `api` or `api route` → number. */
const indexes = (config: Config): Record<string, number> =>
  Object.fromEntries(
    [...config.declaration.apis.values()].flatMap((api) => [
      [api.id, api.index],
      ...[...api.routes.routes, api.unmatchedRoute].map((route) => [`${api.id} ${route.id}`, route.index] as const),
    ]),
  )

describe('maintenance and the size of headers', () => {
  const routes =
    '    routes: [{id: a, path: /a}, {id: b, path: /b, maintenance: false, headers_max: 1KiB}, {id: c, path: /c, maintenance: {retry_after: 1m, message: Back soon}}]\n'
  const of = (text: string) =>
    apiOf(load(`${shop}${text}${routes}`)).routes.routes.map(({ maintenance, headerBytesMax }) => [
      maintenance,
      headerBytesMax,
    ])
  const soon = { retryAfterMs: 60_000, message: 'Back soon' }

  it('are said for an API, and by a route for itself, also against its API', () => {
    const paused = { retryAfterMs: 300_000, message: null }
    expect(of('')).toEqual([
      [null, null],
      [null, 1_024],
      [soon, null],
    ])
    expect(of('    maintenance: true\n    headers_max: 2KiB\n')).toEqual([
      [paused, 2_048],
      [null, 1_024],
      [soon, 2_048],
    ])
    expect(apiOf(load(`${shop}    maintenance: true\n`)).unmatchedRoute.maintenance).toEqual(paused)
  })

  it.each([
    [
      'maintenance: yes please',
      ':7:18 apis.shop.maintenance: must be true or false, or a map with retry_after, message',
    ],
    ['maintenance: {retry_after: 0s}', ':7:32 apis.shop.maintenance.retry_after: must be longer than 0'],
    ['maintenance: {message: "a\\nb"}', 'apis.shop.maintenance.message: must be one line of up to 500 characters'],
  ])('%s is refused', (text, message) => {
    expect(errors(`${shop}    ${text}\n`)).toEqual([expect.stringContaining(message)])
  })
})

describe('a reload', () => {
  const two = `${shop}    routes: [{id: a, path: /a}, {id: b, path: /b}]\n  other: {address: b.example, upstream: "http://x"}\n`
  it('keeps the numbers of APIs and routes, and gives new ones only to what is new', () => {
    const first = load(two)
    expect(indexes(first)).toEqual({
      shop: 0,
      other: 1,
      'shop a': 0,
      'shop b': 1,
      'shop (unmatched)': 2,
      'other (unmatched)': 3,
    })
    const reordered = two.replace('{id: a, path: /a}, {id: b, path: /b}', '{id: c, path: /c}, {id: b, path: /bb}')
    expect(indexes(load(reordered, {}, first))).toEqual({
      shop: 0,
      other: 1,
      'shop b': 1,
      'shop c': 4,
      'shop (unmatched)': 2,
      'other (unmatched)': 3,
    })
  })

  it('never gives a number twice, even after its owner went', () => {
    const first = load(two)
    const second = load(shop, {}, first)
    expect(indexes(load(two, {}, second))).toMatchObject({ other: 2, 'shop a': 4, 'shop b': 5, 'other (unmatched)': 6 })
  })

  it('sees by the fingerprint whether any text that was read has changed', () => {
    put('url.txt', 'sqlite')
    const text = `${head}store: {url: "file:url.txt"}\n`
    const first = load(text).fingerprint
    expect(load(text).fingerprint).toBe(first)
    put('url.txt', 'sqlite\n')
    expect(load(text).fingerprint).not.toBe(first)
    expect(load(`${text}# comment\n`).fingerprint).not.toBe(first)
  })
})
