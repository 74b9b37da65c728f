/* oxlint-disable unicorn/consistent-function-scoping -- small helpers stand beside the claims that use them */
import { createHash, randomBytes } from 'node:crypto'

import { describe, expect, it } from 'vitest'

import { firstIdAt } from '../base/ids.ts'
import { commitmentOf, eventHash, genesisHash } from '../core/audit/chain.ts'
import type { Provenance } from '../core/audit/event.ts'
import type { RecordChunk } from '../core/records/record.ts'
import { BadCursor, type CredentialFilter, type NewCredential, type Store } from '../core/store.ts'
import { packRequests } from '../core/usage/request-blocks.ts'
import type { ModelCount, ModelQuery, RequestRow, UsageCount, UsageFlush } from '../core/usage/usage.ts'
import { connectionConformance } from './conformance-connections.ts'
import {
  aCredential,
  actedBy,
  anAccount,
  aSecret,
  at,
  by,
  create,
  must,
  nextHex,
  revoke,
  someModels,
  type Home,
  type Opened,
} from './conformance-data.ts'
import { readRevocations } from './revocations.ts'

export async function verifyChain(store: Store): Promise<number> {
  let previousHash = genesisHash
  let sequence = 0
  for (;;) {
    const events = await store.events.range({ after: sequence, limit: 1_000 })
    if (events.length === 0) break
    for (const event of events) {
      expect(event.sequence).toBe(++sequence)
      expect(event.previousHash).toBe(previousHash)
      expect(eventHash(previousHash, event)).toBe(event.hash)
      previousHash = event.hash
    }
  }
  expect(await store.events.head()).toEqual({ sequence, hash: previousHash })
  return sequence
}

const all: CredentialFilter = { account: null, project: null, kind: null, state: null, api: null, search: null }
const first = { limit: 100, after: null, scope: null }
const conflict = (what: RegExp) => {
  const matching: unknown = expect.stringMatching(what)
  return { ok: false, error: { code: 'conflict', what: matching } }
}
const notFound = { ok: false, error: { code: 'not_found' } }

async function chunksOf(store: Store, deadSince = 0, max = 1_000_000): Promise<readonly RecordChunk[]> {
  const chunks: RecordChunk[] = []
  for await (const chunk of store.records.chunks({ deadSince, max })) chunks.push(chunk)
  return chunks
}

/** Every claim that both databases have to keep; `open` gives a new, empty store each time. */
export function conformance(open: () => Promise<Opened>): void {
  connectionConformance(open)

  describe('accounts and projects', () => {
    it('are made together, with their default pairs and one event each', async () => {
      const { store } = await open()
      const pair = aCredential({ form: 'pair' })
      const home = await anAccount(store, [pair])
      expect(await store.accounts.find({ id: home.account })).toEqual({
        id: home.account,
        name: 'Acme',
        plan: 'pro',
        state: 'active',
        suspendedReason: null,
        overrides: null,
        metadata: {},
        createdAt: 1_000,
        version: 1,
      })
      expect(await store.projects.find({ id: home.project, scope: home.account })).toMatchObject({
        name: 'default',
        version: 1,
      })
      expect(await store.credentials.find({ id: pair.id, scope: null })).toMatchObject({
        form: 'pair',
        state: 'active',
        createdBy: 'POSTERN_MANAGEMENT_KEY',
      })
      const events = await store.events.range({ after: 0, limit: 10 })
      expect(events.map(({ action }) => action)).toEqual(['account.created', 'project.created', 'credential.created'])
      expect(await store.system.counts()).toEqual({ accounts: 1, projects: 1, credentials: 1, events: 3 })
      expect(await verifyChain(store)).toBe(3)
    })

    it('change only from the version that was read', async () => {
      const { store } = await open()
      const { account: id, project } = await anAccount(store)
      const changed = must(await store.accounts.update({ id, version: 1, set: { plan: 'free' }, by }))
      expect(changed.value).toMatchObject({ plan: 'free', version: 2 })
      expect(changed.changes.accounts).toEqual([{ id, plan: 'free', suspended: false, overrides: null, version: 2 }])
      expect(await store.accounts.update({ id, version: 1, set: { plan: 'x' }, by })).toEqual({
        ok: false,
        error: { code: 'version_mismatch', current: 2 },
      })
      expect(
        await store.projects.update({ id: project, scope: 'acc_other', version: 1, set: { name: 'x' }, by }),
      ).toEqual(notFound)
      const renamed = must(
        await store.projects.update({ id: project, scope: id, version: 1, set: { ipAllow: ['10.0.0.0/8'] }, by }),
      )
      expect(renamed.changes.projects).toEqual([
        { id: project, account: id, environment: 'live', region: null, ipAllow: ['10.0.0.0/8'], version: 2 },
      ])
    })

    it('CRC-7: a project is given a region, and keeps it once it has credentials', async () => {
      const { store } = await open()
      const home = await anAccount(store, [aCredential()])
      const move = (version: number, region: string | null, id = home.project) =>
        store.projects.update({ id, scope: null, version, set: { region }, by })
      const given = must(await move(1, 'eu'))
      expect(given.value).toMatchObject({ region: 'eu', version: 2 })
      expect(given.changes.projects).toMatchObject([{ id: home.project, region: 'eu', version: 2 }])
      for (const region of ['us', null]) expect(await move(2, region)).toEqual(conflict(/stays in its region/))
      expect(must(await move(2, 'eu')).value).toMatchObject({ region: 'eu', version: 3 })
      expect(await move(2, 'us')).toEqual({ ok: false, error: { code: 'version_mismatch', current: 3 } })

      const empty = await anAccount(store, [], { region: 'us' })
      expect(await store.projects.find({ id: empty.project, scope: null })).toMatchObject({ region: 'us' })
      expect(must(await move(1, 'eu', empty.project)).value.region).toBe('eu')
      expect(must(await move(2, null, empty.project)).value.region).toBeNull()
      const { projects } = await store.records.snapshot()
      expect(new Set(projects.map(({ region }) => region))).toEqual(new Set(['eu', null]))
      expect(
        (await store.projects.list({ ...first, account: null, scope: null })).items.map(({ region }) => region),
      ).toEqual(expect.arrayContaining(['eu', null]))
    })

    it('CRC-7: live credentials are counted by API, environment and region', async () => {
      const { store } = await open()
      const dead = aCredential()
      await anAccount(store, [aCredential(), aCredential({ apis: ['shop', 'pay'] })], { region: 'eu' })
      await anAccount(store, [aCredential(), dead], { environment: 'sandbox' })
      must(await revoke(store, dead.id))
      const { places } = await store.system.inUse()
      expect(places).toHaveLength(3)
      expect(places).toEqual(
        expect.arrayContaining([
          { api: 'shop', environment: 'live', region: 'eu', credentials: 2 },
          { api: 'pay', environment: 'live', region: 'eu', credentials: 1 },
          { api: 'shop', environment: 'sandbox', region: null, credentials: 1 },
        ]),
      )
    })

    it('are suspended and brought back once, and both stand in the revocation log', async () => {
      const { store, checkpointsFolder } = await open()
      const { account: id } = await anAccount(store)
      const suspended = must(await store.accounts.setState({ id, state: 'suspended', reason: 'unpaid', by }))
      expect(suspended.value).toMatchObject({ state: 'suspended', suspendedReason: 'unpaid' })
      expect(await store.accounts.setState({ id, state: 'suspended', reason: null, by })).toEqual(
        conflict(/already suspended/),
      )
      must(await store.accounts.setState({ id, state: 'active', reason: null, by }))
      expect(readRevocations(checkpointsFolder)).toEqual([
        { sequence: 3, at: 1_000, account: id, state: 'suspended' },
        { sequence: 4, at: 1_000, account: id, state: 'active' },
      ])
    })

    it('list newest first, page by page, each in its own scope', async () => {
      const { store } = await open()
      const homes: Home[] = []
      for (let i = 0; i < 5; i++) homes.push(await anAccount(store))
      const expected = homes.map(({ account }) => account).toReversed()
      const one = await store.accounts.list({ limit: 3, after: null, scope: null })
      const two = await store.accounts.list({ limit: 3, after: one.next, scope: null })
      expect([...one.items, ...two.items].map(({ id }) => id)).toEqual(expected)
      expect(two.next).toBeNull()
      const own = await store.projects.list({ ...first, account: null, scope: expected[0] ?? '' })
      expect(own.items.map(({ account }) => account)).toEqual([expected[0]])
      await expect(store.accounts.list({ limit: 3, after: 'nonsense', scope: null })).rejects.toBeInstanceOf(BadCursor)
    })
  })

  describe('credentials', () => {
    it('answer their after-image with the commit', async () => {
      const { store } = await open()
      const home = await anAccount(store)
      const credential = aCredential({
        limits: [{ name: 'own', per: 'credential', requests: 1, windowMs: 1_000, burst: 1 }],
        llm: someModels,
      })
      const { value, changes, sequence } = must(
        await store.credentials.create({ ...home, credential, maxKeys: null, by }),
      )
      expect(value).toMatchObject({ id: credential.id, name: 'key', state: 'active', version: 1 })
      expect(sequence).toBe(3)
      expect(changes).toEqual({
        accounts: [],
        projects: [],
        connections: [],
        credentials: [
          {
            id: credential.id,
            publicId: credential.publicId,
            kind: 'secret',
            ...home,
            apis: ['shop'],
            scopes: ['orders.read'],
            role: null,
            ipAllow: [],
            originAllow: null,
            limits: credential.limits,
            llm: someModels,
            notBefore: null,
            expiresAt: null,
            state: 'active',
            stateAt: null,
            blockedUntil: null,
            createdAt: 1_000,
            version: 1,
            secrets: [{ id: credential.secret.id, digest: credential.secret.digest, imported: false, notAfter: null }],
          },
        ],
      })
      expect(await store.records.byDigest({ digest: credential.secret.digest })).toEqual(changes.credentials[0])
      expect(await store.records.byDigest({ digest: new Uint8Array(32) })).toBeNull()
    })

    it('are refused in a project of another account', async () => {
      const { store } = await open()
      const home = await anAccount(store)
      const other = await anAccount(store)
      const input = { account: home.account, project: other.project, credential: aCredential(), maxKeys: null, by }
      expect(await store.credentials.create(input)).toEqual(notFound)
    })

    it('refuse a digest or public id that is taken, naming the field and not the value', async () => {
      const { store } = await open()
      const home = await anAccount(store)
      const taken = await create(store, home)
      const twin = aCredential({ secret: aSecret({ digest: taken.secret.digest }) })
      expect(await store.credentials.create({ ...home, credential: twin, maxKeys: null, by })).toEqual(
        conflict(/with this secret/),
      )
      const namesake = aCredential({ publicId: taken.publicId })
      expect(await store.credentials.create({ ...home, credential: namesake, maxKeys: null, by })).toEqual(
        conflict(/with this public id/),
      )
      expect(await verifyChain(store)).toBe(3)
    })

    it('are at most as many as the plan allows, however many ask at once', async () => {
      const { store } = await open()
      const home = await anAccount(store)
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, () =>
          store.credentials.create({ ...home, credential: aCredential(), maxKeys: 7, by }),
        ),
      )
      expect(outcomes.filter(({ ok }) => ok)).toHaveLength(7)
      expect(outcomes.find(({ ok }) => !ok)).toEqual(conflict(/as its plan allows \(7\)/))
    })

    it('count an expired one no longer from the instant it expires', async () => {
      const { store } = await open()
      const home = await anAccount(store)
      await create(store, home, aCredential({ expiresAt: 2_000 }))
      const again = (time: number) =>
        store.credentials.create({ ...home, credential: aCredential(), maxKeys: 1, by: at(time) })
      expect((await again(1_999)).ok).toBe(false)
      expect((await again(2_000)).ok).toBe(true)
    })

    it('change by version, not once they are dead', async () => {
      const { store } = await open()
      const home = await anAccount(store)
      const { id } = await create(store, home)
      const set = { scopes: ['*'], originAllow: ['https://a.example'], expiresAt: 9_000, llm: someModels }
      const changed = must(await store.credentials.update({ id, scope: home.account, version: 1, set, by }))
      expect(changed.value).toMatchObject({ ...set, version: 2 })
      expect(await store.credentials.update({ id, scope: null, version: 1, set, by })).toEqual({
        ok: false,
        error: { code: 'version_mismatch', current: 2 },
      })
      must(await revoke(store, id))
      expect(await store.credentials.update({ id, scope: null, version: 3, set, by })).toEqual(conflict(/is revoked/))
    })

    it('keep revoked and compromised final, and let a block end', async () => {
      const { store, checkpointsFolder } = await open()
      const home = await anAccount(store)
      const { id } = await create(store, home)
      const setState = (change: Parameters<Store['credentials']['setState']>[0]['change']) =>
        store.credentials.setState({ id, scope: null, change, by })
      expect(await setState({ to: 'active' })).toEqual(conflict(/not blocked/))
      const blocked = must(await setState({ to: 'blocked', reason: 'abuse', until: 5_000 }))
      expect(blocked.value).toMatchObject({
        state: 'blocked',
        stateReason: 'abuse',
        blockedUntil: 5_000,
        stateAt: 1_000,
      })
      expect(must(await setState({ to: 'active' })).value).toMatchObject({ state: 'active', blockedUntil: null })
      must(await setState({ to: 'compromised', reason: null, since: 500 }))
      expect(await revoke(store, id)).toEqual(conflict(/is compromised; that is final/))
      expect(await setState({ to: 'active' })).toEqual(conflict(/final/))
      expect(readRevocations(checkpointsFolder).map(({ state }) => state)).toEqual(['blocked', 'active', 'compromised'])
    })

    it('leave the lists when they are deleted, and stay in the feed as revoked', async () => {
      const { store } = await open()
      const home = await anAccount(store)
      const { id } = await create(store, home)
      const change = { to: 'revoked', reason: null, hide: true } as const
      const { changes, sequence } = must(await store.credentials.setState({ id, scope: null, change, by }))
      expect(changes.credentials[0]).toMatchObject({ id, state: 'revoked' })
      expect(await store.credentials.find({ id, scope: null })).toBeNull()
      expect((await store.credentials.list({ ...first, ...all })).items).toEqual([])
      expect(await store.credentials.setState({ id, scope: null, change, by })).toEqual(notFound)
      const since = await store.records.since({ after: sequence - 1, limit: 10 })
      expect(since).toEqual({ position: sequence, more: false, changes })
    })

    it('hide what is already dead without changing its state', async () => {
      const { store } = await open()
      const home = await anAccount(store)
      const { id } = await create(store, home)
      must(
        await store.credentials.setState({
          id,
          scope: null,
          change: { to: 'compromised', reason: null, since: null },
          by,
        }),
      )
      const change = { to: 'revoked', reason: null, hide: true } as const
      expect(must(await store.credentials.setState({ id, scope: null, change, by })).value).toMatchObject({
        state: 'compromised',
        hidden: true,
      })
    })

    it('are marked exposed by secret: an event each time that the last one is long ago, and the first is kept', async () => {
      const { store } = await open()
      const home = await anAccount(store)
      const { id } = await create(store, home)
      const secretOf = async () => (await store.credentials.secrets({ id, scope: null }))[0]
      const secret = (await secretOf())?.id ?? ''
      const mark = async (now: number, which = secret) =>
        must(await store.credentials.markExposed({ id, secret: which, againMs: 1_000, by: at(now) }))
      const events = async () =>
        (await store.events.range({ after: 0, limit: 100 })).filter(({ action }) => action === 'credential.exposed')
      const marked = await mark(2_000)
      expect(marked.value.exposedAt).toBe(2_000)
      expect(marked.changes.credentials).toHaveLength(1)
      expect((await secretOf())?.exposedAt).toBe(2_000)
      expect(await mark(2_999)).toMatchObject({ value: { exposedAt: 2_000 }, changes: { credentials: [] } })
      expect((await secretOf())?.exposedAt).toBe(2_000)
      expect((await mark(3_000)).value.exposedAt).toBe(2_000)
      expect((await secretOf())?.exposedAt).toBe(3_000)
      await mark(9_000, 'sec_of_nobody')
      expect(await events()).toMatchObject([
        { targetId: id, account: home.account, after: { secret, exposedAt: 2_000 } },
        { targetId: id, account: home.account, after: { secret, exposedAt: 3_000 } },
      ])
      must(await revoke(store, id))
      await mark(9_000)
      expect(await events()).toHaveLength(2)
      const unknown = { id: 'cred_of_nobody', secret, againMs: 1_000, by: at(9_000) }
      expect(await store.credentials.markExposed(unknown)).toEqual({ ok: false, error: { code: 'not_found' } })
    })

    it('are not marked exposed by a secret that was rotated out', async () => {
      const { store } = await open()
      const { id } = await create(store, await anAccount(store))
      const [old] = await store.credentials.secrets({ id, scope: null })
      const secret = old?.id ?? ''
      must(await store.credentials.rotate({ id, scope: null, secret: aSecret(), endOthersAt: 5_000, by: at(4_000) }))
      const mark = async (now: number) =>
        must(await store.credentials.markExposed({ id, secret, againMs: 1, by: at(now) })).value.exposedAt
      expect(await mark(5_000)).toBeNull()
      expect(await mark(4_999)).toBe(4_999)
    })

    it('are found by every filter', async () => {
      const { store } = await open()
      const home = await anAccount(store)
      const other = await anAccount(store)
      const a = await create(store, home, aCredential({ name: 'Alpha_1', apis: ['shop', 'pay'] }))
      const b = await create(store, home, aCredential({ name: 'Beta', kind: 'publishable' }))
      const c = await create(store, other, aCredential({ name: 'alphabet' }))
      must(await revoke(store, c.id))
      const found = async (filter: Partial<CredentialFilter>, scope: string | null = null) =>
        (await store.credentials.list({ limit: 9, after: null, ...all, ...filter, scope })).items
          .map(({ id }) => id)
          .toSorted()
      const ids = (...some: readonly NewCredential[]) => some.map(({ id }) => id).toSorted()
      expect(await found({})).toEqual(ids(a, b, c))
      expect(await found({ account: home.account })).toEqual(ids(a, b))
      expect(await found({ project: other.project })).toEqual(ids(c))
      expect(await found({ kind: 'publishable' })).toEqual(ids(b))
      expect(await found({ state: 'revoked' })).toEqual(ids(c))
      expect(await found({ api: 'pay' })).toEqual(ids(a))
      expect(await found({ search: 'ALPHA' })).toEqual(ids(a, c))
      expect(await found({ search: 'a_1' })).toEqual(ids(a))
      expect(await found({ search: b.publicId })).toEqual(ids(b))
      expect(await found({ search: 'ALPHA' }, other.account)).toEqual(ids(c))
    })
  })

  describe('the scope of an account', () => {
    it('makes what is elsewhere as if it were not there', async () => {
      const { store } = await open()
      const home = await anAccount(store)
      const scope = (await anAccount(store)).account
      const { id, secret } = await create(store, home)
      const set = { name: 'x' }
      expect(await store.credentials.find({ id, scope })).toBeNull()
      expect(await store.credentials.secrets({ id, scope })).toEqual([])
      expect(await store.credentials.update({ id, scope, version: 1, set, by })).toEqual(notFound)
      expect(await store.credentials.rotate({ id, scope, secret: aSecret(), endOthersAt: 0, by })).toEqual(notFound)
      expect(await store.credentials.endSecret({ id, scope, secret: secret.id, at: 0, by })).toEqual(notFound)
      expect(await store.credentials.reveal({ id, scope, secret: secret.id, by })).toEqual(notFound)
      const change = { to: 'revoked', reason: null, hide: false } as const
      expect(await store.credentials.setState({ id, scope, change, by })).toEqual(notFound)
      expect(
        (
          await store.events.list({
            ...first,
            account: null,
            credential: id,
            action: null,
            from: null,
            to: null,
            scope,
          })
        ).items,
      ).toEqual([])
      expect(await store.credentials.find({ id, scope: home.account })).toMatchObject({ id, version: 1 })
    })
  })

  describe('secrets', () => {
    it('end by rotation, never later than they already did', async () => {
      const { store } = await open()
      const home = await anAccount(store)
      const { id, secret } = await create(store, home)
      const second = aSecret({ origin: 'regenerated' })
      must(await store.credentials.rotate({ id, scope: null, secret: second, endOthersAt: 5_000, by }))
      const third = aSecret({ origin: 'regenerated' })
      const { value, changes } = must(
        await store.credentials.rotate({ id, scope: null, secret: third, endOthersAt: 9_000, by }),
      )
      expect(value.secrets.map((each) => [each.id, each.notAfter])).toEqual([
        [secret.id, 5_000],
        [second.id, 9_000],
        [third.id, null],
      ])
      expect(changes.credentials[0]?.secrets.map(({ notAfter }) => notAfter)).toEqual([5_000, 9_000, null])
      const fourth = { id, scope: null, secret: aSecret(), endOthersAt: 9_000 }
      expect(await store.credentials.rotate({ ...fourth, by: at(4_999) })).toEqual(
        conflict(/already has 3 live secrets/),
      )
      expect((await store.credentials.rotate({ ...fourth, by: at(5_000) })).ok).toBe(true)
    })

    it('are at most three when rotations race', async () => {
      const { store } = await open()
      const { id } = await create(store, await anAccount(store))
      const outcomes = await Promise.all(
        Array.from({ length: 8 }, () =>
          store.credentials.rotate({ id, scope: null, secret: aSecret(), endOthersAt: 9_000, by }),
        ),
      )
      expect(outcomes.filter(({ ok }) => ok)).toHaveLength(2)
      expect(await store.credentials.secrets({ id, scope: null })).toHaveLength(3)
    })

    it('are not given to what has expired or was revoked', async () => {
      const { store } = await open()
      const home = await anAccount(store)
      const { id } = await create(store, home, aCredential({ expiresAt: 2_000 }))
      const rotate = (time: number) =>
        store.credentials.rotate({ id, scope: null, secret: aSecret(), endOthersAt: 0, by: at(time) })
      expect((await rotate(1_999)).ok).toBe(true)
      expect(await rotate(2_000)).toEqual(conflict(/is expired/))
      must(await revoke(store, id))
      expect(await rotate(1_500)).toEqual(conflict(/is revoked; it is not revived/))
    })

    it('end sooner or later while they live, and are not revived', async () => {
      const { store } = await open()
      const { id, secret } = await create(store, await anAccount(store))
      const end = (endAt: number, now: number) =>
        store.credentials.endSecret({ id, secret: secret.id, scope: null, at: endAt, by: at(now) })
      expect(must(await end(5_000, 1_000)).value.notAfter).toBe(5_000)
      expect(must(await end(8_000, 4_999)).value.notAfter).toBe(8_000)
      expect(must(await end(7_000, 5_000)).value.notAfter).toBe(7_000)
      expect(await end(9_000, 7_000)).toEqual(conflict(/already ended/))
      expect(await store.credentials.endSecret({ id, secret: 'sec_none', scope: null, at: 1, by })).toEqual(notFound)
    })

    it('can be revealed until their window ends, each time as an event', async () => {
      const { store } = await open()
      const home = await anAccount(store)
      const sealed = { bytes: new Uint8Array(randomBytes(60)), key: 'windows/900000', visibleUntil: 5_000 }
      const { id, secret } = await create(store, home, aCredential({ secret: aSecret({ sealed }) }))
      const reveal = (time: number) => store.credentials.reveal({ id, secret: secret.id, scope: null, by: at(time) })
      expect(must(await reveal(4_999)).value).toEqual(sealed)
      expect(must(await reveal(5_000))).toMatchObject({ value: null, changes: { credentials: [] } })
      const { items } = await store.events.list({
        ...first,
        account: null,
        credential: id,
        action: 'secret.revealed',
        from: null,
        to: null,
      })
      expect(items).toMatchObject([{ targetKind: 'secret', targetId: secret.id, after: { credential: id } }])
      expect(await store.credentials.closeWindows({ now: 4_999 })).toBe(0)
      expect(await store.credentials.closeWindows({ now: 5_000 })).toBe(1)
      expect(must(await reveal(4_000)).value).toBeNull()
      expect((await store.credentials.secrets({ id, scope: null }))[0]).toMatchObject({ visibleUntil: null })
    })

    it('lose their sealed copy when the credential is revoked', async () => {
      const { store } = await open()
      const sealed = { bytes: new Uint8Array(60), key: 'standing/sealing', visibleUntil: 8.64e15 }
      const { id, secret } = await create(store, await anAccount(store), aCredential({ secret: aSecret({ sealed }) }))
      expect((await store.credentials.secrets({ id, scope: null }))[0]?.visibleUntil).toBe(8.64e15)
      must(await revoke(store, id))
      expect(must(await store.credentials.reveal({ id, secret: secret.id, scope: null, by })).value).toBeNull()
    })
  })

  describe('an acting credential', () => {
    it('may act while it lives, and on itself', async () => {
      const { store } = await open()
      const home = await anAccount(store)
      const { id } = await create(store, home, aCredential({ kind: 'management' }))
      expect(
        (await store.credentials.create({ ...home, credential: aCredential(), maxKeys: null, by: actedBy(id) })).ok,
      ).toBe(true)
      const change = { to: 'revoked', reason: null, hide: false } as const
      expect((await store.credentials.setState({ id, scope: null, change, by: actedBy(id) })).ok).toBe(true)
      expect(
        await store.credentials.create({ ...home, credential: aCredential(), maxKeys: null, by: actedBy(id) }),
      ).toEqual({
        ok: false,
        error: { code: 'actor_dead' },
      })
    })

    it('is dead when it expired, its last secret ended, or its account is suspended', async () => {
      const { store } = await open()
      const home = await anAccount(store)
      const dead = { ok: false, error: { code: 'actor_dead' } }
      const act = (id: string, time: number) => {
        const doer: Provenance = { ...actedBy(id), at: time }
        return store.credentials.create({ ...home, credential: aCredential(), maxKeys: null, by: doer })
      }
      const expiring = await create(store, home, aCredential({ expiresAt: 2_000 }))
      expect((await act(expiring.id, 1_999)).ok).toBe(true)
      expect(await act(expiring.id, 2_000)).toEqual(dead)
      const ended = await create(store, home)
      must(await store.credentials.endSecret({ id: ended.id, secret: ended.secret.id, scope: null, at: 2_000, by }))
      expect((await act(ended.id, 1_999)).ok).toBe(true)
      expect(await act(ended.id, 2_000)).toEqual(dead)
      const orphan = await create(store, home)
      must(await store.accounts.setState({ id: home.account, state: 'suspended', reason: null, by }))
      expect(await act(orphan.id, 1_000)).toEqual(dead)
      expect(await act('cred_unknown00000', 1_000)).toEqual(dead)
    })

    it('writes nothing that is ordered after its own end', async () => {
      const { store } = await open()
      const home = await anAccount(store)
      const { id } = await create(store, home, aCredential({ kind: 'management' }))
      const acts = Array.from({ length: 30 }, () =>
        store.credentials.create({ ...home, credential: aCredential(), maxKeys: null, by: actedBy(id) }),
      )
      const [ended] = await Promise.all([revoke(store, id), ...acts])
      const end = must(ended).sequence
      for (const event of await store.events.range({ after: end, limit: 100 })) expect(event.actor.id).not.toBe(id)
      await verifyChain(store)
    })
  })

  describe('writes at once', () => {
    it('leave a gapless chain in the order of their commits', async () => {
      const { store } = await open()
      const home = await anAccount(store)
      const known = await Promise.all(Array.from({ length: 40 }, () => create(store, home)))
      const rotated = known.map(({ id }) =>
        store.credentials.rotate({ id, scope: null, secret: aSecret(), endOthersAt: 9_000, by }),
      )
      const revoked = known.map(({ id }) => revoke(store, id))
      const made = known.map(() => create(store, home))
      const outcomes = await Promise.all([...rotated, ...revoked])
      await Promise.all(made)
      expect(outcomes.slice(40).every(({ ok }) => ok)).toBe(true)
      const won = outcomes.slice(0, 40).filter(({ ok }) => ok).length
      expect(await verifyChain(store)).toBe(2 + 40 + 40 + 40 + won)
      for (const { id } of known) {
        const { items } = await store.events.list({
          ...first,
          account: null,
          credential: id,
          action: null,
          from: null,
          to: null,
        })
        // Newest first: whichever order it was, nothing follows the revocation.
        expect(items[0]?.action).toBe('credential.revoked')
      }
    })
  })

  describe('import', () => {
    const imported = (over: Partial<NewCredential> = {}) =>
      aCredential({ publicId: null, secret: aSecret({ origin: 'imported', hint: null }), ...over })

    it('stores all or nothing, names what it refuses, and skips what is there', async () => {
      const { store } = await open()
      const home = await anAccount(store)
      const other = await anAccount(store)
      const foreign = await create(store, other)
      const good = [imported({ name: 'a' }), imported({ name: 'b' })]
      const bad = imported({ secret: aSecret({ digest: foreign.secret.digest }) })
      const twin = imported({ name: 'c', secret: aSecret({ digest: good[0]?.secret.digest ?? new Uint8Array() }) })
      const run = (credentials: readonly NewCredential[], over: object = {}) =>
        store.credentials.import({ ...home, credentials, maxKeys: null, partial: false, dryRun: false, by, ...over })
      const refused = [
        { index: 2, reason: 'The digest is already stored.' },
        { index: 3, reason: 'The digest stands twice in this import.' },
      ]
      const ids = good.map(({ id }) => id)
      expect(must(await run([...good, bad, twin])).value).toEqual({ imported: [], skipped: [], refused })
      expect(must(await run([...good, bad, twin], { partial: true, dryRun: true })).value).toEqual({
        imported: ids,
        skipped: [],
        refused,
      })
      expect((await store.credentials.list({ ...first, ...all, account: home.account })).items).toEqual([])
      const done = must(await run([...good, bad, twin], { partial: true }))
      expect(done.value).toEqual({ imported: ids, skipped: [], refused })
      expect(done.changes.credentials.map(({ id, secrets }) => [id, secrets[0]?.imported])).toEqual(
        ids.toSorted().map((id) => [id, true]),
      )
      const again = good.map((each) => ({ ...each, id: `cred_${randomBytes(6).toString('hex')}` }))
      expect(must(await run(again)).value).toEqual({ imported: [], skipped: [0, 1], refused: [] })
      expect(await verifyChain(store)).toBe(2 + 2 + 1 + 2)
    })

    it('keeps to the number of keys that the plan allows', async () => {
      const { store } = await open()
      const home = await anAccount(store)
      const credentials = [imported(), imported(), imported()]
      const input = { ...home, credentials, maxKeys: 2, dryRun: false, by }
      expect(await store.credentials.import({ ...input, partial: false })).toEqual(conflict(/allows \(2\)/))
      const { value } = must(await store.credentials.import({ ...input, partial: true }))
      expect(value).toMatchObject({ imported: [credentials[0]?.id, credentials[1]?.id], refused: [{ index: 2 }] })
    })

    it('takes ten thousand at once', async () => {
      const { store } = await open()
      const home = await anAccount(store)
      const credentials = Array.from({ length: 10_000 }, () => imported())
      const { value } = must(
        await store.credentials.import({ ...home, credentials, maxKeys: null, partial: false, dryRun: false, by }),
      )
      expect(value.imported).toHaveLength(10_000)
      expect((await store.records.snapshot()).credentialCount).toBe(10_000)
    })
  })

  describe('events', () => {
    it('tell who did what, filtered and newest first, and commit to the personal fields', async () => {
      const { store } = await open()
      const home = await anAccount(store)
      const { id } = await create(store, home)
      must(
        await store.credentials.setState({
          id,
          scope: null,
          change: { to: 'revoked', reason: 'gone', hide: false },
          by: at(2_000),
        }),
      )
      const filter = { account: home.account, credential: null, action: null, from: null, to: null }
      const { items, next } = await store.events.list({ limit: 2, after: null, scope: null, ...filter })
      expect(items.map(({ action }) => action)).toEqual(['credential.revoked', 'credential.created'])
      const rest = await store.events.list({ limit: 2, after: next, scope: null, ...filter })
      expect(rest.items.map(({ action }) => action)).toEqual(['project.created', 'account.created'])
      const late = await store.events.list({ ...first, ...filter, from: 2_000, to: 2_001 })
      expect(late.items).toEqual([items[0]])
      expect((await store.events.list({ ...first, ...filter, from: 2_001 })).items).toEqual([])
      expect(items[0]).toMatchObject({
        at: 2_000,
        actor: by.actor,
        targetKind: 'credential',
        targetId: id,
        ...home,
        before: { state: 'active' },
        after: { state: 'revoked', reason: 'gone', hide: false },
        requestId: 'req_1',
        personal: { ip: '192.0.2.1', userAgent: 'test' },
      })
      expect(items[0]?.commitment).not.toBe(commitmentOf(new Uint8Array(), by))
    })
  })

  describe('records', () => {
    it('come in packed chunks: live ones, and those dead since then', async () => {
      const { store } = await open()
      const home = await anAccount(store)
      const plain = await create(store, home, aCredential({ scopes: ['a'], role: 'admin', notBefore: 5 }))
      const own = await create(
        store,
        home,
        aCredential({ publicId: 'other-id', ipAllow: ['10.0.0.1'], originAllow: [], llm: someModels }),
      )
      const dead = await create(store, home)
      must(await revoke(store, dead.id))
      must(await store.credentials.rotate({ id: plain.id, scope: null, secret: aSecret(), endOthersAt: 3_000, by }))
      const [chunk] = await chunksOf(store, 1_000)
      if (chunk === undefined) throw new Error('no chunk')
      const text = Buffer.from(chunk.credentialIds).toString('latin1')
      const ids = Array.from(
        { length: chunk.credentialCount },
        (_, row) => `cred_${text.slice(row * 12, row * 12 + 12)}`,
      )
      expect(ids).toEqual([plain.id, own.id, dead.id].toSorted())
      const row = ids.indexOf(plain.id)
      expect(chunk.profiles[chunk.profile[row] ?? -1]).toBe('[["shop"],["a"],"admin"]')
      expect([chunk.notBefore[row], chunk.expiresAt[row], chunk.version[row]]).toEqual([5, Number.NaN, 2])
      expect(chunk.accounts[chunk.account[row] ?? -1]).toBe(home.account)
      expect(chunk.projects[chunk.project[row] ?? -1]).toBe(home.project)
      expect(chunk.state[ids.indexOf(dead.id)]).toBe(2)
      expect(chunk.own).toEqual([
        {
          row: ids.indexOf(own.id),
          publicId: 'other-id',
          ipAllow: ['10.0.0.1'],
          originAllow: [],
          limits: [],
          llm: someModels,
        },
      ])
      expect(chunk.secretCount).toBe(4)
      const secretOf = (index: number) =>
        Buffer.from(chunk.secretIds.subarray(index * 16, index * 16 + 16)).toString('hex')
      const index = Array.from({ length: 4 }, (_, each) => each).find(
        (each) => `sec_${secretOf(each)}` === plain.secret.id,
      )
      expect(index).toBeDefined()
      expect(chunk.secretOwner[index ?? -1]).toBe(row)
      expect(chunk.notAfter[index ?? -1]).toBe(3_000)
      expect(chunk.digests.slice((index ?? 0) * 32, (index ?? 0) * 32 + 32)).toEqual(plain.secret.digest)
      expect((await chunksOf(store, 1_001))[0]?.credentialCount).toBe(2)
      expect((await chunksOf(store, 0, 1))[0]?.credentialCount).toBe(1)
      expect((await chunksOf(store, 3_001))[0]?.secretCount).toBe(2)
    })

    it('are caught up from a position, a bounded number of events at a time', async () => {
      const { store } = await open()
      const home = await anAccount(store)
      const { position, accounts, projects, credentialCount } = await store.records.snapshot()
      expect({ position, accounts: accounts.length, projects: projects.length, credentialCount }).toEqual({
        position: 2,
        accounts: 1,
        projects: 1,
        credentialCount: 0,
      })
      const a = await create(store, home)
      const b = await create(store, home)
      const one = await store.records.since({ after: position, limit: 1 })
      expect(one).toMatchObject({ position: 3, more: true, changes: { credentials: [{ id: a.id }] } })
      const two = await store.records.since({ after: 3, limit: 1 })
      expect(two).toMatchObject({ position: 4, more: false, changes: { credentials: [{ id: b.id }] } })
      expect(await store.records.since({ after: 4, limit: 1 })).toEqual({
        position: 4,
        more: false,
        changes: { accounts: [], projects: [], credentials: [], connections: [] },
      })
    })
  })

  usageConformance(open)
  houseConformance(open)
}

const day = 86_400_000
const hour = 3_600_000
const minute = 60_000
const retention = { minutesMs: 2 * day, hoursMs: 90 * day, daysMs: 800 * day, requestsMs: 30 * day }

function aCount(over: Partial<UsageCount> = {}): UsageCount {
  return {
    minute: 0,
    api: 'shop',
    account: 'acc_1',
    project: 'prj_1',
    credential: 'cred_1',
    route: 'r',
    outcome: '2xx',
    country: 'ZZ',
    count: 1,
    ...over,
  }
}

function aFlush(over: Partial<UsageFlush> = {}): UsageFlush {
  return { node: 'one', at: 0, counts: [], latencies: [], lastUses: [], requests: [], dropped: 0, ...over }
}

export function aRequest(time: number, over: Partial<RequestRow> = {}): RequestRow {
  return {
    id: `${firstIdAt('req', time)}7${nextHex().slice(-19)}`,
    at: time,
    api: 'shop',
    route: 'getOrder',
    method: 'GET',
    path: '/v1/orders/1',
    status: 200,
    code: null,
    outcome: '2xx',
    account: 'acc_1',
    project: 'prj_1',
    credential: 'cred_1',
    secret: 'sec_1',
    ip: '192.0.2.1',
    country: 'ZZ',
    userAgent: null,
    latencyMs: 1.5,
    trace: null,
    ...over,
  }
}

function usageConformance(open: () => Promise<Opened>): void {
  const everything = { account: null, project: null, credential: null, api: null }
  const countsOf = async (store: Store, query: Partial<Parameters<Store['usage']['query']>[0]>) =>
    (await store.usage.query({ from: 0, to: 10 * day, step: 'day', ...everything, groupBy: [], ...query })).map(
      ({ at: time, count }) => [time, count],
    )

  describe('usage', () => {
    it('sums flushes, and answers the same before and after it was rolled up', async () => {
      const { store } = await open()
      const counts = [
        aCount({ minute: 0 }),
        aCount({ minute: 59 * minute, count: 2 }),
        aCount({ minute: hour, count: 4, outcome: 'rate_limited' }),
        aCount({ minute: day, count: 8, credential: 'cred_2', account: 'acc_2', project: 'prj_2', country: 'DE' }),
      ]
      await store.usage.flush(aFlush({ counts }))
      await store.usage.flush(aFlush({ counts: [aCount({ minute: 0 })] }))
      const claims = async () => {
        expect(await countsOf(store, {})).toEqual([
          [0, 8],
          [day, 8],
        ])
        expect(await countsOf(store, { step: 'hour', to: day })).toEqual([
          [0, 4],
          [hour, 4],
        ])
        expect(await countsOf(store, { credential: 'cred_1' })).toEqual([[0, 8]])
        expect(await countsOf(store, { account: 'acc_2' })).toEqual([[day, 8]])
        expect(await countsOf(store, { from: 59 * minute, to: day })).toEqual([[0, 6]])
        expect(
          await store.usage.query({ from: 0, to: day, step: 'day', ...everything, groupBy: ['outcome', 'credential'] }),
        ).toEqual(
          expect.arrayContaining([
            { at: 0, group: { outcome: '2xx', credential: 'cred_1' }, count: 4 },
            { at: 0, group: { outcome: 'rate_limited', credential: 'cred_1' }, count: 4 },
          ]),
        )
        // Each from the smallest table that can answer it.
        for (const other of [[], ['route'], ['credential']] as const) {
          const points = await store.usage.query({
            from: 0,
            to: 10 * day,
            step: 'day',
            ...everything,
            project: 'prj_2',
            groupBy: ['country', ...other],
          })
          expect(points.map(({ at: time, group, count }) => [time, group['country'], count])).toEqual([[day, 'DE', 8]])
          expect(await countsOf(store, { project: 'prj_2', groupBy: other })).toEqual([[day, 8]])
        }
      }
      await claims()
      await store.usage.maintain({ now: day + hour, retention })
      await claims()
      await store.usage.maintain({ now: day + hour, retention })
      await claims()
    })

    it('counts what comes late, and what is not yet rolled up', async () => {
      const { store } = await open()
      await store.usage.flush(aFlush({ counts: [aCount({ minute: 0 })] }))
      await store.usage.maintain({ now: hour, retention })
      await store.usage.flush(
        aFlush({ counts: [aCount({ minute: 0, count: 2 }), aCount({ minute: 2 * hour, count: 4 })] }),
      )
      expect(await countsOf(store, {})).toEqual([[0, 7]])
      expect(await countsOf(store, { step: 'minute' })).toEqual([
        [0, 3],
        [2 * hour, 4],
      ])
    })

    it('keeps minutes, hours and days as long as declared', async () => {
      const { store } = await open()
      await store.usage.flush(
        aFlush({ counts: [aCount({ minute: 0 })], requests: packRequests([aRequest(0), aRequest(5 * day)]) }),
      )
      await store.usage.maintain({ now: 2 * day + minute, retention })
      expect(await countsOf(store, { step: 'minute' })).toEqual([])
      expect(await countsOf(store, { step: 'hour' })).toEqual([[0, 1]])
      await store.usage.maintain({ now: 91 * day, retention: { ...retention, requestsMs: 86 * day } })
      expect(await countsOf(store, { step: 'hour' })).toEqual([])
      expect(await countsOf(store, {})).toEqual([[0, 1]])
      expect((await store.usage.requests({ limit: 9, after: null, ...noFilter })).items.map((row) => row.at)).toEqual([
        5 * day,
      ])
    })

    it('sums what models took alike before and after it was rolled up, and late flushes too', async () => {
      const { store } = await open()
      const took = (fields: Partial<ModelCount> = {}): ModelCount => ({
        minute: 0,
        account: 'acc_1',
        project: 'prj_1',
        credential: 'cred_1',
        api: 'openai',
        model: 'a',
        metric: 'input',
        count: 5,
        ...fields,
      })
      const models = [took(), took({ minute: hour }), took({ metric: 'cost USD', count: 7 }), took({ model: 'b' })]
      await store.usage.flush(aFlush({ models }))
      const sums = async (over: Partial<ModelQuery>) => {
        const everyone = { account: null, project: null, credential: null, api: null }
        const points = await store.usage.models({
          from: 0,
          to: day,
          step: 'day',
          ...everyone,
          groupBy: ['model'],
          ...over,
        })
        const pairs = points.map(({ group, sums: ofPoint }) => [group['model'] ?? '', ofPoint] as const)
        return pairs.toSorted(([a], [b]) => (a < b ? -1 : 1))
      }
      const claims = async (a: number) => {
        expect(await sums({})).toEqual([
          ['a', { input: a, 'cost USD': 7 }],
          ['b', { input: 5 }],
        ])
        expect(await sums({ credential: 'cred_2' })).toEqual([])
        expect(await sums({ from: hour, step: 'hour' })).toEqual([['a', { input: 5 }]])
      }
      await claims(10)
      await store.usage.maintain({ now: day, retention })
      await claims(10)
      await store.usage.flush(aFlush({ models: [took()] }))
      await claims(15)
    })

    it('loses no minute that is older than its retention before it was rolled up', async () => {
      const { store } = await open()
      const counts = Array.from({ length: 100 }, (_, index) => aCount({ minute: index * minute }))
      await store.usage.flush(aFlush({ counts }))
      await store.usage.maintain({ now: 5 * day, retention })
      expect(await countsOf(store, { credential: 'cred_1' })).toEqual([[0, 100]])
      expect(await countsOf(store, { account: 'acc_1', step: 'hour' })).toEqual([
        [0, 60],
        [hour, 40],
      ])
    })

    it('sums latencies by bucket', async () => {
      const { store } = await open()
      const latencies = [{ minute: 0, credential: 'cred_1', route: 'r', buckets: [1, 0, 2] }]
      await store.usage.flush(aFlush({ latencies }))
      await store.usage.flush(
        aFlush({ latencies: [{ minute: hour, credential: 'cred_1', route: 's', buckets: [0, 0, 1] }] }),
      )
      const ask = (route: string | null) => store.usage.latency({ credential: 'cred_1', route, from: 0, to: day })
      const expected = (...head: readonly number[]) => Array.from({ length: 15 }, (_, index) => head[index] ?? 0)
      expect(await ask(null)).toEqual(expected(1, 0, 3))
      await store.usage.maintain({ now: day, retention })
      expect(await ask(null)).toEqual(expected(1, 0, 3))
      expect(await ask('r')).toEqual(expected(1, 0, 2))
    })

    it('remembers the newest use of each secret, whichever node saw it', async () => {
      const { store } = await open()
      const { id, secret } = await create(store, await anAccount(store))
      const seen = (time: number) => ({ at: time, ip: `192.0.2.${time}`, userAgent: 'curl' })
      const use = (accepted: number | null, refused: number | null) => ({
        secret: secret.id,
        accepted: accepted === null ? null : seen(accepted),
        refused: refused === null ? null : { ...seen(refused), code: `code${refused}` },
      })
      await store.usage.flush(aFlush({ lastUses: [use(5, null)] }))
      await store.usage.flush(aFlush({ lastUses: [use(4, 7)] }))
      await store.usage.flush(aFlush({ lastUses: [use(null, 6)] }))
      const [info] = await store.credentials.secrets({ id, scope: null })
      expect(info).toMatchObject({ lastAccepted: seen(5), lastRefused: { ...seen(7), code: 'code7' } })
    })

    it('says up to when it has observed, and what it dropped', async () => {
      const { store } = await open()
      expect(await store.usage.observedThrough({ now: 1 })).toBeNull()
      await store.usage.flush(aFlush({ node: 'one', at: 100_000, dropped: 3 }))
      await store.usage.flush(aFlush({ node: 'two', at: 150_000, dropped: 4 }))
      expect(await store.usage.observedThrough({ now: 150_000 })).toBe(100_000)
      expect(await store.usage.observedThrough({ now: 160_000 })).toBe(150_000)
      expect(await store.usage.observedThrough({ now: 999_000 })).toBe(150_000)
      expect(await store.usage.dropped({ from: 0, to: 200_000 })).toBe(7)
      expect(await store.usage.dropped({ from: 120_000, to: 200_000 })).toBe(4)
    })
  })

  const noFilter = {
    account: null,
    project: null,
    credential: null,
    api: null,
    code: null,
    status: null,
    from: null,
    to: null,
  }

  describe('the request log', () => {
    it('answers newest first by every filter, and one request whole', async () => {
      const { store } = await open()
      const a = aRequest(1_000)
      const b = aRequest(2_000, { credential: 'cred_2', account: 'acc_2', project: 'prj_2', api: 'pay' })
      const c = aRequest(3_000, { status: 429, code: 'rate_limited', outcome: 'rate_limited', trace: '[]' })
      await store.usage.flush(aFlush({ requests: packRequests([a, b, c]) }))
      await store.usage.flush(aFlush({ requests: packRequests([a]) }))
      const found = async (filter: object) =>
        (await store.usage.requests({ limit: 9, after: null, ...noFilter, ...filter })).items
      expect(await found({})).toEqual([c, b, a])
      expect(await found({ credential: 'cred_1' })).toEqual([c, a])
      expect(await found({ account: 'acc_2' })).toEqual([b])
      expect(await found({ project: 'prj_2' })).toEqual([b])
      expect(await found({ api: 'pay' })).toEqual([b])
      expect(await found({ code: 'rate_limited' })).toEqual([c])
      expect(await found({ status: 429 })).toEqual([c])
      expect(await found({ from: 2_000, to: 3_000 })).toEqual([b])
      const one = await store.usage.requests({ limit: 2, after: null, ...noFilter })
      expect((await store.usage.requests({ limit: 2, after: one.next, ...noFilter })).items).toEqual([a])
      expect(await store.usage.request({ id: c.id })).toEqual(c)
      expect(await store.usage.request({ id: 'req_none' })).toBeNull()
      await expect(store.usage.requests({ limit: 2, after: '!', ...noFilter })).rejects.toBeInstanceOf(BadCursor)
    })
  })
}

function houseConformance(open: () => Promise<Opened>): void {
  describe('quotas', () => {
    it('add up across nodes and answer the totals', async () => {
      const { store } = await open()
      const delta = (key: string, change: number, period = 0) => ({ key, period, delta: change })
      expect(await store.quotas.add({ deltas: [delta('a', 2), delta('b', 3), delta('a', 1)] })).toEqual([3, 3, 3])
      const many = await Promise.all(
        Array.from({ length: 20 }, () => store.quotas.add({ deltas: [delta('b', 1), delta('a', 1)] })),
      )
      expect(Math.max(...many.map(([b]) => b ?? 0))).toBe(23)
      await store.quotas.add({ deltas: [delta('a', 5, 1_000)] })
      expect(await store.quotas.load({ periods: [0] })).toEqual([
        { key: 'a', period: 0, used: 23 },
        { key: 'b', period: 0, used: 23 },
      ])
      await store.quotas.prune({ before: 1_000 })
      expect(await store.quotas.load({ periods: [0, 1_000] })).toEqual([{ key: 'a', period: 1_000, used: 5 }])
    })
  })

  describe('idempotency', () => {
    it('lets one run, tells the others, and forgets after a day', async () => {
      const { store } = await open()
      const start = (now: number, bodyDigest = 'one') => store.idempotency.start({ key: 'k', bodyDigest, now })
      const started = await Promise.all([start(0), start(0), start(0)])
      expect(started.map(({ state }) => state).toSorted()).toEqual(['running', 'running', 'started'])
      expect(await start(1, 'two')).toEqual({ state: 'other_body' })
      await store.idempotency.finish({ key: 'k', status: 201, body: '{}', now: 1 })
      expect(await start(day - 1)).toEqual({ state: 'done', status: 201, body: '{}' })
      expect(await start(day)).toEqual({ state: 'started' })
      await store.idempotency.abandon({ key: 'k' })
      expect(await start(day)).toEqual({ state: 'started' })
    })
  })

  describe('the system', () => {
    it('counts what uses each plan, API and scope', async () => {
      const { store } = await open()
      const home = await anAccount(store)
      await create(store, home, aCredential({ apis: ['shop', 'pay'], scopes: ['a', 'b'] }))
      await create(store, home, aCredential({ scopes: ['a'] }))
      must(await revoke(store, (await create(store, home)).id))
      const { places, ...inUse } = await store.system.inUse()
      expect(inUse).toEqual({ plans: { pro: 1 }, apis: { shop: 2, pay: 1 }, scopes: { a: 2, b: 1 } })
      expect(places.map(({ api, credentials }) => [api, credentials])).toEqual(
        expect.arrayContaining([
          ['shop', 2],
          ['pay', 1],
        ]),
      )
    })

    it('answers a ping and its size', async () => {
      const { store } = await open()
      await store.system.ping()
      expect((await store.system.space()).databaseBytes).toBeGreaterThan(0)
    })

    it('stores no secret in clear', async () => {
      const { store } = await open()
      const canary = randomBytes(24).toString('hex')
      const digest = new Uint8Array(createHash('sha256').update(canary).digest())
      await create(store, await anAccount(store), aCredential({ secret: aSecret({ digest }) }))
      expect(JSON.stringify(await store.events.range({ after: 0, limit: 100 }))).not.toContain(
        Buffer.from(digest).toString('hex'),
      )
    })
  })
}
