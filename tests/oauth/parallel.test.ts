import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import pg from 'pg'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'

import { fixedClock } from '../../packages/server/src/base/clock.ts'
import {
  aClient,
  aWorld,
  consent,
  proof,
  redemption,
  startEngine,
  type Engine,
  type EngineAnswer,
  type EngineClient,
  type World,
} from '../support/engine.ts'

const rounds = 50
const atOnce = 20

async function freshDatabase(name: string): Promise<string> {
  const url = inject('postgresUrl')
  const client = new pg.Client(url)
  await client.connect()
  await client.query(`create database ${name}`)
  await client.end()
  const database = new URL(url)
  database.pathname = `/${name}`
  return database.toString()
}

/** One or two nodes of one database, with one folder of keys. */
const stores = [
  ['SQLite', async () => [await startEngine()]],
  ['PostgreSQL', async () => [await startEngine({ url: await freshDatabase('redeem_one') })]],
  [
    'two nodes on PostgreSQL',
    async () => {
      const url = await freshDatabase('redeem_two')
      const clock = fixedClock(Date.UTC(2026, 5, 1))
      const keys = join(mkdtempSync(join(tmpdir(), 'postern-keys-')), 'keys')
      return [await startEngine({ url, clock, keys }), await startEngine({ url, clock, keys })]
    },
  ],
] as const

describe.each(stores)('on %s', (_, start) => {
  let nodes: readonly Engine[]
  let world: World
  let client: EngineClient
  const node = (i: number): Engine => {
    const found = nodes[i % nodes.length]
    if (found === undefined) throw new Error('no node')
    return found
  }

  beforeAll(async () => {
    nodes = await start()
    world = await aWorld(node(0))
    client = await aClient(node(0), world, { type: 'public' })
    for (const each of nodes) await each.catchUp()
  })
  afterAll(async () => {
    for (const each of nodes) await each.stop()
  })

  const all = (call: (engine: Engine) => Promise<EngineAnswer>): Promise<readonly EngineAnswer[]> =>
    Promise.all(Array.from({ length: atOnce }, (_each, i) => call(node(i))))
  const winners = (answers: readonly EngineAnswer[]) => answers.filter(({ status }) => status === 200)

  it('20: of twenty who redeem a code at once exactly one succeeds, and what it got is then revoked (21)', async () => {
    for (let round = 0; round < rounds; round++) {
      const code = await consent(node(round), client, world)
      const answers = await all((engine) => engine.post('/oauth/token', redemption(client, code)))
      const [winner, another] = winners(answers)
      expect([winner?.status, another]).toEqual([200, undefined])
      for (const loser of answers.filter((each) => each !== winner))
        expect(loser).toMatchObject({
          status: 400,
          body: { error: 'invalid_grant' },
          evaluation: { refusal: { code: 'code_reused' } },
        })
      const { refresh_token } = winner?.body ?? {}
      const again = await node(0).post('/oauth/token', { grant_type: 'refresh_token', refresh_token, ...proof(client) })
      expect(again.body.error).toBe('invalid_grant')
    }
  })

  it('24: of twenty who use a refresh token at once exactly one succeeds, and its family lives', async () => {
    for (let round = 0; round < rounds; round++) {
      const code = await consent(node(round), client, world)
      const { body } = await node(round).post('/oauth/token', redemption(client, code))
      const form = { grant_type: 'refresh_token', refresh_token: body.refresh_token, ...proof(client) }
      const answers = await all((engine) => engine.post('/oauth/token', form))
      const [winner, another] = winners(answers)
      expect([winner?.status, another]).toEqual([200, undefined])
      for (const loser of answers.filter((each) => each !== winner))
        expect(loser).toMatchObject({
          status: 400,
          body: { error: 'invalid_grant' },
          evaluation: { refusal: { code: 'refresh_raced' } },
        })
      const next = { ...form, refresh_token: winner?.body.refresh_token }
      expect((await node(round + 1).post('/oauth/token', next)).status).toBe(200)
    }
  })

  it('23, 24: of twenty who reuse a refresh token later none succeeds, and its family ends once', async () => {
    const code = await consent(node(0), client, world)
    const { body } = await node(0).post('/oauth/token', redemption(client, code))
    const form = { grant_type: 'refresh_token', refresh_token: body.refresh_token, ...proof(client) }
    const second = await node(0).post('/oauth/token', form)
    node(0).clock.advance(10_000)
    const answers = await all((engine) => engine.post('/oauth/token', form))
    expect(winners(answers)).toEqual([])
    const next = { ...form, refresh_token: second.body.refresh_token }
    expect((await node(1).post('/oauth/token', next)).body.error).toBe('invalid_grant')
  })
})
