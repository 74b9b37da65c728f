import { describe, expect, it } from 'vitest'

import { seededRandom } from '../../base/random.ts'
import type { Place } from '../apis/api.ts'
import { impliedScopes } from '../apis/implied-scopes.ts'
import { checksum, makeToken, type TokenClass } from '../credentials/format.ts'
import type { GrantRecord } from '../grants/grant.ts'
import type { CredentialRecord } from '../records/record.ts'
import { aDeclaration, anApi, aPlan, aPreset, aRoute, someRoutes } from '../testing/declaration.ts'
import { aCredential, anAccount, aProject, aSecret, changes, credentialIdOf } from '../testing/records.ts'
import { aGrant, aToken, theToken } from '../testing/tokens.ts'
import { aWorld, lines, noon, type Sent, theSecret, type World } from '../testing/world.ts'
import type { ForeignToken, JwtVerdict, JwtVerifier } from '../tokens/jwt-verifier.ts'
import type { TokenRecord } from '../tokens/token.ts'
import { identityHeaders } from './identity.ts'

const bearerOnly: readonly Place[] = [
  { in: 'bearer', accept: ['token', 'jwt'], kinds: null },
  { in: 'header', name: 'x-api-key', accept: ['key'], kinds: null },
]
const api = anApi({ places: bearerOnly })
const withToken = (text = theToken): Sent => ({ headers: lines(['Authorization', `Bearer ${text}`]) })

function worldOf(
  token: Partial<TokenRecord> | null = {},
  parts: Parameters<typeof aWorld>[0] = {},
  grant: GrantRecord | null = null,
): World {
  const world = aWorld({ declaration: aDeclaration({ apis: [api] }), ...parts })
  if (token !== null) world.tokens.cache.put(aToken(theToken, { grant: grant?.id ?? null, ...token }))
  if (grant !== null) world.tokens.grants.put(grant)
  return world
}

describe('a token that a credential minted for itself', () => {
  it('is let in as its credential, told apart by id and label (VCH-7, VCH-11)', () => {
    const world = worldOf({ label: 'till 7', scopes: ['orders.read'] })
    const { allowed, principal, charge } = world.evaluate(withToken())
    expect(allowed).toBe(true)
    expect(charge).not.toBeNull()
    expect(principal).toMatchObject({
      credential: 'cred_000000000001',
      secret: null,
      secretRow: -1,
      kind: 'secret',
      account: 'acc_1',
      project: 'prj_1',
      scopes: ['orders.read'],
      token: 'tok_1',
      grant: null,
      subject: null,
      label: 'till 7',
    })
  })

  it('is the same principal as long as nothing changes, so that a request makes no new one', () => {
    const world = worldOf()
    const first = world.evaluate(withToken()).principal
    expect(world.evaluate(withToken()).principal).toBe(first)
    world.table.put(aCredential({ version: 2, secrets: [aSecret(theSecret)] }))
    expect(world.evaluate(withToken()).principal).not.toBe(first)
  })

  it.each<[string, Partial<CredentialRecord>, string]>([
    ['sleeps while its credential is blocked', { state: 'blocked' }, 'credential_blocked'],
    ['wakes when the block is over', { state: 'blocked', blockedUntil: noon }, 'allowed'],
    ['dies with its credential', { state: 'revoked' }, 'credential_revoked'],
    ['dies with a compromised one', { state: 'compromised' }, 'credential_revoked'],
    ['ends with its credential', { expiresAt: noon }, 'credential_expired'],
    ['waits for its credential', { notBefore: noon + 1 }, 'credential_not_yet_valid'],
    ['loses the API with it', { apis: ['stock'] }, 'wrong_api'],
    ['loses a scope with it', { scopes: ['refunds.write'] }, 'scope_missing'],
    ['keeps what its credential has beyond it', { scopes: ['orders.read', 'refunds.write'] }, 'allowed'],
    ['has its addresses (VCH-8)', { ipAllow: ['198.51.100.0/24'] }, 'ip_not_allowed'],
    ['has no other secret than any', { secrets: [aSecret('regenerated')] }, 'allowed'],
    ['lives on without one', { secrets: [] }, 'allowed'],
    ['does not know when its secret was rotated out', { secrets: [aSecret(theSecret, { notAfter: 1 })] }, 'allowed'],
  ])('%s (VCH-8 to VCH-10)', (_, fields, expected) => {
    const world = worldOf()
    world.table.put(aCredential({ version: 2, ...fields }))
    expect(world.code(withToken())).toBe(expected)
  })

  it('follows account, project and plan', () => {
    const world = worldOf()
    const code = () => world.code(withToken())
    world.table.apply(changes({ accounts: [anAccount({ version: 2, suspended: true })] }))
    expect(code()).toBe('account_suspended')
    world.table.apply(changes({ accounts: [anAccount({ version: 3 })] }))
    expect(code()).toBe('allowed')
    world.table.apply(changes({ projects: [aProject({ version: 2, ipAllow: ['198.51.100.0/24'] })] }))
    expect(code()).toBe('ip_not_allowed')
    world.table.apply(changes({ projects: [aProject({ version: 3 })] }))
    world.reload(aDeclaration({ apis: [api], plans: [aPlan({ scopes: new Set(['refunds.write']) })] }))
    expect(code()).toBe('scope_missing')
    world.reload(aDeclaration({ apis: [api], plans: [aPlan({ kinds: new Set(['publishable']) })] }))
    expect(code()).toBe('plan_forbids')
  })

  it('expires to the millisecond, and is never let in afterwards (47)', () => {
    const world = worldOf({ expiresAt: noon + 1 })
    expect(world.code(withToken())).toBe('allowed')
    world.clock.advance(1)
    expect(world.code(withToken())).toBe('token_expired')
  })

  it('is not taken any more from the moment that it is revoked, alone or with its family', () => {
    const world = worldOf({ family: 'tok_code' })
    world.tokens.cache.revoke({ of: 'token', digest: aToken().digest })
    expect(world.code(withToken())).toBe('token_revoked')
    const other = worldOf({ family: 'tok_code' })
    other.tokens.cache.revoke({ of: 'family', family: 'tok_other' })
    expect(other.code(withToken())).toBe('allowed')
    other.tokens.cache.revoke({ of: 'family', family: 'tok_code' })
    expect(other.code(withToken())).toBe('token_revoked')
  })

  it('for another API is 401, whatever its credential may do there (35, 41)', () => {
    const both = aCredential({ apis: ['shop', 'stock'], version: 2 })
    const world = worldOf({ api: 'stock' })
    world.table.put(both)
    const { refusal } = world.evaluate(withToken())
    expect(refusal?.code).toBe('wrong_audience')
  })

  it('may do what its scopes imply, as far as its credential may', () => {
    const implies = impliedScopes(new Map([['api', ['orders.read', 'refunds.write']]]))
    const declaration = aDeclaration({ apis: [anApi({ places: bearerOnly, implies })] })
    const of = (held: readonly string[], granted: readonly string[]) => {
      const world = worldOf({ scopes: granted }, { declaration, credential: { scopes: held } })
      const { allowed, principal } = world.evaluate(withToken())
      return [allowed, principal?.scopes]
    }
    expect(of(['api'], ['orders.read'])).toEqual([true, ['orders.read']])
    expect(of(['api'], ['api'])).toEqual([true, ['api']])
    expect(of(['orders.read'], ['api'])).toEqual([true, ['orders.read']])
    expect(of(['refunds.write'], ['api'])).toEqual([false, ['refunds.write']])
    expect(of(['refunds.write'], ['orders.read'])).toEqual([false, []])
  })

  it('of a client-side key keeps its origins and its operations (VCH-6, VCH-7)', () => {
    const world = worldOf({}, { credential: { kind: 'publishable', originAllow: ['shop.example'] } })
    const from = (origin: string | null, target: string) =>
      world.code({
        target,
        headers: lines(
          ['Authorization', `Bearer ${theToken}`],
          ...(origin === null ? [] : [['Origin', origin] as const]),
        ),
      })
    expect(from('https://shop.example', '/client/products')).toBe('allowed')
    expect(from('https://evil.example', '/client/products')).toBe('origin_not_allowed')
    expect(from(null, '/client/products')).toBe('origin_not_allowed')
    expect(from('https://shop.example', '/v1/orders/7')).toBe('kind_not_allowed')
  })

  it('of a client-side key is announced by a preflight that may name Authorization', () => {
    const preset = aPreset({ cors: { allowHeaders: ['x-client-token'], exposeHeaders: [] } })
    const world = worldOf(
      {},
      {
        declaration: aDeclaration({ apis: [anApi({ places: bearerOnly, preset })] }),
        credential: { kind: 'publishable', originAllow: ['shop.example'] },
      },
    )
    const asked = lines(['Origin', 'https://shop.example'], ['Access-Control-Request-Method', 'GET'])
    const { preflight, corsOrigin } = world.evaluate({ method: 'OPTIONS', target: '/client/products', headers: asked })
    expect([preflight, corsOrigin]).toEqual([true, 'https://shop.example'])
  })
})

describe('a token under a grant', () => {
  const client: Partial<CredentialRecord> = {
    kind: 'oauth_client',
    oauth: { type: 'confidential', grantTypes: ['authorization_code'], redirectUris: ['https://app.example/'] },
  }
  const others = {
    account: anAccount({ id: 'acc_2', plan: 'small' }),
    project: aProject({ id: 'prj_2', account: 'acc_2' }),
  }
  const theirs = aGrant({ account: 'acc_2', project: 'prj_2', scopes: ['orders.read'] })
  const plans = [aPlan(), aPlan({ id: 'small', kinds: new Set(['secret']) })]

  /** A client of `acc_1`, allowed by a member of `acc_2` to use their project. */
  function granted(grant: Partial<GrantRecord> = {}, token: Partial<TokenRecord> = {}): World {
    const declaration = aDeclaration({ apis: [api], plans })
    const world = worldOf(token, { declaration, credential: client }, { ...theirs, ...grant })
    world.table.apply(changes({ accounts: [others.account], projects: [others.project] }))
    return world
  }

  it("is the client's, for the project of who consented", () => {
    const { allowed, principal } = granted().evaluate(withToken())
    expect(allowed).toBe(true)
    expect(principal).toMatchObject({
      credential: 'cred_000000000001',
      publicId: '000000000001',
      kind: 'oauth_client',
      account: 'acc_2',
      project: 'prj_2',
      grant: theirs.id,
      subject: 'usr_1',
      token: 'tok_1',
      scopes: ['orders.read'],
    })
  })

  it('tells the upstream both', () => {
    const evaluation = granted().evaluate(withToken())
    const headers = identityHeaders(evaluation, 'req_1')
    const value = (name: string) => headers[headers.indexOf(name) + 1]
    expect([value('X-Postern-Subject'), value('X-Postern-Grant'), value('X-Postern-Project')]).toEqual([
      'usr_1',
      theirs.id,
      'prj_2',
    ])
  })

  it.each<[string, Partial<GrantRecord>, string]>([
    ['withdrawn', { active: false }, 'grant_withdrawn'],
    ['of somebody who left, or may not sign in', { role: null }, 'grant_withdrawn'],
    ['of a viewer, who may allow nothing', { role: 'viewer' }, 'scope_missing'],
    ['of a developer', { role: 'developer' }, 'allowed'],
    ['that was made for less', { scopes: ['refunds.write'] }, 'scope_missing'],
    ['for another API', { apis: ['stock'] }, 'wrong_api'],
  ])('that is %s', (_, fields, expected) => {
    const world = granted()
    world.tokens.grants.apply([{ ...theirs, version: 4, ...fields }])
    expect(world.code(withToken())).toBe(expected)
  })

  it('is for its holder to know, in the order of the table: token, grant, then what fits', () => {
    const world = granted({ active: false }, { revoked: true, expiresAt: noon })
    const step = () => world.evaluate(withToken()).trace?.at(-1)?.code
    expect(step()).toBe('token_expired')
    world.table.put(aCredential({ ...client, version: 2, state: 'blocked' }))
    expect(step()).toBe('credential_blocked')
  })

  it.each<[string, (world: World) => void, string]>([
    [
      'the client is blocked',
      ({ table }) => table.put(aCredential({ ...client, version: 2, state: 'blocked' })),
      'credential_blocked',
    ],
    [
      'the client is revoked',
      ({ table }) => table.put(aCredential({ ...client, version: 2, state: 'revoked' })),
      'credential_revoked',
    ],
    [
      'the client has other addresses',
      ({ table }) => table.put(aCredential({ ...client, version: 2, ipAllow: ['198.51.100.7'] })),
      'ip_not_allowed',
    ],
    [
      'the client lost the API',
      ({ table }) => table.put(aCredential({ ...client, version: 2, apis: ['stock'] })),
      'wrong_api',
    ],
    [
      'the client lost the scope',
      ({ table }) => table.put(aCredential({ ...client, version: 2, scopes: [] })),
      'scope_missing',
    ],
    [
      "the client's account is suspended",
      ({ table }) => table.apply(changes({ accounts: [anAccount({ version: 2, suspended: true })] })),
      'account_suspended',
    ],
    [
      "the member's account is suspended",
      ({ table }) => table.apply(changes({ accounts: [{ ...others.account, version: 2, suspended: true }] })),
      'account_suspended',
    ],
    [
      "the member's project has other addresses",
      ({ table }) => table.apply(changes({ projects: [{ ...others.project, version: 2, ipAllow: ['198.51.100.7'] }] })),
      'ip_not_allowed',
    ],
    [
      "the client's project has other addresses",
      ({ table }) => table.apply(changes({ projects: [aProject({ version: 2, ipAllow: ['198.51.100.7'] })] })),
      'ip_not_allowed',
    ],
    [
      "the client's plan has no clients",
      (world) =>
        world.reload(
          aDeclaration({ apis: [api], plans: [aPlan({ kinds: new Set(['secret']) }), aPlan({ id: 'small' })] }),
        ),
      'plan_forbids',
    ],
    [
      "the client's plan lost the API",
      (world) =>
        world.reload(aDeclaration({ apis: [api], plans: [aPlan({ apis: new Set() }), aPlan({ id: 'small' })] })),
      'plan_forbids',
    ],
    [
      "the member's plan lost the API",
      (world) => world.reload(aDeclaration({ apis: [api], plans: [aPlan(), aPlan({ id: 'small', apis: new Set() })] })),
      'plan_forbids',
    ],
    [
      "the member's plan lost the scope",
      (world) =>
        world.reload(aDeclaration({ apis: [api], plans: [aPlan(), aPlan({ id: 'small', scopes: new Set() })] })),
      'scope_missing',
    ],
  ])('is refused where %s', (_, change, expected) => {
    const world = granted()
    expect(world.code(withToken())).toBe('allowed')
    change(world)
    expect(world.code(withToken())).toBe(expected)
  })

  it("is counted against limits of the member's plan, for each grant by itself", () => {
    const one = { name: 'default', per: 'credential', requests: 1, windowMs: 60_000, burst: 1 } as const
    const world = granted()
    world.reload(aDeclaration({ apis: [api], plans: [aPlan(), aPlan({ id: 'small', limits: [one] })] }))
    const second = 'grt_000000000002'
    const text = makeToken({ brand: 'acme', token: 'access', random: seededRandom(2) }).reveal()
    world.tokens.grants.put({ ...theirs, id: second })
    world.tokens.cache.put(aToken(text, { id: 'tok_2', grant: second }))
    expect(world.serve(withToken()).evaluation.allowed).toBe(true)
    expect(world.serve(withToken()).evaluation.refusal?.code).toBe('rate_limited')
    expect(world.serve(withToken(text)).evaluation.allowed).toBe(true)
  })
})

describe('places', () => {
  it('that take keys alone take no token, and those that take tokens no key', () => {
    const world = worldOf()
    expect(world.code({ headers: lines(['X-Api-Key', theToken]) })).toBe('kind_not_allowed')
    expect(world.code({ headers: lines(['Authorization', `Bearer ${theSecret}`]) })).toBe('kind_not_allowed')
    expect(world.code({ headers: lines(['X-Api-Key', theSecret]) })).toBe('allowed')
  })

  it('that are for some kinds ask whose token it is', () => {
    const places: readonly Place[] = [{ in: 'bearer', accept: ['token'], kinds: ['integration'] }]
    const declaration = aDeclaration({ apis: [anApi({ places })] })
    expect(worldOf({}, { declaration }).code(withToken())).toBe('kind_not_allowed')
    expect(worldOf({}, { declaration, credential: { kind: 'integration' } }).code(withToken())).toBe('allowed')
  })

  it('that take an id beside it want that of its credential', () => {
    const places: readonly Place[] = [{ in: 'basic', accept: ['token'], kinds: null }]
    const world = worldOf({}, { declaration: aDeclaration({ apis: [anApi({ places })] }) })
    const basic = (id: string) => ({
      headers: lines(['Authorization', `Basic ${Buffer.from(`${id}:${theToken}`).toString('base64')}`]),
    })
    expect([world.code(basic('000000000001')), world.code(basic('000000000002'))]).toEqual([
      'allowed',
      'credential_unknown',
    ])
  })

  it('are no URLs: a token there is refused, alone and beside another credential (39)', () => {
    const world = worldOf()
    const target = `/v1/orders/7?access_token=${theToken}`
    expect(world.code({ target, headers: [] })).toBe('credential_missing')
    expect(world.evaluate({ target, headers: [] }).refusal?.hint).toContain('does not travel in the URL')
    expect(world.code({ target, ...withToken() })).toBe('credential_ambiguous')
    expect(world.code({ target: '/v1/orders/7?access_token=of-somebody-else', ...withToken() })).toBe('allowed')
  })
})

describe('what is no access token', () => {
  const made = (token: TokenClass) => makeToken({ brand: 'acme', token, random: seededRandom(4) }).reveal()

  it.each<[TokenClass, string]>([
    ['refresh', 'It is a refresh token'],
    ['code', 'It is an authorization code'],
    ['client_secret', 'It is the secret of an OAuth client'],
  ])('is unknown, and who sends a %s is told what it looks like', (token, hint) => {
    const { refusal, principal } = worldOf().evaluate(withToken(made(token)))
    expect([refusal?.code, principal]).toEqual(['credential_unknown', null])
    expect(refusal?.hint).toContain(hint)
  })

  it('is not taken even where it is known: a refresh token or code by its digest, a client secret by its kind', () => {
    for (const token of ['refresh', 'code'] as const) {
      const world = worldOf()
      world.tokens.cache.put(aToken(made(token)))
      expect(world.code(withToken(made(token)))).toBe('credential_unknown')
    }
    const secret = made('client_secret')
    const world = worldOf({}, { credential: { kind: 'oauth_client', secrets: [aSecret(secret)] } })
    expect(world.code({ headers: lines(['X-Api-Key', secret]) })).toBe('kind_not_allowed')
  })

  it('costs nothing where its checksum is wrong, and counts as a failure like every other', () => {
    const asked: unknown[] = []
    const loads = {
      token: (words: Int32Array) => Promise.resolve(asked.push(words) > 0),
      credential: () => Promise.resolve(true),
    }
    const world = worldOf({}, { tokens: { loads } })
    const wrong = `${theToken.slice(0, -1)}0`
    for (let i = 0; i < 30; i++)
      expect(world.serve(withToken(wrong)).evaluation.refusal?.code).toBe('credential_malformed')
    expect(world.code(withToken(wrong))).toBe('too_many_failures')
    expect(asked).toEqual([])
  })
})

describe('a token that memory does not hold', () => {
  function aSlowStore() {
    const waiting: ((answered: boolean) => void)[] = []
    const asked: string[] = []
    const load = (what: string) => {
      asked.push(what)
      return new Promise<boolean>((resolve) => waiting.push(resolve))
    }
    return {
      asked,
      answer: (answered: boolean) => waiting.splice(0).forEach((resolve) => resolve(answered)),
      loads: { token: () => load('token'), credential: (id: string) => load(id) },
    }
  }

  it('is waited for, once, and let in when it has come', async () => {
    const store = aSlowStore()
    const world = worldOf(null, { tokens: { loads: store.loads } })
    const evaluation = world.decider.evaluate(world.request(withToken()), false)
    expect(evaluation).toBeInstanceOf(Promise)
    world.tokens.cache.put(aToken())
    store.answer(true)
    expect((await evaluation).allowed).toBe(true)
    expect(store.asked).toEqual(['token'])
  })

  it('is unknown when it has not come, and 503 when the store did not answer', async () => {
    const store = aSlowStore()
    const world = worldOf(null, { tokens: { loads: store.loads } })
    const unknown = world.decider.evaluate(world.request(withToken()), false)
    store.answer(true)
    expect((await unknown).refusal?.code).toBe('credential_unknown')
    const away = world.decider.evaluate(world.request(withToken()), false)
    store.answer(false)
    expect((await away).refusal?.code).toBe('decision_unavailable')
  })

  it('is asked for again where its credential left memory, and its grant', () => {
    const store = aSlowStore()
    const world = worldOf({}, { tokens: { loads: store.loads } })
    world.table.remove(world.table.findCredential('cred_000000000001'))
    expect(world.decider.evaluate(world.request(withToken()), false)).toBeInstanceOf(Promise)
    const granted = worldOf({}, { tokens: { loads: store.loads } }, aGrant())
    expect(granted.code(withToken())).toBe('allowed')
    granted.table.remove(granted.table.findCredential(aGrant().id))
    expect(granted.decider.evaluate(granted.request(withToken()), false)).toBeInstanceOf(Promise)
    expect(store.asked).toEqual(['token', 'token'])
  })

  it('is not asked for beyond the budget of its peer; a live one that is held passes even then', () => {
    const store = aSlowStore()
    const world = worldOf({}, { tokens: { loads: store.loads } })
    for (let i = 0; i < 30; i++) world.serve({ headers: lines(['X-Api-Key', 'acme_sk_live_x']) })
    const another = makeToken({ brand: 'acme', token: 'access', random: seededRandom(3) }).reveal()
    expect([world.code(withToken(another)), world.code(withToken())]).toEqual(['too_many_failures', 'allowed'])
    world.tokens.cache.revoke({ of: 'token', digest: aToken().digest })
    expect(world.code(withToken())).toBe('too_many_failures')
    expect(store.asked).toEqual([])
  })

  it('is served from memory alone where records are stale and the route says so', () => {
    const stale = { isFresh: () => false, catchUp: () => null }
    const onStale = (how: 'serve' | 'refuse') => {
      const routes = someRoutes.map((route) => ({ ...route, onStale: how }))
      return worldOf(
        {},
        { declaration: aDeclaration({ apis: [anApi({ places: bearerOnly, routes })] }), freshness: stale },
      )
    }
    expect([onStale('serve').code(withToken()), onStale('refuse').code(withToken())]).toEqual([
      'allowed',
      'decision_unavailable',
    ])
  })
})

describe('settling after a wait', () => {
  it('leaves a token that did not change as it is', () => {
    const world = worldOf()
    const evaluation = world.evaluate(withToken(), false)
    expect(world.decider.settle(evaluation, world.request(withToken()))).toBe(evaluation)
  })

  it.each<[string, (world: World) => void, string]>([
    ['revoked', ({ tokens }) => tokens.cache.revoke({ of: 'token', digest: aToken().digest }), 'token_revoked'],
    [
      'revoked with its family',
      ({ tokens }) => tokens.cache.revoke({ of: 'family', family: 'tok_f' }),
      'token_revoked',
    ],
    ['forgotten', ({ tokens }) => void tokens.cache.prune(8.64e15 + 1), 'decision_unavailable'],
    ['left by its grant', ({ tokens }) => tokens.grants.put(aGrant({ version: 4, active: false })), 'grant_withdrawn'],
    ['left by who consented', ({ tokens }) => tokens.grants.put(aGrant({ version: 4, role: null })), 'grant_withdrawn'],
    [
      'left by its credential',
      ({ table }) => table.put(aCredential({ version: 2, state: 'revoked' })),
      'credential_revoked',
    ],
  ])('decides anew where the token was %s', (_, meanwhile, expected) => {
    const world = worldOf({ family: 'tok_f', expiresAt: 8.64e15 }, {}, aGrant())
    const evaluation = world.evaluate(withToken(), false)
    expect(evaluation.allowed).toBe(true)
    meanwhile(world)
    const settled = world.decider.settle(evaluation, world.request(withToken()))
    expect([settled.allowed, settled.refusal?.code, settled.charge]).toEqual([false, expected, null])
  })
})

describe('a Bearer and a pair at once (VCH-7)', () => {
  const places: readonly Place[] = [
    { in: 'pair', id: 'x-app-id', secret: 'x-app-token', accept: ['key'], kinds: null },
    { in: 'bearer', accept: ['token', 'jwt'], kinds: null },
  ]
  const declared = (whenTwo: 'refuse' | 'bearer_decides') =>
    aDeclaration({ apis: [anApi({ places, preset: aPreset({ form: 'pair', whenTwo }) })] })
  const pair = (id: string, secret: string, project = 'prj_1') =>
    aCredential({ id: credentialIdOf(7), publicId: id, project, secrets: [aSecret(secret)], scopes: [] })
  const sent = (id: string, secret: string, token = theToken): Sent => ({
    headers: lines(['X-App-Id', id], ['X-App-Token', secret], ['Authorization', `Bearer ${token}`]),
  })

  function world(whenTwo: 'refuse' | 'bearer_decides', project = 'prj_1') {
    const made = worldOf({}, { declaration: declared(whenTwo), others: [pair('app-1', 'app-secret', project)] })
    made.table.apply(changes({ projects: [aProject({ id: 'prj_2' })] }))
    return made
  }

  it('is ambiguous, unless the preset says that the Bearer decides', () => {
    expect(world('refuse').code(sent('app-1', 'app-secret'))).toBe('credential_ambiguous')
    const { allowed, principal } = world('bearer_decides').evaluate(sent('app-1', 'app-secret'))
    expect([allowed, principal?.token, principal?.scopes]).toEqual([true, 'tok_1', ['orders.read']])
  })

  it('is 401 where the pair is of another project, unknown, or the id of another one: all alike', () => {
    const refusal = (made: World, request: Sent) => made.evaluate(request).refusal
    const foreign = refusal(world('bearer_decides', 'prj_2'), sent('app-1', 'app-secret'))
    expect(foreign?.code).toBe('credential_unknown')
    expect(refusal(world('bearer_decides'), sent('app-1', 'guess'))).toEqual(foreign)
    expect(refusal(world('bearer_decides'), sent('app-2', 'app-secret'))).toEqual(foreign)
  })

  it('counts a guess at the pair as a failed attempt, however good the token is', () => {
    const made = world('bearer_decides')
    for (let i = 0; i < 30; i++) made.serve(sent('app-1', `guess-${i}`))
    const bad = { headers: lines(['X-App-Id', 'app-1'], ['X-App-Token', 'guess']) }
    expect(made.code(bad)).toBe('too_many_failures')
  })

  it('leaves the decision to the Bearer: a bad one is not saved by a good pair', () => {
    const wrong = `${theToken.slice(0, -1)}0`
    expect(world('bearer_decides').code(sent('app-1', 'app-secret', wrong))).toBe('credential_malformed')
  })

  it('takes empty headers for absent, as the vendor’s client sends them', () => {
    expect(world('bearer_decides').code(sent('', ''))).toBe('allowed')
  })

  it('is ambiguous where there are three, or half a pair is malformed', () => {
    const made = world('bearer_decides')
    const three = lines(
      ['X-App-Id', 'app-1'],
      ['X-App-Token', 'app-secret'],
      ['X-App-Token', 'b'],
      ['Authorization', `Bearer ${theToken}`],
    )
    expect(made.code({ headers: three })).toBe('credential_ambiguous')
    const half = lines(['X-App-Id', 'app-1'], ['Authorization', `Bearer ${theToken}`])
    expect(made.code({ headers: half })).toBe('credential_malformed')
  })
})

describe('a JWT', () => {
  const jwt = 'eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUifQ.c2lnbmF0dXJl'
  const foreign: ForeignToken = {
    issuer: 'corp',
    credential: 'cred_000000000001',
    subject: 'corp:alice',
    scopesByApi: new Map([['shop', ['orders.read']]]),
    notBefore: noon,
    expiresAt: noon + 60_000,
  }
  const good: JwtVerdict = { kind: 'foreign', token: foreign }

  /** Says this of the one JWT above; what is good is known from then on. */
  function verifier(
    verdict: JwtVerdict,
  ): JwtVerifier & { readonly verified: string[]; becomes(next: JwtVerdict): void } {
    let says = verdict
    let known = false
    const verified: string[] = []
    return {
      verified,
      becomes: (next) => {
        says = next
      },
      known: () => (known && (says.kind === 'own' || says.kind === 'foreign') ? says : null),
      verify: (text) => {
        verified.push(text)
        known = true
        return text === jwt ? says : { kind: 'refused', code: 'credential_unknown', reason: 'signature' }
      },
    }
  }

  const worldWith = (
    jwts: JwtVerifier,
    parts: Parameters<typeof aWorld>[0] = {},
    token: Partial<TokenRecord> | null = null,
  ) => worldOf(token, { ...parts, tokens: { jwts, ...parts.tokens } })

  it('of another issuer acts as the credential that it is bound to, and no further (CRC-4)', () => {
    const { allowed, principal } = worldWith(verifier(good)).evaluate(withToken(jwt))
    expect(allowed).toBe(true)
    expect(principal).toMatchObject({
      credential: 'cred_000000000001',
      token: null,
      subject: 'corp:alice',
      scopes: ['orders.read'],
    })
    const less = worldWith(verifier(good), { credential: { scopes: ['refunds.write'] } })
    expect(less.code(withToken(jwt))).toBe('scope_missing')
    const blocked = worldWith(verifier(good), { credential: { state: 'blocked' } })
    expect(blocked.code(withToken(jwt))).toBe('credential_blocked')
    const elsewhere = worldWith(verifier(good), { credential: { ipAllow: ['198.51.100.0/24'] } })
    expect(elsewhere.code(withToken(jwt))).toBe('ip_not_allowed')
  })

  it('has its times and its audience (40)', () => {
    const times = worldWith(verifier(good))
    times.clock.advance(59_999)
    expect(times.code(withToken(jwt))).toBe('allowed')
    times.clock.advance(1)
    expect(times.code(withToken(jwt))).toBe('token_expired')
    const early = verifier({ kind: 'foreign', token: { ...foreign, notBefore: noon + 1 } })
    expect(worldWith(early).code(withToken(jwt))).toBe('credential_not_yet_valid')
    const other = verifier({ kind: 'foreign', token: { ...foreign, scopesByApi: new Map([['stock', []]]) } })
    expect(worldWith(other).code(withToken(jwt))).toBe('wrong_audience')
  })

  it('is verified once, and known from then on, even beyond the budget of its peer', () => {
    const jwts = verifier(good)
    const world = worldWith(jwts)
    expect([world.code(withToken(jwt)), world.code(withToken(jwt))]).toEqual(['allowed', 'allowed'])
    expect(jwts.verified).toEqual([jwt])
    for (let i = 0; i < 30; i++) world.serve({ headers: lines(['X-Api-Key', 'acme_sk_live_x']) })
    expect(world.code(withToken(jwt))).toBe('allowed')
  })

  it('is not verified for a peer whose budget is spent', () => {
    const jwts = verifier(good)
    const world = worldWith(jwts)
    for (let i = 0; i < 30; i++) world.serve({ headers: lines(['X-Api-Key', 'acme_sk_live_x']) })
    expect(world.code(withToken(jwt))).toBe('too_many_failures')
    expect(jwts.verified).toEqual([])
  })

  it('that does not verify asks nobody, counts as a failure, and hears no more than any other', () => {
    const asked: string[] = []
    const loads = {
      token: () => Promise.resolve(asked.push('token') > 0),
      credential: () => Promise.resolve(asked.push('credential') > 0),
    }
    const freshness = { isFresh: () => true, catchUp: () => Promise.resolve(asked.push('secret') > 0) }
    const world = worldWith(verifier({ kind: 'refused', code: 'credential_unknown', reason: 'key id not known' }), {
      tokens: { loads },
      freshness,
    })
    const { refusal, trace } = world.evaluate(withToken(jwt))
    expect([refusal?.code, refusal?.hint]).toEqual(['credential_unknown', null])
    expect(trace?.at(-1)?.compared).toBe('key id not known')
    const broken = worldWith(verifier({ kind: 'refused', code: 'credential_malformed', reason: 'not JSON' }))
    const malformed = broken.evaluate(withToken(jwt))
    expect([malformed.refusal?.code, malformed.trace?.at(-1)?.compared]).toEqual(['credential_malformed', 'not JSON'])
    expect(asked).toEqual([])
    for (let i = 0; i < 30; i++) world.serve(withToken(jwt))
    expect(world.code(withToken(jwt))).toBe('too_many_failures')
  })

  it('of ours is looked up by its digest once its signature is right', async () => {
    let stored = false
    const loads = { token: () => Promise.resolve((stored = true)), credential: () => Promise.resolve(true) }
    const world = worldWith(verifier({ kind: 'own' }), { tokens: { jwts: verifier({ kind: 'own' }), loads } })
    const evaluation = world.decider.evaluate(world.request(withToken(jwt)), false)
    world.tokens.cache.put(aToken(jwt))
    expect([(await evaluation).principal?.token, stored]).toEqual(['tok_1', true])
    world.tokens.cache.revoke({ of: 'token', digest: aToken(jwt).digest })
    expect(world.code(withToken(jwt))).toBe('token_revoked')
  })

  it('waits for the keys of its issuer, then for its credential, each once', async () => {
    const waits: string[] = []
    let fetched: () => void = () => undefined
    const jwts = verifier({ kind: 'pending', fetched: new Promise((resolve) => (fetched = resolve)) })
    const loads = {
      token: () => Promise.resolve(true),
      credential: (id: string) => {
        waits.push(id)
        world.table.put(aCredential())
        return Promise.resolve(true)
      },
    }
    const world: World = worldWith(jwts, { tokens: { jwts, loads } })
    world.table.remove(0)
    const evaluation = world.decider.evaluate(world.request(withToken(jwt)), false)
    jwts.becomes(good)
    fetched()
    expect((await evaluation).allowed).toBe(true)
    expect(waits).toEqual(['cred_000000000001'])
  })

  it('is 503 while the keys of its issuer cannot be had, before and after waiting for them', async () => {
    const away: JwtVerdict = { kind: 'unavailable', reason: 'keys', retryAfterMs: 7_000 }
    const { refusal } = worldWith(verifier(away)).evaluate(withToken(jwt))
    expect([refusal?.code, refusal?.retryAfterMs]).toEqual(['decision_unavailable', 7_000])
    const still = worldWith(verifier({ kind: 'pending', fetched: Promise.resolve() }))
    const evaluation = await still.decider.evaluate(still.request(withToken(jwt)), false)
    expect(evaluation.refusal?.code).toBe('decision_unavailable')
  })

  it('is an imported key where one was imported, and where no place takes JWTs', () => {
    const jwts = verifier(good)
    const imported = { credential: { secrets: [aSecret(jwt, { imported: true })] } }
    const asKey = worldWith(jwts, imported)
    expect(asKey.code({ headers: lines(['X-Api-Key', jwt]) })).toBe('allowed')
    const keysOnly = aDeclaration({ apis: [anApi()] })
    const world = worldWith(jwts, { declaration: keysOnly })
    expect(world.code({ headers: lines(['X-Api-Key', jwt]) })).toBe('credential_unknown')
    expect(jwts.verified).toEqual([])
  })

  it('in a place that takes none is not allowed there', () => {
    const world = worldWith(verifier(good))
    expect(world.code({ headers: lines(['X-Api-Key', jwt]) })).toBe('kind_not_allowed')
  })
})

describe('a token over plain HTTP (48)', () => {
  it('is refused, and marked as exposed where it is held', () => {
    const world = worldOf()
    const { refusal, exposed, principal } = world.evaluate({ ...withToken(), encrypted: false })
    expect([refusal?.code, principal]).toEqual(['insecure_transport', null])
    expect([exposed?.token, exposed?.credential, exposed?.secret]).toEqual(['tok_1', 'cred_000000000001', null])
    const another = makeToken({ brand: 'acme', token: 'access', random: seededRandom(9) }).reveal()
    expect(world.evaluate({ ...withToken(another), encrypted: false }).exposed).toBeNull()
  })
})

describe('a wrong API, path or route', () => {
  it('is told before anything is said of the token', () => {
    const world = worldOf({ expiresAt: noon })
    expect(world.code({ ...withToken(), host: 'other.example.com' })).toBe('api_unknown')
    const unmatched = aRoute({ id: '*', index: 99, methods: [], pattern: '/**' })
    world.reload(aDeclaration({ apis: [anApi({ places: bearerOnly, unmatchedRoute: unmatched })] }))
    expect(world.code({ ...withToken(), target: '/nowhere' })).toBe('token_expired')
  })

  it('knows the token vector', () => {
    expect(checksum(theToken.slice(0, -6))).toBe(theToken.slice(-6))
  })
})
