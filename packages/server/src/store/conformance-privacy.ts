import { describe, expect, it } from 'vitest'

import { allEvents } from '../core/audit/all-events.ts'
import { verifyAudit } from '../core/audit/verify.ts'
import type { Session } from '../core/people/user.ts'
import type { Store } from '../core/store.ts'
import {
  actedByUser,
  aClient,
  aCredential,
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

/** What is stored about a person is found, and erased, and the chain of events stays whole (CRC-7, statement 135). */
export function privacyConformance(open: () => Promise<Opened>): void {
  describe('a person who is erased', () => {
    it('leaves an id: no name, address, proof, session, link, and not where they came from', async () => {
      const { store } = await open()
      const known = await everythingOf(store)
      const { person, home } = known
      const erased = must(await store.people.erase({ user: person.user, by: at(9_000) }))
      const told = { id: person.user, name: '', state: 'erased', secondFactor: false }
      expect(erased.value).toMatchObject({ ...told, email: `${person.user}@erased.invalid` })
      expect(await store.people.findUser({ id: person.user })).toEqual(erased.value)
      for (const who of [{ email: person.email }, { id: person.user }])
        expect(await store.people.proofsOf(who)).toBeNull()
      expect(await store.people.findSession({ digest: known.session, now: 9_000, idleMs: 10_000 })).toBeNull()
      expect(await store.people.findReset({ digest: known.reset, now: 9_000 })).toBeNull()
      expect(
        await store.people.listInvitations({ ...first, account: null, email: person.email, openAt: null }),
      ).toEqual({ items: [], next: null })
      const { items } = await store.people.listInvitations({ ...first, account: null, openAt: null })
      expect(items.filter(({ email }) => email === erased.value.email)).toHaveLength(2)
      expect(items.every(({ acceptedAt, revokedAt }) => acceptedAt !== null || revokedAt !== null)).toBe(true)
      expect(await store.people.membershipsOf({ user: person.user })).toEqual([])
      expect(await store.grants.find({ id: known.grant, scope: home.account })).toMatchObject({ state: 'withdrawn' })
      expect(erased.changes.grants).toMatchObject([{ id: known.grant, active: false, role: null }])
      expect(await everythingStored(store)).not.toContain(person.email)
    })

    it('stays in the audit log as an id, whose chain is whole; what others did keeps where they came from', async () => {
      const { store } = await open()
      const { person } = await everythingOf(store)
      const before = await store.events.list({ ...every, about: [[person.user]] })
      must(await store.people.erase({ user: person.user, by: at(9_000) }))
      const after = await store.events.list({ ...every, about: [[person.user]] })
      const own = after.items.filter(({ actor }) => actor.kind === 'user' || actor.kind === 'system')
      expect(own.length).toBeGreaterThan(1)
      expect(own.every(({ personal }) => personal === null)).toBe(true)
      const byOthers = after.items.filter(({ actor }) => actor.kind === 'bootstrap')
      expect(byOthers.map(({ action, personal }) => [action, personal?.ip])).toContainEqual([
        'user.erased',
        '192.0.2.1',
      ])
      expect(after.items.slice(1).map(({ hash }) => hash)).toEqual(before.items.map(({ hash }) => hash))
      expect(await verifyAudit(allEvents(store.events), [], null)).toMatchObject({ result: 'intact' })
    })

    it('is so for good, and once', async () => {
      const { store } = await open()
      const { person } = await everythingOf(store)
      const { user } = person
      must(await store.people.erase({ user, by }))
      expect(await store.people.erase({ user, by })).toEqual(conflict(/already erased/))
      expect(await store.people.erase({ user: 'usr_nobody', by })).toEqual(notFound)
      expect(await store.people.setUserState({ user, state: 'active', by })).toEqual(conflict(/erased/))
      expect(await store.people.setPassword({ user, passwordHash: 'x', keepSession: null, by })).toMatchObject({
        ok: false,
      })
      expect(
        await store.people.offerReset({ user, id: `rst_${nextHex()}`, digest: someBytes(), expiresAt: 99_000, by }),
      ).toMatchObject({ ok: false })
      expect(await store.people.revokeInvitation({ id: 'inv_x', scope: null, by: actedByUser(user) })).toMatchObject({
        error: { code: 'actor_dead' },
      })
    })

    it('can be invited again, as somebody new', async () => {
      const { store } = await open()
      const { person, home } = await everythingOf(store)
      must(await store.people.erase({ user: person.user, by }))
      const digest = someBytes()
      const invitation = {
        id: `inv_${nextHex()}`,
        account: home.account,
        email: person.email,
        role: 'viewer',
        expiresAt: 99_000,
      } as const
      must(await store.people.invite({ invitation, digest, by }))
      const user = `usr_${nextHex()}`
      const newUser = { name: 'Ada', passwordHash: 'x' }
      const joined = await store.people.acceptInvitation({
        digest,
        member: `mem_${nextHex()}`,
        user,
        newUser,
        by: actedByUser(user),
      })
      expect(must(joined).value).toMatchObject({ user, email: person.email })
    })

    it('leaves no account without an owner, but where an old backup was restored', async () => {
      const { store } = await open()
      const { account } = await anAccount(store)
      const { user, member } = await aPerson(store, account)
      expect(await store.people.erase({ user, by })).toEqual(conflict(/without an owner/))
      expect(await store.people.findUser({ id: user })).toMatchObject({ state: 'active' })
      expect(await store.people.findMember({ id: member, scope: account })).toMatchObject({ state: 'active' })
      expect(await store.people.erase({ user, evenLastOwner: true, by })).toMatchObject({ ok: true })
    })
  })

  describe('events about somebody or something', () => {
    it('are those of which it is the actor or the target, and of each that is named one has to be', async () => {
      const { store } = await open()
      const { person, other, grant, home } = await everythingOf(store)
      const actions = async (...about: readonly (readonly string[])[]) =>
        (await store.events.list({ ...every, about })).items.map(({ action }) => action)
      expect(await actions([grant])).toEqual(['grant.created'])
      expect(await actions([person.user])).toEqual(
        expect.arrayContaining(['user.created', 'grant.created', 'user.signed_in']),
      )
      expect(await actions([person.user], [grant])).toEqual(['grant.created'])
      expect(await actions([other.user], [grant])).toEqual([])
      expect(await actions([other.member, grant])).toEqual(['grant.created', 'member.added'])
      expect(await actions([])).toEqual([])
      const scoped = await store.events.list({ ...every, scope: home.account, about: [[person.user]] })
      expect(scoped.items.every(({ account }) => account === home.account)).toBe(true)
    })
  })

  describe('a note about what is done outside of the database', () => {
    it('is an event like any other', async () => {
      const { store } = await open()
      const event = { action: 'signing_key.rotated', targetKind: 'signing_key', targetId: 'kid' } as const
      const { sequence } = must(await store.system.note({ event, by }))
      const [stored] = await store.events.range({ after: sequence - 1, limit: 1 })
      expect(stored).toMatchObject({ ...event, actor: by.actor, account: null, before: null, after: null })
    })
  })

  describe('a token', () => {
    it('is found by its id, within the account that it is of', async () => {
      const { store } = await open()
      const { home, token } = await everythingOf(store)
      const found = await store.tokens.find({ id: token, scope: null })
      expect(found).toMatchObject({ id: token, kind: 'code', account: home.account, revokedAt: null })
      expect(await store.tokens.find({ id: token, scope: home.account })).toEqual(found)
      expect(await store.tokens.find({ id: token, scope: 'acc_other' })).toBeNull()
      expect(await store.tokens.find({ id: 'tok_nothing', scope: null })).toBeNull()
    })
  })
}

const every = { ...first, account: null, credential: null, action: null, from: null, to: null }

interface Everything {
  readonly home: Home
  readonly person: Person
  /** An owner beside the person, who did nothing. */
  readonly other: Person
  readonly grant: string
  readonly token: string
  /** Digests. */
  readonly session: Uint8Array
  readonly reset: Uint8Array
}

/** Somebody of whom there is everything that can be of anybody. */
async function everythingOf(store: Store): Promise<Everything> {
  const home = await anAccount(store)
  const other = await aPerson(store, home.account)
  const person = await aPerson(store, home.account)
  const { user } = person
  const own = { ...actedByUser(user), ip: '203.0.113.77', userAgent: 'their browser' }
  const { id: client } = await create(store, home, aCredential({ kind: 'oauth_client', oauth: aClient }))
  const grant = `grt_${nextHex().slice(-12)}`
  const code = {
    ...home,
    id: `tok_${nextHex()}`,
    digest: someBytes(),
    kind: 'code',
    format: 'opaque',
    credential: client,
    grant: null,
    family: null,
    api: 'shop',
    scopes: [],
    label: null,
    createdAt: 1_000,
    expiresAt: 61_000,
    familyEndsAt: null,
    code: { redirectUri: null, challenge: 'c' },
  } as const
  must(
    await store.grants.consent({
      grant: { ...home, id: grant, client, user, apis: ['shop'], scopes: [] },
      code,
      by: own,
    }),
  )
  const factor = { totp: { bytes: someBytes(), key: 'people' }, step: 1, recoveryDigests: [someBytes()] }
  const version = must(await store.people.setSecondFactor({ user, factor, keepSession: null, by: own })).value.version
  const session = someBytes()
  const begun = { ...sessionOf(user), ip: '203.0.113.77', userAgent: 'their browser' }
  expect(await store.people.startSession({ session: begun, digest: session, userVersion: version })).toBe(true)
  must(await store.people.note({ user, action: 'user.signed_in', details: {}, by: own }))
  const stranger = { ...own, actor: { kind: 'system', id: 'sign-in' } } as const
  must(await store.people.note({ user, action: 'user.sign_in_failed', details: {}, by: stranger }))
  const reset = someBytes()
  must(await store.people.offerReset({ user, id: `rst_${nextHex()}`, digest: reset, expiresAt: 99_000, by }))
  const elsewhere = await anAccount(store)
  const invitation = {
    id: `inv_${nextHex()}`,
    account: elsewhere.account,
    email: person.email,
    role: 'admin',
    expiresAt: 99_000,
  } as const
  must(await store.people.invite({ invitation, digest: someBytes(), by }))
  return { home, person, other, grant, token: code.id, session, reset }
}

function sessionOf(user: string): Omit<Session, 'endedAt'> {
  const times = { createdAt: 1_000, lastSeenAt: 1_000, authenticatedAt: 1_000, expiresAt: 99_000 }
  return { id: `ses_${nextHex()}`, user, stage: 'signed_in', ip: '192.0.2.9', userAgent: null, ...times }
}

/** All that lists of people and events answer, as text. */
async function everythingStored(store: Store): Promise<string> {
  const lists = [
    await store.people.listUsers({ ...first, search: null }),
    await store.people.listMembers({ ...first, account: null, user: null }),
    await store.people.listInvitations({ ...first, account: null, openAt: null }),
    await store.events.list(every),
  ]
  return JSON.stringify(lists)
}
