import { codes } from '@postern/contract'
import { describe, expect, it } from 'vitest'

import type { LimitStanding, Place } from '../apis/api.ts'
import type { CredentialRecord } from '../records/record.ts'
import { aDeclaration, anApi, aPlan, aPreset } from '../testing/declaration.ts'
import { aCredential, changes, credentialIdOf } from '../testing/records.ts'
import { aToken, theToken } from '../testing/tokens.ts'
import { aWorld, lines, noon, type Sent, theSecret, type World } from '../testing/world.ts'
import { type Answer, answerOf, corsHeaders, limitHeadersOf, retryAfterSeconds } from './answer.ts'

const declared = { publicUrl: 'https://console.example.com' }

function answer(world: World, sent: Sent = {}): Answer {
  const { evaluation, standing } = world.serve(sent)
  return answerOf(evaluation, standing, 'req_1', declared, noon)
}

/** All values of a header, in order. */
function values({ headers }: Pick<Answer, 'headers'>, name: string): string[] {
  return headers.filter((_, i) => i % 2 === 1 && headers[i - 1]?.toLowerCase() === name)
}

const withPlaces = (places: readonly Place[]) => aWorld({ declaration: aDeclaration({ apis: [anApi({ places })] }) })

describe('a refusal', () => {
  it('is a problem of RFC 9457, whole', () => {
    const places: readonly Place[] = [{ in: 'bearer', accept: ['key'], kinds: null }]
    expect(answer(withPlaces(places), { headers: lines(['Authorization', 'Bearer unknown']) })).toEqual({
      status: 401,
      headers: lines(
        ['Content-Type', 'application/problem+json'],
        ['Cache-Control', 'no-store'],
        ['X-Request-Id', 'req_1'],
        ['X-Content-Type-Options', 'nosniff'],
        [
          'WWW-Authenticate',
          `Bearer realm="shop", error="invalid_token", error_description="${codes.credential_unknown.detail}"`,
        ],
      ),
      body: JSON.stringify({
        type: 'https://console.example.com/docs/errors/credential_unknown',
        title: codes.credential_unknown.title,
        status: 401,
        detail: codes.credential_unknown.detail,
        code: 'credential_unknown',
        request_id: 'req_1',
      }),
    })
  })

  it('is said in the words of the preset where it has its own', () => {
    const preset = aPreset({
      errorBody: ({ code, status, requestId }) => ({
        contentType: 'application/json',
        body: `${status} ${code} ${requestId}`,
      }),
    })
    const world = aWorld({ declaration: aDeclaration({ apis: [anApi({ preset })] }) })
    const { body, headers } = answer(world, { headers: [] })
    expect([body, values({ headers }, 'content-type')]).toEqual(['401 credential_missing req_1', ['application/json']])
  })

  it('of an API that nobody knows is ours', () => {
    const { status, headers, body } = answer(aWorld(), { host: 'other.example.com' })
    expect([status, values({ headers }, 'www-authenticate')]).toEqual([404, []])
    expect(JSON.parse(body)).toMatchObject({ code: 'api_unknown', status: 404 })
  })

  it('names what scopes are missing, and the hint after the detail', () => {
    const body: unknown = JSON.parse(answer(aWorld({ credential: { scopes: [] } })).body)
    expect(body).toMatchObject({ code: 'scope_missing', missing_scopes: ['orders.read'] })
    const expired: unknown = JSON.parse(answer(aWorld({ credential: { expiresAt: noon } })).body)
    expect(expired).toMatchObject({
      detail: `${codes.credential_expired.detail} It expired on 2026-11-23T12:00:00.000Z.`,
    })
  })

  it('of a method tells those that there are', () => {
    expect(values(answer(aWorld(), { method: 'DELETE' }), 'allow')).toEqual(['GET, HEAD'])
  })

  it('never has a line break in a header, whatever was sent', () => {
    const sent: Sent[] = [
      { host: 'a\r\nX-Evil: 1' },
      { target: '/a\r\nX-Evil: 1' },
      { headers: lines(['X-Api-Key', 'a\r\nX-Evil: 1']) },
      { headers: lines(['Origin', 'https://a\r\nX-Evil: 1'], ['X-Api-Key', theSecret]), target: '/client/products' },
      {
        method: 'OPTIONS',
        headers: lines(['Origin', 'https://a\r\nX-Evil: 1'], ['Access-Control-Request-Method', 'GET']),
        target: '/client/products',
      },
    ]
    const listing = aWorld({ credential: { kind: 'publishable', originAllow: ['*'] } })
    for (const world of [aWorld(), listing]) {
      for (const one of sent) expect(answer(world, one).headers.join('')).not.toMatch(/[\r\n]/)
    }
  })
})

describe('challenges', () => {
  const all = (answered: Answer) => values(answered, 'www-authenticate')

  it('name every way in, bearer without an error where nothing was sent', () => {
    expect(all(answer(aWorld(), { headers: [] }))).toEqual([
      'Bearer realm="shop"',
      'ApiKey realm="shop", in="header", name="x-api-key"',
      'ApiKey realm="shop", in="query", name="api_key"',
      'Basic realm="shop", charset="UTF-8"',
      'ApiKey realm="shop", in="header", name="x-app-id x-app-token"',
    ])
  })

  it.each<readonly [string, readonly Place[], string]>([
    [
      'a header',
      [{ in: 'header', name: 'x-key', accept: ['key'], kinds: null }],
      'ApiKey realm="shop", in="header", name="x-key"',
    ],
    ['Basic', [{ in: 'basic', accept: ['key'], kinds: null }], 'Basic realm="shop", charset="UTF-8"'],
    ['bearer', [{ in: 'bearer', accept: ['key'], kinds: null }], 'Bearer realm="shop"'],
  ])('name %s alone where it is the only one', (_, places, expected) => {
    expect(all(answer(withPlaces(places), { headers: [] }))).toEqual([expected])
  })

  it('say which scope is missing, to bearers', () => {
    expect(all(answer(aWorld({ credential: { scopes: [] } })))).toEqual([
      'Bearer realm="shop", error="insufficient_scope", scope="orders.read"',
    ])
  })

  it('tell a bearer of an invalid token why, in the characters that a description has (41)', () => {
    const places: readonly Place[] = [{ in: 'bearer', accept: ['key', 'token'], kinds: null }]
    const world = aWorld({ declaration: aDeclaration({ apis: [anApi({ places })] }) })
    world.tokens.cache.put(aToken(theToken, { expiresAt: noon }))
    expect(all(answer(world, { headers: lines(['Authorization', `Bearer ${theToken}`]) }))).toEqual([
      'Bearer realm="shop", error="invalid_token", error_description="This token has passed its expiry. Get a new one. It expired on 2026-11-23T12:00:00.000Z."',
    ])
    const [quoted] = all(answer(world, { headers: lines(['Authorization', 'Bearer "quoted\\"']) }))
    expect(quoted).toMatch(/error_description="[ !#-[\]-~]+"$/)
  })

  it('say nothing of a token where what was sent was none', () => {
    expect(all(answer(aWorld(), { headers: lines(['X-Api-Key', 'unknown']) }))[0]).toBe('Bearer realm="shop"')
  })

  it('are made for 401 alone', () => {
    const answers = [
      answer(aWorld({ account: { suspended: true } })),
      answer(aWorld(), { encrypted: false }),
      answer(aWorld(), { headers: lines(['X-Api-Key', 'a'], ['X-Api-Key', 'b']) }),
    ]
    expect(answers.map((one) => [one.status, all(one)])).toEqual([
      [403, []],
      [403, []],
      [400, []],
    ])
  })
})

describe('limits in headers', () => {
  const limits = [{ name: 'default', per: 'credential', requests: 2, windowMs: 90_500, burst: 2 }] as const
  const declaration = aDeclaration({ plans: [aPlan({ limits })] })

  it('say when to come back, in whole seconds and never less than one', () => {
    expect([0, 1, 999, 1000, 1001, 59_001].map(retryAfterSeconds)).toEqual([1, 1, 1, 1, 2, 60])
  })

  it('are told to the refused', () => {
    const world = aWorld({ declaration })
    world.serve()
    world.serve()
    const answered = answer(world)
    expect(answered.status).toBe(429)
    expect(['retry-after', 'ratelimit', 'ratelimit-policy'].map((name) => values(answered, name))).toEqual([
      ['46'],
      ['"default";r=0;t=91'],
      ['"default";q=2;w=91'],
    ])
  })

  it('are told to those who pass, with those of the preset', () => {
    const preset = aPreset({
      limitHeaders: ({ remaining }: LimitStanding, now) => ['X-Left', `${remaining} at ${now}`],
    })
    const world = aWorld({ declaration: aDeclaration({ apis: [anApi({ preset })], plans: [aPlan({ limits })] }) })
    const { evaluation, standing } = world.serve()
    expect(limitHeadersOf(evaluation, standing, noon)).toEqual(
      lines(
        ['RateLimit-Policy', '"default";q=2;w=91'],
        ['RateLimit', '"default";r=1;t=46'],
        ['X-Left', `1 at ${noon}`],
      ),
    )
    expect(limitHeadersOf(evaluation, null, noon)).toEqual([])
  })

  it('are not told where none was looked at', () => {
    const answered = answer(aWorld({ declaration, account: { suspended: true } }))
    expect(['retry-after', 'ratelimit', 'ratelimit-policy'].map((name) => values(answered, name))).toEqual([[], [], []])
  })

  it('a peer that failed too often is told when to come back', () => {
    const world = aWorld()
    for (let i = 0; i < 30; i++) world.serve({ headers: lines(['X-Api-Key', 'guess']) })
    const answered = answer(world, { headers: lines(['X-Api-Key', 'guess']) })
    expect([answered.status, values(answered, 'retry-after')]).toEqual([429, ['2']])
  })
})

describe('pages of other origins', () => {
  const page = 'https://shop.example'
  const target = '/client/products'
  const publishable: Partial<CredentialRecord> = { kind: 'publishable', originAllow: ['shop.example'] }
  const preflight = (more: Sent = {}, origin = page, method = 'GET'): Sent => ({
    method: 'OPTIONS',
    target,
    headers: lines(
      ['Origin', origin],
      ['Access-Control-Request-Method', method],
      ['Access-Control-Request-Headers', 'x-api-key'],
    ),
    ...more,
  })
  const real = (origin = page): Sent => ({ target, headers: lines(['Origin', origin], ['X-Api-Key', theSecret]) })
  const allowOrigin = (answered: Pick<Answer, 'headers'>) => values(answered, 'access-control-allow-origin')

  it('are told by a preflight without a credential what they may send', () => {
    const world = aWorld({ credential: publishable })
    const { allowed, preflight: isPreflight, charge } = world.evaluate(preflight())
    expect([allowed, isPreflight, charge]).toEqual([false, true, null])
    expect(answer(world, preflight())).toEqual({
      status: 204,
      headers: lines(
        ['X-Request-Id', 'req_1'],
        ['Access-Control-Allow-Origin', page],
        ['Access-Control-Allow-Methods', 'GET'],
        ['Access-Control-Allow-Headers', 'authorization, x-api-key'],
        ['Access-Control-Max-Age', '600'],
        ['Vary', 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers'],
      ),
      body: '',
    })
  })

  it.each([
    'null',
    'http://shop.example',
    'https://shop.example:8443',
    'https://shop.example.evil.test',
    'https://evilshop.example',
    'https://SHOP.example',
    'https://shop.example/',
  ])('are refused a preflight from %s, with a trace', (origin) => {
    const world = aWorld({ credential: publishable })
    const { refusal, trace } = world.evaluate(preflight({}, origin), false)
    expect([refusal?.code, trace?.at(-1)]).toEqual([
      'origin_not_allowed',
      {
        step: 'origin',
        outcome: 'fail',
        compared: `origin ${origin}, listed by no live publishable credential`,
        code: 'origin_not_allowed',
      },
    ])
    const answered = answer(world, preflight({}, origin))
    expect([answered.status, allowOrigin(answered), values(answered, 'vary')]).toEqual([403, [], ['Origin']])
  })

  it('are answered a preflight on client-side routes alone', () => {
    const world = aWorld({ credential: publishable })
    expect(world.code(preflight({ target: '/v1/orders/7' }))).toBe('credential_missing')
    expect(world.code(preflight({}, page, 'DELETE'))).toBe('credential_missing')
    expect(world.code(preflight({ headers: lines(['Origin', page]) }))).toBe('credential_missing')
    expect(world.code(preflight({ encrypted: false }))).toBe('insecure_transport')
    expect(world.code(preflight({ host: 'other.example.com' }))).toBe('api_unknown')
  })

  it('are not answered a preflight once the last credential that lists them is dead', () => {
    const world = aWorld({ credential: publishable })
    const other = aCredential({ ...publishable, id: credentialIdOf(2), secrets: [] })
    world.table.apply(changes({ credentials: [other, aCredential({ ...publishable, version: 2, state: 'revoked' })] }))
    expect(world.code(preflight())).toBe('preflight')
    world.table.apply(changes({ credentials: [{ ...other, version: 2, state: 'blocked' }] }))
    expect(world.code(preflight())).toBe('origin_not_allowed')
  })

  it('are let in by their own credential, and may read the answer', () => {
    const { evaluation } = aWorld({ credential: publishable }).serve(real())
    expect(evaluation.allowed).toBe(true)
    expect(corsHeaders(evaluation)).toEqual(
      lines(
        ['Access-Control-Allow-Origin', page],
        ['Access-Control-Expose-Headers', 'X-Request-Id, Retry-After, RateLimit, RateLimit-Policy'],
        ['Vary', 'Origin'],
      ),
    )
  })

  it('are checked against their own credential, not against the union', () => {
    const other = aCredential({
      id: credentialIdOf(2),
      kind: 'publishable',
      originAllow: ['other.example'],
      secrets: [],
    })
    const world = aWorld({ credential: publishable, others: [other] })
    expect(world.code(preflight({}, 'https://other.example'))).toBe('preflight')
    expect(world.code(real('https://other.example'))).toBe('origin_not_allowed')
  })

  it('may read why they were refused where they are listed, and may not where they are not', () => {
    const world = aWorld({ credential: { ...publishable, expiresAt: noon + 1 } })
    world.table.apply(changes({ credentials: [aCredential({ ...publishable, id: credentialIdOf(2), secrets: [] })] }))
    expect(allowOrigin(answer(world, { ...real(), now: noon + 1 }))).toEqual([page])
    expect(allowOrigin(answer(world, { ...real('https://evil.test'), now: noon + 1 }))).toEqual([])
    expect(allowOrigin(answer(world, { target, headers: lines(['Origin', page]) }))).toEqual([page])
  })

  it('without an origin, a publishable credential is refused', () => {
    const world = aWorld({ credential: publishable })
    expect(world.code({ target })).toBe('origin_not_allowed')
    expect(world.code({ target, headers: lines(['Origin', ''], ['X-Api-Key', theSecret]) })).toBe('origin_not_allowed')
  })

  it('with no list at all, a publishable credential is refused', () => {
    expect(aWorld({ credential: { ...publishable, originAllow: null } }).code(real())).toBe('origin_not_allowed')
    expect(aWorld({ credential: { ...publishable, originAllow: [] } }).code(real())).toBe('origin_not_allowed')
  })

  it('are never allowed to send cookies', () => {
    const world = aWorld({ credential: publishable })
    for (const sent of [preflight(), real(), real('https://evil.test')]) {
      expect(values(answer(world, sent), 'access-control-allow-credentials')).toEqual([])
    }
    expect(corsHeaders(world.evaluate(real())).join(' ')).not.toContain('Credentials')
  })

  it('have no say on server-side routes', () => {
    const { evaluation } = aWorld().serve({ headers: lines(['Origin', page], ['X-Api-Key', theSecret]) })
    expect([evaluation.allowed, corsHeaders(evaluation)]).toEqual([true, []])
  })
})
