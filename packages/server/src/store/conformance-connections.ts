/* oxlint-disable unicorn/consistent-function-scoping -- small helpers stand beside the claims that use them */
import { describe, expect, it } from 'vitest'

import { noChanges } from '../core/records/record.ts'
import type { ConnectionFilter, NewConnection, Store } from '../core/store.ts'
import {
  aConnection,
  actedBy,
  anAccount,
  aSealedField,
  at,
  by,
  create,
  must,
  revoke,
  type Opened,
} from './conformance-data.ts'

const all: ConnectionFilter = { account: null, project: null, platform: null, state: null, name: null }
const first = { ...all, limit: 100, after: null, scope: null }
const notFound = { ok: false, error: { code: 'not_found' } }
const conflict = (what: RegExp) => ({
  ok: false,
  error: { code: 'conflict', what: expect.stringMatching(what) as unknown },
})

async function aStored(store: Store, over: Partial<NewConnection> = {}): Promise<NewConnection> {
  const connection = aConnection(await anAccount(store), over)
  must(await store.connections.create({ connection, max: 10, by }))
  return connection
}

/** Connections on both databases. */
export function connectionConformance(open: () => Promise<Opened>): void {
  describe('connections', () => {
    it('VCH-5: are told without their sealed secrets, and held with them', async () => {
      const { store } = await open()
      const home = await anAccount(store)
      const connection = aConnection(home)
      const made = must(await store.connections.create({ connection, max: 10, by }))
      const [secret] = connection.sealed
      const told = {
        id: connection.id,
        ...home,
        platform: 'braze',
        name: 'main',
        settings: connection.settings,
        secrets: [{ field: 'api_key', hint: 'abcd', fingerprint: secret?.fingerprint }],
        secretVersion: 1,
        state: 'active',
        stateReason: null,
        lastCheck: null,
        lastUsedAt: null,
        createdBy: 'POSTERN_MANAGEMENT_KEY',
        createdAt: 1_000,
        updatedAt: 1_000,
        rotatedAt: null,
        version: 1,
      }
      const record = {
        id: connection.id,
        ...home,
        platform: 'braze',
        name: 'main',
        settings: connection.settings,
        secretVersion: 1,
        state: 'active',
        sealed: connection.sealed,
        version: 1,
      }
      expect(made.value).toEqual(told)
      expect(made.changes).toEqual({ ...noChanges, connections: [record] })
      expect(await store.connections.find({ id: connection.id, scope: home.account })).toEqual(told)
      expect(await store.connections.findSealed({ id: connection.id, scope: null })).toEqual({
        ...told,
        sealed: connection.sealed,
      })
      expect((await store.records.snapshot()).connections).toEqual([record])
      const [event] = (
        await store.events.list({ ...first, credential: null, action: 'connection.created', from: null, to: null })
      ).items
      expect(event).toMatchObject({
        targetKind: 'connection',
        targetId: connection.id,
        account: home.account,
        project: home.project,
        before: null,
        after: { platform: 'braze', name: 'main', settings: connection.settings },
      })
      expect(JSON.stringify(event)).not.toContain(secret?.fingerprint)
    })

    it('have a name of their own in their project, and again once one is deleted', async () => {
      const { store } = await open()
      const home = await anAccount(store)
      const one = aConnection(home)
      must(await store.connections.create({ connection: one, max: 10, by }))
      const again = () => store.connections.create({ connection: aConnection(home), max: 10, by })
      expect(await again()).toEqual(conflict(/connection with this name/))
      must(await store.connections.create({ connection: aConnection(home, { project: null }), max: 10, by }))
      expect(await store.connections.create({ connection: aConnection(home, { project: null }), max: 10, by })).toEqual(
        conflict(/connection with this name/),
      )
      must(await store.connections.delete({ id: one.id, scope: null, by }))
      expect((await again()).ok).toBe(true)
    })

    it('belong to an account and project that there are, and are as many as allowed', async () => {
      const { store } = await open()
      const home = await anAccount(store)
      const other = await anAccount(store)
      const make = (over: Partial<NewConnection>, max = 2) =>
        store.connections.create({ connection: aConnection(home, over), max, by })
      expect(await make({ account: 'acc_nobody' })).toEqual(notFound)
      expect(await make({ project: other.project })).toEqual(notFound)
      const one = must(await make({ name: 'one' }))
      must(await make({ name: 'two' }))
      expect(await make({ name: 'three' })).toEqual(conflict(/already has 2 connections/))
      must(await store.connections.delete({ id: one.value.id, scope: null, by }))
      expect((await make({ name: 'three' })).ok).toBe(true)
    })

    it('change their name only from the version that was read, and their secrets only from the ones that were', async () => {
      const { store } = await open()
      const { id } = await aStored(store)
      const rename = (version: number, name: string) =>
        store.connections.update({ id, scope: null, version, set: { name }, by: at(2_000) })
      expect(must(await rename(1, 'other')).value).toMatchObject({
        name: 'other',
        version: 2,
        updatedAt: 2_000,
        rotatedAt: null,
      })
      expect(await rename(1, 'third')).toEqual({ ok: false, error: { code: 'version_mismatch', current: 2 } })

      const fresh = [aSealedField()]
      const rotate = (secretVersion: number) =>
        store.connections.rotate({
          id,
          scope: null,
          secretVersion,
          settings: { endpoint: 'rest.fra-01.braze.eu' },
          sealed: fresh,
          by: at(3_000),
        })
      const rotated = must(await rotate(1))
      expect(rotated.value).toMatchObject({
        secretVersion: 2,
        version: 3,
        rotatedAt: 3_000,
        settings: { endpoint: 'rest.fra-01.braze.eu' },
      })
      expect(rotated.changes.connections).toMatchObject([{ id, secretVersion: 2, sealed: fresh, version: 3 }])
      expect(await rotate(1)).toEqual(conflict(/replaced meanwhile/))
      const [event] = (
        await store.events.list({ ...first, credential: null, action: 'connection.rotated', from: null, to: null })
      ).items
      expect(event).toMatchObject({
        before: { secretVersion: 1, settings: { endpoint: 'rest.iad-01.braze.com' } },
        after: { secretVersion: 2, settings: { endpoint: 'rest.fra-01.braze.eu' } },
      })
    })

    it('keep a verdict on the secrets that it was given on, and lose it with them', async () => {
      const { store } = await open()
      const { id } = await aStored(store)
      const result = { at: 5_000, reason: 'credential_refused', status: 401 } as const
      const check = (secretVersion: number) =>
        store.connections.recordCheck({ id, scope: null, secretVersion, result, by: at(5_000) })
      expect(must(await check(1)).value).toMatchObject({ lastCheck: result, version: 1 })
      must(
        await store.connections.rotate({
          id,
          scope: null,
          secretVersion: 1,
          settings: {},
          sealed: [aSealedField()],
          by,
        }),
      )
      expect(await store.connections.find({ id, scope: null })).toMatchObject({ lastCheck: null })
      expect(await check(1)).toEqual(conflict(/replaced meanwhile/))
    })

    it('are read as an event each, and not while they are disabled', async () => {
      const { store } = await open()
      const { id, sealed: fields } = await aStored(store)
      const read = () => store.connections.read({ id, scope: null, by: at(7_000) })
      expect(must(await read()).value).toMatchObject({ sealed: fields, lastUsedAt: 7_000 })
      must(await read())
      const events = await store.events.list({
        ...first,
        credential: null,
        action: 'connection.read',
        from: null,
        to: null,
      })
      expect(events.items.length).toBe(2)
      const state = (to: 'active' | 'disabled') =>
        store.connections.setState({ id, scope: null, state: to, reason: 'leaked', by })
      const disabled = must(await state('disabled'))
      expect(disabled.value).toMatchObject({ state: 'disabled', stateReason: 'leaked', version: 2 })
      expect(disabled.changes.connections).toMatchObject([{ id, state: 'disabled' }])
      expect(await state('disabled')).toEqual(conflict(/already disabled/))
      expect(await read()).toEqual(conflict(/disabled/))
      must(await state('active'))
      expect((await read()).ok).toBe(true)
    })

    it('security 7: leave no sealed secret behind when they are deleted, and are as absent', async () => {
      const { store } = await open()
      const { id, account } = await aStored(store)
      const gone = must(await store.connections.delete({ id, scope: account, by }))
      expect(gone.changes.connections).toMatchObject([{ id, state: 'deleted', sealed: [] }])
      const one = { id, scope: null }
      expect(await store.connections.find(one)).toBeNull()
      expect(await store.connections.findSealed(one)).toBeNull()
      expect((await store.connections.list(first)).items).toEqual([])
      expect((await store.records.snapshot()).connections).toEqual([])
      expect(await store.connections.delete({ ...one, by })).toEqual(notFound)
      expect(await store.connections.read({ ...one, by })).toEqual(notFound)
      expect(await store.connections.rotate({ ...one, secretVersion: 1, settings: {}, sealed: [], by })).toEqual(
        notFound,
      )
      expect(await store.connections.setState({ ...one, state: 'disabled', reason: null, by })).toEqual(notFound)
    })

    it('of another account are not found', async () => {
      const { store } = await open()
      const { id } = await aStored(store)
      const { account } = await anAccount(store)
      const one = { id, scope: account }
      expect(await store.connections.find(one)).toBeNull()
      expect((await store.connections.list({ ...first, scope: account })).items).toEqual([])
      const result = { at: 1, reason: 'ok', status: 200 } as const
      for (const refused of [
        store.connections.update({ ...one, version: 1, set: { name: 'x' }, by }),
        store.connections.rotate({ ...one, secretVersion: 1, settings: {}, sealed: [], by }),
        store.connections.setState({ ...one, state: 'disabled', reason: null, by }),
        store.connections.delete({ ...one, by }),
        store.connections.read({ ...one, by }),
        store.connections.recordCheck({ ...one, secretVersion: 1, result, by }),
      ]) {
        expect(await refused).toEqual(notFound)
      }
      expect(await store.connections.find({ id, scope: null })).toMatchObject({ state: 'active', version: 1 })
    })

    it('refuse an actor that has died meanwhile', async () => {
      const { store } = await open()
      const home = await anAccount(store)
      const actor = await create(store, home)
      must(await revoke(store, actor.id))
      const connection = aConnection(home)
      expect(await store.connections.create({ connection, max: 10, by: actedBy(actor.id) })).toEqual({
        ok: false,
        error: { code: 'actor_dead' },
      })
    })

    it('list newest first, page by page, by what is asked', async () => {
      const { store } = await open()
      const home = await anAccount(store)
      const made: string[] = []
      for (const [name, platform] of [
        ['a', 'braze'],
        ['b', 'twilio'],
        ['c', 'braze'],
      ] as const) {
        const connection = aConnection(home, { name, platform, ...(name === 'c' && { project: null }) })
        must(await store.connections.create({ connection, max: 10, by }))
        made.unshift(connection.id)
      }
      const ids = async (over: Partial<ConnectionFilter>) =>
        (await store.connections.list({ ...first, ...over })).items.map(({ id }) => id)
      expect(await ids({})).toEqual(made)
      expect(await ids({ platform: 'braze' })).toEqual([made[0], made[2]])
      expect(await ids({ project: home.project })).toEqual([made[1], made[2]])
      expect(await ids({ name: 'b' })).toEqual([made[1]])
      expect(await ids({ state: 'disabled' })).toEqual([])
      const one = await store.connections.list({ ...first, limit: 2 })
      const two = await store.connections.list({ ...first, limit: 2, after: one.next })
      expect([...one.items, ...two.items].map(({ id }) => id)).toEqual(made)
      expect(two.next).toBeNull()
    })

    it('note their last use, and never an earlier one', async () => {
      const { store } = await open()
      const { id } = await aStored(store)
      for (const time of [5_000, 9_000, 7_000]) await store.connections.noteUses({ uses: [{ id, at: time }] })
      expect(await store.connections.find({ id, scope: null })).toMatchObject({ lastUsedAt: 9_000, version: 1 })
    })

    it('come to other nodes with the change feed', async () => {
      const { store } = await open()
      const { id } = await aStored(store)
      const { sequence } = await store.events.head()
      must(await store.connections.setState({ id, scope: null, state: 'disabled', reason: null, by }))
      expect(await store.records.since({ after: sequence, limit: 10 })).toMatchObject({
        position: sequence + 1,
        changes: { connections: [{ id, state: 'disabled', version: 2 }], credentials: [] },
      })
    })
  })
}
