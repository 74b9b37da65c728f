import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { makeAuthority } from '../../../../tests/support/certificates.ts'
import { upstreamOf } from '../core/apis/regions.ts'
import type { Upstream } from '../core/apis/upstream.ts'
import { formatConfigError } from './issue.ts'
import { loadConfigText } from './load.ts'

const authority = makeAuthority()
const client = authority.issue({ names: ['gateway'], client: true })
const other = authority.issue({ names: ['other'], client: true })

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'postern-targets-'))
  const files = {
    'ca.pem': authority.cert,
    'client.pem': client.cert,
    'client.key': client.key,
    'other.key': other.key,
  }
  for (const [name, text] of Object.entries({
    ...files,
    'none.pem': 'nothing',
    'half.pem': `${authority.cert}-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n`,
  }))
    writeFileSync(join(folder, name), text, { mode: 0o600 })
  writeFileSync(join(folder, 'open.key'), client.key, { mode: 0o644 })
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const read = (upstream: string) =>
  loadConfigText(`version: 1\nbrand: acme\napis: {shop: {address: a.example, upstream: ${upstream}}}\n`, {
    file: join(folder, 'postern.yaml'),
    env: {},
  })

function built(upstream: string): Upstream {
  const result = read(upstream)
  if (!result.ok) throw new Error(result.error.map(formatConfigError).join('\n'))
  const api = result.value.declaration.apis.get('shop')
  const found = api === undefined ? null : upstreamOf(api, 'live', null)
  if (found === null) throw new Error('no upstream')
  return found
}

const errors = (upstream: string): readonly string[] => {
  const result = read(upstream)
  return result.ok
    ? []
    : result.error.map((error) =>
        formatConfigError(error)
          .replaceAll(`${folder}/`, '')
          .replace(/^postern.yaml:3:/, ''),
      )
}

describe('the targets of an upstream', () => {
  it('have weight 1, one other attempt and passive checks where nothing else is said', () => {
    const upstream = built('{targets: ["http://a.test:3000/base/", {url: "https://b.test", weight: 3}]}')
    expect(upstream).toMatchObject({
      name: 'shop',
      retries: 1,
      passive: { failures: 5, windowMs: 30_000, ejectMs: 30_000, statuses: [] },
      health: null,
    })
    expect(upstream.targets).toMatchObject([
      {
        url: 'http://a.test:3000/base',
        host: 'a.test',
        port: 3_000,
        authority: 'a.test:3000',
        basePath: '/base',
        weight: 1,
        tls: null,
      },
      {
        url: 'https://b.test',
        host: 'b.test',
        port: 443,
        authority: 'b.test',
        basePath: '',
        weight: 3,
        tls: { ca: null, client: null, serverName: null },
      },
    ])
    expect(built('"http://[::1]:3000"').targets).toMatchObject([{ host: '::1', authority: '[::1]:3000' }])
  })

  it('may say more', () => {
    expect(
      built(
        '{targets: ["http://a"], retries: 3, passive: {failures: 2, window: 5s, eject: 1m, statuses: [5xx, 429]}, health: {path: "/up?x", interval: 500ms, expect: [200, 3xx], unhealthy_after: 1}}',
      ),
    ).toMatchObject({
      retries: 3,
      passive: {
        failures: 2,
        windowMs: 5_000,
        ejectMs: 60_000,
        statuses: [
          [500, 599],
          [429, 429],
        ],
      },
      health: {
        path: '/up?x',
        intervalMs: 500,
        timeoutMs: 2_000,
        expect: [
          [200, 200],
          [300, 399],
        ],
        unhealthyAfter: 1,
        healthyAfter: 2,
      },
    })
    expect(built('{targets: ["http://a"], passive: false}').passive).toBeNull()
    expect(built('{targets: ["http://a"], max_connections: 7, keep_alive: 20s}').targets).toMatchObject([
      { connectionsMax: 7, idleMs: 20_000 },
    ])
  })

  it('are named by API, environment and region', () => {
    const result = loadConfigText(
      'version: 1\nbrand: acme\napis: {shop: {address: a, upstream: {live: {eu: {targets: ["http://a"]}, us: "http://b"}, sandbox: "http://c"}}}\n'.replace(
        'address: a',
        'address: {live: {eu: a, us: b}, sandbox: c}',
      ),
      { file: join(folder, 'postern.yaml'), env: {} },
    )
    const api = result.ok ? result.value.declaration.apis.get('shop') : undefined
    if (api === undefined) throw new Error('not loaded')
    expect([
      upstreamOf(api, 'live', 'eu')?.name,
      upstreamOf(api, 'live', 'us')?.name,
      upstreamOf(api, 'sandbox', null)?.name,
    ]).toEqual(['shop/live/eu', 'shop/live/us', 'shop/sandbox'])
  })

  it('share connections only where they lead to the same place in the same way', () => {
    const identityOf = (upstream: string) => built(upstream).targets[0]?.identity
    expect(identityOf('"http://a/x"')).toBe(identityOf('{targets: [{url: "http://a/y", weight: 2}]}'))
    const tls = (more: string) => `{targets: ["https://a"], tls: {${more}}}`
    const different = [
      '"https://a"',
      '"http://a"',
      '"https://a:444"',
      '{targets: ["https://a"], max_connections: 2}',
      '{targets: ["https://a"], keep_alive: 2s}',
      tls('ca: ca.pem'),
      tls('cert: client.pem, key: client.key'),
      tls('server_name: b'),
    ]
    expect(new Set(different.map(identityOf)).size).toBe(different.length)
  })

  it('hold a private key that no print-out shows', () => {
    const upstream = built(
      '{targets: ["https://a"], tls: {ca: ca.pem, cert: client.pem, key: client.key, server_name: b.test}}',
    )
    expect(upstream.targets[0]?.tls).toMatchObject({
      ca: authority.cert,
      client: { cert: client.cert },
      serverName: 'b.test',
    })
    expect(upstream.targets[0]?.tls?.client?.key.reveal()).toBe(client.key)
    expect(inspect(upstream, { depth: 9 }) + JSON.stringify(upstream)).not.toContain('PRIVATE')
  })

  it.each([
    [`{targets: [${'"http://a", '.repeat(65)}]}`, 'apis.shop.upstream.targets: must not have more than 64 items'],
    ['{targets: []}', 'apis.shop.upstream.targets: must not be an empty list; leave it out instead'],
    ['{targts: ["http://a"]}', '46 apis.shop.upstream.targts: unknown key; did you mean "targets"?'],
    ['{targets: ["http://a"], retires: 1}', 'apis.shop.upstream.retires: unknown key; did you mean "retries"?'],
    ['{targets: ["http://a"], retries: 6}', 'apis.shop.upstream.retries: must be a whole number from 0 to 5'],
    [
      '{targets: [{url: "http://a", weight: 1001}]}',
      'apis.shop.upstream.targets[0].weight: must be a whole number from 0 to 1000',
    ],
    [
      '{targets: [{url: "http://a", weight: 0}]}',
      'apis.shop.upstream.targets: have no weight at all: requests would go nowhere',
    ],
    [
      '{targets: ["http://a", "ftp://b"]}',
      'apis.shop.upstream.targets[1]: must be a URL that begins with http:// or https://',
    ],
    [
      '{targets: ["http://a", {url: "http://a/"}]}',
      'apis.shop.upstream.targets[1].url: is a target already; give that one more weight',
    ],
    [
      '{targets: ["http://a"], tls: {ca: ca.pem}}',
      'apis.shop.upstream.targets[0]: has no TLS: it must begin with https://',
    ],
    ['{targets: ["http://a"], passive: true}', 'apis.shop.upstream.passive: must be false'],
    [
      '{targets: ["http://a"], passive: {statuses: [6xx]}}',
      'apis.shop.upstream.passive.statuses[0]: must be a class such as 5xx',
    ],
    ['{targets: ["http://a"], passive: {eject: 0s}}', 'apis.shop.upstream.passive.eject: must be longer than 0'],
    ['{targets: ["http://a"], health: {interval: 1s}}', 'apis.shop.upstream.health: "path" is missing'],
    ['{targets: ["http://a"], health: {path: up}}', 'apis.shop.upstream.health.path: must be a path such as /healthz'],
    ['{targets: ["http://a"], health: {path: /a/../b}}', 'apis.shop.upstream.health.path: is not a canonical path'],
    [
      '{targets: ["http://a"], health: {path: /, interval: 99ms}}',
      'apis.shop.upstream.health.interval: must be at least 100ms',
    ],
    ['{targets: ["https://a"], tls: {}}', 'apis.shop.upstream.tls: must not be empty'],
    [
      '{targets: ["https://a"], tls: {ca: gone.pem}}',
      'apis.shop.upstream.tls.ca: gone.pem cannot be read: there is no such file',
    ],
    [
      '{targets: ["https://a"], tls: {ca: none.pem}}',
      'apis.shop.upstream.tls.ca: must hold nothing but certificates in PEM form',
    ],
    [
      '{targets: ["https://a"], tls: {ca: half.pem}}',
      'apis.shop.upstream.tls.ca: must hold nothing but certificates in PEM form',
    ],
    ['{targets: ["https://a"], tls: {cert: client.pem}}', 'apis.shop.upstream.tls.cert: needs "key"'],
    ['{targets: ["https://a"], tls: {key: client.key}}', 'apis.shop.upstream.tls.key: needs "cert"'],
    [
      '{targets: ["https://a"], tls: {cert: client.pem, key: other.key}}',
      'apis.shop.upstream.tls.key: is not the key of client.pem',
    ],
    [
      '{targets: ["https://a"], tls: {cert: client.pem, key: open.key}}',
      'apis.shop.upstream.tls.key: open.key can be read by every user',
    ],
    [
      '{targets: ["https://a"], tls: {cert: none.pem, key: client.key}}',
      'apis.shop.upstream.tls.cert: holds no certificate',
    ],
    [
      '{targets: ["https://a"], tls: {cert: client.pem, key: none.pem}}',
      'apis.shop.upstream.tls.key: holds no private key',
    ],
  ])('%s is refused', (upstream, message) => {
    expect(errors(upstream).at(-1)).toContain(message)
  })
})
