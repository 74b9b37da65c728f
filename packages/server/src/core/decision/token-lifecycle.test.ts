import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { seededRandom } from '../../base/random.ts'
import type { Place } from '../apis/api.ts'
import { makeToken } from '../credentials/format.ts'
import { TokenLoads } from '../feed/token-loads.ts'
import { RecentChanges } from '../feed/recent-changes.ts'
import type { GrantRecord } from '../grants/grant.ts'
import type { CredentialRecord, RecordChanges } from '../records/record.ts'
import { aDeclaration, anApi, aPlan } from '../testing/declaration.ts'
import { aCredential, anAccount, aProject, changes } from '../testing/records.ts'
import { aGrant, aToken } from '../testing/tokens.ts'
import { aWorld, lines, noon, type World } from '../testing/world.ts'
import type { TokenRecord, TokenRevocation } from '../tokens/token.ts'

const places: readonly Place[] = [{ in: 'bearer', accept: ['token'], kinds: null }]
const declared = (scopes: ReadonlySet<string> | null) =>
  aDeclaration({ apis: [anApi({ places })], plans: [aPlan(), aPlan({ id: 'small', scopes })] })

const someAct = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      act: fc.constant('mint' as const),
      granted: fc.boolean(),
      family: fc.constantFrom(null, 'tok_f', 'tok_g'),
      forMs: fc.constantFrom(1, 50, 5_000, 900_000),
    }),
  },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('revoke token' as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('end family' as const), family: fc.constantFrom('tok_f', 'tok_g') }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('withdraw' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      act: fc.constant('member' as const),
      role: fc.constantFrom('owner' as const, 'developer' as const, 'viewer' as const, null),
    }),
  },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('block' as const), forMs: fc.constantFrom(null, 1, 50, 5_000) }) },
  { weight: 3, arbitrary: fc.record({ act: fc.constant('unblock' as const) }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('regenerate' as const) }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('expire' as const), inMs: fc.constantFrom(null, null, 1, 50, 5_000) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constant('scopes' as const),
      scopes: fc.constantFrom(['*'], ['orders.read'], ['refunds.write'], []),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constant('account' as const),
      whose: fc.constantFrom('acc_1' as const, 'acc_2' as const),
      suspended: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constant('plan' as const),
      scopes: fc.constantFrom(null, new Set(['orders.read']), new Set<string>()),
    }),
  },
  { weight: 5, arbitrary: fc.record({ act: fc.constant('wait' as const), ms: fc.constantFrom(1, 49, 50, 4_999, 5_000) }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('deliver late' as const), which: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constantFrom('forget tokens' as const, 'forget rows' as const) }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('revoke' as const) }) },
)
type Act = typeof someAct extends fc.Arbitrary<infer Made> ? Made : never

/** The truth, kept as plainly as can be, and a node that hears of it as nodes do: by changes, late ones too, and by reading. */
class Model {
  readonly world: World
  readonly tokens: { readonly text: string; readonly record: TokenRecord }[] = []
  credential: CredentialRecord = aCredential({ kind: 'oauth_client', createdAt: noon - 1 })
  grant: GrantRecord = aGrant({ account: 'acc_2', project: 'prj_2', scopes: ['orders.read', 'refunds.write'] })
  readonly #loads: TokenLoads
  readonly #sent: RecordChanges[] = []
  readonly #suspended = new Map<string, boolean>()
  readonly #random = seededRandom(7)
  #ceiling: ReadonlySet<string> | null = null
  #version = 10

  constructor() {
    const loads = { token: (words: Int32Array) => this.#loads.token(words), credential: () => Promise.resolve(true) }
    this.world = aWorld({ declaration: declared(null), credential: this.credential, tokens: { loads } })
    const { table, tokens } = this.world
    table.apply(changes({ accounts: [anAccount({ id: 'acc_2', plan: 'small' })], projects: [aProject({ id: 'prj_2', account: 'acc_2' })] }))
    this.#loads = new TokenLoads({
      records: {
        byId: ({ id }) => Promise.resolve(id === this.credential.id ? this.credential : null),
        grant: ({ id }) => Promise.resolve(id === this.grant.id ? this.grant : null),
      },
      store: { byDigest: ({ digest }) => Promise.resolve(this.#stored(digest)) },
      table,
      cache: tokens.cache,
      grants: tokens.grants,
      recent: new RecentChanges(),
      makeRoom: () => undefined,
      poll: () => Promise.resolve(true),
      onError: (error) => {
        throw error
      },
    })
  }

  get #now(): number {
    return this.world.clock.now()
  }

  act(taken: Act): void {
    switch (taken.act) {
      case 'mint': {
        const text = makeToken({ brand: 'acme', token: 'access', random: this.#random }).reveal()
        const record = aToken(text, {
          id: `tok_${this.tokens.length}`,
          grant: taken.granted ? this.grant.id : null,
          family: taken.family,
          expiresAt: this.#now + taken.forMs,
        })
        this.tokens.push({ text, record })
        break
      }
      case 'revoke token': {
        const token = this.tokens[taken.which % Math.max(1, this.tokens.length)]
        if (token !== undefined) this.#revoke({ of: 'token', digest: token.record.digest })
        break
      }
      case 'end family':
        this.#revoke({ of: 'family', family: taken.family })
        break
      case 'withdraw':
        this.#putGrant({ active: false })
        break
      case 'member':
        this.#putGrant({ role: taken.role })
        break
      case 'block':
        this.#put({ state: 'blocked', blockedUntil: taken.forMs === null ? null : this.#now + taken.forMs })
        break
      case 'unblock':
        this.#put({ state: 'active', blockedUntil: null })
        break
      case 'revoke':
        this.#put({ state: 'revoked', stateAt: this.#now })
        break
      case 'regenerate':
        this.#put({ secrets: [] })
        break
      case 'expire':
        this.#put({ expiresAt: taken.inMs === null ? null : this.#now + taken.inMs })
        break
      case 'scopes':
        this.#put({ scopes: taken.scopes })
        break
      case 'account': {
        const { whose: id, suspended } = taken
        this.#suspended.set(id, suspended)
        const plan = id === 'acc_2' ? 'small' : 'pro'
        this.#apply(changes({ accounts: [anAccount({ id, plan, suspended, version: ++this.#version })] }))
        break
      }
      case 'plan':
        this.#ceiling = taken.scopes
        this.world.reload(declared(taken.scopes))
        break
      case 'wait':
        this.world.clock.advance(taken.ms)
        break
      case 'deliver late': {
        const late = this.#sent[taken.which % Math.max(1, this.#sent.length)]
        if (late !== undefined) this.#hear(late)
        break
      }
      case 'forget tokens':
        this.world.tokens.cache.prune(Number.POSITIVE_INFINITY)
        break
      case 'forget rows': {
        const { table } = this.world
        for (const id of [this.credential.id, this.grant.id]) {
          if (table.findCredential(id) !== -1) table.remove(table.findCredential(id))
        }
        table.releaseFreed()
        break
      }
    }
  }

  expected({ record }: { readonly record: TokenRecord }): string {
    const { credential, grant } = this
    const granted = record.grant !== null
    if (credential.state === 'revoked') return 'credential_revoked'
    const blocked = credential.blockedUntil === null || this.#now < credential.blockedUntil
    if (credential.state === 'blocked' && blocked) return 'credential_blocked'
    if (credential.expiresAt !== null && this.#now >= credential.expiresAt) return 'credential_expired'
    if (this.#now >= record.expiresAt) return 'token_expired'
    if (record.revoked) return 'token_revoked'
    if (granted && (!grant.active || grant.role === null)) return 'grant_withdrawn'
    if (this.#suspended.get('acc_1') === true || (granted && this.#suspended.get('acc_2') === true))
      return 'account_suspended'
    const own = credential.scopes.includes('*') || credential.scopes.includes('orders.read')
    const inPlan = !granted || this.#ceiling === null || this.#ceiling.has('orders.read')
    return own && inPlan && (!granted || grant.role !== 'viewer') ? 'allowed' : 'scope_missing'
  }

  #stored(digest: Uint8Array): { token: TokenRecord; grant: GrantRecord | null } | null {
    const token = this.tokens.find(({ record }) => Buffer.from(record.digest).equals(digest))
    return token === undefined
      ? null
      : { token: token.record, grant: token.record.grant === null ? null : this.grant }
  }

  #revoke(revocation: TokenRevocation): void {
    for (const [i, { text, record }] of this.tokens.entries()) {
      const ends =
        revocation.of === 'token'
          ? Buffer.from(record.digest).equals(revocation.digest)
          : record.family === revocation.family
      if (ends) this.tokens[i] = { text, record: { ...record, revoked: true } }
    }
    this.#apply(changes({ tokens: [revocation] }))
  }

  #putGrant(fields: Partial<GrantRecord>): void {
    this.grant = { ...this.grant, ...fields, version: this.grant.version + 1 }
    this.#apply(changes({ grants: [this.grant] }))
  }

  #put(fields: Partial<CredentialRecord>): void {
    if (this.credential.state === 'revoked') return
    this.credential = { ...this.credential, ...fields, version: this.credential.version + 1 }
    this.#apply(changes({ credentials: [this.credential] }))
  }

  #apply(made: RecordChanges): void {
    this.#sent.push(made)
    this.#hear(made)
  }

  #hear(made: RecordChanges): void {
    this.world.table.apply(made)
    this.#loads.revoke(made.tokens)
    this.#loads.applyGrants(made.grants)
  }
}

describe('whatever happens to tokens, and to what they stand on', () => {
  it('no dead one is let in, no live one is refused, and the reason told is the true one', async () => {
    const seen = new Map<string, number>()
    await fc.assert(
      fc.asyncProperty(fc.array(someAct, { minLength: 20, maxLength: 45 }), async (acts) => {
        const model = new Model()
        for (const taken of acts) {
          model.act(taken)
          for (const token of model.tokens) {
            const request = model.world.request({ headers: lines(['Authorization', `Bearer ${token.text}`]) })
            const { allowed, refusal } = await model.world.decider.evaluate(request, false)
            const code = allowed ? 'allowed' : (refusal?.code ?? '')
            expect(code).toBe(model.expected(token))
            seen.set(code, (seen.get(code) ?? 0) + 1)
          }
        }
      }),
      { numRuns: 250 },
    )
    // Each happened often, or the sequences would prove nothing.
    const codes = [
      'allowed',
      'credential_revoked',
      'credential_blocked',
      'credential_expired',
      'token_expired',
      'token_revoked',
      'grant_withdrawn',
      'account_suspended',
      'scope_missing',
    ]
    expect(codes.filter((code) => (seen.get(code) ?? 0) < 100)).toEqual([])
  })
})
