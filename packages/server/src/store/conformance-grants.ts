/* oxlint-disable unicorn/consistent-function-scoping -- small helpers stand beside the claims that use them */
import { describe, expect, it } from 'vitest'

import { noChanges } from '../core/records/record.ts'
import type { Store } from '../core/store.ts'
import { anAccount, aPerson, at, by, must, type Home, type Opened, type Person } from './conformance-data.ts'
import { conflict, notFound } from './conformance-refusals.ts'
import { aCode, aConsent, aFamily, aGrantOf, consentAgain, isGood, rotate, spend } from './conformance-token-data.ts'

const first = { limit: 100, after: null, scope: null }

/** Grants on both databases. */
export function grantConformance(open: () => Promise<Opened>): void {
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
      const { items } = await store.tokens.list({
        ...first,
        credential: null,
        kind: null,
        grant: family.grant.id,
        liveAt: 6_000,
      })
      expect(items.map(({ id }) => id)).toEqual([family.access.id])
      const fresh = await consentAgain(store, family)
      expect((await spend(store, fresh.code, [])).value).toBe('spent')
    })
  })
}
