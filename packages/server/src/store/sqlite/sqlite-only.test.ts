/* oxlint-disable unicorn/consistent-function-scoping -- small helpers stand beside the claims that use them */
import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

import { fixedClock } from '../../base/clock.ts'
import { systemRandom } from '../../base/random.ts'
import { Secret } from '../../base/secret.ts'
import { StorageFull, type Store } from '../../core/store.ts'
import { packRequests } from '../../core/usage/request-blocks.ts'
import { aCredential, anAccount, aSecret, at, by, create, must, revoke } from '../conformance-data.ts'
import { aRequest, verifyChain } from '../conformance.ts'
import { acquireDataLock, createKeyFiles, openStore, restore, RestoreRefused } from '../index.ts'
import { readRevocations } from '../revocations.ts'

const clock = fixedClock()

describe('SQLite', () => {
  let root: string
  let opened: Store[] = []
  let count = 0
  const aFolder = () => join(root, String(count++))
  const open = async (dataFolder: string, maxBytes?: number): Promise<Store> => {
    const checkpointsFolder = join(dataFolder, 'checkpoints')
    const store = await openStore({
      url: 'sqlite',
      dataFolder,
      checkpointsFolder,
      clock,
      ...(maxBytes !== undefined && { maxBytes }),
    })
    opened.push(store)
    return store
  }
  const close = async (store: Store) => {
    opened = opened.filter((each) => each !== store)
    await store.close()
  }
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'postern-sqlite-'))
  })
  afterEach(async () => {
    await Promise.all(opened.map((store) => store.close()))
    opened = []
  })
  afterAll(() => rmSync(root, { recursive: true, force: true }))

  describe('a killed process', () => {
    it('loses nothing that it acknowledged, in ten rounds', { timeout: 120_000 }, async () => {
      const dataFolder = aFolder()
      const script = fileURLToPath(new URL('write-until-killed.ts', import.meta.url))
      const made: string[] = []
      const revoked: string[] = []
      for (let round = 0; round < 10; round++) {
        const child = spawn(process.execPath, [script, dataFolder], { stdio: ['ignore', 'pipe', 'inherit'] })
        let said = ''
        child.stdout.on('data', (part: Buffer) => {
          said += part.toString()
          if (said.split('\n').length > 40 + round * 7) child.kill('SIGKILL')
        })
        await once(child, 'close')
        for (const line of said.split('\n').slice(0, -1)) (line.startsWith('+') ? made : revoked).push(line.slice(2))
      }
      expect(made.length).toBeGreaterThan(100)
      const store = await open(dataFolder)
      await verifyChain(store)
      const logged = new Set(readRevocations(join(dataFolder, 'checkpoints')).map(({ credential }) => credential))
      for (const id of made) expect(await store.credentials.find({ id, scope: null })).not.toBeNull()
      for (const id of revoked) {
        expect(await store.credentials.find({ id, scope: null })).toMatchObject({ state: 'revoked' })
        expect(logged.has(id)).toBe(true)
      }
    })
  })

  describe('migrations', () => {
    it('run once, when three processes start at once and when one starts again', async () => {
      const dataFolder = aFolder()
      const module = new URL('../index.ts', import.meta.url).href
      const clockModule = new URL('../../base/clock.ts', import.meta.url).href
      const options = `{ url: 'sqlite', dataFolder: '${dataFolder}', checkpointsFolder: '${dataFolder}/checkpoints', clock: systemClock }`
      const text = `import { openStore } from '${module}'; import { systemClock } from '${clockModule}'; const store = await openStore(${options}); await store.system.ping(); await store.close()`
      const children = Array.from({ length: 3 }, () =>
        spawn(process.execPath, ['--input-type=module', '-e', text], { stdio: ['ignore', 'ignore', 'inherit'] }),
      )
      const ends = await Promise.all(children.map((child) => once(child, 'close')))
      expect(ends.map(([code]) => code as number)).toEqual([0, 0, 0])
      const store = await open(dataFolder)
      await anAccount(store)
      expect(await verifyChain(store)).toBe(2)
    })
  })

  describe('the lock of a data folder', () => {
    it('names its owner to a second server, and is free after it', () => {
      const folder = aFolder()
      const first = acquireDataLock(folder, { started: 7, addresses: ['127.0.0.1:8080'] })
      if (!first.ok) throw new Error('not locked')
      expect(acquireDataLock(folder, { started: 8, addresses: [] })).toMatchObject({
        ok: false,
        error: { code: 'locked', owner: { pid: process.pid, started: 7, addresses: ['127.0.0.1:8080'] } },
      })
      first.value.release()
      const second = acquireDataLock(folder, { started: 9, addresses: [] })
      expect(second.ok).toBe(true)
      if (second.ok) second.value.release()
    })

    it('is freed by the system when its owner is killed', async () => {
      const folder = aFolder()
      const module = new URL('lock.ts', import.meta.url).href
      const text = `import { acquireDataLock } from '${module}'; acquireDataLock('${folder}', { started: 1, addresses: [] }); console.log('held'); setInterval(() => {}, 1000)`
      const child = spawn(process.execPath, ['--input-type=module', '-e', text], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      await once(child.stdout, 'data')
      expect(acquireDataLock(folder, { started: 2, addresses: [] })).toMatchObject({
        ok: false,
        error: { owner: { pid: child.pid } },
      })
      child.kill('SIGKILL')
      await once(child, 'close')
      const mine = acquireDataLock(folder, { started: 3, addresses: [] })
      expect(mine.ok).toBe(true)
      if (mine.ok) mine.value.release()
    })
  })

  describe('a closed window', () => {
    it('leaves no byte of the sealed copy in any file', async () => {
      const dataFolder = aFolder()
      const store = await open(dataFolder)
      const home = await anAccount(store)
      const copies = Array.from({ length: 20 }, () => new Uint8Array(randomBytes(80)))
      for (const bytes of copies) {
        const sealed = { bytes, key: 'windows/900000', visibleUntil: 5_000 }
        await create(store, home, aCredential({ secret: aSecret({ sealed }) }))
      }
      const left = () => {
        const files = readdirSync(dataFolder).filter((name) => /^(postern|usage)[.]db/.test(name))
        const content = Buffer.concat(files.map((name) => readFileSync(join(dataFolder, name))))
        return copies.filter((bytes) => content.includes(Buffer.from(bytes.subarray(20, 60)))).length
      }
      expect(left()).toBe(20)
      expect(await store.credentials.closeWindows({ now: 5_000 })).toBe(20)
      expect(left()).toBe(0)
    })

    it('opens no copy that was swapped with another row', async () => {
      const dataFolder = aFolder()
      const store = await open(dataFolder)
      const keys = createKeyFiles(join(dataFolder, 'keys'), systemRandom)
      const home = await anAccount(store)
      const sealedAs = (text: string) => {
        const secret = aSecret()
        return { ...secret, sealed: keys.seal(new Secret(text), secret.id, 5_000) }
      }
      const mine = await create(store, home, aCredential({ secret: sealedAs('mine') }))
      const theirs = await create(store, home, aCredential({ secret: sealedAs('theirs') }))
      const copy = must(
        await store.credentials.reveal({ id: theirs.id, secret: theirs.secret.id, scope: null, by }),
      ).value
      if (copy === null) throw new Error('closed')
      expect(keys.open(copy, theirs.secret.id).reveal()).toBe('theirs')
      expect(() => keys.open(copy, mine.secret.id)).toThrow('does not belong to this row')
    })
  })

  describe('a backup', () => {
    const backUp = async (store: Store, folder: string) => {
      const steps: { readonly done: number; readonly total: number }[] = []
      for await (const step of store.system.backup({ folder })) steps.push(step)
      return steps
    }

    it('is consistent although writes go on, and old ones revive nothing', async () => {
      const dataFolder = aFolder()
      const checkpointsFolder = join(dataFolder, 'checkpoints')
      const folder = aFolder()
      const store = await open(dataFolder)
      const home = await anAccount(store)
      const known = await Promise.all(Array.from({ length: 5 }, () => create(store, home)))
      const [revoked, blocked, unblocked, compromised, kept] = known.map(({ id }) => id)
      const suspended = await anAccount(store)
      const load = { goesOn: true }
      const loaded = (async () => {
        while (load.goesOn) await create(store, home)
      })()
      const steps = await backUp(store, folder)
      load.goesOn = false
      await loaded
      expect(steps.at(-1)?.done).toBe(steps.at(-1)?.total)
      const setState = async (
        id: string | undefined,
        change: Parameters<Store['credentials']['setState']>[0]['change'],
      ) => must(await store.credentials.setState({ id: id ?? '', scope: null, change, by }))
      await setState(revoked, { to: 'revoked', reason: null, hide: false })
      await setState(blocked, { to: 'blocked', reason: 'x', until: null })
      await setState(unblocked, { to: 'blocked', reason: 'x', until: null })
      await setState(unblocked, { to: 'active' })
      await setState(compromised, { to: 'compromised', reason: null, since: null })
      must(await store.accounts.setState({ id: suspended.account, state: 'suspended', reason: null, by }))
      await close(store)

      const { applied, sequence } = await restore({ folder, dataFolder, checkpointsFolder, clock })
      expect(applied).toBe(4)
      const restored = await open(dataFolder)
      const stateOf = async (id: string | undefined) =>
        (await restored.credentials.find({ id: id ?? '', scope: null }))?.state
      expect(await Promise.all([revoked, blocked, unblocked, compromised, kept].map(stateOf))).toEqual([
        'revoked',
        'blocked',
        'active',
        'compromised',
        'active',
      ])
      expect(await restored.accounts.find({ id: suspended.account })).toMatchObject({ state: 'suspended' })
      expect(await verifyChain(restored)).toBe(sequence + 4)
      const events = await restored.events.range({ after: sequence, limit: 9 })
      expect(events.every(({ actor }) => actor.kind === 'system' && actor.id === 'restore')).toBe(true)
    })

    it('holds no key file, and is refused where it was altered or the server runs', async () => {
      const dataFolder = aFolder()
      const checkpointsFolder = join(dataFolder, 'checkpoints')
      const folder = aFolder()
      const store = await open(dataFolder)
      await anAccount(store)
      await backUp(store, folder)
      expect(readdirSync(folder).toSorted()).toEqual(['manifest.json', 'postern.db', 'usage.db'])
      await expect(backUp(store, folder)).rejects.toThrow('not empty')
      await close(store)
      const lock = acquireDataLock(dataFolder, { started: 1, addresses: [] })
      if (!lock.ok) throw new Error('not locked')
      const again = { folder, dataFolder, checkpointsFolder, clock }
      await expect(restore(again)).rejects.toThrow(/a server is running on this data folder: process/)
      lock.value.release()
      const bytes = readFileSync(join(folder, 'postern.db'))
      bytes[5_000] = (bytes[5_000] ?? 0) ^ 1
      writeFileSync(join(folder, 'postern.db'), bytes)
      await expect(restore(again)).rejects.toBeInstanceOf(RestoreRefused)
      await expect(restore({ ...again, folder: aFolder() })).rejects.toThrow('holds no backup')
    })
  })

  describe('a full disk', () => {
    const fill = async (store: Store, home: { readonly account: string; readonly project: string }) => {
      const ids: string[] = []
      for (;;) {
        const some = Array.from({ length: 100 }, () => aCredential())
        const made = await Promise.all(
          some.map((credential) => store.credentials.create({ ...home, credential, maxKeys: null, by })),
        )
        ids.push(...some.filter((_, index) => made[index]?.ok === true).map(({ id }) => id))
        const refused = made.find((outcome) => !outcome.ok)
        if (refused !== undefined) {
          expect(refused).toEqual({ ok: false, error: { code: 'storage_full' } })
          return ids
        }
      }
    }
    const revokeThousand = async (store: Store, ids: readonly string[]) => {
      for (const id of ids.slice(0, 1_000)) expect((await revoke(store, id)).ok).toBe(true)
    }

    it(
      'stops issuing, imports and logs first, and a thousand revocations still succeed',
      { timeout: 120_000 },
      async () => {
        const dataFolder = aFolder()
        const store = await open(dataFolder, 32 * 1024 * 1024)
        const home = await anAccount(store)
        const ids = await fill(store, home)
        expect(await store.system.space()).toMatchObject({ ballast: 'whole', full: true })
        const credentials = [aCredential()]
        const imported = await store.credentials.import({
          ...home,
          credentials,
          maxKeys: null,
          partial: true,
          dryRun: false,
          by,
        })
        expect(imported).toEqual({ ok: false, error: { code: 'storage_full' } })
        const flush = {
          node: 'n',
          at: 0,
          counts: [],
          latencies: [],
          lastUses: [],
          requests: packRequests([aRequest(0)]),
          dropped: 0,
        }
        await expect(store.usage.flush(flush)).rejects.toBeInstanceOf(StorageFull)
        const renamed = await store.credentials.update({
          id: ids[0] ?? '',
          scope: null,
          version: 1,
          set: { name: 'still' },
          by,
        })
        expect(renamed.ok).toBe(true)
        await revokeThousand(store, ids)
        await verifyChain(store)
      },
    )

    const root64 = process.getuid?.() === 0 ? join(tmpdir(), `postern-full-${process.pid}`) : null
    it.runIf(root64 !== null)(
      'on a file system of 64 MiB is survived, and left when space returns',
      { timeout: 120_000 },
      async () => {
        const folder = root64 ?? ''
        mkdirSync(folder, { recursive: true })
        expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', folder]).status).toBe(0)
        try {
          const store = await open(join(folder, 'data'))
          const home = await anAccount(store)
          const ids: string[] = []
          for (let i = 0; i < 12; i++) {
            const some = Array.from({ length: 100 }, () => aCredential())
            await Promise.all(
              some.map((credential) => store.credentials.create({ ...home, credential, maxKeys: null, by })),
            )
            ids.push(...some.map(({ id }) => id))
          }
          fillFile(join(folder, 'other'))
          const credential = aCredential()
          expect(await store.credentials.create({ ...home, credential, maxKeys: null, by })).toEqual({
            ok: false,
            error: { code: 'storage_full' },
          })
          expect(await store.system.space()).toMatchObject({ full: true })
          for (const id of ids.slice(0, 1_000)) expect((await revoke(store, id)).ok).toBe(true)
          expect(await store.system.space()).toMatchObject({ ballast: 'released', full: true })
          expect(await store.credentials.markExposed({ id: ids[0] ?? '', secret: '', againMs: 1, by })).toEqual({
            ok: false,
            error: { code: 'storage_full' },
          })
          rmSync(join(folder, 'other'))
          expect(await store.system.space()).toMatchObject({ ballast: 'whole', full: false })
          must(await store.credentials.create({ ...home, credential, maxKeys: null, by: at(2_000) }))
          await verifyChain(store)
          await close(store)
        } finally {
          spawnSync('umount', [folder])
          if (existsSync(folder)) rmSync(folder, { recursive: true, force: true })
        }
      },
    )
  })
})

/** Takes all the room that is left, to the last block. */
function fillFile(path: string): void {
  for (const size of [1024 * 1024, 4096]) {
    try {
      for (;;) writeFileSync(path, Buffer.alloc(size, 1), { flag: 'a' })
    } catch {
      continue
    }
  }
}
