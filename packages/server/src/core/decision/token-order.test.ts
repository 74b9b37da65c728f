import { type Code, codeRow } from '@postern/contract'
import { describe, expect, it } from 'vitest'

import type { Place, Plan } from '../apis/api.ts'
import type { GrantRecord } from '../grants/grant.ts'
import type { AccountRecord, CredentialRecord, ProjectRecord } from '../records/record.ts'
import { aDeclaration, anApi, aPlan } from '../testing/declaration.ts'
import { aCredential, anAccount, aProject, changes } from '../testing/records.ts'
import { aGrant, aToken, theToken } from '../testing/tokens.ts'
import { aWorld, lines, noon, type Sent, type World } from '../testing/world.ts'
import type { TokenRecord } from '../tokens/token.ts'
import type { Step } from './evaluation.ts'

/** One reason to refuse a token under a grant, as a change of what is otherwise good. */
interface Reason {
  readonly code: Code
  readonly step: Step
  readonly client?: Partial<CredentialRecord>
  readonly token?: Partial<TokenRecord>
  readonly grant?: Partial<GrantRecord>
  readonly clientAccount?: Partial<AccountRecord>
  readonly account?: Partial<AccountRecord>
  readonly project?: Partial<ProjectRecord>
  readonly clientPlan?: Partial<Plan>
  readonly plan?: Partial<Plan>
  readonly place?: Place
  readonly sent?: Sent
}

const bearerPlace: Place = { in: 'bearer', accept: ['token'], kinds: null }

/** In the order of the table in the design's section 4. */
const reasons: readonly Reason[] = [
  { code: 'credential_blocked', step: 'state', client: { state: 'blocked' } },
  { code: 'credential_revoked', step: 'state', client: { state: 'compromised' } },
  { code: 'credential_expired', step: 'expiry', client: { expiresAt: noon } },
  { code: 'credential_not_yet_valid', step: 'not_before', client: { notBefore: noon + 1 } },
  { code: 'token_expired', step: 'token', token: { expiresAt: noon } },
  { code: 'token_revoked', step: 'token', token: { revoked: true } },
  { code: 'grant_withdrawn', step: 'grant', grant: { active: false } },
  { code: 'grant_withdrawn', step: 'grant', grant: { role: null } },
  { code: 'wrong_audience', step: 'api_fit', token: { api: 'stock' } },
  { code: 'wrong_api', step: 'api_fit', client: { apis: ['stock'] } },
  { code: 'wrong_api', step: 'api_fit', grant: { apis: ['stock'] } },
  { code: 'wrong_environment', step: 'environment', project: { environment: 'sandbox' } },
  { code: 'account_suspended', step: 'account', account: { suspended: true } },
  { code: 'account_suspended', step: 'account', clientAccount: { suspended: true } },
  { code: 'plan_forbids', step: 'plan', plan: { apis: new Set() } },
  { code: 'plan_forbids', step: 'plan', clientPlan: { kinds: new Set() } },
  { code: 'plan_forbids', step: 'plan', clientPlan: { maxKeyAgeMs: 1_000 } },
  { code: 'ip_not_allowed', step: 'ip', client: { ipAllow: ['198.51.100.0/24'] } },
  { code: 'ip_not_allowed', step: 'ip', project: { ipAllow: ['198.51.100.0/24'] } },
  { code: 'kind_not_allowed', step: 'kind', place: { ...bearerPlace, accept: ['key'] } },
  { code: 'kind_not_allowed', step: 'kind', place: { ...bearerPlace, kinds: ['secret'] } },
  { code: 'scope_missing', step: 'scopes', token: { scopes: [] } },
  { code: 'scope_missing', step: 'scopes', client: { scopes: [] } },
  { code: 'scope_missing', step: 'scopes', grant: { scopes: [] } },
  { code: 'scope_missing', step: 'scopes', grant: { role: 'viewer' } },
  { code: 'scope_missing', step: 'scopes', plan: { scopes: new Set() } },
  { code: 'route_unknown', step: 'unmatched', sent: { target: '/v1/nothing' } },
]

/** A world in which all of the reasons hold; of two wishes the first one's counts. */
function worldWith(...held: readonly Reason[]): { world: World; sent: Sent } {
  const pick = <Key extends Exclude<keyof Reason, 'code' | 'step' | 'place'>>(key: Key) =>
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a merge of values of this very key
    Object.assign({}, ...held.toReversed().map((reason) => reason[key] ?? {})) as NonNullable<Reason[Key]>
  const place = held.find((reason) => reason.place !== undefined)?.place ?? bearerPlace
  const api = anApi({ places: [place] })
  const world = aWorld({
    declaration: aDeclaration({
      apis: [api],
      plans: [aPlan(pick('clientPlan')), aPlan({ id: 'theirs', ...pick('plan') })],
      addresses: [
        { api, host: 'shop.example.com', port: null, prefix: '', environment: 'live', region: null },
      ],
    }),
    credential: { kind: 'oauth_client', createdAt: noon - 1_000, ...pick('client') },
    account: pick('clientAccount'),
  })
  const theirs = { account: 'acc_2', project: 'prj_2' }
  world.table.apply(
    changes({
      accounts: [anAccount({ id: theirs.account, plan: 'theirs', ...pick('account') })],
      projects: [aProject({ id: theirs.project, account: theirs.account, ...pick('project') })],
    }),
  )
  const grant = aGrant({ ...theirs, ...pick('grant') })
  world.tokens.grants.put(grant)
  world.tokens.cache.put(aToken(theToken, { grant: grant.id, ...pick('token') }))
  return { world, sent: { headers: lines(['Authorization', `Bearer ${theToken}`]), ...pick('sent') } }
}

const named = reasons.map((reason, i) => [`${i} ${reason.code}`, reason] as const)

describe('each reason alone', () => {
  it('is none: the token is let in', () => {
    const { world, sent } = worldWith()
    expect(world.code(sent)).toBe('allowed')
  })

  it.each(named)('refuses with its code, at its step, and charges nothing: %s', (_, reason) => {
    const { world, sent } = worldWith(reason)
    const { allowed, refusal, charge, trace, principal } = world.evaluate(sent)
    expect([allowed, refusal?.code, charge]).toEqual([false, reason.code, null])
    const last = trace?.at(-1)
    expect([last?.step, last?.outcome, last?.code]).toEqual([reason.step, 'fail', reason.code])
    expect(principal).toMatchObject({ credential: aCredential().id, token: 'tok_1', grant: 'grt_000000000001' })
    expect(codeRow(reason.code).stage).toMatch(/^(state|fit|match)$/)
  })

  it.each(named)('leaves a trace without the token and without what would have been allowed: %s', (_, reason) => {
    const { world, sent } = worldWith(reason)
    const { trace, refusal } = world.evaluate(sent)
    for (const hidden of [theToken, theToken.slice(8, 30), '198.51.100']) {
      expect(JSON.stringify([trace, refusal])).not.toContain(hidden)
    }
  })

  it.each(named)('is decided alike with and without trace, once and many times: %s', (_, reason) => {
    const { world, sent } = worldWith(reason)
    const first = world.evaluate(sent, true)
    for (let i = 0; i < 20; i++) world.evaluate(sent, i % 2 === 0)
    expect(world.evaluate(sent, false)).toEqual(first)
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
