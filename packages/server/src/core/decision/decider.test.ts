import { describe, expect, it } from 'vitest'

import { seededRandom } from '../../base/random.ts'
import type { Address, Api } from '../apis/api.ts'
import { singleUpstream } from '../apis/upstream.ts'
import { credentialKinds } from '../credentials/credential.ts'
import { makeKey } from '../credentials/format.ts'
import type { CredentialRecord } from '../records/record.ts'
import { aDeclaration, anApi, aPlan, aRoute } from '../testing/declaration.ts'
import { aCredential, anAccount, aProject, aSecret, changes, credentialIdOf } from '../testing/records.ts'
import { aWorld, lines, noon, type Sent, theSecret, type World } from '../testing/world.ts'
import { type Evaluation, steps } from './evaluation.ts'

const minuteMs = 60_000
const key = (secret: string) => ({ headers: lines(['X-Api-Key', secret]) })

describe('an instant decides to the millisecond', () => {
  it.each([
    ['expires_at', { credential: { expiresAt: noon } }, ['allowed', 'credential_expired', 'credential_expired']],
    ['not_before', { credential: { notBefore: noon } }, ['credential_not_yet_valid', 'allowed', 'allowed']],
    [
      'not_after of the secret',
      { credential: { secrets: [aSecret(theSecret, { notAfter: noon })] } },
      ['allowed', 'secret_rotated_out', 'secret_rotated_out'],
    ],
    [
      'blocked_until',
      { credential: { state: 'blocked', blockedUntil: noon } },
      ['credential_blocked', 'allowed', 'allowed'],
    ],
    [
      'the highest age of the plan',
      { credential: { createdAt: noon - 90 }, declaration: aDeclaration({ plans: [aPlan({ maxKeyAgeMs: 90 })] }) },
      ['allowed', 'plan_forbids', 'plan_forbids'],
    ],
    [
      'an expiry at 0, which is no "never"',
      { credential: { expiresAt: 0 } },
      ['credential_expired', 'credential_expired', 'credential_expired'],
    ],
  ] as const)('%s', (_, parts, expected) => {
    const world = aWorld(parts)
    expect([noon - 1, noon, noon + 1].map((now) => world.code({ now }))).toEqual(expected)
  })

  it('expiry is told with its instant, which is no secret', () => {
    expect(aWorld({ credential: { expiresAt: noon } }).evaluate().refusal?.hint).toBe(
      'It expired on 2026-11-23T12:00:00.000Z.',
    )
  })
})

describe('kind, environment and route', () => {
  const api = anApi()
  const fixed = (environment: Address['environment']): Address => ({
    api,
    host: `${environment ?? 'both'}.example.com`,
    port: null,
    prefix: '',
    environment,
    region: null,
  })
  const declaration = aDeclaration({ apis: [api], addresses: [fixed('live'), fixed('sandbox'), fixed(null)] })
  const server = { target: '/v1/orders/7' }
  const client = { target: '/client/products' }
  const headers = lines(['X-Api-Key', theSecret], ['Origin', 'https://shop.example'])

  it.each(
    credentialKinds.flatMap((kind) =>
      (['live', 'sandbox'] as const).map((environment) => [kind, environment] as const),
    ),
  )('a %s credential of the %s environment is let in where it fits, and nowhere else', (kind, environment) => {
    const world = aWorld({ declaration, credential: { kind, originAllow: ['shop.example'] }, project: { environment } })
    const codes = ['live.example.com', 'sandbox.example.com', 'both.example.com'].map((host) =>
      [server, client].map((route) => world.code({ host, headers, ...route })),
    )
    const fits =
      kind === 'oauth_client'
        ? ['kind_not_allowed', 'kind_not_allowed']
        : [kind === 'publishable' ? 'kind_not_allowed' : 'allowed', 'allowed']
    const not = ['wrong_environment', 'wrong_environment']
    expect(codes).toEqual(environment === 'live' ? [fits, not, fits] : [not, fits, fits])
  })

  it('an environment without an upstream lets nobody in', () => {
    const liveOnly = anApi({ upstreams: { live: singleUpstream('shop', new URL('http://up.test')), sandbox: null } })
    const world = aWorld({ declaration: aDeclaration({ apis: [liveOnly] }), project: { environment: 'sandbox' } })
    expect(world.code()).toBe('wrong_environment')
  })

  it("the credential's environment is told where the address leaves it open", () => {
    expect(aWorld({ project: { environment: 'sandbox' } }).evaluate().environment).toBe('sandbox')
  })
})

describe('VCH-12: region', () => {
  const up = (name: string) => singleUpstream(name, new URL(`http://${name}.test`))
  const regional = { byRegion: new Map([['eu', up('eu')] as const, ['us', up('us')] as const]) }
  const at = (host: string, region: string | null, api: Api): Address => ({
    api,
    host,
    port: null,
    prefix: '',
    environment: null,
    region,
  })
  const worldOf = (region: string | null, api: Api) => {
    const addresses = [at('eu.example', 'eu', api), at('us.example', 'us', api), at('all.example', null, api)]
    return aWorld({ declaration: aDeclaration({ apis: [api], addresses }), project: { region } })
  }
  const codesOf = (world: World) => ['eu.example', 'us.example', 'all.example'].map((host) => world.code({ host }))
  const divided = anApi({ upstreams: { live: regional, sandbox: regional } })

  it.each([
    ['eu', ['allowed', 'wrong_region', 'allowed']],
    ['us', ['wrong_region', 'allowed', 'allowed']],
    ['ap', ['wrong_region', 'wrong_region', 'wrong_region']],
    [null, ['wrong_region', 'wrong_region', 'wrong_region']],
  ])('a credential of a project in %s is let in there, and nowhere else', (region, expected) => {
    expect(codesOf(worldOf(region, divided))).toEqual(expected)
  })

  it('is the address alone where all regions share an upstream; without either it says nothing', () => {
    expect(codesOf(worldOf('us', anApi()))).toEqual(['wrong_region', 'allowed', 'allowed'])
    expect(codesOf(worldOf(null, anApi()))).toEqual(['wrong_region', 'wrong_region', 'allowed'])
    expect(aWorld({ project: { region: 'eu' } }).code()).toBe('allowed')
  })

  it('may differ by environment: where a sandbox is not divided, every region shares it', () => {
    const api = anApi({ upstreams: { live: regional, sandbox: up('sandbox') } })
    const world = aWorld({
      declaration: aDeclaration({ apis: [api] }),
      project: { environment: 'sandbox', region: null },
    })
    expect(world.code()).toBe('allowed')
  })

  it('is told to the holder, and chooses the upstream at once where a project is given one', () => {
    const world = worldOf(null, divided)
    const refused = world.evaluate({ host: 'all.example' })
    expect(refused.refusal?.hint).toBe('Its project has no region.')
    expect(refused.trace?.at(-1)).toEqual({
      step: 'region',
      outcome: 'fail',
      compared: 'credential without a region, address serves all',
      code: 'wrong_region',
    })
    world.table.apply(changes({ projects: [aProject({ region: 'us', version: 2 })] }))
    expect(world.evaluate({ host: 'all.example' }).principal?.region).toBe('us')
    expect(world.evaluate({ host: 'eu.example' }).refusal?.hint).toBe('Its project is in the region "us".')
  })
})

describe('the budget of failed attempts', () => {
  const fail = (world: World, times: number, sent: Sent = key('guess')) => {
    for (let i = 0; i < times; i++) world.serve(sent)
  }

  it('after 30 failures answers 429 and says when the next may come', () => {
    const world = aWorld()
    fail(world, 29)
    expect(world.code(key('guess'))).toBe('credential_unknown')
    fail(world, 1, key('acme_sk_live_x'))
    const { refusal } = world.evaluate(key('guess'))
    expect([refusal?.code, refusal?.retryAfterMs]).toEqual(['too_many_failures', expect.closeTo(2000, 1)])
    world.clock.advance(1999)
    expect(world.code(key('guess'))).toBe('too_many_failures')
    world.clock.advance(1)
    expect(world.code(key('guess'))).toBe('credential_unknown')
  })

  it('is spent by failures alone: not by what is missing, ambiguous, refused otherwise or only explained', () => {
    const world = aWorld({ credential: { scopes: [] } })
    fail(world, 100, { headers: [] })
    fail(world, 100, { headers: lines(['X-Api-Key', 'a'], ['X-Api-Key', 'b']) })
    fail(world, 100)
    for (let i = 0; i < 100; i++) world.evaluate(key('guess'))
    const other = aWorld({ credential: { scopes: [] } })
    fail(other, 100, key(theSecret))
    for (let i = 0; i < 100; i++) other.evaluate(key('guess'))
    expect(other.code(key('guess'))).toBe('credential_unknown')
    expect(other.code(key(theSecret))).toBe('scope_missing')
  })

  it('locks no neighbour out: a live secret of ours passes from the same address', () => {
    const world = aWorld()
    fail(world, 1000)
    expect(world.code()).toBe('allowed')
    expect(world.code(key('guess'))).toBe('too_many_failures')
    expect(world.code({ ...key('guess'), peer: '203.0.113.8' })).toBe('credential_unknown')
  })

  it('is obeyed by imported secrets, which may be guessable', () => {
    const world = aWorld({ credential: { secrets: [aSecret(theSecret, { imported: true })] } })
    expect(world.code()).toBe('allowed')
    fail(world, 30)
    expect(world.code()).toBe('too_many_failures')
  })

  it.each<readonly [string, Partial<CredentialRecord>]>([
    ['revoked', { state: 'revoked' }],
    ['compromised', { state: 'compromised' }],
    ['blocked', { state: 'blocked' }],
    ['expired', { expiresAt: noon }],
    ['rotated out', { secrets: [aSecret(theSecret, { notAfter: noon })] }],
  ])('is obeyed by a secret that is %s', (_, credential) => {
    const world = aWorld({ credential })
    fail(world, 30)
    expect(world.code()).toBe('too_many_failures')
  })

  it('is obeyed by a right secret beside a wrong id', () => {
    const world = aWorld()
    fail(world, 30)
    const pair = (id: string) => ({ headers: lines(['X-App-Id', id], ['X-App-Token', theSecret]) })
    expect([world.code(pair('000000000001')), world.code(pair('000000000002'))]).toEqual([
      'allowed',
      'too_many_failures',
    ])
  })

  it('is counted for the client, not for the trusted proxy in front of it', () => {
    const world = aWorld({ declaration: aDeclaration({ trustedProxies: ['10.0.0.0/8'] }) })
    const through = (client: string, secret: string): Sent => ({
      peer: '10.0.0.1',
      headers: lines(['X-Forwarded-For', client], ['X-Forwarded-Proto', 'https'], ['X-Api-Key', secret]),
    })
    fail(world, 30, through('198.51.100.1', 'guess'))
    expect(world.code(through('198.51.100.1', 'guess'))).toBe('too_many_failures')
    expect(world.code(through('198.51.100.2', 'guess'))).toBe('credential_unknown')
    expect(world.code(through('198.51.100.66, 198.51.100.2', 'guess'))).toBe('credential_unknown')
    expect(world.code(through('198.51.100.66, 198.51.100.1', 'guess'))).toBe('too_many_failures')
  })
})

describe('records that are too old', () => {
  const stale = { isFresh: () => false, catchUp: () => null }

  it('answer 503 to everybody, never 401', () => {
    const world = aWorld({ freshness: stale })
    expect([world.code(), world.code(key('guess'))]).toEqual(['decision_unavailable', 'decision_unavailable'])
    expect(world.evaluate().refusal?.retryAfterMs).toBe(1000)
  })

  it('leave what needs no record as it is', () => {
    const world = aWorld({ freshness: stale })
    expect(world.code({ headers: [] })).toBe('credential_missing')
    expect(world.code(key('acme_sk_live_x'))).toBe('credential_malformed')
  })

  it('serve the known where the route says so, and only them', () => {
    const routes = [aRoute({ onStale: 'serve' })]
    const world = aWorld({ freshness: stale, declaration: aDeclaration({ apis: [anApi({ routes })] }) })
    expect(world.code()).toBe('allowed')
    expect(world.code(key('guess'))).toBe('decision_unavailable')
    world.table.apply(
      changes({ credentials: [aCredential({ version: 2, state: 'revoked', secrets: [aSecret(theSecret)] })] }),
    )
    expect(world.code()).toBe('credential_revoked')
  })

  it('are asked about at the instant of the request, by wall and by monotonic time', () => {
    const asked: number[][] = []
    const world = aWorld({ freshness: { isFresh: (...instants) => asked.push(instants) > 0, catchUp: () => null } })
    world.evaluate({ now: 7, monotonic: 9 }, true)
    expect(asked).toEqual([[7, 9]])
  })
})

describe('a secret that memory does not hold', () => {
  /** A store that answers when told. */
  function aSlowStore() {
    const waiting: ((answered: boolean) => void)[] = []
    const asked: Int32Array[] = []
    return {
      asked,
      answer: (answered: boolean) => waiting.splice(0).forEach((resolve) => resolve(answered)),
      freshness: {
        isFresh: () => true,
        catchUp: (words: Int32Array) => {
          asked.push(words.slice())
          return new Promise<boolean>((resolve) => waiting.push(resolve))
        },
      },
    }
  }

  async function evaluated(
    world: World,
    store: ReturnType<typeof aSlowStore>,
    meanwhile: () => void,
    answered = true,
  ): Promise<Evaluation> {
    const evaluation = world.decider.evaluate(world.request(key('new')), false)
    expect(evaluation).toBeInstanceOf(Promise)
    meanwhile()
    store.answer(answered)
    return await evaluation
  }

  const fresh = aCredential({ id: credentialIdOf(9), secrets: [aSecret('new')], createdAt: noon - 1 })

  it('is waited for, and let in when it has come', async () => {
    const store = aSlowStore()
    const world = aWorld({ freshness: store.freshness })
    const { allowed, principal } = await evaluated(world, store, () => world.table.put(fresh))
    expect([allowed, principal?.credential]).toEqual([true, fresh.id])
  })

  it('is unknown when it has not come, and 503 when the store did not answer', async () => {
    const store = aSlowStore()
    const world = aWorld({ freshness: store.freshness })
    expect((await evaluated(world, store, () => null)).refusal?.code).toBe('credential_unknown')
    expect((await evaluated(world, store, () => null, false)).refusal?.code).toBe('decision_unavailable')
  })

  it('is not asked for where it is held, malformed or beyond the budget of its peer', () => {
    const store = aSlowStore()
    const world = aWorld({ freshness: store.freshness })
    const badly = makeKey({
      brand: 'acme',
      kind: 'secret',
      environment: 'live',
      publicId: '0'.repeat(12),
      random: seededRandom(1),
    }).reveal()
    expect([world.code(), world.code(key(badly.slice(0, -1))), world.code({ headers: [] })]).toEqual([
      'allowed',
      'credential_malformed',
      'credential_missing',
    ])
    for (let i = 0; i < 30; i++) world.serve(key('acme_sk_live_x'))
    expect(world.code(key('new'))).toBe('too_many_failures')
    expect(store.asked).toEqual([])
  })

  it('is decided by what is declared when the answer comes', async () => {
    const store = aSlowStore()
    const world = aWorld({ freshness: store.freshness })
    const clerk = { ...fresh, scopes: [], role: 'Clerk' }
    const reloaded = aDeclaration({ apis: [anApi({ roles: new Map() })] })
    const first = await evaluated(world, store, () => {
      world.table.put(clerk)
      world.reload(reloaded)
    })
    expect(first.refusal?.code).toBe('scope_missing')
    expect(world.code(key('new'))).toBe('scope_missing')
  })

  it('is decided by the record that is there when the answer comes', async () => {
    const store = aSlowStore()
    const world = aWorld({ freshness: store.freshness })
    const revoked = await evaluated(world, store, () => {
      world.table.put(fresh)
      world.table.put({ ...fresh, version: 2, state: 'revoked' })
    })
    expect(revoked.refusal?.code).toBe('credential_revoked')
  })
})

describe('settling after a wait', () => {
  it('leaves what did not change as it is', () => {
    const world = aWorld()
    const evaluation = world.evaluate({}, false)
    expect(world.decider.settle(evaluation, world.request())).toBe(evaluation)
    const refused = world.evaluate({ headers: [] })
    expect(world.decider.settle(refused, world.request({ headers: [] }))).toBe(refused)
  })

  it.each<readonly [string, (world: World) => void, string]>([
    [
      'revoked',
      ({ table }) => table.put(aCredential({ version: 2, state: 'revoked', secrets: [aSecret(theSecret)] })),
      'credential_revoked',
    ],
    [
      'rotated',
      ({ table }) => table.put(aCredential({ version: 2, secrets: [aSecret('other')] })),
      'credential_unknown',
    ],
    ['forgotten', ({ table }) => table.remove(0), 'credential_unknown'],
    [
      'forgotten, its row being another’s',
      ({ table }) => {
        table.remove(0)
        table.releaseFreed()
        table.releaseFreed()
        table.put(aCredential({ id: credentialIdOf(5), secrets: [aSecret('other')] }))
      },
      'credential_unknown',
    ],
  ])('decides anew where the credential was %s', (_, meanwhile, expected) => {
    const world = aWorld()
    const evaluation = world.evaluate({}, false)
    meanwhile(world)
    const settled = world.decider.settle(evaluation, world.request())
    expect([settled.allowed, settled.refusal?.code, settled.charge]).toEqual([false, expected, null])
  })
})

describe('plain HTTP', () => {
  const plain = (more: Sent = {}): Sent => ({ encrypted: false, ...more })

  it('is refused from afar, and marks a real credential as exposed', () => {
    const { refusal, exposed, principal, charge, api } = aWorld().evaluate(plain())
    expect([refusal?.code, exposed?.credential, principal, charge, api?.id]).toEqual([
      'insecure_transport',
      'cred_000000000001',
      null,
      null,
      'shop',
    ])
  })

  it.each([
    ['an unknown secret', key('guess')],
    ['none', { headers: [] }],
    ['two', { headers: lines(['X-Api-Key', theSecret], ['X-Api-Key', theSecret]) }],
    ['a foreign pair', { headers: lines(['X-App-Id', 'x'], ['X-App-Token', theSecret]) }],
    ['a malformed one', key('acme_sk_live_x')],
    ['one for an address that is not declared', { host: 'other.example.com' }],
  ])('marks nothing for %s, and answers the same', (_, sent) => {
    const world = aWorld()
    const { refusal, exposed } = world.evaluate(plain(sent))
    expect([refusal, exposed]).toEqual([world.evaluate(plain()).refusal, null])
  })

  it('marks one that travels in the query, too, and one that is dead', () => {
    const world = aWorld({ credential: { state: 'revoked' } })
    expect(
      world.evaluate(plain({ headers: [], target: `/v1/orders/7?api_key=${theSecret}` })).exposed?.credential,
    ).toBe('cred_000000000001')
  })

  it.each([
    ['127.0.0.1', 'allowed'],
    ['::1', 'allowed'],
    ['128.0.0.1', 'insecure_transport'],
    ['::ffff:127.0.0.1', 'allowed'],
    ['10.0.0.1', 'insecure_transport'],
  ])('from %s: %s', (peer, expected) => {
    expect(aWorld().code(plain({ peer }))).toBe(expected)
  })

  it('is judged by the client, not by the trusted proxy that hands it on', () => {
    const world = aWorld({ declaration: aDeclaration({ trustedProxies: ['127.0.0.1'] }) })
    const through = (client: string) =>
      plain({ peer: '127.0.0.1', headers: lines(['X-Api-Key', theSecret], ['X-Forwarded-For', client]) })
    expect(['198.51.100.1', '127.0.0.9'].map((client) => world.code(through(client)))).toEqual([
      'insecure_transport',
      'allowed',
    ])
  })

  it('is not made secure by a header of anybody but a trusted proxy', () => {
    const headers = lines(['X-Api-Key', theSecret], ['X-Forwarded-Proto', 'https'], ['X-Forwarded-For', '127.0.0.1'])
    expect(aWorld().code(plain({ headers }))).toBe('insecure_transport')
    const behind = aWorld({ declaration: aDeclaration({ trustedProxies: ['203.0.113.0/24'] }) })
    expect(behind.code(plain({ headers }))).toBe('allowed')
  })
})

describe('the address of the client', () => {
  it('decides over the list of the project and that of the credential, both', () => {
    const lists = {
      credential: { ipAllow: ['203.0.113.0/25', '2001:db8::/64'] },
      project: { ipAllow: ['203.0.113.7', '2001:db8::/96'] },
    }
    const world = aWorld(lists)
    const codes = [
      '203.0.113.7',
      '203.0.113.8',
      '198.51.100.1',
      '2001:db8::1',
      '2001:db8:0:0:1::',
      '::ffff:203.0.113.7',
    ].map((peer) => world.code({ peer }))
    expect(codes).toEqual(['allowed', 'ip_not_allowed', 'ip_not_allowed', 'allowed', 'ip_not_allowed', 'allowed'])
  })

  it('is told to the refused, the list is not', () => {
    expect(aWorld({ credential: { ipAllow: ['192.0.2.0/24'] } }).evaluate().refusal?.hint).toBe(
      'The request came from 203.0.113.7.',
    )
  })
})

describe('scopes', () => {
  const refund = { method: 'POST', target: '/v1/refunds' }

  it.each<readonly [readonly string[], readonly string[]]>([
    [['orders.read', 'refunds.write'], []],
    [['orders.read'], ['refunds.write']],
    [[], ['orders.read', 'refunds.write']],
    [['*'], []],
    [
      ['__proto__', 'constructor'],
      ['orders.read', 'refunds.write'],
    ],
  ])('%j lack %j', (scopes, missing) => {
    const { refusal } = aWorld({ credential: { scopes } }).evaluate(refund)
    expect(refusal?.missingScopes ?? []).toEqual(missing)
  })

  it('that the plan takes away are lost at once, and come back with it', () => {
    const world = aWorld({ credential: { scopes: ['orders.read'] } })
    const codes = [new Set<string>(), new Set(['orders.read']), null].map((scopes) => {
      world.reload(aDeclaration({ plans: [aPlan({ scopes })] }))
      return world.code()
    })
    expect(codes).toEqual(['scope_missing', 'allowed', 'allowed'])
  })
})

describe('paths that no route matches', () => {
  it('go on with the defaults of the API where it forwards them', () => {
    const api = anApi({
      unmatched: 'forward',
      unmatchedRoute: aRoute({ id: '*', methods: [], pattern: '/**', cost: 5, scopes: { any: [], all: [] } }),
    })
    const world = aWorld({ declaration: aDeclaration({ apis: [api] }) })
    const { allowed, route, charge } = world.evaluate({ target: '/anything?x=1' })
    expect([allowed, route?.id, charge?.cost]).toEqual([true, '*', 5])
    expect(world.code({ method: 'DELETE' })).toBe('allowed')
  })

  it('tell which methods there are', () => {
    expect(aWorld().evaluate({ method: 'DELETE' }).refusal?.allowMethods).toEqual(['GET', 'HEAD'])
  })
})

describe('verify, which names the API', () => {
  it('needs no address, and takes one only where it is that API’s', () => {
    const stock = anApi({ id: 'stock', index: 1 })
    const shop = anApi()
    const addresses: Address[] = [
      { api: shop, host: 'shop.example.com', port: null, prefix: '/shop', environment: 'sandbox', region: null },
      { api: stock, host: 'stock.example.com', port: null, prefix: '', environment: null, region: null },
    ]
    const world = aWorld({ declaration: aDeclaration({ apis: [shop, stock], addresses }) })
    expect(world.code({ api: 'shop', host: '' })).toBe('allowed')
    expect(world.code({ api: 'shop', host: 'stock.example.com' })).toBe('allowed')
    expect(world.code({ api: 'shop', host: 'shop.example.com', target: '/shop/v1/orders/7' })).toBe('wrong_environment')
    expect(['nothing', '', '__proto__', 'constructor'].map((api) => world.code({ api }))).toEqual([
      'api_unknown',
      'api_unknown',
      'api_unknown',
      'api_unknown',
    ])
  })
})

describe('the trace of a request that is allowed', () => {
  it('is made only when it is wanted; the checks are noted either way', () => {
    const world = aWorld()
    const [whole, quick] = [world.evaluate({}, true), world.evaluate({}, false)]
    expect(quick.trace).toBeNull()
    expect(quick).toEqual({ ...whole, trace: null })
    // All but those of language models, which this API does not run.
    expect(whole.trace).toHaveLength(steps.length - 2)
  })

  it('cuts what the client sent', () => {
    const world = aWorld()
    const long = 'x'.repeat(20_000)
    const traces = [
      world.evaluate({ host: long }),
      world.evaluate({ headers: lines(['Origin', long], ['X-Api-Key', theSecret]) }),
    ]
    for (const { trace } of traces) expect(JSON.stringify(trace).length).toBeLessThan(5000)
  })
})

describe('limits', () => {
  const declaration = aDeclaration({
    plans: [aPlan({ limits: [{ name: 'default', per: 'credential', requests: 2, windowMs: minuteMs, burst: 2 }] })],
  })

  it('are charged by what was decided to be allowed, once each', () => {
    const world = aWorld({ declaration })
    const standings = [world.serve(), world.serve(), world.serve(), world.serve()].map(({ evaluation, standing }) => [
      evaluation.allowed,
      standing?.remaining,
    ])
    expect(standings).toEqual([
      [true, 1],
      [true, 0],
      [false, 0],
      [false, 0],
    ])
    world.clock.advance(minuteMs / 2)
    expect(world.serve().evaluation.allowed).toBe(true)
  })

  it('tell the refused when to come back, exactly', () => {
    const world = aWorld({ declaration })
    world.serve()
    world.serve()
    const wait = world.evaluate().refusal?.retryAfterMs ?? 0
    world.clock.advance(Math.floor(wait))
    expect(world.code()).toBe('rate_limited')
    world.clock.advance(1)
    expect(world.code()).toBe('allowed')
  })

  it('are not charged by requests that are refused for anything else', () => {
    const world = aWorld({ declaration })
    for (let i = 0; i < 50; i++) world.serve({ target: '/v1/nothing' })
    expect(world.serve().standing?.remaining).toBe(1)
  })

  it('as they are overridden hold from the next request on: a wider one is gone on with, not begun anew', () => {
    const world = aWorld({ declaration })
    world.serve()
    world.serve()
    const limits = [{ name: 'default', per: 'credential', requests: 4, windowMs: minuteMs, burst: 4 }] as const
    world.table.apply(
      changes({ accounts: [anAccount({ version: 2, overrides: { limits, quotas: [], budgets: [], until: null } })] }),
    )
    world.clock.advance(minuteMs / 4 - 1)
    expect(world.code()).toBe('rate_limited')
    world.clock.advance(1)
    expect([world.serve(), world.serve()].map(({ evaluation }) => evaluation.allowed)).toEqual([true, false])
  })
})
