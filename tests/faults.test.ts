import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import pg from 'pg'
import { describe, expect, inject, it } from 'vitest'

import { killRepeatedly } from '../bench/lib/kill-driver.ts'
import { systemClock } from '../packages/server/src/base/clock.ts'
import { openStore } from '../packages/server/src/store/index.ts'
import { bearer, issue, makeAccount } from './support/issue.ts'
import { request } from './support/raw.ts'
import { startTestServer } from './support/server.ts'
import { until } from './support/until.ts'

const yamlFor = (upstream: string) => `
failures: {attempts: 1000000, window: 1m}
apis:
  shop:
    address: shop.test
    upstream: ${upstream}
    scopes: {orders.read: Read}
    routes: [{id: getOrder, methods: [GET], path: "/v1/orders/{id}", scopes: {any: [orders.read]}}]
plans:
  pro: {apis: [shop], kinds: [secret]}
`

async function use(port: number, value: string): Promise<string> {
  const answer = await request(port, { target: '/v1/orders/1', headers: [bearer(value)] })
  return answer.status === 200 ? '200' : `${answer.status} ${answer.body.code}`
}

describe('kill -9 while issuing, rotating, blocking and revoking', () => {
  // `npm run bench -- kill` does the same a hundred times.
  const kills = 3

  it.each(['SQLite', 'PostgreSQL'] as const)(
    'on %s nothing acknowledged is lost, nothing dead comes back, the audit chain holds (126)',
    async (kind) => {
      const store = kind === 'SQLite' ? 'sqlite' : await freshDatabase()
      const outcome = await killRepeatedly({ store, kills, seed: 126, progress: () => {} })
      expect(outcome).toMatchObject({ kills, broken: [] })
      expect(outcome.acknowledged).toBeGreaterThan(kills * 10)
    },
    120_000,
  )

  async function freshDatabase(): Promise<string> {
    const url = new URL(inject('postgresUrl'))
    const client = new pg.Client(url.toString())
    await client.connect()
    const name = `kill_${process.pid}_${Date.now()}`
    await client.query(`create database ${name}`)
    await client.end()
    url.pathname = `/${name}`
    return url.toString()
  }
})

describe('a full disk', () => {
  /** A file system of its own and small, where the system lets us; it needs the rights of the administrator. */
  function smallDisk(megabytes: number): { readonly folder: string; free(): void } | null {
    const folder = mkdtempSync(join(tmpdir(), 'postern-disk-'))
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0700`, 'tmpfs', folder], { stdio: 'ignore' })
      return {
        folder,
        free: () => {
          execFileSync('umount', ['-l', folder])
          rmSync(folder, { recursive: true, force: true })
        },
      }
    } catch {
      rmSync(folder, { recursive: true, force: true })
      return null
    }
  }

  function fill(path: string): void {
    const file = openSync(path, 'w')
    try {
      for (const block of [1024 * 1024, 4096]) {
        try {
          for (;;) writeSync(file, Buffer.alloc(block, 1))
        } catch {
          // No space left for a block of this size.
        }
      }
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
  }

  const probe = smallDisk(1)
  probe?.free()

  // Without the right to mount, the store's own limit below stands for the disk.
  // oxlint-disable-next-line vitest/no-conditional-tests -- see above
  if (probe !== null)
    it('stops issuing, serves on, still revokes and blocks 1,000 times, and recovers without a restart', async () => {
      const disk = smallDisk(96)
      if (disk === null) throw new Error('the file system could not be made again')
      const server = await startTestServer({ yaml: yamlFor('UPSTREAM'), folder: disk.folder }).catch(
        (error: unknown) => {
          disk.free()
          throw error
        },
      )
      try {
        const { api } = server
        const account = await makeAccount(api, 'pro')
        const key = await issue(api, account.project)
        const old = Array.from({ length: 1_000 }, () => randomBytes(16).toString('hex'))
        const imported = await api('POST', `/projects/${account.project}/credentials/import`, {
          credentials: old.map((value, i) => ({
            digest: createHash('sha256').update(value).digest('hex'),
            name: `Old ${i}`,
            kind: 'secret',
            apis: ['shop'],
            scopes: ['orders.read'],
          })),
        })
        expect([imported.status, imported.body.imported.length]).toEqual([200, 1_000])
        const ids: string[] = imported.body.imported

        const filler = join(disk.folder, 'filler')
        fill(filler)
        await until('it is noticed', async () => (await api('GET', '/system')).body.space.full === true)
        const refused = await api('POST', `/projects/${account.project}/credentials`, {
          name: 'x',
          kind: 'secret',
          apis: ['shop'],
          scopes: [],
        })
        expect([refused.status, refused.body.code]).toEqual([507, 'storage_full'])
        const rotated = await api('POST', `/credentials/${key.id}/rotate`, {})
        expect([rotated.status, rotated.body.code]).toEqual([507, 'storage_full'])
        expect(await use(server.gatewayPort, key.value)).toBe('200')

        const statuses = new Map<number, number>()
        let next = 0
        const worker = async () => {
          for (let i = next++; i < ids.length; i = next++) {
            const answer =
              i % 2 === 0
                ? await api('POST', `/credentials/${ids[i]}/revoke`, {})
                : await api('POST', `/credentials/${ids[i]}/block`, { reason: 'x' })
            statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
          }
        }
        await Promise.all(Array.from({ length: 8 }, worker))
        expect([...statuses]).toEqual([[200, 1_000]])
        expect([
          await use(server.gatewayPort, old[0] ?? ''),
          await use(server.gatewayPort, old[1] ?? ''),
          await use(server.gatewayPort, key.value),
        ]).toEqual(['401 credential_revoked', '401 credential_blocked', '200'])
        const suspended = await api('POST', `/accounts/${account.id}/suspend`, { reason: 'x' })
        expect(suspended.status).toBe(200)

        rmSync(filler)
        await until('it recovers', async () => (await api('POST', `/accounts/${account.id}/resume`)).status === 200)
        await until(
          'issuing works again',
          async () =>
            (
              await api('POST', `/projects/${account.project}/credentials`, {
                name: 'x',
                kind: 'secret',
                apis: ['shop'],
                scopes: [],
              })
            ).status === 201,
        )
        await until('the reserve is refilled', async () => (await api('GET', '/system')).body.space.ballast === 'whole')
      } finally {
        await server.stop()
        disk.free()
      }
    }, 60_000)

  it('is survived by the store where a limit of its own stands for the disk', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'postern-limit-'))
    const store = await openStore({
      url: 'sqlite',
      dataFolder: folder,
      checkpointsFolder: join(folder, 'checkpoints'),
      clock: systemClock,
      maxBytes: 16 * 1024 * 1024 + 4096,
    })
    try {
      expect((await store.system.space()).full).toBe(true)
      const by = {
        actor: { kind: 'system', id: 'test' },
        at: Date.now(),
        ip: null,
        userAgent: null,
        requestId: null,
      } as const
      const project = {
        id: 'prj_1',
        name: 'default',
        environment: 'live',
        region: null,
        ipAllow: [],
        metadata: {},
        credentials: [],
      } as const
      const made = await store.accounts.create({
        account: { id: 'acc_1', name: 'A', plan: 'pro', overrides: null, metadata: {} },
        project,
        by,
      })
      expect(made).toEqual({ ok: false, error: { code: 'storage_full' } })
    } finally {
      await store.close()
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

describe('a data folder', () => {
  it('that is damaged is not silently begun anew (127)', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'postern-damage-'))
    try {
      const server = await startTestServer({ yaml: yamlFor('UPSTREAM'), folder })
      const account = await makeAccount(server.api, 'pro')
      await issue(server.api, account.project)
      await server.stop()
      const path = join(folder, 'data', 'postern.db')
      const bytes = readFileSync(path)
      const file = openSync(path, 'r+')
      writeSync(file, Buffer.alloc(bytes.length - 100, 0xff), 0, bytes.length - 100, 100)
      closeSync(file)
      const started = await startTestServer({ yaml: yamlFor('UPSTREAM'), folder }).then(
        async (running) => {
          await running.stop()
          return 'started'
        },
        () => 'refused',
      )
      expect(started).toBe('refused')
      expect(readFileSync(path).length).toBe(bytes.length)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it('serves one server at a time', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'postern-lock-'))
    const server = await startTestServer({ yaml: yamlFor('UPSTREAM'), folder })
    try {
      await expect(startTestServer({ yaml: yamlFor('UPSTREAM'), folder })).rejects.toThrow(
        `"locked":{"folder":"${join(folder, 'data')}"`,
      )
      expect(readdirSync(join(folder, 'data'))).toContain('lock.db')
      expect((await server.api('GET', '/whoami')).status).toBe(200)
    } finally {
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
