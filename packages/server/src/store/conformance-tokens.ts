/* oxlint-disable unicorn/consistent-function-scoping -- small helpers stand beside the claims that use them */
import { randomBytes } from 'node:crypto'

import { describe, expect, it } from 'vitest'

import type { Grant } from '../core/grants/grant.ts'
import { noChanges } from '../core/records/record.ts'
import type { Store } from '../core/store.ts'
import type { TokenStore } from '../core/tokens/token-store.ts'
import type { NewToken } from '../core/tokens/token.ts'
import {
  aClient,
  aCredential,
  actedByUser,
  anAccount,
  aPerson,
  at,
  by,
  create,
  must,
  nextHex,
  someBytes,
  type Home,
  type Opened,
  type Person,
} from './conformance-data.ts'

const first = { limit: 100, after: null, scope: null }
const notFound = { ok: false, error: { code: 'not_found' } }
const conflict = (what: RegExp) => ({
  ok: false,
  error: { code: 'conflict', what: expect.stringMatching(what) as unknown },
})
const parallel = { timeout: 180_000 }

async function inTurn<One, Other>(one: () => Promise<One>, other: () => Promise<Other>): Promise<[Other, One]> {
  const done = await one()
  return [await other(), done]
}

type List = Parameters<TokenStore['list']>[0]
const everyToken: List = { ...first, credential: null, grant: null, kind: null, liveAt: null }

export function aToken(home: Home, credential: string, over: Partial<NewToken> = {}): NewToken {
  return {
    ...home,
    id: `tok_${nextHex()}`,
    digest: someBytes(),
    kind: 'access',
    format: 'opaque',
    credential,
    grant: null,
    family: null,
    api: 'shop',
    scopes: ['orders.read'],
    label: null,
    createdAt: 1_000,
    expiresAt: 901_000,
    familyEndsAt: null,
    code: null,
    ...over,
  }
}

/** A credential with a token of its own. */
async function aMinted(store: Store, over: Partial<NewToken> = {}): Promise<{ home: Home; token: NewToken }> {
  const home = await anAccount(store)
  const { id } = await create(store, home)
  const token = aToken(home, id, over)
  await store.tokens.mint({ tokens: [token] })
  return { home, token }
}

const graceMs = 10_000

/** Somebody has consented: a client, a member, the grant and its code, which is open until second 61. */
interface Consented {
  readonly home: Home
  readonly person: Person
  readonly client: string
  readonly grant: Grant
  readonly code: NewToken
}

async function aConsent(store: Store, over: Partial<NewToken> = {}): Promise<Consented> {
  const home = await anAccount(store)
  const { id: client } = await create(store, await anAccount(store), aCredential({ oauth: aClient }))
  const person = await aPerson(store, home.account)
  return { home, person, client, ...(await consentAgain(store, { home, person, client }, over)) }
}

async function consentAgain(
  store: Store,
  { home, person, client }: Pick<Consented, 'home' | 'person' | 'client'>,
  over: Partial<NewToken> = {},
): Promise<Pick<Consented, 'grant' | 'code'>> {
  const code = aCode(home, client, over)
  const grant = aGrantOf(home, person, client)
  return { code, grant: must(await store.grants.consent({ grant, code, by: actedByUser(person.user) })).value }
}

const aGrantOf = (home: Home, person: Person, client: string) => ({
  ...home,
  id: `grt_${randomBytes(6).toString('hex')}`,
  client,
  user: person.user,
  apis: ['shop'],
  scopes: ['orders.read'],
})

function aCode(home: Home, client: string, over: Partial<NewToken> = {}): NewToken {
  const code = { redirectUri: 'https://app.example/callback', challenge: 'c'.repeat(43) }
  return aToken(home, client, { kind: 'code', expiresAt: 61_000, code, ...over })
}

/** What is issued for a code or refresh token; the family ends at second 1000 unless told otherwise. */
function successorsOf({ home, client }: Pick<Consented, 'home' | 'client'>, over: Partial<NewToken> = {}) {
  const access = aToken(home, client)
  const refresh = aToken(home, client, { kind: 'refresh', expiresAt: 500_000, familyEndsAt: 1_000_000, ...over })
  return { access, refresh, both: [access, refresh] }
}

const spend = async (store: Store, code: NewToken, successors: readonly NewToken[], time = 2_000) =>
  must(await store.tokens.spendCode({ digest: code.digest, successors, by: at(time) }))

const rotate = async (store: Store, token: NewToken, successors: readonly NewToken[], time = 3_000) =>
  must(await store.tokens.rotateRefresh({ digest: token.digest, successors, graceMs, by: at(time) }))

/** A consent whose code was spent for an access and a refresh token. */
async function aFamily(store: Store, over: Partial<NewToken> = {}) {
  const consented = await aConsent(store)
  const { access, refresh, both } = successorsOf(consented, over)
  expect((await spend(store, consented.code, both)).value).toBe('spent')
  return { ...consented, access, refresh }
}

const isGood = async (store: Store, { digest }: NewToken): Promise<boolean> => {
  const found = await store.tokens.byDigest({ digest })
  return found !== null && !found.token.revoked && found.grant?.active !== false && found.grant?.role !== null
}

/** Tokens, codes and grants on both databases. */
export function tokenConformance(open: () => Promise<Opened>): void {
  codeConformance(open)
  refreshConformance(open)
  grantConformance(open)
  mintConformance(open)
}

function codeConformance(open: () => Promise<Opened>): void {
  describe('authorization codes', () => {
    it('CRC-3: are bound to what they were asked for, and known until they are spent', async () => {
      const { store } = await open()
      const { home, client, grant, code } = await aConsent(store)
      expect(await store.tokens.findCode({ digest: code.digest })).toEqual({
        token: {
          id: code.id,
          kind: 'code',
          format: 'opaque',
          credential: client,
          grant: grant.id,
          family: code.id,
          ...home,
          api: 'shop',
          scopes: ['orders.read'],
          label: null,
          createdAt: 1_000,
          expiresAt: 61_000,
          spentAt: null,
          revokedAt: null,
        },
        binding: code.code,
      })
      expect(await store.tokens.byDigest({ digest: code.digest })).toBeNull()
      expect(await store.tokens.describe({ digest: code.digest })).toBeNull()
      expect(await store.tokens.findRefresh({ digest: code.digest })).toBeNull()
      await spend(store, code, [])
      expect(await store.tokens.findCode({ digest: code.digest })).toMatchObject({ token: { spentAt: 2_000 } })
    })

    it('issue tokens of their own family, grant and credential, whatever is asked, and no event', async () => {
      const { store } = await open()
      const { home, client, grant, code } = await aConsent(store)
      const { sequence } = await store.events.head()
      const elsewhere = { credential: 'cred_other', account: 'acc_other', project: 'prj_other', family: 'tok_other' }
      const { access, refresh } = successorsOf({ home, client }, elsewhere)
      const spent = await spend(store, code, [{ ...access, ...elsewhere }, refresh])
      expect(spent).toEqual({ value: 'spent', changes: noChanges, sequence })
      const bound = { credential: client, grant: grant.id, family: code.id }
      expect(await store.tokens.byDigest({ digest: access.digest })).toMatchObject({
        token: { ...bound, id: access.id, revoked: false },
        grant: { id: grant.id, active: true, role: 'owner', client, ...home },
      })
      expect(await store.tokens.findRefresh({ digest: refresh.digest })).toMatchObject({
        token: { ...bound, ...home, expiresAt: 500_000 },
        familyEndsAt: 1_000_000,
      })
      expect(await store.events.head()).toMatchObject({ sequence })
    })

    it('20: are spent until the instant they expire', async () => {
      const { store } = await open()
      const { code } = await aConsent(store)
      expect((await spend(store, code, [], 61_000)).value).toBe('expired')
      expect((await spend(store, code, [], 60_999)).value).toBe('spent')
    })

    it('21: a second use, at any time, revokes all that was issued, and is told once', async () => {
      const { store } = await open()
      const { code, access, refresh, client, home } = await aFamily(store)
      const later = successorsOf({ client, home })
      expect((await rotate(store, refresh, later.both)).value).toBe('rotated')
      const { sequence } = await store.events.head()
      const reused = await spend(store, code, successorsOf({ client, home }).both, 400_000_000)
      const changes = { ...noChanges, tokens: [{ of: 'family', family: code.id }] }
      expect(reused).toEqual({ value: 'reused', changes, sequence: sequence + 1 })
      expect(await store.records.since({ after: sequence, limit: 9 })).toMatchObject({ changes })
      const [event] = await store.events.range({ after: sequence, limit: 9 })
      expect(event).toMatchObject({ action: 'token.reused', targetId: code.id, after: { kind: 'code' }, ...home })
      expect([await isGood(store, access), await isGood(store, later.access)]).toEqual([false, false])
      expect((await rotate(store, later.refresh, [])).value).toBe('revoked')
      expect(await store.tokens.describe({ digest: later.refresh.digest })).toMatchObject({ revokedAt: 400_000_000 })
      expect(await spend(store, code, [])).toEqual({ value: 'reused', changes: noChanges, sequence: sequence + 1 })
    })

    it('17: spent for nothing by who does not fit, are spent', async () => {
      const { store } = await open()
      const { code, home, client } = await aConsent(store)
      expect((await spend(store, code, [])).value).toBe('spent')
      const { access, both } = successorsOf({ home, client })
      expect((await spend(store, code, both)).value).toBe('reused')
      expect(await store.tokens.byDigest({ digest: access.digest })).toBeNull()
    })

    it('that nobody has made are not found', async () => {
      const { store } = await open()
      const digest = someBytes()
      expect(await store.tokens.findCode({ digest })).toBeNull()
      expect(await store.tokens.spendCode({ digest, successors: [], by })).toEqual(notFound)
      expect(await store.tokens.rotateRefresh({ digest, successors: [], graceMs, by })).toEqual(notFound)
    })

    it('of a grant that was withdrawn meanwhile issue nothing', async () => {
      const { store } = await open()
      const consented = await aConsent(store)
      const { access, both } = successorsOf(consented)
      must(await store.grants.withdraw({ id: consented.grant.id, user: null, scope: null, by }))
      expect((await spend(store, consented.code, both)).value).toBe('revoked')
      expect(await store.tokens.byDigest({ digest: access.digest })).toBeNull()
    })

    it(
      '20: redeemed twenty times at once, 50 rounds, succeed exactly once, and what that issued is dead',
      parallel,
      async () => {
        const { store } = await open()
        const consented = await aConsent(store)
        for (let round = 0; round < 50; round++) {
          const { code } = await consentAgain(store, consented)
          const tries = Array.from({ length: 20 }, () => successorsOf(consented))
          const answers = await Promise.all(tries.map(({ both }) => spend(store, code, both)))
          expect(answers.map(({ value }) => value).toSorted()).toEqual([...Array<string>(19).fill('reused'), 'spent'])
          const issued = await Promise.all(tries.map(({ access }) => store.tokens.byDigest(access)))
          expect(issued.filter((found) => found !== null).map(({ token }) => token.revoked)).toEqual([true])
        }
      },
    )
  })
}

function refreshConformance(open: () => Promise<Opened>): void {
  describe('refresh tokens', () => {
    it('22: are spent for their successors, of the same family', async () => {
      const { store } = await open()
      const family = await aFamily(store)
      const next = successorsOf(family)
      const { sequence } = await store.events.head()
      expect(await rotate(store, family.refresh, next.both)).toEqual({ value: 'rotated', changes: noChanges, sequence })
      expect(await store.tokens.describe({ digest: family.refresh.digest })).toMatchObject({ spentAt: 3_000 })
      expect(await store.tokens.describe({ digest: next.refresh.digest })).toMatchObject({
        family: family.code.id,
        grant: family.grant.id,
        spentAt: null,
        revokedAt: null,
      })
      expect([await isGood(store, family.access), await isGood(store, next.access)]).toEqual([true, true])
    })

    it('26: are good until the instant they expire', async () => {
      const { store } = await open()
      const { refresh } = await aFamily(store)
      expect((await rotate(store, refresh, [], 500_000)).value).toBe('expired')
      expect((await rotate(store, refresh, [], 499_999)).value).toBe('rotated')
    })

    it('26: never outlive the end of their family, whatever their successors say', async () => {
      const { store } = await open()
      const family = await aFamily(store, { expiresAt: 999_999 })
      const next = successorsOf(family, { expiresAt: 2_000_000, familyEndsAt: 9_000_000 })
      expect((await rotate(store, family.refresh, next.both)).value).toBe('rotated')
      expect(await store.tokens.findRefresh({ digest: next.refresh.digest })).toMatchObject({
        token: { expiresAt: 1_000_000 },
        familyEndsAt: 1_000_000,
      })
      expect((await rotate(store, next.refresh, [], 1_000_000)).value).toBe('expired')
      expect((await rotate(store, next.refresh, [], 999_999)).value).toBe('rotated')
    })

    it('23: used again within ten seconds are a client that repeats itself, and their family lives', async () => {
      const { store } = await open()
      const family = await aFamily(store)
      const next = successorsOf(family)
      await rotate(store, family.refresh, next.both, 3_000)
      const { sequence } = await store.events.head()
      const again = successorsOf(family)
      for (const time of [2_999, 3_000, 12_999]) {
        expect((await rotate(store, family.refresh, again.both, time)).value).toBe('raced')
      }
      expect(await store.tokens.byDigest({ digest: again.access.digest })).toBeNull()
      expect(await isGood(store, next.access)).toBe(true)
      expect((await rotate(store, next.refresh, [], 13_000)).value).toBe('rotated')
      expect((await store.events.head()).sequence).toBe(sequence)
    })

    it('23: used again after ten seconds kill their family, access tokens included, and are told once', async () => {
      const { store } = await open()
      const family = await aFamily(store)
      const next = successorsOf(family)
      await rotate(store, family.refresh, next.both, 3_000)
      const { sequence } = await store.events.head()
      const reused = await rotate(store, family.refresh, [], 13_000)
      expect(reused).toEqual({
        value: 'reused',
        changes: { ...noChanges, tokens: [{ of: 'family', family: family.code.id }] },
        sequence: sequence + 1,
      })
      const [event] = await store.events.range({ after: sequence, limit: 9 })
      expect(event).toMatchObject({ action: 'token.reused', targetId: family.refresh.id, after: { kind: 'refresh' } })
      expect([await isGood(store, family.access), await isGood(store, next.access)]).toEqual([false, false])
      expect((await rotate(store, next.refresh, [], 13_001)).value).toBe('revoked')
      expect(await rotate(store, family.refresh, [], 14_000)).toMatchObject({ value: 'reused', changes: noChanges })
    })

    it('24: used twenty times at once, 50 rounds, succeed exactly once, and the family lives', parallel, async () => {
      const { store } = await open()
      const family = await aFamily(store)
      let { refresh } = family
      for (let round = 0; round < 50; round++) {
        const tries = Array.from({ length: 20 }, () => successorsOf(family))
        const answers = await Promise.all(tries.map(({ both }) => rotate(store, refresh, both)))
        const winners = tries.filter((_, index) => answers[index]?.value === 'rotated')
        expect(answers.filter(({ value }) => value === 'raced').length).toBe(19)
        const issued = await Promise.all(tries.map(({ access }) => store.tokens.byDigest(access)))
        expect(issued.flatMap((found) => found?.token.id ?? [])).toEqual(winners.map(({ access }) => access.id))
        refresh = winners[0]?.refresh ?? refresh
      }
      expect(await isGood(store, family.access)).toBe(true)
    })

    it('are revoked with their family, whichever of it is presented, also one that was spent', async () => {
      const { store } = await open()
      const family = await aFamily(store)
      const next = successorsOf(family)
      await rotate(store, family.refresh, next.both)
      const revoke = async ({ digest }: NewToken, time = 4_000) =>
        must(await store.tokens.revoke({ token: { digest }, client: family.client, scope: null, by: at(time) }))
      expect((await revoke(next.refresh, 500_000)).value).toBeNull()
      const revoked = await revoke(family.refresh)
      expect(revoked).toMatchObject({ value: { id: family.refresh.id, revokedAt: 4_000 } })
      expect(revoked.changes).toEqual({ ...noChanges, tokens: [{ of: 'family', family: family.code.id }] })
      expect([await isGood(store, family.access), await isGood(store, next.access)]).toEqual([false, false])
      expect((await rotate(store, next.refresh, [])).value).toBe('revoked')
      expect(await revoke(next.refresh)).toMatchObject({ value: null, changes: noChanges })
    })

    it('an access token is revoked alone, its family lives', async () => {
      const { store } = await open()
      const { access, refresh } = await aFamily(store)
      const { digest } = access
      must(await store.tokens.revoke({ token: { digest }, client: null, scope: null, by: at(4_000) }))
      expect(await isGood(store, access)).toBe(false)
      expect((await rotate(store, refresh, [])).value).toBe('rotated')
    })

    it('21: what is added to a family while it is revoked is dead with it', parallel, async () => {
      const { store } = await open()
      for (let round = 0; round < 20; round++) {
        const family = await aFamily(store)
        const next = successorsOf(family)
        const [rotated, reused] = await Promise.all([
          rotate(store, family.refresh, next.both),
          spend(store, family.code, []),
        ])
        expect(reused.value).toBe('reused')
        expect(['rotated', 'revoked']).toContain(rotated.value)
        expect([await isGood(store, family.access), await isGood(store, next.access)]).toEqual([false, false])
        expect((await rotate(store, next.refresh, [])).value).not.toBe('rotated')
      }
    })

    it('are kept until their family has ended, and a spent code with them', async () => {
      const { store } = await open()
      const { code, access, refresh, client, home } = await aFamily(store)
      await rotate(store, refresh, successorsOf({ client, home }).both)
      const left = async () => (await store.tokens.list({ ...everyToken, grant: null })).items.map(({ id }) => id)
      expect(await store.tokens.prune({ before: 901_001 })).toBe(2)
      expect(await left()).toEqual(expect.arrayContaining([code.id, refresh.id]))
      expect(await left()).not.toContain(access.id)
      expect(await store.tokens.prune({ before: 1_000_000 })).toBe(0)
      expect((await spend(store, code, [], 999_999)).value).toBe('reused')
      expect(await store.tokens.prune({ before: 1_000_001 })).toBe(3)
      expect(await left()).toEqual([])
    })

    it('without the code of their family are dead: nobody could tell that it was revoked', async () => {
      const { store } = await open()
      const { home, token } = await aMinted(store)
      const orphan = aToken(home, token.credential, { family: 'tok_gone', expiresAt: 9_000_000 })
      await store.tokens.mint({ tokens: [orphan] })
      expect(await isGood(store, orphan)).toBe(false)
      expect(await store.tokens.describe({ digest: orphan.digest })).toMatchObject({ revokedAt: orphan.createdAt })
      const live = await store.tokens.list({ ...everyToken, liveAt: 2_000 })
      expect(live.items.map(({ id }) => id)).toEqual([token.id])
    })
  })
}

function grantConformance(open: () => Promise<Opened>): void {
  describe('grants', () => {
    it('THL-2: are made by consent, with their code, and told', async () => {
      const { store } = await open()
      const { home, person, client, grant, code } = await aConsent(store)
      expect(grant).toEqual({
        ...aGrantOf(home, person, client),
        id: grant.id,
        state: 'active',
        createdAt: 1_000,
        updatedAt: 1_000,
        withdrawnAt: null,
        version: 1,
      })
      const [event] = (
        await store.events.list({
          ...first,
          account: null,
          credential: client,
          action: 'grant.created',
          from: null,
          to: null,
        })
      ).items
      expect(event).toMatchObject({ actor: { kind: 'user', id: person.user }, targetId: grant.id, ...home })
      expect(JSON.stringify(event)).not.toContain(person.email)
      expect(await store.records.grant({ id: grant.id })).toEqual({
        ...aGrantOf(home, person, client),
        id: grant.id,
        active: true,
        stateAt: null,
        role: 'owner',
        version: 3,
        createdAt: 1_000,
      })
      expect(await store.records.grant({ id: 'grt_none' })).toBeNull()
      expect(await store.tokens.findCode({ digest: code.digest })).toMatchObject({ token: { grant: grant.id } })
    })

    it('are widened by what is new, and left as they are by what is not', async () => {
      const { store } = await open()
      const consented = await aConsent(store)
      const { home, person, client, grant } = consented
      const ask = async (apis: readonly string[], scopes: readonly string[]) => {
        const code = aCode(home, client)
        const asked = { ...aGrantOf(home, person, client), apis, scopes }
        return must(await store.grants.consent({ grant: asked, code, by: at(5_000) }))
      }
      const same = await ask(['shop'], ['orders.read'])
      expect(same).toMatchObject({ value: { id: grant.id, version: 1, updatedAt: 1_000 }, changes: noChanges })
      const wider = await ask(['shop', 'stock'], ['orders.write'])
      expect(wider.value).toMatchObject({
        id: grant.id,
        apis: ['shop', 'stock'],
        scopes: ['orders.read', 'orders.write'],
        updatedAt: 5_000,
        version: 2,
      })
      expect(wider.changes.grants).toMatchObject([
        { id: grant.id, scopes: ['orders.read', 'orders.write'], version: 4 },
      ])
      const [event] = await store.events.range({ after: wider.sequence - 1, limit: 1 })
      expect(event).toMatchObject({
        action: 'grant.widened',
        before: { apis: ['shop'], scopes: ['orders.read'] },
        after: { apis: ['shop', 'stock'], scopes: ['orders.read', 'orders.write'] },
      })
    })

    it('THL-2: end what they allowed when they are withdrawn, for good; a new consent is another grant', async () => {
      const { store } = await open()
      const family = await aFamily(store)
      const { grant, person, home } = family
      const one = { id: grant.id, user: person.user, scope: null, by: at(6_000) }
      expect(await store.grants.withdraw({ ...one, user: 'usr_other' })).toEqual(notFound)
      expect(await store.grants.withdraw({ ...one, scope: 'acc_other' })).toEqual(notFound)
      const { sequence } = await store.events.head()
      const withdrawn = must(await store.grants.withdraw({ ...one, scope: home.account }))
      expect(withdrawn.value).toMatchObject({ state: 'withdrawn', withdrawnAt: 6_000, version: 2 })
      const image = { id: grant.id, active: false, stateAt: 6_000, version: 4 }
      expect(withdrawn.changes).toMatchObject({ grants: [image], credentials: [], tokens: [] })
      expect(await store.records.since({ after: sequence, limit: 9 })).toMatchObject({ changes: { grants: [image] } })
      expect(await store.grants.withdraw(one)).toEqual(conflict(/already withdrawn/))
      expect(await isGood(store, family.access)).toBe(false)
      expect((await rotate(store, family.refresh, [])).value).toBe('revoked')
      expect(await store.tokens.describe({ digest: family.access.digest })).toMatchObject({ revokedAt: 6_000 })
      const again = await consentAgain(store, family)
      expect(again.grant.id).not.toBe(grant.id)
      expect(await isGood(store, family.access)).toBe(false)
    })

    it('list newest first, for the account of the project and for that of the client', async () => {
      const { store } = await open()
      const { home, person, client, grant } = await aConsent(store)
      const other = await aConsent(store)
      const all = { ...first, client: null, user: null, project: null, state: null }
      const ids = async (over: Partial<Parameters<Store['grants']['list']>[0]>) =>
        (await store.grants.list({ ...all, ...over })).items.map(({ id }) => id)
      const owner = (await store.credentials.find({ id: client, scope: null }))?.account ?? ''
      expect((await ids({})).toSorted()).toEqual([grant.id, other.grant.id].toSorted())
      for (const over of [
        { scope: home.account },
        { scope: owner },
        { client },
        { user: person.user },
        { project: home.project },
        { scope: home.account, state: 'active' },
      ] as const) {
        expect(await ids(over)).toEqual([grant.id])
      }
      expect(await ids({ scope: home.account, state: 'withdrawn' })).toEqual([])
      expect(await store.grants.find({ id: grant.id, scope: owner })).toMatchObject({ id: grant.id })
      expect(await store.grants.find({ id: grant.id, scope: other.home.account })).toBeNull()
      const one = await store.grants.list({ ...all, limit: 1 })
      const two = await store.grants.list({ ...all, limit: 1, after: one.next })
      expect([...one.items, ...two.items].map(({ id }) => id)).toEqual(await ids({}))
    })

    it('are refused to who is no active member, or of another project', async () => {
      const { store } = await open()
      const { home, person, client } = await aConsent(store)
      const ask = (place: Home, who: Person) =>
        store.grants.consent({ grant: aGrantOf(place, who, client), code: aCode(place, client), by })
      const elsewhere = await anAccount(store)
      expect(await ask(elsewhere, person)).toEqual(conflict(/no active member/))
      expect(await ask({ ...home, project: elsewhere.project }, person)).toEqual(notFound)
      must(await store.people.setUserState({ user: person.user, state: 'disabled', by }))
      expect(await ask(home, person)).toEqual(conflict(/no active member/))
      must(await store.people.setUserState({ user: person.user, state: 'active', by }))
      must(await store.accounts.setState({ id: home.account, state: 'suspended', reason: null, by }))
      expect(await ask(home, person)).toEqual(conflict(/no active member/))
    })

    it('end with their member: a consent at the same moment is refused, or withdrawn', parallel, async () => {
      const { store } = await open()
      const { home, client } = await aConsent(store)
      const outcomes = new Set<string>()
      for (let round = 0; round < 30; round++) {
        const person = await aPerson(store, home.account, 'developer')
        const code = aCode(home, client)
        const ask = () => store.grants.consent({ grant: aGrantOf(home, person, client), code, by })
        const remove = () => store.people.removeMember({ member: person.member, scope: null, by })
        const [asked] = round % 2 === 0 ? await Promise.all([ask(), remove()]) : await inTurn(remove, ask)
        outcomes.add(asked.ok ? 'granted' : asked.error.code)
        const { items } = await store.grants.list({
          ...first,
          client,
          user: person.user,
          project: null,
          state: 'active',
        })
        expect(items).toEqual([])
        const { access, both } = successorsOf({ home, client })
        const spent = await store.tokens.spendCode({ digest: code.digest, successors: both, by })
        expect(spent.ok && spent.value.value === 'spent').toBe(false)
        expect(await store.tokens.byDigest({ digest: access.digest })).toBeNull()
      }
      expect(outcomes).toContain('conflict')
    })

    it('two consents at once make one grant', parallel, async () => {
      const { store } = await open()
      const { home, client } = await aConsent(store)
      for (let round = 0; round < 10; round++) {
        const person = await aPerson(store, home.account, 'developer')
        const made = await Promise.all(Array.from({ length: 5 }, () => consentAgain(store, { home, person, client })))
        expect(new Set(made.map(({ grant }) => grant.id)).size).toBe(1)
      }
    })

    it('a role that changes and a person who is shut out are told by images of their grants', async () => {
      const { store } = await open()
      const { home, grant } = await aConsent(store)
      const { person, ...second } = await aConsent(store)
      await aPerson(store, second.home.account)
      const { sequence } = await store.events.head()
      const changes = async () => (await store.records.since({ after: sequence, limit: 99 })).changes.grants
      const { member } = person
      must(await store.people.setRole({ member, scope: null, version: 1, role: 'viewer', by }))
      expect(await changes()).toMatchObject([{ id: second.grant.id, role: 'viewer', version: 4 }])
      must(await store.people.setUserState({ user: person.user, state: 'disabled', by }))
      expect(await changes()).toMatchObject([{ id: second.grant.id, role: null, active: true, version: 5 }])
      must(await store.people.setUserState({ user: person.user, state: 'active', by }))
      expect(await changes()).toMatchObject([{ id: second.grant.id, role: 'viewer', version: 6 }])
      must(await store.people.removeMember({ member, scope: null, by }))
      expect(await changes()).toMatchObject([{ id: second.grant.id, role: null, active: false, version: 8 }])
      expect(await store.records.grant({ id: grant.id })).toMatchObject({ role: 'owner', version: 3, ...home })
    })

    it('26: a new password ends what refreshes, and codes that are open; access tokens run out', async () => {
      const { store } = await open()
      const family = await aFamily(store)
      const open2 = await consentAgain(store, family)
      const by5 = at(5_000)
      must(await store.people.setPassword({ user: family.person.user, passwordHash: 'x', keepSession: null, by: by5 }))
      expect((await rotate(store, family.refresh, [])).value).toBe('revoked')
      expect(await store.tokens.describe({ digest: family.refresh.digest })).toMatchObject({ revokedAt: 5_000 })
      expect((await spend(store, open2.code, [])).value).toBe('revoked')
      expect(await isGood(store, family.access)).toBe(true)
      const { items } = await store.tokens.list({ ...everyToken, grant: family.grant.id, liveAt: 6_000 })
      expect(items.map(({ id }) => id)).toEqual([family.access.id])
      const fresh = await consentAgain(store, family)
      expect((await spend(store, fresh.code, [])).value).toBe('spent')
    })
  })
}

function mintConformance(open: () => Promise<Opened>): void {
  describe('tokens that a credential mints for itself', () => {
    it('VCH-7: are durable when they are answered, known by their digest alone, and no event', async () => {
      const { store } = await open()
      const before = await store.events.head()
      const { token } = await aMinted(store, { label: 'customer 7' })
      const { digest, code, familyEndsAt, ...told } = token
      expect([code, familyEndsAt]).toEqual([null, null])
      expect(await store.tokens.describe({ digest })).toEqual({ ...told, spentAt: null, revokedAt: null })
      const { id, credential, grant, family, api, scopes, label, expiresAt } = token
      expect(await store.tokens.byDigest({ digest })).toEqual({
        token: { id, digest, credential, grant, family, api, scopes, label, expiresAt, revoked: false },
        grant: null,
      })
      expect(await store.tokens.byDigest({ digest: new Uint8Array(32) })).toBeNull()
      expect(await store.tokens.describe({ digest: new Uint8Array(32) })).toBeNull()
      expect((await store.events.head()).sequence).toBe(before.sequence + 3)
    })

    it('VCH-9: are revoked once, by id or digest, by their credential and in their account alone', async () => {
      const { store } = await open()
      const { home, token } = await aMinted(store)
      const revoke = (over: Partial<Parameters<Store['tokens']['revoke']>[0]>) =>
        store.tokens.revoke({ token: { id: token.id }, client: null, scope: null, by: at(2_000), ...over })
      for (const over of [{ client: 'cred_other' }, { scope: 'acc_other' }, { token: { id: 'tok_other' } }]) {
        expect(must(await revoke(over))).toMatchObject({ value: null, changes: noChanges })
      }
      const { sequence } = await store.events.head()
      const revoked = must(await revoke({ client: token.credential, scope: home.account }))
      expect(revoked).toMatchObject({ value: { id: token.id, revokedAt: 2_000 }, sequence: sequence + 1 })
      const changes = { ...noChanges, tokens: [{ of: 'token', digest: token.digest }] }
      expect(revoked.changes).toEqual(changes)
      expect(await store.records.since({ after: sequence, limit: 9 })).toEqual({
        position: sequence + 1,
        more: false,
        changes,
      })
      expect(await store.tokens.byDigest({ digest: token.digest })).toMatchObject({ token: { revoked: true } })
      expect(await store.tokens.describe({ digest: token.digest })).toMatchObject({ revokedAt: 2_000 })
      expect(must(await revoke({ token: { digest: token.digest } }))).toMatchObject({ value: null, changes: noChanges })
      const [event] = await store.events.range({ after: sequence, limit: 9 })
      expect(event).toMatchObject({ action: 'token.revoked', targetKind: 'token', targetId: token.id, ...home })
      expect(JSON.stringify(event)).not.toContain(Buffer.from(token.digest).toString('hex'))
    })

    it('are not revoked from the instant they expire', async () => {
      const { store } = await open()
      const { token } = await aMinted(store, { expiresAt: 5_000 })
      const revoke = async (time: number) =>
        must(await store.tokens.revoke({ token: { id: token.id }, client: null, scope: null, by: at(time) })).value
      expect(await revoke(5_000)).toBeNull()
      expect(await revoke(4_999)).toMatchObject({ id: token.id })
    })

    it('list newest first, page by page, by what is asked', async () => {
      const { store } = await open()
      const home = await anAccount(store)
      const [one, two] = [await create(store, home), await create(store, home)]
      const { token: foreign } = await aMinted(store)
      const tokens = [
        aToken(home, one.id),
        aToken(home, two.id),
        aToken(home, one.id, { expiresAt: 3_000 }),
        aToken(home, one.id),
      ]
      await store.tokens.mint({ tokens })
      const ids = tokens.map(({ id }) => id).toReversed()
      const list = async (over: Partial<List>) =>
        (await store.tokens.list({ ...everyToken, ...over })).items.map(({ id }) => id)
      expect(await list({})).toEqual([...ids, foreign.id])
      expect(await list({ scope: home.account })).toEqual(ids)
      expect(await list({ credential: one.id })).toEqual([ids[0], ids[1], ids[3]])
      expect(await list({ credential: one.id, liveAt: 3_000 })).toEqual([ids[0], ids[3]])
      expect(await list({ credential: one.id, liveAt: 2_999 })).toEqual([ids[0], ids[1], ids[3]])
      expect(await list({ credential: one.id, scope: 'acc_other' })).toEqual([])
      const page = await store.tokens.list({ ...everyToken, scope: home.account, limit: 3 })
      const rest = await store.tokens.list({ ...everyToken, scope: home.account, limit: 3, after: page.next })
      expect([...page.items, ...rest.items].map(({ id }) => id)).toEqual(ids)
      expect(rest.next).toBeNull()
    })

    it('leave once they have ended before the instant asked for, and not sooner', async () => {
      const { store } = await open()
      const { token } = await aMinted(store, { expiresAt: 5_000 })
      expect(await store.tokens.prune({ before: 5_000 })).toBe(0)
      expect(await store.tokens.describe({ digest: token.digest })).not.toBeNull()
      expect(await store.tokens.prune({ before: 5_001 })).toBe(1)
      expect(await store.tokens.describe({ digest: token.digest })).toBeNull()
    })

    it('are found with a credential that memory does not hold', async () => {
      const { store } = await open()
      const { token } = await aMinted(store)
      expect(await store.records.byId({ id: token.credential })).toMatchObject({ id: token.credential, version: 1 })
      expect(await store.records.byId({ id: 'cred_none' })).toBeNull()
    })

    it('are refused as one that exists', async () => {
      const { store } = await open()
      const { home, token } = await aMinted(store)
      const again = aToken(home, token.credential, { digest: token.digest })
      await expect(store.tokens.mint({ tokens: [again] })).rejects.toThrow(/digest|duplicate/i)
      expect(await store.tokens.describe({ digest: token.digest })).toMatchObject({ id: token.id })
    })
  })
}
