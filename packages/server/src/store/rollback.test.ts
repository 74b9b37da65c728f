import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { fixedClock, type FixedClock } from '../base/clock.ts'
import type { StateChange, Store } from '../core/store.ts'
import { aConnection, anAccount, aSealedField, at, create, must } from './conformance-data.ts'
import { openStore } from './index.ts'

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
