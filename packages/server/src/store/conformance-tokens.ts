/* oxlint-disable unicorn/consistent-function-scoping -- small helpers stand beside the claims that use them */
import { randomBytes } from 'node:crypto'

import { describe, expect, it } from 'vitest'

import { noChanges } from '../core/records/record.ts'
import type { Store } from '../core/store.ts'
import type { TokenStore } from '../core/tokens/token-store.ts'
import type { NewToken } from '../core/tokens/token.ts'
import { anAccount, at, create, must, nextHex, type Home, type Opened } from './conformance-data.ts'

const first = { limit: 100, after: null, scope: null }
type List = Parameters<TokenStore['list']>[0]
const everyToken: List = { ...first, credential: null, grant: null, kind: null, liveAt: null }

export function aToken(home: Home, credential: string, over: Partial<NewToken> = {}): NewToken {
  return {
    ...home,
    id: `tok_${nextHex()}`,
    digest: new Uint8Array(randomBytes(32)),
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

/** Tokens, codes and grants on both databases. */
export function tokenConformance(open: () => Promise<Opened>): void {
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
