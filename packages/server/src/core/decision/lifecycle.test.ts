import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import type { CredentialRecord, RecordChanges, SecretRecord } from '../records/record.ts'
import { aDeclaration, aPlan } from '../testing/declaration.ts'
import { aCredential, anAccount, aProject, aSecret, changes, credentialIdOf } from '../testing/records.ts'
import { aWorld, lines, type World } from '../testing/world.ts'

const inside = '192.0.2.7'
const outside = '203.0.113.7'

/** What may happen to three credentials of one project. */
const someAct = fc.oneof(
  { weight: 3, arbitrary: fc.record({ act: fc.constant('issue' as const), of: fc.nat({ max: 2 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      act: fc.constant('rotate' as const),
      of: fc.nat({ max: 2 }),
      overlapMs: fc.constantFrom(0, 1, 50, 5000),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constant('block' as const),
      of: fc.nat({ max: 2 }),
      forMs: fc.constantFrom(null, 1, 50, 5000),
    }),
  },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('unblock' as const), of: fc.nat({ max: 2 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ act: fc.constantFrom('revoke' as const, 'compromise' as const), of: fc.nat({ max: 2 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constant('expire' as const),
      of: fc.nat({ max: 2 }),
      inMs: fc.constantFrom(null, 0, 1, 50, 5000),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ act: fc.constant('wait' as const), ms: fc.constantFrom(1, 49, 50, 4999, 5000) }),
  },
  { weight: 2, arbitrary: fc.record({ act: fc.constantFrom('suspend' as const, 'resume' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ act: fc.constantFrom('downgrade' as const, 'upgrade' as const, 'reload' as const) }),
  },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('list addresses' as const), listed: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('deliver late' as const), which: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('evict and load' as const), of: fc.nat({ max: 2 }) }) },
)
type Act = typeof someAct extends fc.Arbitrary<infer Made> ? Made : never

/** The truth, kept as plainly as can be; every change is handed to the table as a commit's after-image is. */
class Model {
  readonly #world: World
  readonly credentials = new Map<number, CredentialRecord>()
  readonly secrets: { readonly text: string; readonly owner: number; readonly secret: string }[] = []
  readonly #sent: RecordChanges[] = []
  #suspended = false
  #kinds: 'all' | 'none' = 'all'
  #listed = false
  #version = 1

  constructor(world: World) {
    this.#world = world
  }

  get #now(): number {
    return this.#world.clock.now()
  }

  act(taken: Act): void {
    switch (taken.act) {
      case 'issue':
        if (!this.credentials.has(taken.of)) {
          const id = credentialIdOf(taken.of)
          this.#put(taken.of, aCredential({ id, version: 0, createdAt: this.#now, secrets: [this.#make(taken.of)] }))
        }
        break
      case 'rotate':
        // The store rotates what is live alone.
        this.#change(taken.of, (record) =>
          this.#isLive(record)
            ? {
                secrets: [
                  ...record.secrets.map((secret) => ended(secret, this.#now + taken.overlapMs)),
                  this.#make(taken.of),
                ],
              }
            : null,
        )
        break
      case 'block':
        this.#change(taken.of, (record) =>
          isFinal(record)
            ? null
            : { state: 'blocked', blockedUntil: taken.forMs === null ? null : this.#now + taken.forMs },
        )
        break
      case 'unblock':
        this.#change(taken.of, (record) => (isFinal(record) ? null : { state: 'active', blockedUntil: null }))
        break
      case 'revoke':
        this.#change(taken.of, (record) => (isFinal(record) ? null : { state: 'revoked', stateAt: this.#now }))
        break
      case 'compromise':
        this.#change(taken.of, (record) => (isFinal(record) ? null : { state: 'compromised', stateAt: this.#now }))
        break
      case 'expire': {
        const { inMs } = taken
        this.#change(taken.of, () => ({ expiresAt: inMs === null ? null : this.#now + inMs }))
        break
      }
      case 'wait':
        this.#world.clock.advance(taken.ms)
        break
      case 'suspend':
      case 'resume':
        this.#suspended = taken.act === 'suspend'
        this.#apply(changes({ accounts: [anAccount({ suspended: this.#suspended, version: ++this.#version })] }))
        break
      case 'downgrade':
      case 'upgrade':
      case 'reload':
        if (taken.act !== 'reload') this.#kinds = taken.act === 'upgrade' ? 'all' : 'none'
        this.#world.reload(
          aDeclaration({ plans: [aPlan(this.#kinds === 'all' ? {} : { kinds: new Set(['management']) })] }),
        )
        break
      case 'list addresses':
        this.#listed = taken.listed
        this.#apply(
          changes({
            projects: [aProject({ ipAllow: taken.listed ? [`${inside}/32`] : [], version: ++this.#version })],
          }),
        )
        break
      case 'deliver late': {
        const late = this.#sent[taken.which % Math.max(1, this.#sent.length)]
        if (late !== undefined) this.#world.table.apply(late)
        break
      }
      case 'evict and load': {
        const { table } = this.#world
        table.remove(table.findCredential(credentialIdOf(taken.of)))
        table.releaseFreed()
        const record = this.credentials.get(taken.of)
        if (record !== undefined) table.put(record)
        break
      }
    }
  }

  /** Why a secret is refused now, from that address. */
  expected({ owner, secret }: { readonly owner: number; readonly secret: string }, from: string): string {
    const record = this.credentials.get(owner)
    const held = record?.secrets.find(({ id }) => id === secret)
    if (record === undefined || held === undefined) return 'credential_unknown'
    if (isFinal(record)) return 'credential_revoked'
    if (this.#isBlocked(record)) return 'credential_blocked'
    if (record.expiresAt !== null && this.#now >= record.expiresAt) return 'credential_expired'
    if (held.notAfter !== null && this.#now >= held.notAfter) return 'secret_rotated_out'
    if (this.#suspended) return 'account_suspended'
    if (this.#kinds === 'none') return 'plan_forbids'
    return this.#listed && from !== inside ? 'ip_not_allowed' : 'allowed'
  }

  #make(owner: number): SecretRecord {
    const text = `secret ${this.secrets.length} of ${owner}`.replaceAll(' ', '-')
    const made = aSecret(text)
    this.secrets.push({ text, owner, secret: made.id })
    return made
  }

  #change(of: number, change: (record: CredentialRecord) => Partial<CredentialRecord> | null): void {
    const record = this.credentials.get(of)
    const changed = record === undefined ? null : change(record)
    if (record !== undefined && changed !== null) this.#put(of, { ...record, ...changed })
  }

  #put(of: number, record: CredentialRecord): void {
    const image = { ...record, version: record.version + 1 }
    this.credentials.set(of, image)
    this.#apply(changes({ credentials: [image] }))
  }

  #apply(made: RecordChanges): void {
    this.#sent.push(made)
    this.#world.table.apply(made)
  }

  #isBlocked({ state, blockedUntil }: CredentialRecord): boolean {
    return state === 'blocked' && !(blockedUntil !== null && this.#now >= blockedUntil)
  }

  #isLive(record: CredentialRecord): boolean {
    return !isFinal(record) && !this.#isBlocked(record) && !(record.expiresAt !== null && this.#now >= record.expiresAt)
  }
}

const isFinal = ({ state }: CredentialRecord) => state === 'revoked' || state === 'compromised'

/** Never later than it ends already. */
function ended(secret: SecretRecord, at: number): SecretRecord {
  return { ...secret, notAfter: Math.min(secret.notAfter ?? Number.POSITIVE_INFINITY, at) }
}

describe('whatever happens to credentials', () => {
  it('no dead secret is let in, no live one is refused, and the reason told is the true one', () => {
    let allowed = 0
    let refused = 0
    fc.assert(
      fc.property(fc.array(someAct, { minLength: 30, maxLength: 60 }), (acts) => {
        const world = aWorld()
        world.table.remove(0)
        const model = new Model(world)
        for (const taken of acts) {
          model.act(taken)
          for (const made of model.secrets) {
            for (const peer of [inside, outside]) {
              const code = world.code({ peer, headers: lines(['X-Api-Key', made.text]) })
              expect(code).toBe(model.expected(made, peer))
              if (code === 'allowed') allowed++
              else refused++
            }
          }
        }
      }),
      { numRuns: 500 },
    )
    // Both happened often, or the sequences would prove nothing.
    expect(Math.min(allowed, refused)).toBeGreaterThan(5000)
  })
})
