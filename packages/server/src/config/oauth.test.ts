import { describe, expect, it } from 'vitest'

import type { Api } from '../core/apis/api.ts'
import type { Config } from './config.ts'
import { formatConfigError } from './issue.ts'
import { loadConfigText } from './load.ts'

const dayMs = 86_400_000

/** The API `shop` with what is said of it, each line indented by four. */
function shop(...lines: readonly string[]): string {
  const own = ['address: shop.example.com', 'upstream: http://127.0.0.1:3000', ...lines]
  return `version: 1\nbrand: acme\napis:\n  shop:\n${own.map((line) => `    ${line}\n`).join('')}`
}

function load(text: string): Config {
  const result = loadConfigText(text, { file: 'postern.yaml', env: {} })
  if (!result.ok) throw new Error(result.error.map(formatConfigError).join('\n'))
  return result.value
}

function apiOf(text: string): Api {
  const api = load(text).declaration.apis.get('shop')
  if (api === undefined) throw new Error('no API')
  return api
}

function errors(text: string): readonly string[] {
  const result = loadConfigText(text, { file: 'postern.yaml', env: {} })
  return result.ok ? [] : result.error.map((error) => formatConfigError(error).replace(/^postern\.yaml/, ''))
}

/** Endpoint and dialect of what Postern serves at the path; null where it forwards. */
function localAt(api: Api, path: string): readonly string[] | null {
  const match = api.routes.match('POST', path)
  const local = match?.methodMatched === true ? match.route.local : null
  return local === null ? null : [local.endpoint, local.dialect.id]
}

describe('tokens of an API', () => {
  it('38: are opaque and live 15 minutes, unless something else is declared', () => {
    expect(apiOf(shop()).oauth).toEqual({
      accessToken: 'opaque',
      ttlMs: 900_000,
      refresh: { idleMs: 30 * dayMs, absoluteMs: 90 * dayMs },
      resources: ['http://localhost:8081/apis/shop'],
      fromKeys: false,
    })
  })

  it('are what is declared', () => {
    const oauth =
      'oauth: {access_token: jwt, ttl: 5m, refresh: {idle: 1d, absolute: 7d}, resources: [https://shop.example.com, urn:shop]}'
    expect(apiOf(shop(oauth)).oauth).toEqual({
      accessToken: 'jwt',
      ttlMs: 300_000,
      refresh: { idleMs: dayMs, absoluteMs: 7 * dayMs },
      resources: ['https://shop.example.com', 'urn:shop'],
      fromKeys: false,
    })
  })

  it('do not outlive what they come from: a shorter absolute end shortens the idle one', () => {
    expect(apiOf(shop('oauth: {refresh: {absolute: 7d}}')).oauth.refresh).toEqual({
      idleMs: 7 * dayMs,
      absoluteMs: 7 * dayMs,
    })
  })

  it.each([
    ['oauth: {ttl: 0s}', ':7:18 apis.shop.oauth.ttl: must be longer than 0'],
    ['oauth: {ttl: 1500ms}', ':7:18 apis.shop.oauth.ttl: must be whole seconds: clients are told it in them'],
    ['oauth: {ttl: 25h}', ':7:18 apis.shop.oauth.ttl: must not be longer than 1d'],
    ['oauth: {refresh: {idle: 401d}}', 'apis.shop.oauth.refresh.idle: must not be longer than 400d'],
    ['oauth: {refresh: {idle: 91d}}', 'apis.shop.oauth.refresh.idle: "idle" must not be longer than "absolute"'],
    ['oauth: {access_token: paseto}', ':7:27 apis.shop.oauth.access_token: must be'],
    ['oauth: {resources: []}', ':7:24 apis.shop.oauth.resources: '],
    ['oauth: {resources: [shop]}', ':7:25 apis.shop.oauth.resources[0]: must be an absolute URI'],
    ['oauth: {resources: ["https://a/#b"]}', ':7:25 apis.shop.oauth.resources[0]: must be an absolute URI'],
    ['oauth: {resources: ["https://a", "https://a"]}', ':7:38 apis.shop.oauth.resources[1]: "https://a" names the API'],
    ['oauth: {lifetime: 5m}', ':7:13 apis.shop.oauth.lifetime: '],
  ])('%s is an error at its place', (line, message) => {
    expect(errors(shop(line))).toContainEqual(expect.stringContaining(message))
  })

  it('of two APIs are not for the same resource', () => {
    const second = '  other: {address: b.example, upstream: "http://127.0.0.1:1", oauth: {resources: ["https://a"]}}\n'
    expect(errors(shop('oauth: {resources: ["https://a"]}') + second)).toEqual([
      expect.stringContaining(':8:83 apis.other.oauth.resources[0]: "https://a" names the API "shop" already'),
    ])
  })
})

describe('endpoints under the address of an API', () => {
  it('are not there unless preset or file say so', () => {
    expect(localAt(apiOf(shop()), '/oauth/token')).toBeNull()
  })

  it('stand at the standard paths, or at those that are declared', () => {
    const standard = apiOf(shop('oauth: {paths: standard}'))
    expect(localAt(standard, '/oauth/token')).toEqual(['token', 'standard'])
    expect(localAt(standard, '/oauth/introspect')).toEqual(['introspection', 'standard'])
    expect(localAt(standard, '/oauth/revoke')).toEqual(['revocation', 'standard'])
    const own = apiOf(shop('oauth: {paths: {token: /login/token}}'))
    expect(localAt(own, '/login/token')).toEqual(['token', 'standard'])
    expect(localAt(own, '/oauth/introspect')).toBeNull()
  })

  it('stand instead of those of the preset, one by one, or not at all', () => {
    const own = apiOf(shop('preset: voucherify', 'oauth: {paths: {token: /token}}'))
    expect(localAt(own, '/token')).toEqual(['token', 'standard'])
    expect(localAt(own, '/v1/oauth/token')).toBeNull()
    expect(localAt(own, '/v1/oauth/introspect')).toEqual(['introspection', 'voucherify.v1'])
    expect(localAt(own, '/v2/oauth/token')).toEqual(['token', 'voucherify.v2'])
    expect(localAt(apiOf(shop('preset: cardconnect', 'oauth: {paths: none}')), '/v1/auth/token')).toBeNull()
  })

  it.each(['/v1/auth/token', '/v1/{x}/token', '/v1/auth/{x}'])('are an error beside a route at %s', (path) => {
    expect(errors(shop('preset: cardconnect', `routes: [{id: own, path: "${path}"}]`))).toEqual([
      expect.stringContaining(
        'apis.shop.routes[0].path: overlaps /v1/auth/token, where Postern serves "oauth.token"; oauth.paths can move that',
      ),
    ])
  })

  it('go before a route for everything below a path', () => {
    const api = apiOf(shop('preset: cardconnect', 'routes: [{id: own, path: "/v1/**"}]'))
    expect(localAt(api, '/v1/auth/token')).toEqual(['token', 'standard'])
    expect(localAt(api, '/v1/auth/token/x')).toBeNull()
  })

  it.each([
    ['oauth: {paths: {token: "/{x}"}}', 'apis.shop.oauth.paths: /{x} must be a path without parameters'],
    [
      'oauth: {paths: {token: /a, revoke: /a}}',
      'apis.shop.oauth.paths: "oauth.revoke" (/a) overlaps /a, where Postern serves "oauth.token"',
    ],
    ['oauth: {paths: {token: token}}', 'apis.shop.oauth.paths'],
    ['oauth: {paths: {}}', 'apis.shop.oauth.paths'],
  ])('%s is an error', (line, message) => {
    expect(errors(shop(line)).join('\n')).toContain(message)
  })

  it('keep their names to themselves', () => {
    expect(errors(shop('preset: cardconnect', 'routes: [{id: oauth.token, path: /x}]'))).toEqual([
      expect.stringContaining('"oauth.token" is the name of an endpoint for tokens'),
    ])
  })
})
