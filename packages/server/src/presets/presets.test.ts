import { describe, expect, it } from 'vitest'

import type { Place, Preset, Route } from '../core/apis/api.ts'
import { impliedScopes } from '../core/apis/implied-scopes.ts'
import { createRouteTable } from '../core/apis/route-table.ts'
import { presets } from './index.ts'

const names = (places: readonly Place[]) =>
  places.map((place) => ('name' in place ? `${place.in} ${place.name}` : place.in))

function find(id: string): Preset {
  const preset = presets.find((each) => each.id === id)
  if (preset === undefined) throw new Error(id)
  return preset
}

/** The scopes of which any one is needed for a request; null where it is refused. */
function needed(preset: Preset, method: string, path: string): readonly string[] | null {
  const routes = preset.routes.map((route) => ({ ...route, pattern: route.path, rawPath: false }) as unknown as Route)
  const table = createRouteTable(routes, { caseInsensitive: false })
  if (!table.ok) throw new Error(`${preset.id}: equal patterns`)
  const match = table.value.match(method, path)
  return match?.methodMatched === true ? match.route.scopes.any : null
}

function endpoints(id: string) {
  return find(id).oauth.endpoints.map((each) => [each.id, each.path, each.endpoint, each.dialect.id])
}

describe('presets', () => {
  it('stand in one ordered list, each with an id of its own', () => {
    expect(presets.map(({ id }) => id)).toEqual([
      'generic',
      'wecantrack',
      'clickmeter',
      'cardconnect',
      'voucherify',
      'throughline',
    ])
  })

  it.each(presets.map((preset) => [preset.id, preset] as const))(
    '%s names only scopes that it declares',
    (_, preset) => {
      const used = [
        ...preset.routes.flatMap(({ scopes }) => [...scopes.any, ...scopes.all]),
        ...Object.values(preset.roles).flat(),
        ...Object.entries(preset.includes).flatMap(([scope, included]) => [scope, ...included]),
      ]
      expect(used.filter((scope) => !Object.hasOwn(preset.scopes, scope))).toEqual([])
    },
  )

  it.each(presets.map((preset) => [preset.id, preset] as const))('%s names headers in lower case', (_, preset) => {
    const headers = [
      ...preset.cors.allowHeaders,
      ...preset.cors.exposeHeaders,
      ...preset.places.flatMap((place) => (place.in === 'header' ? [place.name] : [])),
      ...preset.places.flatMap((place) => (place.in === 'pair' ? [place.id, place.secret] : [])),
    ]
    expect(headers).toEqual(headers.map((name) => name.toLowerCase()))
  })

  it('let pages send the headers of the credential, authorization and a content type', () => {
    expect(find('clickmeter').cors.allowHeaders).toEqual(['x-clickmeter-api-key', 'authorization', 'content-type'])
  })

  it('show a secret once, unless the vendor shows it longer', () => {
    const facts = { kind: 'secret', primary: true, origin: 'first', environment: 'sandbox' } as const
    expect(presets.map((preset) => preset.window(facts))).toEqual(['once', 'once', 'once', 'once', 'always', 'once'])
  })

  it('leave the error body to us but for Voucherify', () => {
    expect(presets.filter(({ errorBody }) => errorBody !== null).map(({ id }) => id)).toEqual(['voucherify'])
  })
})

describe('wecantrack', () => {
  it('takes the key as Bearer (WCT-4)', () => {
    expect(names(find('wecantrack').places)).toEqual(['bearer'])
  })

  it('needs no scope to read, and `write` to write', () => {
    expect(needed(find('wecantrack'), 'GET', '/v1/data')).toEqual([])
    expect(needed(find('wecantrack'), 'POST', '/v1/data')).toEqual(['write'])
    expect(find('wecantrack').roles).toEqual({ 'read-only': ['read'], 'read-write': ['read', 'write'] })
  })
})

describe('clickmeter', () => {
  it('takes the key in its own header or in the query (CLM-2, CLM-3)', () => {
    expect(names(find('clickmeter').places)).toEqual(['header x-clickmeter-api-key', 'query api_key'])
  })

  it('lets a read-only key read and nothing else (CLM-5)', () => {
    const readOnly = find('clickmeter').roles['read-only'] ?? []
    const may = (method: string) =>
      needed(find('clickmeter'), method, '/v2/links')?.some((scope) => readOnly.includes(scope)) ?? false
    expect(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'PURGE'].filter(may)).toEqual(['GET', 'HEAD'])
  })
})

describe('cardconnect', () => {
  it('takes the key in X-Api-Key or as Basic, and tokens as Bearer (CRC-4)', () => {
    expect(names(find('cardconnect').places)).toEqual(['header x-api-key', 'basic', 'bearer'])
    expect(find('cardconnect').places.at(-1)).toMatchObject({ accept: ['token', 'jwt'] })
  })

  it('has its token endpoint at /v1/auth/token (CRC-2)', () => {
    expect(endpoints('cardconnect')).toEqual([['oauth.token', '/v1/auth/token', 'token', 'standard']])
  })
})

describe('throughline', () => {
  it('takes tokens and nothing else (THL-1)', () => {
    expect(find('throughline').places).toEqual([{ in: 'bearer', accept: ['token', 'jwt'], kinds: null }])
    expect(endpoints('throughline')).toEqual([
      ['oauth.token', '/oauth/token', 'token', 'standard'],
      ['oauth.introspect', '/oauth/introspect', 'introspection', 'standard'],
      ['oauth.revoke', '/oauth/revoke', 'revocation', 'standard'],
    ])
  })
})

describe('voucherify', () => {
  const voucherify = find('voucherify')

  it('mints tokens from its pairs at endpoints of its own (VCH-7)', () => {
    expect(voucherify.oauth.fromKeys).toBe(true)
    expect(endpoints('voucherify')).toEqual([
      ['oauth.token', '/v1/oauth/token', 'token', 'voucherify.v1'],
      ['oauth.introspect', '/v1/oauth/introspect', 'introspection', 'voucherify.v1'],
      ['oauth.revoke', '/v1/oauth/token/revoke', 'revocation', 'voucherify.v1'],
      ['oauth.token.v2', '/v2/oauth/token', 'token', 'voucherify.v2'],
    ])
  })

  it('has a pair for servers and one for pages', () => {
    expect(voucherify.places).toEqual([
      { in: 'pair', id: 'x-app-id', secret: 'x-app-token', accept: ['key'], kinds: ['secret', 'integration'] },
      { in: 'pair', id: 'x-client-application-id', secret: 'x-client-token', accept: ['key'], kinds: ['publishable'] },
      { in: 'bearer', accept: ['token', 'jwt'], kinds: null },
    ])
    expect(voucherify.defaultPairs.map(({ kind }) => kind)).toEqual(['secret', 'publishable'])
  })

  it('has the 42 scopes, one of them in a second spelling', () => {
    expect(Object.keys(voucherify.scopes)).toHaveLength(43)
    const implies = impliedScopes(new Map(Object.entries(voucherify.includes)))
    expect([implies.get('skus'), implies.get('SKUs')]).toEqual([new Set(['SKUs']), new Set(['skus'])])
  })

  it('lets `api` stand for every area of the server side and `client_api` for every one of the client side (VCH-7)', () => {
    const implies = impliedScopes(new Map(Object.entries(voucherify.includes)))
    const areas = Object.keys(voucherify.scopes).filter((scope) => scope !== 'api' && scope !== 'client_api')
    expect([...(implies.get('api') ?? [])].toSorted()).toEqual(
      areas.filter((scope) => !scope.startsWith('client_')).toSorted(),
    )
    expect([...(implies.get('client_api') ?? [])].toSorted()).toEqual(
      areas.filter((scope) => scope.startsWith('client_')).toSorted(),
    )
  })

  it.each([
    ['GET', '/v1/vouchers', ['api', 'vouchers']],
    ['POST', '/v1/vouchers/CODE/redemption', ['api', 'vouchers']],
    ['GET', '/v1/validation-rules', ['api', 'validation-rules']],
    ['GET', '/v1/validation-rules/1', ['api', 'validation-rules']],
    ['GET', '/v1/validation-rules-assignments', ['api', 'validation-rules-assignments']],
    ['GET', '/v1/products/1/skus', ['api', 'products']],
    ['GET', '/v1/SKUs/1', ['api', 'skus']],
    ['GET', '/v1/skus/1', ['api', 'skus']],
    ['GET', '/v1/vouchersX', ['api']],
    ['GET', '/v1/something-new', ['api']],
    ['GET', '/client/v1/validate', ['client_api', 'client_validate']],
    ['POST', '/client/v1/validations', ['client_api', 'client_validations']],
    ['POST', '/client/v1/publish', ['client_api', 'client_publish']],
    ['POST', '/client/v1/redeem', ['client_api', 'client_redeem']],
    ['GET', '/client/v1/other', ['client_api']],
    ['GET', '/v2/vouchers', null],
    ['GET', '/', null],
  ] as const)('%s %s needs any one of %j', (method, path, scopes) => {
    expect(needed(voucherify, method, path)).toEqual(scopes)
  })

  it('opens only /client/v1 to client-side keys', () => {
    const open = voucherify.routes.filter(({ clientSide }) => clientSide).map(({ path }) => path)
    expect(open).toHaveLength(12)
    expect(open.every((path) => path.startsWith('/client/v1/'))).toBe(true)
    expect(voucherify.routes.some(({ path, clientSide }) => path.startsWith('/client/') && !clientSide)).toBe(false)
  })

  const minutes15 = 900_000
  const days14 = 1_209_600_000
  it.each([
    ['secret', true, 'first', 'live', days14],
    ['secret', true, 'regenerated', 'live', minutes15],
    ['secret', false, 'first', 'live', minutes15],
    ['secret', false, 'regenerated', 'live', minutes15],
    ['integration', true, 'first', 'live', minutes15],
    ['integration', false, 'first', 'live', minutes15],
    ['publishable', true, 'first', 'live', 'always'],
    ['publishable', false, 'regenerated', 'live', 'always'],
    ['secret', false, 'regenerated', 'sandbox', 'always'],
    ['integration', false, 'first', 'sandbox', 'always'],
    ['secret', true, 'imported', 'live', 'once'],
    ['secret', true, 'imported', 'sandbox', 'once'],
  ] as const)('shows a %s secret (primary %s, %s, %s) for %s (VCH-3)', (kind, primary, origin, environment, window) => {
    expect(voucherify.window({ kind, primary, origin, environment })).toBe(window)
  })

  const standing = {
    name: 'default',
    requests: 100,
    windowMs: 60_000,
    remaining: 7,
    retryAfterMs: 0,
    resetAfterMs: 5_000,
    kind: 'rate',
  } as const

  it('tells the limit on every answer, and its type where it is reached', () => {
    expect(voucherify.limitHeaders?.(standing, 1_700_000_000_000)).toEqual([
      'X-Rate-Limit-Limit',
      '100',
      'X-Rate-Limit-Remaining',
      '7',
      'X-Rate-Limit-Retry',
      '1700000000',
    ])
    const reached = { ...standing, remaining: 0, retryAfterMs: 1_001 }
    expect(voucherify.limitHeaders?.(reached, 1_700_000_000_000)?.slice(-4)).toEqual([
      'X-Rate-Limit-Retry',
      '1700000002',
      'X-Rate-Limit-Type',
      'api_calls',
    ])
    expect(voucherify.limitHeaders?.({ ...reached, kind: 'quota' }, 0)?.at(-1)).toBe('api_calls_cycle')
  })

  const facts = {
    title: 'Title',
    detail: 'What to do.',
    requestId: 'req_018f2b3c4d5e7abc8def0123456789ab',
    missingScopes: [],
    allowMethods: ['GET', 'POST'],
  }
  it.each([
    ['credential_unknown', 401, 'unauthorized', 'Unauthorized', 'What to do.'],
    [
      'scope_missing',
      403,
      'missing_required_permission',
      'Missing permission',
      'User does not have a required permission to perform this operation.',
    ],
    [
      'plan_forbids',
      403,
      'missing_required_feature',
      'Payment required',
      'Your current plan does not include a feature required to perform this operation.',
    ],
    ['origin_not_allowed', 403, 'forbidden', 'Forbidden', 'What to do.'],
    ['route_unknown', 404, 'not_found', 'Resource not found', 'What to do.'],
    ['method_not_allowed', 405, 'method_not_allowed', 'HTTP Method Not Allowed', 'Allowed methods: GET, POST'],
    ['rate_limited', 429, 'too_many_requests', 'Too many requests hit the API too quickly.', 'What to do.'],
    ['path_not_canonical', 400, 'bad_request', 'Bad request', 'What to do.'],
    ['upstream_timeout', 504, 'upstream_timeout', 'Title', 'What to do.'],
  ] as const)("answers %s with %i and the vendor's words", (code, status, key, message, details) => {
    const answer = voucherify.errorBody?.({ ...facts, code, status })
    expect(answer?.contentType).toBe('application/json; charset=utf-8')
    expect(JSON.parse(answer?.body ?? '')).toEqual({
      code: status,
      key,
      message,
      details,
      request_id: 'v-bc8def0123456789ab',
    })
  })

  it('lets pages send the four headers and the channel, from any listed origin or "*"', () => {
    expect(voucherify.wildcardOrigin).toBe(true)
    expect(voucherify.cors.allowHeaders).toEqual(
      expect.arrayContaining([
        'x-app-id',
        'x-app-token',
        'x-client-application-id',
        'x-client-token',
        'x-voucherify-channel',
        'content-type',
      ]),
    )
    expect(voucherify.cors.exposeHeaders).toEqual(expect.arrayContaining(['x-rate-limit-limit', 'retry-after']))
  })
})
