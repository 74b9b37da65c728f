/* oxlint-disable unicorn/consistent-function-scoping -- small helpers stand beside the claims that use them */
import { describe, expect, it } from 'vitest'

import { pruneEnded } from '../core/housekeeping.ts'
import { noChanges } from '../core/records/record.ts'
import type { Store } from '../core/store.ts'
import type { TokenStore } from '../core/tokens/token-store.ts'
import type { NewToken } from '../core/tokens/token.ts'
import { anAccount, at, by, create, must, someBytes, type Opened } from './conformance-data.ts'
import { notFound } from './conformance-refusals.ts'
import {
  aConsent,
  aFamily,
  aMinted,
  aToken,
  graceMs,
  isGood,
  rotate,
  spend,
  successorsOf,
} from './conformance-token-data.ts'

const dayMs = 86_400_000

type List = Parameters<TokenStore['list']>[0]
const everyToken: List = {
  limit: 100,
  after: null,
  scope: null,
  credential: null,
  grant: null,
  kind: null,
  liveAt: null,
}

/** Tokens and codes on both databases. */
export function tokenConformance(open: () => Promise<Opened>): void {
  mintConformance(open)
  codeConformance(open)
  refreshConformance(open)
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

    it('stay for a day after they have ended, for whoever holds them to be told, however many they are', async () => {
      const { store } = await open()
      const { home, token } = await aMinted(store, { expiresAt: 5_000 })
      const many = Array.from({ length: 1_200 }, () => aToken(home, token.credential, { expiresAt: 4_000 }))
      for (let start = 0; start < many.length; start += 100) {
        await store.tokens.mint({ tokens: many.slice(start, start + 100) })
      }
      const left = async () => (await store.tokens.list({ ...everyToken, limit: 2_000 })).items.length
      await pruneEnded(store, dayMs + 4_000)
      expect(await left()).toBe(1_201)
      await pruneEnded(store, dayMs + 5_000)
      expect(await left()).toBe(1)
      await pruneEnded(store, dayMs + 5_001)
      expect(await left()).toBe(0)
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
