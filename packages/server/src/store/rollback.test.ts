import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { fixedClock, type FixedClock } from '../base/clock.ts'
import { CheckpointWriter } from '../core/audit/checkpoint-file.ts'
import type { StateChange, Store } from '../core/store.ts'
import {
  aConnection,
  anAccount,
  anInvited,
  aPerson,
  aSealedField,
  at,
  create,
  must,
  type Person,
} from './conformance-data.ts'
import { aLent } from './conformance-lent.ts'
import { aFactor } from './conformance-people-data.ts'
import { aConsent, aFamily } from './conformance-token-data.ts'
import { openStore } from './index.ts'

const signer = { publicKeyPem: '', sign: () => 'signature', verify: () => true }

describe('a store that was put back in time', () => {
  let root: string
  let clock: FixedClock
  let store: Store
  const data = () => join(root, 'data')
  const copy = (name: string) => join(root, name)
  const open = async () => {
    store = await openStore({ url: 'sqlite', dataFolder: data(), checkpointsFolder: join(root, 'checkpoints'), clock })
  }
  const takeCopy = async (name: string) => {
    await store.close()
    cpSync(data(), copy(name), { recursive: true })
    await open()
  }
  /** What a restore by hand does: the database files are replaced, the folder of checkpoints stays. */
  const putBack = async (name: string) => {
    await store.close()
    rmSync(data(), { recursive: true })
    cpSync(copy(name), data(), { recursive: true })
    await open()
  }
  const set = async (id: string, change: StateChange) => {
    clock.advance(1000)
    must(await store.credentials.setState({ id, scope: null, change, by: at(clock.now()) }))
  }
  const stateOf = async (id: string) => (await store.credentials.find({ id, scope: null }))?.state

  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), 'postern-rollback-'))
    clock = fixedClock(1_700_000_000_000)
    await open()
  })
  afterEach(async () => {
    await store.close()
    rmSync(root, { recursive: true, force: true })
  })

  it('revives nothing: what was revoked since is revoked when it opens', async () => {
    const home = await anAccount(store)
    const [gone, kept] = [await create(store, home), await create(store, home)]
    await takeCopy('old')
    await set(gone.id, { to: 'revoked', reason: null, hide: false })
    await putBack('old')
    expect([await stateOf(gone.id), await stateOf(kept.id)]).toEqual(['revoked', 'active'])
  })

  it('keeps an erased person erased, though an owner is missed then', async () => {
    const { account } = await anAccount(store)
    const [owner, other] = [await aPerson(store, account), await aPerson(store, account)]
    await takeCopy('old')
    clock.advance(1000)
    must(await store.people.erase({ user: owner.user, by: at(clock.now()) }))
    must(await store.people.setUserState({ user: other.user, state: 'disabled', by: at(clock.now()) }))
    await putBack('old')
    expect(await store.people.findUser({ id: owner.user })).toMatchObject({ state: 'erased', name: '' })
    expect(await store.people.findUser({ id: other.user })).toMatchObject({ state: 'disabled' })
    expect(await store.people.proofsOf({ email: owner.email })).toBeNull()
  })

  it('keeps the end of a block', async () => {
    const { id } = await create(store, await anAccount(store))
    await takeCopy('old')
    await set(id, { to: 'blocked', reason: 'x', until: 1_800_000_000_000 })
    await putBack('old')
    expect(await store.credentials.find({ id, scope: null })).toMatchObject({
      state: 'blocked',
      blockedUntil: 1_800_000_000_000,
    })
  })

  it('does it once: what is unblocked afterwards stays so when it opens again', async () => {
    const { id } = await create(store, await anAccount(store))
    await takeCopy('old')
    await set(id, { to: 'blocked', reason: 'x', until: null })
    await putBack('old')
    await set(id, { to: 'active' })
    await store.close()
    await open()
    expect(await stateOf(id)).toBe('active')
  })

  it('is not deceived by sequences that were given out twice', async () => {
    const home = await anAccount(store)
    const [early, late] = [await create(store, home), await create(store, home)]
    await takeCopy('first')
    for (let i = 0; i < 5; i++) await create(store, home)
    await takeCopy('second')
    await putBack('first')
    // Below the head of the second copy, which does not know it.
    await set(early.id, { to: 'revoked', reason: null, hide: false })
    await set(late.id, { to: 'compromised', reason: null, since: null })
    await putBack('second')
    expect([await stateOf(early.id), await stateOf(late.id)]).toEqual(['revoked', 'compromised'])
  })

  it('VCH-5: deletes a connection again, and disables those that were disabled or got another secret since', async () => {
    const home = await anAccount(store)
    const make = async (name: string) => {
      const connection = aConnection(home, { name })
      must(await store.connections.create({ connection, max: 9, by: at(clock.now()) }))
      return connection.id
    }
    const [deleted, disabled, rotated, kept] = [await make('a'), await make('b'), await make('c'), await make('d')]
    await takeCopy('old')
    const one = (id: string) => {
      clock.advance(1000)
      return { id, scope: null, by: at(clock.now()) }
    }
    const change = { settings: {}, sealed: [aSealedField()], secretVersion: 1 }
    const setState = async (id: string, state: 'active' | 'disabled') =>
      must(await store.connections.setState({ ...one(id), state, reason: null }))
    must(await store.connections.delete(one(deleted)))
    await setState(disabled, 'disabled')
    must(await store.connections.rotate({ ...one(rotated), ...change }))
    await setState(rotated, 'disabled')
    await setState(rotated, 'active')
    await setState(kept, 'disabled')
    await setState(kept, 'active')
    await putBack('old')
    const state = async (id: string) => (await store.connections.find({ id, scope: null }))?.state ?? 'absent'
    expect([await state(deleted), await state(disabled), await state(rotated), await state(kept)]).toEqual([
      'absent',
      'disabled',
      'disabled',
      'active',
    ])
  })

  /** In seconds of their own, so that every event is told from the next. */
  const now = () => {
    clock.advance(1000)
    return at(clock.now())
  }

  it('THL-2: withdraws grants again, removes members, also the last owner, and disables users', async () => {
    const family = await aFamily(store)
    const { account } = family.home
    const [removed, back, disabled, enabled] = [
      await aPerson(store, account, 'admin'),
      await aPerson(store, account, 'viewer'),
      await aPerson(store, account, 'viewer'),
      await aPerson(store, account, 'viewer'),
    ]
    await takeCopy('old')
    must(await store.people.setRole({ member: removed.member, scope: null, version: 1, role: 'owner', by: now() }))
    must(await store.grants.withdraw({ id: family.grant.id, user: null, scope: null, by: now() }))
    for (const { member } of [family.person, back]) {
      must(await store.people.removeMember({ member, scope: null, by: now() }))
    }
    await anInvited(store, account, back, 'viewer', false)
    const setState = async (user: string, state: 'active' | 'disabled') =>
      must(await store.people.setUserState({ user, state, by: now() }))
    await setState(disabled.user, 'disabled')
    await setState(enabled.user, 'disabled')
    await setState(enabled.user, 'active')
    await putBack('old')
    expect(await store.grants.find({ id: family.grant.id, scope: null })).toMatchObject({ state: 'withdrawn' })
    const roleOf = async ({ member }: Person) => (await store.people.findMember({ id: member, scope: null }))?.role
    expect(await Promise.all([family.person, removed, back].map(roleOf))).toEqual([undefined, 'admin', 'viewer'])
    const userState = async ({ user }: Person) => (await store.people.findUser({ id: user }))?.state
    expect(await Promise.all([disabled, enabled].map(userState))).toEqual(['disabled', 'active'])
  })

  it('lets nobody in by a password or second factor that was replaced since', async () => {
    const { account } = await anAccount(store)
    const people = [await aPerson(store, account), await aPerson(store, account), await aPerson(store, account)]
    const [changed, factored, kept] = people.map(({ user }) => user)
    await takeCopy('old')
    const change = { keepSession: null, by: now() }
    must(await store.people.setPassword({ user: changed ?? '', passwordHash: 'new', ...change }))
    must(await store.people.setUserState({ user: changed ?? '', state: 'disabled', by: now() }))
    must(await store.people.setSecondFactor({ user: factored ?? '', factor: aFactor(1), ...change, by: now() }))
    await putBack('old')
    const hashOf = async (id = '') => (await store.people.proofsOf({ id }))?.passwordHash
    const nobodys = expect.stringMatching(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/) as unknown
    expect(await Promise.all([changed, factored, kept].map(hashOf))).toEqual([nobodys, nobodys, '$argon2id$1'])
    expect(await store.people.findUser({ id: changed ?? '' })).toMatchObject({ state: 'disabled' })
  })

  it('drops what is only lent: tokens, sessions, links and invitations, as soon as anything was lost', async () => {
    const family = await aFamily(store)
    const left = await aLent(store, family)
    await takeCopy('old')
    expect(await left(store)).toEqual(['token', 'refresh', 'session', 'invitation', 'reset'])
    must(await store.grants.withdraw({ id: (await aConsent(store)).grant.id, user: null, scope: null, by: now() }))
    await putBack('old')
    expect(await left(store)).toEqual([])
    expect(await store.people.findMember({ id: family.person.member, scope: null })).toMatchObject({ role: 'owner' })
  })

  it('drops it also where a checkpoint alone tells that something was lost', async () => {
    const left = await aLent(store, await aFamily(store))
    const checkpoints = new CheckpointWriter(join(root, 'checkpoints'), signer, 'node')
    checkpoints.write(await store.events.head(), clock.now())
    await takeCopy('old')
    expect(await left(store)).toEqual(['token', 'refresh', 'session', 'invitation', 'reset'])
    await create(store, await anAccount(store))
    checkpoints.write(await store.events.head(), clock.now())
    await store.close()
    await open()
    expect((await left(store)).length).toBe(5)
    await putBack('old')
    expect(await left(store)).toEqual([])
  })

  it('leaves everything as it is where nothing was lost', async () => {
    const { id } = await create(store, await anAccount(store))
    await set(id, { to: 'blocked', reason: 'x', until: null })
    await set(id, { to: 'active' })
    const before = await store.events.head()
    await store.close()
    await open()
    expect([await stateOf(id), await store.events.head()]).toEqual(['active', before])
  })
})
