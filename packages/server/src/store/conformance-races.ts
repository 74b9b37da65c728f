/* oxlint-disable unicorn/consistent-function-scoping -- small helpers stand beside the claims that use them */
import { describe, expect, it } from 'vitest'

import type { Provenance } from '../core/audit/event.ts'
import type { Store } from '../core/store.ts'
import { actedByUser, anAccount, aPerson, by, must, someBytes, type Opened } from './conformance-data.ts'
import { aFactor, aNewcomer, anOpen, aSession } from './conformance-people-data.ts'
import { conflict, notFound } from './conformance-refusals.ts'
import {
  aCode,
  aConsent,
  aFamily,
  aGrantOf,
  consentAgain,
  isGood,
  rotate,
  spend,
  successorsOf,
} from './conformance-token-data.ts'

const parallel = { timeout: 180_000 }
const first = { limit: 100, after: null, scope: null }
const idleMs = 50_000

async function inTurn<One, Other>(one: () => Promise<One>, other: () => Promise<Other>): Promise<[Other, One]> {
  const done = await one()
  return [await other(), done]
}

const rename = (store: Store, id: string, actor: Provenance) =>
  store.accounts.update({ id, version: 1, set: { name: 'Renamed' }, by: actor })

/** What is done at once: on both databases, and by two nodes of one. */
export function raceConformance(open: () => Promise<Opened>): void {
  describe('at once', () => {
    it(
      '20, 21: a code redeemed twenty times succeeds exactly once, in 50 rounds, and what that issued is dead',
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

    it(
      '24: a refresh token used twenty times succeeds exactly once, in 50 rounds, and its family lives',
      parallel,
      async () => {
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
      },
    )

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

    it('a consent while the member is removed is refused, or withdrawn with them', parallel, async () => {
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

    it('26: a consent before a new password is ended with it, one after it is not', parallel, async () => {
      const { store } = await open()
      const { home, client } = await aConsent(store)
      for (let round = 0; round < 30; round++) {
        const person = await aPerson(store, home.account, 'developer')
        const { sequence } = await store.events.head()
        const change = { user: person.user, passwordHash: 'new', keepSession: null, by }
        const [consented] = await Promise.all([
          consentAgain(store, { home, person, client }),
          store.people.setPassword(change),
        ])
        const actions = (await store.events.range({ after: sequence, limit: 9 })).map(({ action }) => action)
        const before = actions.indexOf('grant.created') < actions.indexOf('user.password_changed')
        expect((await spend(store, consented.code, [])).value).toBe(before ? 'revoked' : 'spent')
      }
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

    it('an invitation accepted twenty times makes one member, in ten rounds', parallel, async () => {
      const { store } = await open()
      const { account } = await anAccount(store)
      for (let round = 1; round <= 10; round++) {
        const { digest } = await anOpen(store, account)
        const tries = await Promise.all(
          Array.from({ length: 20 }, () => store.people.acceptInvitation(aNewcomer(digest))),
        )
        expect(tries.filter(({ ok }) => ok).length).toBe(1)
        expect(tries.filter(({ ok }) => !ok)).toEqual(Array(19).fill(notFound))
        expect((await store.people.listMembers({ ...first, account, user: null })).items.length).toBe(round)
      }
    })

    it('of the last two owners who leave one stays, in 20 rounds', parallel, async () => {
      const { store } = await open()
      for (let round = 0; round < 20; round++) {
        const { account } = await anAccount(store)
        const owners = [await aPerson(store, account), await aPerson(store, account)]
        const answers = await Promise.all(
          owners.map(({ member }, index) =>
            index === 0 || round % 2 === 0
              ? store.people.removeMember({ member, scope: null, by })
              : store.people.setRole({ member, scope: null, version: 1, role: 'viewer', by }),
          ),
        )
        expect(answers.filter(({ ok }) => ok).length).toBe(1)
        expect(answers).toContainEqual(conflict(/without an owner/))
      }
    })

    it('RFC 6238, 5.2: a time step counts once, and none before it', parallel, async () => {
      const { store } = await open()
      const { user } = await aPerson(store, (await anAccount(store)).account)
      const count = (step: number) => store.people.spendTotpStep({ user, step })
      expect(await count(9)).toBe(false)
      must(await store.people.setSecondFactor({ user, factor: aFactor(7), keepSession: null, by }))
      expect([await count(7), await count(8), await count(8), await count(7)]).toEqual([false, true, false, false])
      for (let step = 10; step < 30; step++) {
        const tries = await Promise.all(Array.from({ length: 20 }, () => count(step)))
        expect(tries.filter((counts) => counts).length).toBe(1)
      }
    })

    it('a recovery code counts once', async () => {
      const { store } = await open()
      const { user } = await aPerson(store, (await anAccount(store)).account)
      const digests = [someBytes(), someBytes()]
      must(await store.people.setSecondFactor({ user, factor: aFactor(1, digests), keepSession: null, by }))
      const { sequence } = await store.events.head()
      const count = (digest: Uint8Array) => store.people.spendRecoveryCode({ user, digest, by })
      expect(must(await count(someBytes())).value).toBe(false)
      const [digest = someBytes()] = digests
      const tries = await Promise.all(Array.from({ length: 20 }, () => count(digest)))
      expect(tries.filter((each) => must(each).value).length).toBe(1)
      expect(await store.events.range({ after: sequence, limit: 100 })).toMatchObject([
        { action: 'user.recovery_code_used', targetId: user, after: { left: 1 } },
      ])
    })

    it('a password that changes while sessions start leaves none of the old one', parallel, async () => {
      const { store } = await open()
      for (let round = 0; round < 20; round++) {
        const { user } = await aPerson(store, (await anAccount(store)).account)
        const starts = Array.from({ length: 5 }, () => ({
          session: aSession(user),
          digest: someBytes(),
          userVersion: 1,
        }))
        await Promise.all([
          ...starts.slice(0, 3).map((each) => store.people.startSession(each)),
          store.people.setPassword({ user, passwordHash: 'new', keepSession: null, by }),
          ...starts.slice(3).map((each) => store.people.startSession(each)),
        ])
        expect(await store.people.listSessions({ user, now: 2_000, idleMs })).toEqual([])
      }
    })

    it('a person who is removed has acted before it, or not at all', parallel, async () => {
      const { store } = await open()
      for (let round = 0; round < 20; round++) {
        const { account } = await anAccount(store)
        await aPerson(store, account)
        const { user, member } = await aPerson(store, account)
        const [acted] = await Promise.all([
          rename(store, account, actedByUser(user)),
          store.people.removeMember({ member, scope: null, by }),
        ])
        const events = await store.events.list({
          ...first,
          account,
          credential: null,
          action: null,
          from: null,
          to: null,
        })
        const actions = events.items.map(({ action }) => action).toReversed()
        const place = actions.indexOf('account.updated')
        expect(acted.ok ? place < actions.indexOf('member.removed') : place === -1).toBe(true)
      }
    })
  })
}
