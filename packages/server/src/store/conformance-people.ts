/* oxlint-disable unicorn/consistent-function-scoping -- small helpers stand beside the claims that use them */
import { describe, expect, it } from 'vitest'

import { operatorAccountId } from '../core/accounts/account.ts'
import type { Provenance } from '../core/audit/event.ts'
import type { Session } from '../core/people/user.ts'
import { noChanges } from '../core/records/record.ts'
import type { Store } from '../core/store.ts'
import {
  actedByUser,
  anAccount,
  anInvited,
  aPerson,
  at,
  by,
  must,
  nextHex,
  someBytes,
  type Opened,
  type Person,
} from './conformance-data.ts'
import { aFactor, aNewcomer, anInvitation, anOpen, aSession } from './conformance-people-data.ts'
import { conflict, notFound } from './conformance-refusals.ts'

const first = { limit: 100, after: null, scope: null }
const actorDead = { ok: false, error: { code: 'actor_dead' } }
const idleMs = 50_000

async function aSignedIn(store: Store, user: string, over: Partial<Session> = {}) {
  const session = aSession(user, over)
  const digest = someBytes()
  const { version = 0 } = (await store.people.findUser({ id: user })) ?? {}
  expect(await store.people.startSession({ session, digest, userVersion: version })).toBe(true)
  return { ...session, digest }
}

const lives = async (store: Store, { digest }: { readonly digest: Uint8Array }, now = 2_000) =>
  (await store.people.findSession({ digest, now, idleMs })) !== null

const eventsAfter = (store: Store, sequence: number) => store.events.range({ after: sequence, limit: 100 })

/** People, their places in accounts and their sessions on both databases. */
export function peopleConformance(open: () => Promise<Opened>): void {
  invitationConformance(open)
  memberConformance(open)
  userConformance(open)
  sessionConformance(open)
  actorConformance(open)
}

function invitationConformance(open: () => Promise<Opened>): void {
  describe('invitations', () => {
    it('make a person and a member, once, and are told by ids alone', async () => {
      const { store } = await open()
      const { account } = await anAccount(store)
      const { digest, ...invitation } = await anOpen(store, account)
      expect(invitation).toEqual({
        ...anInvitation(account, invitation),
        createdBy: 'POSTERN_MANAGEMENT_KEY',
        createdAt: 1_000,
        acceptedAt: null,
        revokedAt: null,
      })
      expect(await store.people.findInvitation({ digest, now: 2_000 })).toEqual(invitation)
      const { sequence } = await store.events.head()
      const newcomer = aNewcomer(digest)
      const joined = must(await store.people.acceptInvitation(newcomer))
      const { user } = newcomer
      expect(joined.value).toEqual({
        id: newcomer.member,
        account,
        user,
        email: invitation.email,
        name: 'Ada',
        role: 'developer',
        state: 'active',
        createdAt: 2_000,
        version: 1,
      })
      expect(joined.changes).toEqual(noChanges)
      expect(await store.people.findMember({ id: newcomer.member, scope: account })).toEqual(joined.value)
      expect(await store.people.findUser({ id: user })).toEqual({
        id: user,
        email: invitation.email,
        name: 'Ada',
        state: 'active',
        secondFactor: false,
        createdAt: 2_000,
        version: 1,
      })
      const events = await eventsAfter(store, sequence)
      expect(events.map(({ action, targetKind, targetId }) => [action, targetKind, targetId])).toEqual([
        ['user.created', 'user', user],
        ['invitation.accepted', 'invitation', invitation.id],
        ['member.added', 'member', newcomer.member],
      ])
      const all = JSON.stringify(await eventsAfter(store, 0))
      for (const personal of [invitation.email, 'Ada', 'argon2id', Buffer.from(digest).toString('hex')]) {
        expect(all).not.toContain(personal)
      }
      expect(await store.people.findInvitation({ digest, now: 2_000 })).toBeNull()
      expect(await store.people.acceptInvitation(aNewcomer(digest))).toEqual(notFound)
    })

    it('are open until the instant they expire, or are revoked', async () => {
      const { store } = await open()
      const { account } = await anAccount(store)
      const { digest, id } = await anOpen(store, account)
      expect(await store.people.findInvitation({ digest, now: 99_999 })).toMatchObject({ id })
      expect(await store.people.findInvitation({ digest, now: 100_000 })).toBeNull()
      expect(await store.people.acceptInvitation(aNewcomer(digest, 100_000))).toEqual(notFound)
      const one = { id, scope: account, by }
      expect(await store.people.revokeInvitation({ ...one, scope: 'acc_other' })).toEqual(notFound)
      expect(must(await store.people.revokeInvitation(one)).value).toMatchObject({ id, revokedAt: 1_000 })
      expect(await store.people.revokeInvitation(one)).toEqual(conflict(/not open/))
      expect(await store.people.findInvitation({ digest, now: 2_000 })).toBeNull()
      expect(await store.people.acceptInvitation(aNewcomer(digest))).toEqual(notFound)
      const late = await anOpen(store, account)
      expect((await store.people.acceptInvitation(aNewcomer(late.digest, 99_999))).ok).toBe(true)
    })

    it('take the place of an open one of the same address, and are refused to a member', async () => {
      const { store } = await open()
      const { account } = await anAccount(store)
      const old = await anOpen(store, account)
      const renewed = await anOpen(store, account, { email: old.email, role: 'viewer' })
      expect(await store.people.acceptInvitation(aNewcomer(old.digest))).toEqual(notFound)
      const list = async (openAt: number | null) =>
        (await store.people.listInvitations({ ...first, account: null, scope: account, openAt })).items
      expect((await list(2_000)).map(({ id }) => id)).toEqual([renewed.id])
      expect((await list(100_000)).length).toBe(0)
      expect((await list(null)).map(({ id }) => id)).toEqual([renewed.id, old.id])
      must(await store.people.acceptInvitation(aNewcomer(renewed.digest)))
      const again = anInvitation(account, { email: old.email })
      expect(await store.people.invite({ invitation: again, digest: someBytes(), by })).toEqual(conflict(/member/))
      const nowhere = anInvitation('acc_none')
      expect(await store.people.invite({ invitation: nowhere, digest: someBytes(), by })).toEqual(notFound)
    })

    it('of who has a sign-in already are accepted by that person alone', async () => {
      const { store } = await open()
      const [one, two] = [await anAccount(store), await anAccount(store)]
      const person = await aPerson(store, one.account)
      const stranger = await aPerson(store, one.account)
      const { digest } = await anOpen(store, two.account, { email: person.email })
      const member = `mem_${nextHex()}`
      const accept = (user: string) =>
        store.people.acceptInvitation({ digest, member, user, newUser: null, by: at(2_000) })
      expect(await accept(stranger.user)).toEqual(conflict(/another address/))
      expect(await store.people.acceptInvitation(aNewcomer(digest))).toEqual(conflict(/already has a sign-in/))
      expect(must(await accept(person.user)).value).toMatchObject({
        id: member,
        account: two.account,
        user: person.user,
      })
      const memberships = await store.people.membershipsOf({ user: person.user })
      expect(memberships.map(({ account }) => account)).toEqual([one.account, two.account])
    })

    it('of an account that is suspended wait', async () => {
      const { store } = await open()
      const { account } = await anAccount(store)
      const { digest } = await anOpen(store, account)
      must(await store.accounts.setState({ id: account, state: 'suspended', reason: null, by }))
      expect(await store.people.acceptInvitation(aNewcomer(digest))).toEqual(conflict(/suspended/))
      must(await store.accounts.setState({ id: account, state: 'active', reason: null, by }))
      expect((await store.people.acceptInvitation(aNewcomer(digest))).ok).toBe(true)
    })
  })
}

function memberConformance(open: () => Promise<Opened>): void {
  describe('members', () => {
    it('change their role from the version that was read', async () => {
      const { store } = await open()
      const { account } = await anAccount(store)
      await aPerson(store, account)
      const { member, user } = await aPerson(store, account, 'developer')
      const set = (version: number, scope: string | null = account) =>
        store.people.setRole({ member, scope, version, role: 'admin', by })
      expect(await set(1, 'acc_other')).toEqual(notFound)
      const { value, sequence } = must(await set(1))
      expect(value).toMatchObject({ id: member, role: 'admin', version: 2 })
      expect(await set(1)).toEqual({ ok: false, error: { code: 'version_mismatch', current: 2 } })
      const [event] = await eventsAfter(store, sequence - 1)
      expect(event).toMatchObject({
        action: 'member.role_changed',
        targetId: member,
        account,
        before: { role: 'developer' },
        after: { role: 'admin', user },
      })
    })

    it('that were removed are as absent, and have their place again where they come back', async () => {
      const { store } = await open()
      const { account } = await anAccount(store)
      await aPerson(store, account)
      const person = await aPerson(store, account, 'admin')
      const { member } = person
      const one = { member, scope: account, by }
      expect(await store.people.removeMember({ ...one, scope: 'acc_other' })).toEqual(notFound)
      expect(must(await store.people.removeMember(one)).value).toMatchObject({
        id: member,
        state: 'removed',
        version: 2,
      })
      expect(await store.people.removeMember(one)).toEqual(notFound)
      expect(await store.people.setRole({ ...one, version: 2, role: 'viewer' })).toEqual(notFound)
      expect(await store.people.findMember({ id: member, scope: null })).toBeNull()
      expect(await store.people.membershipsOf({ user: person.user })).toEqual([])
      const back = await anInvited(store, account, { ...person, member: `mem_${nextHex()}` }, 'viewer', false)
      expect(back).toMatchObject({ id: member, role: 'viewer', state: 'active', version: 3 })
    })

    it('the last owner is neither removed nor made less, and one who may not sign in counts for none', async () => {
      const { store } = await open()
      const { account } = await anAccount(store)
      const [ada, bob] = [await aPerson(store, account), await aPerson(store, account)]
      const remove = ({ member }: Person) => store.people.removeMember({ member, scope: null, by })
      const demote = ({ member }: Person, version = 1) =>
        store.people.setRole({ member, scope: null, version, role: 'admin', by })
      must(await store.people.setUserState({ user: bob.user, state: 'disabled', by }))
      expect(await remove(ada)).toEqual(conflict(/without an owner/))
      expect(await demote(ada)).toEqual(conflict(/without an owner/))
      must(await store.people.setUserState({ user: bob.user, state: 'active', by }))
      must(await demote(ada))
      expect(await demote(bob)).toEqual(conflict(/without an owner/))
      expect(await remove(bob)).toEqual(conflict(/without an owner/))
      must(await remove(ada))
      expect(await store.people.findMember({ id: bob.member, scope: account })).toMatchObject({ role: 'owner' })
    })

    it('list newest first by what is asked, with the names that they have now', async () => {
      const { store } = await open()
      const [one, two] = [await anAccount(store), await anAccount(store)]
      const people = [
        await aPerson(store, one.account),
        await aPerson(store, one.account),
        await aPerson(store, two.account),
      ]
      const ids = people.map(({ member }) => member).toReversed()
      const list = async (over: Partial<Parameters<Store['people']['listMembers']>[0]>) =>
        (await store.people.listMembers({ ...first, account: null, user: null, ...over })).items.map(({ id }) => id)
      expect(await list({})).toEqual(ids)
      expect(await list({ scope: one.account })).toEqual(ids.slice(1))
      expect(await list({ account: two.account })).toEqual(ids.slice(0, 1))
      expect(await list({ account: two.account, scope: one.account })).toEqual([])
      expect(await list({ user: people[1]?.user ?? '' })).toEqual(ids.slice(1, 2))
      const page = await store.people.listMembers({ ...first, limit: 2, account: null, user: null })
      expect(await list({ limit: 2, after: page.next })).toEqual(ids.slice(2))
    })

    it('their memberships are those in accounts that are active', async () => {
      const { store } = await open()
      const [one, two] = [await anAccount(store), await anAccount(store)]
      const person = await aPerson(store, one.account)
      await anInvited(store, two.account, { ...person, member: `mem_${nextHex()}` }, 'viewer', false)
      must(await store.accounts.setState({ id: one.account, state: 'suspended', reason: null, by }))
      const memberships = await store.people.membershipsOf({ user: person.user })
      expect(memberships).toMatchObject([{ account: two.account, role: 'viewer' }])
    })
  })
}

function userConformance(open: () => Promise<Opened>): void {
  describe('users', () => {
    it('are known by their address or id, with what proves them', async () => {
      const { store } = await open()
      const { user, email } = await aPerson(store, (await anAccount(store)).account)
      const proofs = {
        user: await store.people.findUser({ id: user }),
        passwordHash: '$argon2id$1',
        totp: null,
        totpStep: 0,
        recoveryDigests: [],
      }
      expect(await store.people.proofsOf({ email })).toEqual(proofs)
      expect(await store.people.proofsOf({ id: user })).toEqual(proofs)
      expect(await store.people.proofsOf({ email: 'nobody@people.example' })).toBeNull()
      expect(await store.people.findUser({ id: 'usr_none' })).toBeNull()
    })

    it('list newest first, by part of name or address', async () => {
      const { store } = await open()
      const { account } = await anAccount(store)
      const [one, two] = [await aPerson(store, account), await aPerson(store, account)]
      const list = async (search: string | null) =>
        (await store.people.listUsers({ limit: 10, after: null, search })).items.map(({ id }) => id)
      expect(await list(null)).toEqual([two.user, one.user])
      expect(await list(one.email.slice(0, 32).toUpperCase())).toEqual([one.user])
      expect(await list('aDa')).toEqual([two.user, one.user])
      expect(await list('%')).toEqual([])
    })

    it('26: a new password ends every other session, and links to set one', async () => {
      const { store } = await open()
      const { user } = await aPerson(store, (await anAccount(store)).account)
      const [kept, other] = [await aSignedIn(store, user), await aSignedIn(store, user)]
      const digest = someBytes()
      must(await store.people.offerReset({ user, id: `rst_${nextHex()}`, digest, expiresAt: 9_000, by }))
      const set = must(await store.people.setPassword({ user, passwordHash: 'new', keepSession: kept.id, by }))
      expect(set.value).toMatchObject({ id: user, version: 2 })
      expect([await lives(store, kept), await lives(store, other)]).toEqual([true, false])
      expect(await store.people.proofsOf({ id: user })).toMatchObject({ passwordHash: 'new' })
      expect(await store.people.findReset({ digest, now: 2_000 })).toBeNull()
      const [event] = await eventsAfter(store, set.sequence - 1)
      expect(event).toMatchObject({
        action: 'user.password_changed',
        targetId: user,
        account: null,
        after: { sessionsEnded: 1 },
      })
      expect(await store.people.setPassword({ user: 'usr_none', passwordHash: 'x', keepSession: null, by })).toEqual(
        notFound,
      )
    })

    it('a link to set a password works once, until it expires, and voids the one before', async () => {
      const { store } = await open()
      const { user } = await aPerson(store, (await anAccount(store)).account)
      const session = await aSignedIn(store, user)
      const offer = async () => {
        const digest = someBytes()
        must(await store.people.offerReset({ user, id: `rst_${nextHex()}`, digest, expiresAt: 9_000, by }))
        return digest
      }
      const redeem = (digest: Uint8Array, time = 2_000) =>
        store.people.redeemReset({ digest, passwordHash: `at ${time}`, by: at(time) })
      const [old, digest] = [await offer(), await offer()]
      expect(await store.people.findReset({ digest: old, now: 2_000 })).toBeNull()
      expect(await redeem(old)).toEqual(notFound)
      expect(await store.people.findReset({ digest, now: 8_999 })).toMatchObject({ id: user })
      expect(await store.people.findReset({ digest, now: 9_000 })).toBeNull()
      expect(await redeem(digest, 9_000)).toEqual(notFound)
      const tries = await Promise.all(Array.from({ length: 20 }, () => redeem(digest, 8_999)))
      expect(tries.filter(({ ok }) => ok).length).toBe(1)
      expect(await store.people.proofsOf({ id: user })).toMatchObject({ passwordHash: 'at 8999', user: { version: 2 } })
      expect(await lives(store, session)).toBe(false)
    })

    it('have a second factor, and its end and its beginning end every other session', async () => {
      const { store } = await open()
      const { user } = await aPerson(store, (await anAccount(store)).account)
      const kept = await aSignedIn(store, user)
      const digests = [someBytes(), someBytes()]
      const made = aFactor(7, digests)
      const set = (to: typeof made | null) =>
        store.people.setSecondFactor({ user, factor: to, keepSession: kept.id, by })
      const other = await aSignedIn(store, user)
      const added = must(await set(made))
      expect(added.value).toMatchObject({ secondFactor: true, version: 2 })
      expect([await lives(store, kept), await lives(store, other)]).toEqual([true, false])
      const proofs = await store.people.proofsOf({ id: user })
      expect(proofs).toMatchObject({ totp: made.totp, totpStep: 7 })
      expect(new Set(proofs?.recoveryDigests.map((digest) => Buffer.from(digest).toString('hex')))).toEqual(
        new Set(digests.map((digest) => Buffer.from(digest).toString('hex'))),
      )
      const again = await aSignedIn(store, user)
      const removed = must(await set(null))
      expect(removed.value).toMatchObject({ secondFactor: false, version: 3 })
      expect(await lives(store, again)).toBe(false)
      expect(await store.people.proofsOf({ id: user })).toMatchObject({ totp: null, recoveryDigests: [] })
      const events = await eventsAfter(store, added.sequence - 1)
      expect(events.map(({ action }) => action)).toEqual(['user.second_factor_set', 'user.second_factor_removed'])
    })

    it('that are disabled have no session, no link and no proof that counts, until they are let in again', async () => {
      const { store } = await open()
      const { user, email } = await aPerson(store, (await anAccount(store)).account)
      const session = await aSignedIn(store, user)
      const digest = someBytes()
      must(await store.people.offerReset({ user, id: `rst_${nextHex()}`, digest, expiresAt: 9_000, by }))
      const set = (state: 'active' | 'disabled') => store.people.setUserState({ user, state, by })
      const disabled = must(await set('disabled'))
      expect(disabled.value).toMatchObject({ state: 'disabled', version: 2 })
      expect(await set('disabled')).toEqual(conflict(/already disabled/))
      const late = { session: aSession(user), digest: someBytes(), userVersion: 2 }
      expect(await store.people.startSession(late)).toBe(false)
      expect(await store.people.proofsOf({ email })).toMatchObject({ user: { state: 'disabled' } })
      for (const refused of [
        store.people.setPassword({ user, passwordHash: 'x', keepSession: null, by }),
        store.people.setSecondFactor({ user, factor: null, keepSession: null, by }),
        store.people.offerReset({ user, id: `rst_${nextHex()}`, digest: someBytes(), expiresAt: 9_000, by }),
      ]) {
        expect(await refused).toEqual(conflict(/disabled/))
      }
      expect(await store.people.redeemReset({ digest, passwordHash: 'x', by })).toEqual(notFound)
      expect(must(await set('active')).value).toMatchObject({ state: 'active', version: 3 })
      expect(await lives(store, session)).toBe(false)
      expect(await store.people.findReset({ digest, now: 2_000 })).toBeNull()
    })

    it('their signing in is told, without what it was done with', async () => {
      const { store } = await open()
      const { user } = await aPerson(store, (await anAccount(store)).account)
      const { sequence } = await store.events.head()
      const note = (who: string) =>
        store.people.note({ user: who, action: 'user.sign_in_failed', details: { reason: 'password' }, by })
      must(await note(user))
      expect(await note('usr_none')).toEqual(notFound)
      expect(await eventsAfter(store, sequence)).toMatchObject([
        { action: 'user.sign_in_failed', targetKind: 'user', targetId: user, after: { reason: 'password' } },
      ])
    })
  })
}

function sessionConformance(open: () => Promise<Opened>): void {
  describe('sessions', () => {
    it('are known by their digest until they end or are idle for too long', async () => {
      const { store } = await open()
      const { user } = await aPerson(store, (await anAccount(store)).account)
      const { digest, ...session } = await aSignedIn(store, user)
      const find = (now: number, idle = idleMs) => store.people.findSession({ digest, now, idleMs: idle })
      expect(await find(2_000)).toEqual({
        session: { ...session, endedAt: null },
        user: await store.people.findUser({ id: user }),
      })
      expect([(await find(50_999)) === null, await find(51_000)]).toEqual([false, null])
      await store.people.touchSession({ id: session.id, at: 60_000 })
      await store.people.touchSession({ id: session.id, at: 30_000 })
      expect(await find(60_000)).toMatchObject({ session: { lastSeenAt: 60_000 } })
      expect([(await find(99_999)) === null, await find(100_000)]).toEqual([false, null])
      expect(await store.people.findSession({ digest: someBytes(), now: 2_000, idleMs })).toBeNull()
    })

    it('fixation: have another secret after another proof, and the old one is dead', async () => {
      const { store } = await open()
      const { user } = await aPerson(store, (await anAccount(store)).account)
      const { digest: old, id } = await aSignedIn(store, user, { stage: 'password' })
      const digest = someBytes()
      const rotate = (next: Uint8Array, authenticatedAt = 5_000) =>
        store.people.rotateSession({ id, digest: next, stage: 'signed_in', authenticatedAt })
      expect(await rotate(digest, 100_000)).toBe(false)
      expect(await rotate(digest)).toBe(true)
      expect(await lives(store, { digest: old }, 6_000)).toBe(false)
      expect(await store.people.findSession({ digest, now: 6_000, idleMs })).toMatchObject({
        session: { id, stage: 'signed_in', authenticatedAt: 5_000, lastSeenAt: 5_000 },
      })
      must(await store.people.endSession({ id, user, by }))
      expect(await rotate(someBytes())).toBe(false)
    })

    it('end by their person alone, are told, and stay ended', async () => {
      const { store } = await open()
      const { user } = await aPerson(store, (await anAccount(store)).account)
      const session = await aSignedIn(store, user)
      const end = (who: string | null) => store.people.endSession({ id: session.id, user: who, by: at(3_000) })
      expect(await end('usr_other')).toEqual(notFound)
      const { sequence } = await store.events.head()
      expect(must(await end(user)).value).toMatchObject({ id: session.id, endedAt: 3_000 })
      expect(await end(null)).toEqual(notFound)
      expect(await lives(store, session)).toBe(false)
      const events = await eventsAfter(store, sequence)
      expect(events).toMatchObject([
        { action: 'session.ended', targetKind: 'session', targetId: session.id, after: { user } },
      ])
    })

    it('all end at once, and are listed newest first while they live', async () => {
      const { store } = await open()
      const { account } = await anAccount(store)
      const [one, two] = [await aPerson(store, account), await aPerson(store, account)]
      const mine = [await aSignedIn(store, one.user), await aSignedIn(store, one.user, { createdAt: 2_000 })]
      await aSignedIn(store, one.user, { expiresAt: 3_000 })
      const theirs = await aSignedIn(store, two.user)
      const list = async () =>
        (await store.people.listSessions({ user: one.user, now: 3_000, idleMs })).map(({ id }) => id)
      expect(await list()).toEqual([mine[1]?.id, mine[0]?.id])
      const end = () => store.people.endSessions({ user: one.user, by })
      expect(must(await end()).value).toBe(3)
      expect(must(await end())).toMatchObject({ value: 0, changes: noChanges })
      expect(await list()).toEqual([])
      expect(await lives(store, theirs)).toBe(true)
    })

    it('do not start where a proof has changed since it was checked', async () => {
      const { store } = await open()
      const { user } = await aPerson(store, (await anAccount(store)).account)
      const start = (userVersion: number) =>
        store.people.startSession({ session: aSession(user), digest: someBytes(), userVersion })
      expect(await start(1)).toBe(true)
      must(await store.people.setPassword({ user, passwordHash: 'new', keepSession: null, by }))
      expect([await start(1), await start(2)]).toEqual([false, true])
    })

    it('leave with links and invitations once they have ended before the instant asked for', async () => {
      const { store } = await open()
      const { account } = await anAccount(store)
      const { user } = await aPerson(store, account)
      const ended = await aSignedIn(store, user)
      must(await store.people.endSession({ id: ended.id, user, by: at(5_000) }))
      const live = await aSignedIn(store, user)
      await anOpen(store, account)
      must(await store.people.offerReset({ user, id: `rst_${nextHex()}`, digest: someBytes(), expiresAt: 9_000, by }))
      const prune = (before: number) => store.people.prune({ before })
      expect([await prune(5_000), await prune(5_001), await prune(9_000), await prune(9_001)]).toEqual([0, 1, 0, 1])
      expect(await prune(100_000)).toBe(0)
      expect(await lives(store, live)).toBe(true)
      expect(await prune(100_001)).toBe(2)
      expect(await lives(store, live)).toBe(false)
      // The one that was accepted is kept until it would have expired.
      const invitations = { ...first, account, openAt: null }
      expect((await store.people.listInvitations(invitations)).items).toMatchObject([{ expiresAt: 1_000_000 }])
      expect(await prune(1_000_001)).toBe(1)
    })
  })
}

const rename = (store: Store, id: string, actor: Provenance) =>
  store.accounts.update({ id, version: 1, set: { name: 'Renamed' }, by: actor })

function actorConformance(open: () => Promise<Opened>): void {
  describe('people who act', () => {
    it('act in the accounts whose members they are, and nowhere else', async () => {
      const { store } = await open()
      const [one, two] = [await anAccount(store), await anAccount(store)]
      await aPerson(store, one.account)
      const { user, member } = await aPerson(store, one.account)
      expect(await rename(store, two.account, actedByUser(user))).toEqual(actorDead)
      const renamed = must(await rename(store, one.account, actedByUser(user)))
      const [event] = await eventsAfter(store, renamed.sequence - 1)
      expect(event).toMatchObject({ actor: { kind: 'user', id: user } })
      must(await store.people.removeMember({ member, scope: null, by }))
      expect(
        await store.accounts.update({ id: one.account, version: 2, set: { name: 'x' }, by: actedByUser(user) }),
      ).toEqual(actorDead)
      expect(await rename(store, two.account, actedByUser('usr_none'))).toEqual(actorDead)
      expect(await store.accounts.find({ id: two.account })).toMatchObject({ name: 'Acme', version: 1 })
    })

    it("the operator's own act everywhere", async () => {
      const { store } = await open()
      const { account } = await anAccount(store)
      await anAccount(store, [], {}, operatorAccountId)
      const { user } = await aPerson(store, operatorAccountId)
      expect(must(await rename(store, account, actedByUser(user))).value).toMatchObject({ name: 'Renamed' })
    })

    it('do nothing once they are disabled', async () => {
      const { store } = await open()
      const { account } = await anAccount(store)
      const { user } = await aPerson(store, account)
      must(await store.people.setUserState({ user, state: 'disabled', by }))
      expect(await rename(store, account, actedByUser(user))).toEqual(actorDead)
      expect(await store.people.endSessions({ user, by: actedByUser(user) })).toEqual(actorDead)
    })

    it('may leave an account by themselves, and be shut out by themselves', async () => {
      const { store } = await open()
      const { account } = await anAccount(store)
      await aPerson(store, account)
      const { user, member } = await aPerson(store, account)
      const self = actedByUser(user)
      expect(must(await store.people.removeMember({ member, scope: null, by: self })).value.state).toBe('removed')
      expect(must(await store.people.setUserState({ user, state: 'disabled', by: self })).value.state).toBe('disabled')
    })
  })
}
