import { type Code, codeRow } from '@postern/contract'
import { describe, expect, it } from 'vitest'

import type { Plan } from '../apis/api.ts'
import type { RequestContract } from '../apis/request-contract.ts'
import type { AccountRecord, CredentialRecord, ProjectRecord } from '../records/record.ts'
import { aDeclaration, anApi, aPlan, aRoute, someRoutes } from '../testing/declaration.ts'
import { aCredential, anAccount, aProject, aSecret, changes } from '../testing/records.ts'
import { aWorld, lines, noon, type Sent, theSecret, type World } from '../testing/world.ts'
import { answerOf } from './answer.ts'
import { type Step, steps } from './evaluation.ts'

/** One reason to refuse, as a change of what is otherwise a good request of a good credential. */
interface Reason {
  readonly code: Code
  readonly step: Step
  readonly sent?: Sent
  readonly credential?: Partial<CredentialRecord>
  readonly account?: Partial<AccountRecord>
  readonly project?: Partial<ProjectRecord>
  readonly plan?: Partial<Plan>
  readonly sandboxAddress?: true
  readonly usAddress?: true
  readonly stale?: true
  /** One request is served before, so that these are used up. */
  readonly spent?: 'limit' | 'quota' | 'failures'
}

const allowedRange = '198.51.100.0/24'
const allowedOrigin = 'allowed.example'
const once = { per: 'credential', requests: 1 } as const

/** In the order of the table in the design's section 4. */
const reasons: readonly Reason[] = [
  { code: 'insecure_transport', step: 'transport', sent: { encrypted: false } },
  { code: 'api_unknown', step: 'api', sent: { host: 'other.example.com' } },
  { code: 'path_not_canonical', step: 'path', sent: { target: '/v1/./orders' } },
  { code: 'credential_missing', step: 'present', sent: { headers: [] } },
  {
    code: 'credential_ambiguous',
    step: 'present',
    sent: { headers: lines(['X-Api-Key', theSecret], ['X-Api-Key', 'x']) },
  },
  { code: 'too_many_failures', step: 'known', spent: 'failures' },
  { code: 'credential_malformed', step: 'shape', sent: { headers: lines(['X-Api-Key', 'acme_sk_live_x']) } },
  { code: 'decision_unavailable', step: 'fresh', stale: true },
  { code: 'credential_unknown', step: 'known', sent: { headers: lines(['X-Api-Key', 'unknown']) } },
  { code: 'credential_blocked', step: 'state', credential: { state: 'blocked' } },
  { code: 'credential_revoked', step: 'state', credential: { state: 'revoked' } },
  { code: 'credential_revoked', step: 'state', credential: { state: 'compromised' } },
  { code: 'credential_expired', step: 'expiry', credential: { expiresAt: noon } },
  { code: 'credential_not_yet_valid', step: 'not_before', credential: { notBefore: noon + 1 } },
  { code: 'secret_rotated_out', step: 'rotation', credential: { secrets: [aSecret(theSecret, { notAfter: noon })] } },
  { code: 'wrong_api', step: 'api_fit', credential: { apis: ['stock'] } },
  { code: 'wrong_environment', step: 'environment', sandboxAddress: true },
  { code: 'wrong_region', step: 'region', usAddress: true },
  { code: 'account_suspended', step: 'account', account: { suspended: true } },
  { code: 'plan_forbids', step: 'plan', plan: { apis: new Set() } },
  { code: 'plan_forbids', step: 'plan', plan: { kinds: new Set() } },
  { code: 'plan_forbids', step: 'plan', plan: { maxKeyAgeMs: 1000 } },
  { code: 'plan_forbids', step: 'plan', account: { plan: 'gone' } },
  { code: 'ip_not_allowed', step: 'ip', credential: { ipAllow: [allowedRange] } },
  { code: 'ip_not_allowed', step: 'ip', project: { ipAllow: [allowedRange] } },
  { code: 'origin_not_allowed', step: 'origin', credential: { originAllow: [allowedOrigin] } },
  {
    code: 'kind_not_allowed',
    step: 'kind',
    credential: { kind: 'publishable', originAllow: ['*'] },
    sent: { headers: lines(['Origin', 'https://shop.example'], ['X-Api-Key', theSecret]) },
  },
  { code: 'scope_missing', step: 'scopes', credential: { scopes: [] } },
  { code: 'route_unknown', step: 'unmatched', sent: { target: '/v1/nothing' } },
  { code: 'method_not_allowed', step: 'unmatched', sent: { method: 'DELETE' } },
  { code: 'request_invalid', step: 'contract', sent: { target: '/v1/orders/7?limit=many' } },
  {
    code: 'rate_limited',
    step: 'rate_limits',
    spent: 'limit',
    plan: { limits: [{ ...once, name: 'default', windowMs: 60_000, burst: 1 }] },
  },
  {
    code: 'quota_exceeded',
    step: 'quotas',
    spent: 'quota',
    plan: { quotas: [{ ...once, name: 'day', period: 'day' }] },
  },
]

/** The first of the routes is held against a description. */
const routes = someRoutes.map((route, i) => (i === 0 ? { ...route, contract: numericLimit() } : route))

function numericLimit(): RequestContract {
  return {
    headFault: (_path, query) => (query === '?limit=many' ? 'The query parameter "limit" must be integer.' : null),
    body: null,
  }
}

/** A world in which all of the reasons hold, and the request that meets them; of two wishes the first one's counts. */
function worldWith(...held: readonly Reason[]): { world: World; sent: Sent } {
  const pick = <Key extends 'credential' | 'account' | 'project' | 'plan' | 'sent'>(key: Key) =>
    Object.assign({}, ...held.toReversed().map((reason) => reason[key] ?? {})) as NonNullable<Reason[Key]>
  const has = (test: (reason: Reason) => boolean) => held.some(test)
  const unmatchedRoute = aRoute({ id: '*', index: 99, methods: [], pattern: '/**' })
  const api = anApi({ unmatchedRoute, routes })
  const environment = has(({ sandboxAddress }) => sandboxAddress === true) ? 'sandbox' : null
  const region = has(({ usAddress }) => usAddress === true) ? 'us' : null
  const declared = (plan: Partial<Plan>) =>
    aDeclaration({
      apis: [api],
      plans: [aPlan(plan)],
      addresses: [{ api, host: 'shop.example.com', port: null, prefix: '', environment, region }],
    })
  const { limits = [], quotas = [] } = pick('plan')
  const secrets = [aSecret(theSecret, { imported: has(({ spent }) => spent === 'failures') })]
  let fresh = true
  const world = aWorld({
    credential: { secrets },
    declaration: aDeclaration({ plans: [aPlan({ limits, quotas })] }),
    freshness: { isFresh: () => fresh, catchUp: () => null },
  })
  if (has(({ spent }) => spent === 'limit' || spent === 'quota')) world.serve()
  if (has(({ spent }) => spent === 'failures')) {
    for (let i = 0; i < 30; i++) world.serve({ headers: lines(['X-Api-Key', 'guess']) })
  }
  fresh = !has(({ stale }) => stale === true)
  world.reload(declared(pick('plan')))
  world.table.apply(
    changes({
      accounts: [anAccount({ version: 2, ...pick('account') })],
      projects: [aProject({ version: 2, ...pick('project') })],
      credentials: [
        aCredential({
          secrets,
          createdAt: noon - 1000,
          version: 2,
          ...pick('credential'),
        }),
      ],
    }),
  )
  return { world, sent: pick('sent') }
}

const named = reasons.map((reason, i) => [`${i} ${reason.code}`, reason] as const)

describe('each reason alone', () => {
  it('is none: the request is allowed', () => {
    const { world, sent } = worldWith()
    const { allowed, refusal, charge, principal, trace } = world.evaluate(sent)
    expect([allowed, refusal]).toEqual([true, null])
    expect(charge).not.toBeNull()
    expect(principal).toMatchObject({
      credential: 'cred_000000000001',
      secret: aSecret(theSecret).id,
      account: 'acc_1',
      project: 'prj_1',
      environment: 'live',
      kind: 'secret',
      publicId: '000000000001',
      scopes: ['*'],
    })
    expect(trace?.map(({ step, outcome }) => [step, outcome])).toEqual(
      steps.filter((step) => step !== 'model' && step !== 'budgets').map((step) => [step, 'pass']),
    )
  })

  it.each(named)('refuses with its code, at its step, and charges nothing: %s', (_, reason) => {
    const { world, sent } = worldWith(reason)
    const { allowed, refusal, charge, trace } = world.evaluate(sent)
    expect([allowed, refusal?.code, charge]).toEqual([false, reason.code, null])
    const last = trace?.at(-1)
    expect([last?.step, last?.outcome, last?.code]).toEqual([reason.step, 'fail', reason.code])
    expect(trace?.slice(0, -1).filter(({ outcome }) => outcome === 'fail')).toEqual([])
  })

  it.each(named)('is decided alike with and without trace, once and a hundred times: %s', (_, reason) => {
    const { world, sent } = worldWith(reason)
    const first = world.evaluate(sent, true)
    for (let i = 0; i < 100; i++) world.evaluate(sent, i % 2 === 0)
    expect(world.evaluate(sent, false)).toEqual(first)
  })

  it.each(named)('leaves a trace without the secret and without what would have been allowed: %s', (_, reason) => {
    const listed: Reason = { ...reason, project: { ipAllow: [allowedRange, '203.0.113.0/24'], ...reason.project } }
    const { world, sent } = worldWith(listed)
    const { trace, refusal } = world.evaluate(sent)
    const text = JSON.stringify([trace, refusal])
    for (const hidden of [theSecret, '198.51.100', allowedOrigin]) expect(text).not.toContain(hidden)
  })
})

describe('of two reasons the earlier one decides', () => {
  it.each(named)('%s before each that stands after it', (_, reason) => {
    const later = reasons.slice(reasons.indexOf(reason) + 1)
    const decided = later.map((other) => {
      const { world, sent } = worldWith(reason, other)
      return world.evaluate(sent).refusal?.code
    })
    expect(decided).toEqual(later.map(() => reason.code))
  })
})

describe('what only the holder is told', () => {
  const strangers: readonly (readonly [string, readonly string[]])[] = [
    ['an unknown secret', lines(['X-Api-Key', 'another-secret-of-the-shop'])],
    [
      'the right id with a wrong secret',
      lines(['X-App-Id', '000000000001'], ['X-App-Token', 'another-secret-of-the-shop']),
    ],
    ['a wrong id with the right secret', lines(['X-App-Id', '000000000002'], ['X-App-Token', theSecret])],
    ['the id of nobody with the secret of nobody', lines(['X-App-Id', 'nobody'], ['X-App-Token', 'nothing'])],
    ['the digest of the secret', lines(['X-Api-Key', Buffer.from(aSecret(theSecret).digest).toString('hex')])],
    ['the id of the credential', lines(['X-Api-Key', 'cred_000000000001'])],
  ]
  const first = reasons.findIndex(({ step }) => step === 'state')
  const told = named.slice(first)

  function answer(world: World, sent: Sent) {
    const { evaluation, standing } = world.serve(sent)
    return answerOf(evaluation, standing, 'req_1', { publicUrl: 'https://console.example.com' }, noon)
  }

  it.each(told)('is said to the holder: %s', (_, reason) => {
    const { world, sent } = worldWith(reason)
    const { evaluation } = world.serve(sent)
    expect(evaluation.principal?.credential).toBe('cred_000000000001')
    expect(codeRow(reason.code).stage).toMatch(/^(state|fit|limits)$/)
  })

  it.each(told)('and to nobody else: everyone hears the same: %s', (_, reason) => {
    const unknown = answer(worldWith().world, { headers: lines(['X-Api-Key', 'unknown']) })
    const { world, sent } = worldWith(reason)
    for (const [, headers] of strangers) {
      const evaluation = world.evaluate({ ...sent, headers })
      expect([evaluation.refusal, evaluation.principal]).toEqual([
        world.evaluate({ ...sent, headers: strangers[0]?.[1] ?? [] }).refusal,
        null,
      ])
      expect(answer(world, { ...sent, headers })).toEqual(unknown)
    }
  })
})
