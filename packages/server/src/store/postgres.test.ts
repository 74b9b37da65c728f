import { randomBytes } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'

import { fixedClock } from '../base/clock.ts'
import { StoreUnavailable, type Store } from '../core/store.ts'
import { anAccount, by, type Opened } from './conformance-data.ts'
import { raceConformance } from './conformance-races.ts'
import { conformance } from './conformance.ts'
import { openStore } from './index.ts'
import { expectKept, mintAndKill } from './mint-and-kill.ts'
import { secured } from './postgres/pool.ts'

describe('the store on PostgreSQL', () => {
  let root: string
  let opened: Store[] = []
  const open = async (): Promise<Opened> => {
    const checkpointsFolder = mkdtempSync(join(root, 'checkpoints-'))
    const url = await aDatabase()
    const store = await openStore({ url, dataFolder: root, checkpointsFolder, clock: fixedClock() })
    opened.push(store)
    return { store, checkpointsFolder }
  }
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'postern-postgres-'))
  })
  afterEach(async () => {
    await Promise.all(opened.map((store) => store.close()))
    opened = []
  })
  afterAll(() => rmSync(root, { recursive: true, force: true }))

  conformance(open)

  describe('two nodes on one database', () => {
    raceConformance(async () => {
      const url = await aDatabase()
      const nodes: Store[] = []
      for (const name of ['one', 'two']) {
        const checkpointsFolder = mkdtempSync(join(root, `${name}-`))
        nodes.push(await openStore({ url, dataFolder: root, checkpointsFolder, clock: fixedClock() }))
      }
      opened.push(...nodes)
      const [one, two] = nodes
      if (one === undefined || two === undefined) throw new Error('no nodes')
      return { store: inTurns(one, two), checkpointsFolder: root }
    })
  })

  it(
    'keeps what was answered when a node is killed while it mints, refreshes and revokes',
    { timeout: 180_000 },
    async () => {
      const url = await aDatabase()
      const dataFolder = mkdtempSync(join(root, 'killed-'))
      const acknowledged = await mintAndKill(url, dataFolder, 5)
      expect(Math.min(acknowledged.minted.length, acknowledged.rotated.size)).toBeGreaterThan(50)
      const store = await openStore({ url, dataFolder, checkpointsFolder: dataFolder, clock: fixedClock() })
      opened.push(store)
      await expectKept(store, acknowledged)
    },
  )

  it('gives a hint of what another node committed', async () => {
    const url = await aDatabase()
    const clock = fixedClock()
    const nodes = await Promise.all(
      ['one', 'two'].map((name) => openStore({ url, dataFolder: root, checkpointsFolder: join(root, name), clock })),
    )
    opened.push(...nodes)
    const [one, two] = nodes
    if (one === undefined || two === undefined) throw new Error('no nodes')
    const hints = new EventEmitter()
    // The first hint says that it listens, what follows that something was committed.
    const listens = once(hints, 'hint')
    two.listen(() => hints.emit('hint'))
    await listens
    const hinted = once(hints, 'hint')
    const { account } = await anAccount(one)
    await hinted
    expect(await two.records.since({ after: 0, limit: 9 })).toMatchObject({
      position: 2,
      changes: { accounts: [{ id: account }] },
    })
  })

  it('is unavailable while the database does not answer, and comes back by itself', async () => {
    const url = new URL(await aDatabase())
    const proxy = await startProxy(Number(url.port))
    url.port = String(proxy.port)
    const options = { url: url.toString(), dataFolder: root, checkpointsFolder: join(root, 'outage') }
    const store = await openStore({ ...options, clock: fixedClock() })
    opened.push(store)
    const { account } = await anAccount(store)
    proxy.pause()
    const change = { id: account, state: 'suspended', reason: null, by } as const
    await Promise.all([
      expect(store.accounts.setState(change)).rejects.toBeInstanceOf(StoreUnavailable),
      expect(store.system.ping()).rejects.toBeInstanceOf(StoreUnavailable),
      expect(store.quotas.add({ deltas: [{ key: 'k', period: 0, delta: 1 }] })).rejects.toBeInstanceOf(
        StoreUnavailable,
      ),
    ])
    proxy.resume()
    await store.system.ping()
    expect(await store.accounts.find({ id: account })).toMatchObject({ state: 'active' })
    await proxy.stop()
    await expect(store.system.ping()).rejects.toBeInstanceOf(StoreUnavailable)
  })

  it('asks for a verified certificate beyond the own machine, unless told otherwise', () => {
    expect(secured('postgres://u@127.0.0.1/db')).toBe('postgres://u@127.0.0.1/db')
    expect(secured('postgres://u@localhost:5432/db')).toBe('postgres://u@localhost:5432/db')
    expect(secured('postgres://u@db.example/db')).toBe('postgres://u@db.example/db?sslmode=verify-full')
    expect(secured('postgres://u@db.example/db?sslmode=disable')).toBe('postgres://u@db.example/db?sslmode=disable')
    expect(() => secured('postgres://u@db.example/db?sslmode=prefer')).toThrow('may fall back to no encryption')
  })
})

/** A new, empty database; answers its address. */
async function aDatabase(): Promise<string> {
  const url = inject('postgresUrl')
  const name = `test_${randomBytes(6).toString('hex')}`
  const client = new pg.Client(url)
  await client.connect()
  await client.query(`create database ${name}`)
  await client.end()
  return url.replace(/\/[^/]*$/, `/${name}`)
}

/** Asks one store, then the other, whatever is asked of the parts of both. */
function inTurns(one: Store, two: Store): Store {
  let turn = 0
  const alternating = <Part extends object>(first: Part, second: Part): Part =>
    new Proxy(first, {
      get: (_, name) => Reflect.get(turn++ % 2 === 0 ? first : second, name) as unknown,
    })
  return {
    ...one,
    accounts: alternating(one.accounts, two.accounts),
    tokens: alternating(one.tokens, two.tokens),
    grants: alternating(one.grants, two.grants),
    people: alternating(one.people, two.people),
  }
}

/** Stands before the database; paused, it takes what is sent and answers nothing. */
async function startProxy(
  target: number,
): Promise<{ readonly port: number; pause(): void; resume(): void; stop(): Promise<void> }> {
  const pairs = new Set<readonly [Socket, Socket]>()
  let paused = false
  const server = createServer((inward) => {
    const outward = createConnection(target, '127.0.0.1')
    const pair = [inward, outward] as const
    pairs.add(pair)
    inward.on('data', (part) => paused || outward.write(part)).on('error', () => outward.destroy())
    outward.on('data', (part) => paused || inward.write(part)).on('error', () => inward.destroy())
    inward.on('close', () => (pairs.delete(pair), outward.destroy()))
    outward.on('close', () => inward.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // A server that listens on TCP has such an address.
  const { port } = server.address() as AddressInfo
  return {
    port,
    pause: () => void (paused = true),
    resume: () => void (paused = false),
    stop: async () => {
      for (const [inward] of pairs) inward.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
