import { describe, expect, it } from 'vitest'

import { compileIpRanges } from '../base/ip.ts'
import type { Issuer } from '../core/issuers/issuer.ts'
import { loadConfigText } from './load.ts'

const corp = {
  issuer: 'https://login.corp.example',
  jwks_uri: 'https://login.corp.example/keys',
  audience: '[https://api.example.com]',
  apis: '[shop]',
  credential: 'cred_0000000000aa',
  algorithms: '[ES256]',
  scopes: '{}',
}

/** Members that are undefined are left out. */
function load(members: Readonly<Record<string, string | undefined>> = {}, more = '') {
  const lines = Object.entries({ ...corp, ...members }).flatMap(([name, value]) =>
    value === undefined ? [] : [`    ${name}: ${value}`],
  )
  const text = `version: 1
brand: acme
public_url: https://console.example.com
apis:
  shop:
    address: shop.example.com
    upstream: https://shop.internal
    scopes: {orders.read: Read, orders.write: Write}
    roles: {clerk: [orders.read], owner: ["*"]}
  billing:
    address: billing.example.com
    upstream: https://billing.internal
    scopes: {orders.read: Read, bills.read: Read}
    roles: {clerk: [bills.read]}
  keys:
    address: keys.example.com
    upstream: https://keys.internal
    credentials: [{in: bearer, accept: [key]}, {in: header, name: X-Api-Key}]
issuers:
  corp:
${lines.join('\n')}
${more}`
  return loadConfigText(text, { file: '/nowhere/postern.yaml', env: {} })
}

function issuer(members?: Readonly<Record<string, string | undefined>>): Issuer {
  const loaded = load(members)
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.error))
  const [first] = loaded.value.declaration.issuers
  if (first === undefined) throw new Error('no issuer')
  return first
}

function errors(members?: Readonly<Record<string, string | undefined>>, more?: string): readonly string[] {
  const loaded = load(members, more)
  return loaded.ok ? [] : loaded.error.map(({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`)
}

function notes(members?: Readonly<Record<string, string | undefined>>): readonly string[] {
  const loaded = load(members)
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.error))
  return loaded.value.notes.map(({ path, message }) => `${path}: ${message}`)
}

describe('issuers (CRC-4)', () => {
  it('are strict where nothing is said', () => {
    expect(issuer()).toEqual({
      id: 'corp',
      issuer: 'https://login.corp.example',
      jwksUri: new URL('https://login.corp.example/keys'),
      algorithms: new Set(['ES256']),
      types: new Set(['at+jwt']),
      credential: 'cred_0000000000aa',
      apis: new Map([
        [
          'shop',
          {
            audience: new Set(['https://api.example.com']),
            scopes: new Map([
              ['orders.read', ['orders.read']],
              ['orders.write', ['orders.write']],
            ]),
            roles: new Map(),
          },
        ],
      ]),
      subject: ['sub'],
      scopesClaim: ['scope'],
      rolesClaim: null,
      requiredClaims: [],
      clockSkewMs: 30_000,
      maxAgeMs: null,
      allowedPrivate: { v4: [], v6: [] },
    })
    expect(notes()).toEqual([])
  })

  it('are none where none is declared', () => {
    const loaded = loadConfigText('version: 1\nbrand: acme\n', { file: '/nowhere/postern.yaml', env: {} })
    expect(loaded.ok && loaded.value.declaration.issuers).toEqual([])
  })

  it('say what their claims stand for at each API', () => {
    const { apis, scopesClaim, rolesClaim, subject, requiredClaims, types, clockSkewMs, maxAgeMs, allowedPrivate } =
      issuer({
        apis: '[shop, billing]',
        audience: '{shop: [shop-api, "https://shop.example.com"], billing: [billing-api]}',
        types: '[JWT, absent]',
        scopes: '{claim: scp, map: {read: orders.read, bills: [bills.read, orders.read], all: "*"}}',
        roles: '{claim: [realm_access, roles], map: {staff: clerk, boss: [owner, clerk]}}',
        subject: 'https://corp.example/id',
        required_claims: '{tenant: acme, client_id: [nightly, batch]}',
        clock_skew: '5m',
        max_age: '1h',
        allow_private: '[10.1.0.0/16]',
      })
    expect(apis).toEqual(
      new Map([
        [
          'shop',
          {
            audience: new Set(['shop-api', 'https://shop.example.com']),
            scopes: new Map([
              ['read', ['orders.read']],
              ['bills', ['orders.read']],
              ['all', ['orders.read', 'orders.write']],
            ]),
            roles: new Map([
              ['staff', ['orders.read']],
              ['boss', ['orders.read', 'orders.write', 'orders.read']],
            ]),
          },
        ],
        [
          'billing',
          {
            audience: new Set(['billing-api']),
            scopes: new Map([
              ['read', ['orders.read']],
              ['bills', ['bills.read', 'orders.read']],
              ['all', ['orders.read', 'bills.read']],
            ]),
            roles: new Map([
              ['staff', ['bills.read']],
              ['boss', ['bills.read']],
            ]),
          },
        ],
      ]),
    )
    expect([scopesClaim, rolesClaim, subject]).toEqual([
      ['scp'],
      ['realm_access', 'roles'],
      ['https://corp.example/id'],
    ])
    expect(requiredClaims).toEqual([
      { claim: ['tenant'], values: new Set(['acme']) },
      { claim: ['client_id'], values: new Set(['nightly', 'batch']) },
    ])
    expect([types, clockSkewMs, maxAgeMs]).toEqual([new Set(['JWT', 'absent']), 300_000, 3_600_000])
    expect(allowedPrivate).toEqual(compileIpRanges(['10.1.0.0/16']))
  })

  it('may be on a loopback address over plain HTTP (48)', () => {
    for (const [host, allowed] of [
      ['127.0.0.1:9', '127.0.0.1'],
      ['[::1]:9', 'loopback'],
      ['localhost:9', 'loopback'],
    ])
      expect(
        errors({ issuer: `"http://${host}"`, jwks_uri: `"http://${host}/keys"`, allow_private: `["${allowed}"]` }),
      ).toEqual([])
  })

  it('are noted where they are looser than is meant', () => {
    expect(notes({ scopes: undefined })).toEqual([
      'issuers.corp: says nothing of scopes or roles: its tokens may do only what needs no scope',
    ])
    expect(notes({ apis: '[shop, billing]' })).toEqual([
      'issuers.corp.audience: is the same for several APIs: a token for one is good at each; {API: [audience]} tells them apart',
    ])
  })

  it.each<[string, Readonly<Record<string, string | undefined>>, string]>([
    [
      'plain HTTP',
      { issuer: 'http://login.corp.example' },
      '21:13 issuers.corp.issuer: must be a URL that begins with https://',
    ],
    ['no URL', { issuer: 'corp' }, '21:13 issuers.corp.issuer: must be a URL that begins with https://'],
    ['a space', { issuer: '"https://corp.example/a b"' }, '21:13 issuers.corp.issuer: must be a URL'],
    ['a look-alike', { issuer: '"https://cοrp.example"' }, '21:13 issuers.corp.issuer: must be a URL'],
    [
      'a query',
      { issuer: 'https://corp.example/?a' },
      '21:13 issuers.corp.issuer: must have no user, query or fragment',
    ],
    ['ours', { issuer: 'https://console.example.com' }, '21:13 issuers.corp.issuer: is public_url, our own issuer'],
    [
      'keys over plain HTTP',
      { jwks_uri: 'http://login.corp.example/keys' },
      '22:15 issuers.corp.jwks_uri: must be a URL that begins with https://',
    ],
    [
      'keys in a file',
      { jwks_uri: 'file:///etc/passwd' },
      '22:15 issuers.corp.jwks_uri: must be a URL that begins with https://',
    ],
    [
      'keys with a password',
      { jwks_uri: 'https://a:b@corp.example/keys' },
      '22:15 issuers.corp.jwks_uri: must have no user and no fragment',
    ],
    [
      'keys with a fragment',
      { jwks_uri: 'https://corp.example/keys#a' },
      '22:15 issuers.corp.jwks_uri: must have no user and no fragment',
    ],
    [
      'keys at the metadata service',
      { jwks_uri: 'https://169.254.169.254/keys' },
      '22:15 issuers.corp.jwks_uri: is at an address that is not public; name it in allow_private',
    ],
    [
      'keys at 127.1',
      { jwks_uri: 'https://127.1/keys' },
      '22:15 issuers.corp.jwks_uri: is at an address that is not public',
    ],
    [
      'keys at a mapped address',
      { jwks_uri: 'https://[::ffff:10.0.0.1]/keys' },
      '22:15 issuers.corp.jwks_uri: is at an address that is not public',
    ],
    [
      'keys at localhost that is not allowed',
      { jwks_uri: 'http://localhost/keys' },
      '22:15 issuers.corp.jwks_uri: is at an address that is not public',
    ],
    ['an unknown API', { apis: '[shp]' }, '24:12 issuers.corp.apis[0]: no API "shp" is declared; did you mean "shop"?'],
    ['the management API', { apis: '[postern]' }, '24:12 issuers.corp.apis[0]: no API "postern" is declared'],
    ['an API twice', { apis: '[shop, shop]' }, '24:18 issuers.corp.apis[1]: an API named "shop" stands here already'],
    [
      'an API that takes no JWT',
      { apis: '[keys]' },
      '24:12 issuers.corp.apis[0]: no place of the API "keys" accepts a jwt; add {in: bearer',
    ],
    ['no API', { apis: '[]' }, '24:11 issuers.corp.apis: must not be an empty list'],
    ['no audience', { audience: '[]' }, '23:15 issuers.corp.audience: must not be an empty list'],
    ['an empty audience', { audience: '[""]' }, '23:16 issuers.corp.audience[0]: must be text'],
    [
      'an audience missing',
      { apis: '[shop, billing]', audience: '{shop: [a]}' },
      '23:15 issuers.corp.audience: the API "billing" has no audience here',
    ],
    [
      'an audience too many',
      { audience: '{shop: [a], bilin: [b]}' },
      '23:27 issuers.corp.audience.bilin: "bilin" is not in apis of this issuer',
    ],
    [
      'no credential',
      { credential: undefined },
      '20:3 issuers.corp: "credential" is missing; it must be the id of a credential',
    ],
    [
      'a client id',
      { credential: 'orders' },
      '25:17 issuers.corp.credential: must be the id of a credential, such as cred_',
    ],
    ['no algorithm', { algorithms: '[none]' }, '26:18 issuers.corp.algorithms[0]: must be RS256'],
    ['a shared secret', { algorithms: '[HS256]' }, '26:18 issuers.corp.algorithms[0]: must be RS256'],
    ['no algorithms', { algorithms: '[]' }, '26:17 issuers.corp.algorithms: must not be an empty list'],
    ['no list of algorithms', { algorithms: undefined }, '20:3 issuers.corp: "algorithms" is missing'],
    ['another type', { types: '[id+jwt]' }, 'issuers.corp.types[0]: must be at+jwt, JWT or absent'],
    [
      'an unknown scope',
      { scopes: '{map: {read: order.read}}' },
      '27:26 issuers.corp.scopes.map.read: "order.read" is not a declared scope of its APIs; did you mean "orders.read"?',
    ],
    [
      'a scope of another API',
      { scopes: '{map: {read: bills.read}}' },
      '"bills.read" is not a declared scope of its APIs',
    ],
    [
      'an unknown role',
      { roles: '{map: {staff: [clark]}}' },
      'issuers.corp.roles.map.staff: "clark" is not a declared role of its APIs; did you mean "clerk"?',
    ],
    ['a role that is all', { roles: '{map: {staff: "*"}}' }, '"*" is not a declared role of its APIs'],
    ['a clock far off', { clock_skew: '301s' }, 'issuers.corp.clock_skew: must not be longer than 5m'],
    ['no age', { max_age: '0s' }, 'issuers.corp.max_age: must be longer than 0'],
    [
      'an address that is none',
      { allow_private: '[10.0.0.300]' },
      'issuers.corp.allow_private[0]: "10.0.0.300" must be an IP address',
    ],
    ['a key that is not known', { audiences: '[a]' }, 'issuers.corp.audiences: unknown key; did you mean "audience"?'],
  ])('are refused with line and column: %s', (_what, members, message) => {
    expect(errors(members).join('\n')).toContain(message)
  })

  it('are refused where two have one issuer, or a name is none', () => {
    const again = Object.entries(corp).map(([name, value]) => `    ${name}: ${value}`)
    expect(errors({}, `  other:\n${again.join('\n')}`)).toEqual([
      '29:13 issuers.other.issuer: an issuer named "https://login.corp.example" stands here already',
    ])
    expect(errors({}, `  Corp:\n${again.join('\n').replace('login', 'sign-in')}`)).toEqual([
      '28:3 issuers.Corp: "Corp" must be lower-case letters, digits, "-" and "_", a letter first, 63 at most',
    ])
  })
})
