import { describe, expect, it } from 'vitest'

import { type FixedClock, fixedClock } from '../../base/clock.ts'
import type { ConnectionRecord } from '../connections/connection.ts'
import type { Evaluation } from '../decision/evaluation.ts'
import { GrantTable } from '../grants/grant-table.ts'
import type { GrantRecord } from '../grants/grant.ts'
import type { CredentialRecord, RecordChanges } from '../records/record.ts'
import { RecordTable } from '../records/table.ts'
import type { RecordStore } from '../store.ts'
import {
  aChunk,
  aCredential,
  anAccount,
  aProject,
  aSecret,
  changes,
  credentialIdOf,
  wordsOfText,
} from '../testing/records.ts'
import { aGrant, aToken, theToken } from '../testing/tokens.ts'
import { aWorld, lines, noon } from '../testing/world.ts'
import { TokenCache } from '../tokens/token-cache.ts'
import type { TokenRecord, TokenRevocation } from '../tokens/token.ts'
import { Feed } from './feed.ts'

const staleAfterMs = 30_000

/** A store of records that other nodes write into; it answers at once, late or not at all, as told. */
class FakeStore implements RecordStore {
  readonly held = new Map<string, CredentialRecord>()
  readonly #events: RecordChanges[] = []
  readonly grants = new Map<string, GrantRecord>()
  tokens: TokenRecord[] = []
  reads = { since: 0, byDigest: 0, byId: 0, grant: 0, token: 0 }
  away = false
  /** Set: answers are prepared when asked, and handed over when released. */
  gate: Promise<void> | null = null
  preload: readonly CredentialRecord[] = []
  connections: readonly ConnectionRecord[] = []

  /** A commit of some other node. */
  commit(made: RecordChanges): number {
    for (const record of made.credentials) this.held.set(record.id, record)
    for (const grant of made.grants) this.grants.set(grant.id, grant)
    this.tokens = this.tokens.map((token) => ({ ...token, revoked: token.revoked || made.tokens.some(endsIt(token)) }))
    return this.#events.push(made)
  }

  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<undefined>()
    this.gate = promise
    return () => {
      this.gate = null
      resolve(undefined)
    }
  }

  snapshot() {
    const accounts = [anAccount()]
    const projects = [aProject()]
    const { connections } = this
    const credentialCount = this.held.size
    return Promise.resolve({ position: this.#events.length, accounts, projects, connections, credentialCount })
  }

  async *chunks({ max }: { max: number }) {
    await Promise.resolve()
    const rows = this.preload.length > 0 ? this.preload : [...this.held.values()].slice(0, max)
    for (let i = 0; i < rows.length; i += 2) yield aChunk(rows.slice(i, i + 2))
  }

  async byDigest({ digest }: { digest: Uint8Array }) {
    this.reads.byDigest++
    this.#refuseIfAway()
    const hex = Buffer.from(digest).toString('hex')
    const found = [...this.held.values()].find(({ secrets }) =>
      secrets.some((secret) => Buffer.from(secret.digest).toString('hex') === hex),
    )
    await this.gate
    return found ?? null
  }

  async byId({ id }: { id: string }) {
    this.reads.byId++
    this.#refuseIfAway()
    const found = this.held.get(id) ?? null
    await this.gate
    return found
  }

  async grant({ id }: { id: string }) {
    this.reads.grant++
    this.#refuseIfAway()
    const found = this.grants.get(id) ?? null
    await this.gate
    return found
  }

  /** What the store of tokens answers. */
  async tokenByDigest({ digest }: { digest: Uint8Array }) {
    this.reads.token++
    this.#refuseIfAway()
    const token = this.tokens.find((each) => Buffer.from(each.digest).equals(digest))
    const found =
      token === undefined
        ? null
        : { token: { ...token }, grant: token.grant === null ? null : (this.grants.get(token.grant) ?? null) }
    await this.gate
    return found
  }

  async since({ after, limit }: { after: number; limit: number }) {
    this.reads.since++
    this.#refuseIfAway()
    const events = this.#events.slice(after, after + Math.min(limit, 2))
    const position = after + events.length
    const more = position < this.#events.length
    await this.gate
    const merged = changes({
      accounts: events.flatMap(({ accounts }) => accounts),
      projects: events.flatMap(({ projects }) => projects),
      // After-images: as they are now, not as they were then.
      credentials: events.flatMap(({ credentials }) => credentials.map((record) => this.held.get(record.id) ?? record)),
      grants: events.flatMap(({ grants }) => grants),
      tokens: events.flatMap(({ tokens }) => tokens),
    })
    return { position, more, changes: merged }
  }

  #refuseIfAway(): void {
    if (this.away) throw new Error('the store is away')
  }
}

function aFeed(
  options: {
    alone?: boolean
    credentialsMax?: number
    clock?: FixedClock
    store?: FakeStore
    table?: RecordTable
  } = {},
) {
  const clock = options.clock ?? fixedClock(noon)
  const store = options.store ?? new FakeStore()
  const table = options.table ?? new RecordTable()
  const errors: unknown[] = []
  const tokens = { cache: new TokenCache(), grants: new GrantTable(table) }
  const feed = new Feed({
    records: store,
    table,
    tokens: { ...tokens, store: { byDigest: (input) => store.tokenByDigest(input) } },
    clock,
    alone: options.alone ?? false,
    staleAfterMs: () => staleAfterMs,
    credentialsMax: options.credentialsMax ?? 1000,
    onError: (error) => errors.push(error),
  })
  const fresh = () => feed.isFresh(clock.now(), clock.monotonic())
  const holds = (text: string) => table.findSecret(wordsOfText(text)) !== -1
  return { clock, store, table, tokens, errors, feed, fresh, holds }
}

const endsIt =
  ({ digest, family }: TokenRecord) =>
  (revocation: TokenRevocation): boolean =>
    revocation.of === 'token' ? Buffer.from(digest).equals(revocation.digest) : revocation.family === family

const record = (number: number, fields: Partial<CredentialRecord> = {}) =>
  aCredential({ id: credentialIdOf(number), secrets: [aSecret(`s${number}`)], createdAt: noon - 1, ...fields })

/** Lets everything that waits for promises alone go on. */
async function settled(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve()
}

describe('at the start', () => {
  it('everything is loaded, then what changed meanwhile', async () => {
    const { store, feed, table, holds } = aFeed()
    store.commit(changes({ credentials: [record(1), record(2), record(3)] }))
    store.preload = [record(1), record(2), record(3)]
    const snapshot = store.snapshot.bind(store)
    store.snapshot = async () => {
      const taken = await snapshot()
      store.commit(changes({ credentials: [record(2, { version: 2, state: 'revoked' })] }))
      store.commit(changes({ credentials: [record(4)] }))
      store.commit(changes({ credentials: [record(5)] }))
      return taken
    }
    await feed.start()
    expect([1, 2, 3, 4, 5].map((number) => holds(`s${number}`))).toEqual([true, true, true, true, true])
    expect(table.state(table.findCredential(credentialIdOf(2)), noon)).toBe('revoked')
    expect([feed.position, table.size]).toEqual([4, 5])
  })

  it('fails where the store is away, rather than begin with nothing', async () => {
    const { store, feed, fresh } = aFeed()
    store.away = true
    await expect(feed.start()).rejects.toThrow('the store is away')
    expect(fresh()).toBe(false)
  })
})

describe('changes of other nodes', () => {
  it('are seen by the poll each half second, without a hint', async () => {
    const { store, feed, clock, table } = aFeed()
    store.commit(changes({ credentials: [record(1)] }))
    await feed.start()
    store.commit(changes({ credentials: [record(1, { version: 2, state: 'revoked' })] }))
    clock.advance(499)
    await settled()
    expect(table.state(0, noon)).toBe('active')
    clock.advance(1)
    await settled()
    expect(table.state(0, noon)).toBe('revoked')
  })

  it('are seen at once with a hint', async () => {
    const { store, feed, table } = aFeed()
    store.commit(changes({ credentials: [record(1)] }))
    await feed.start()
    store.commit(changes({ credentials: [record(1, { version: 2, state: 'blocked' })] }))
    expect(await feed.poll()).toBe(true)
    expect(table.state(0, noon)).toBe('blocked')
  })

  it('are read to the end, however many there are', async () => {
    const { store, feed, table } = aFeed()
    await feed.start()
    for (let number = 0; number < 25; number++) store.commit(changes({ credentials: [record(number)] }))
    await feed.poll()
    expect([feed.position, table.size]).toEqual([25, 25])
  })

  it('are polled by one at a time', async () => {
    const { store, feed } = aFeed()
    await feed.start()
    const before = store.reads.since
    const release = store.hold()
    const polls = [feed.poll(), feed.poll(), feed.poll()]
    release()
    expect(await Promise.all(polls)).toEqual([true, true, true])
    expect(store.reads.since - before).toBe(1)
  })

  it('are not looked for any more after the stop', async () => {
    const { store, feed, clock } = aFeed()
    await feed.start()
    feed.stop()
    const before = store.reads.since
    clock.advance(10_000)
    await settled()
    expect(store.reads.since).toBe(before)
  })
})

describe('our own changes', () => {
  it('are in force before they are answered', async () => {
    const { feed, table } = aFeed()
    await feed.start()
    feed.applyOwn(changes({ credentials: [record(1)] }), 1)
    feed.applyOwn(changes({ credentials: [record(1, { version: 2, state: 'revoked' })] }), 2)
    expect(table.state(0, noon)).toBe('revoked')
  })

  it('move the position only where nobody else can change the store', async () => {
    const [one, several] = [aFeed({ alone: true }), aFeed()]
    for (const { feed } of [one, several]) {
      await feed.start()
      feed.applyOwn(changes({ credentials: [record(1)] }), 7)
    }
    expect([one.feed.position, several.feed.position]).toEqual([7, 0])
  })
})

describe('a secret that memory does not hold', () => {
  it('costs nothing where nobody else can change the store and all of it is held', async () => {
    const { feed, clock } = aFeed({ alone: true })
    await feed.start()
    expect(feed.catchUp(wordsOfText('x'), clock.monotonic())).toBeNull()
  })

  it('costs nothing where a poll began after the request came', async () => {
    const { feed, clock } = aFeed()
    await feed.start()
    const came = clock.monotonic()
    clock.advance(1)
    await feed.poll()
    expect(feed.catchUp(wordsOfText('x'), came)).toBeNull()
  })

  it('is looked for once by a hundred requests, and found', async () => {
    const { feed, store, clock, holds } = aFeed()
    await feed.start()
    clock.advance(100)
    store.commit(changes({ credentials: [record(1)] }))
    const before = store.reads.since
    const waiting = Array.from({ length: 100 }, () => feed.catchUp(wordsOfText('s1'), clock.monotonic()))
    const promised = waiting.filter((promise) => promise !== null)
    expect(await Promise.all(promised)).toEqual(waiting.map(() => true))
    expect([store.reads.since - before, store.reads.byDigest, holds('s1')]).toEqual([1, 0, true])
  })

  it('waits for a poll that begins after it came, not for one that was running', async () => {
    const { feed, store, clock, holds } = aFeed()
    await feed.start()
    clock.advance(100)
    const release = store.hold()
    const running = feed.poll()
    store.commit(changes({ credentials: [record(1)] }))
    const waiting = feed.catchUp(wordsOfText('s1'), clock.monotonic())
    release()
    await running
    expect(holds('s1')).toBe(false)
    await settled()
    clock.advance(20)
    expect(await waiting).toBe(true)
    expect(holds('s1')).toBe(true)
  })

  it('makes at most one poll each 20 ms, whether the store answers or not', async () => {
    for (const away of [false, true]) {
      const { feed, store, clock } = aFeed()
      await feed.start()
      clock.advance(100)
      store.away = away
      const before = store.reads.since
      for (let ms = 0; ms < 200; ms++) {
        void feed.catchUp(wordsOfText(`garbage ${ms}`), clock.monotonic())
        await settled()
        clock.advance(1)
      }
      expect(store.reads.since - before).toBeLessThanOrEqual(11)
      expect(store.reads.since - before).toBeGreaterThan(5)
    }
  })

  it('is told from a store that is away', async () => {
    const { feed, store, clock, errors } = aFeed()
    await feed.start()
    clock.advance(100)
    store.away = true
    expect(await feed.catchUp(wordsOfText('s1'), clock.monotonic())).toBe(false)
    expect(errors).toHaveLength(1)
  })
})

describe('records are fresh', () => {
  it('for 30 s after the start of the last good poll, and not a millisecond longer', async () => {
    const { feed, store, clock, fresh } = aFeed()
    await feed.start()
    store.away = true
    clock.advance(29_999)
    await settled()
    expect([fresh(), feed.lagMs()]).toEqual([true, 29_999])
    clock.advance(1)
    expect([fresh(), feed.lagMs()]).toEqual([false, 30_000])
  })

  it('again after the next good poll', async () => {
    const { feed, store, clock, fresh } = aFeed()
    await feed.start()
    store.away = true
    clock.advance(60_000)
    await settled()
    store.away = false
    await feed.poll()
    expect([fresh(), feed.lagMs()]).toEqual([true, 0])
  })

  it('counted from the start of the poll, not from its end', async () => {
    const { feed, store, clock, fresh } = aFeed()
    await feed.start()
    const release = store.hold()
    const poll = feed.poll()
    clock.advance(29_000)
    release()
    await poll
    clock.advance(999)
    expect(fresh()).toBe(true)
    clock.advance(1)
    expect(fresh()).toBe(false)
  })

  it('by the larger of the two times: a wall clock that is set forward makes them old', async () => {
    const { feed, clock, fresh } = aFeed()
    await feed.start()
    clock.setWall(noon + staleAfterMs)
    expect(fresh()).toBe(false)
    await feed.poll()
    expect(fresh()).toBe(true)
  })

  it('by the larger of the two times: a wall clock that is set back does not keep them young', async () => {
    const { feed, store, clock, fresh } = aFeed()
    await feed.start()
    store.away = true
    clock.setWall(noon - 86_400_000)
    clock.advance(29_999)
    expect(fresh()).toBe(true)
    clock.advance(1)
    expect(fresh()).toBe(false)
  })

  it('for ever where nobody else can change the store', async () => {
    const { feed, clock, fresh } = aFeed({ alone: true })
    await feed.start()
    clock.advance(86_400_000)
    expect([fresh(), feed.lagMs()]).toEqual([true, 0])
  })
})

describe('what is long dead', () => {
  it('is forgotten after 90 days', async () => {
    const { feed, clock, store, holds } = aFeed({ alone: true })
    store.commit(changes({ credentials: [record(1, { state: 'revoked', stateAt: noon }), record(2)] }))
    await feed.start()
    clock.advance(90 * 86_400_000)
    expect([holds('s1'), holds('s2')]).toEqual([true, true])
    clock.advance(3_600_000)
    expect([holds('s1'), holds('s2')]).toEqual([false, true])
  })
})

describe('beyond the maximum', () => {
  /** A feed over more credentials than fit, and requests that are decided over it. */
  async function aCrowd(count: number, credentialsMax: number, alone = true) {
    const clock = fixedClock(noon)
    const store = new FakeStore()
    store.commit(changes({ credentials: Array.from({ length: count }, (_, number) => record(number)) }))
    let feed: Feed | null = null
    const world = aWorld({
      freshness: {
        isFresh: (now, monotonic) => feed?.isFresh(now, monotonic) ?? false,
        catchUp: (words, monotonic) => feed?.catchUp(words, monotonic) ?? null,
      },
    })
    world.table.remove(0)
    const made = aFeed({ clock, store, table: world.table, alone, credentialsMax })
    feed = made.feed
    await feed.start()
    const ask = async (text: string, peer = '203.0.113.7'): Promise<Evaluation> => {
      const facts = world.request({
        peer,
        headers: lines(['X-Api-Key', text]),
        now: clock.now(),
        monotonic: clock.monotonic(),
      })
      const evaluation = await world.decider.evaluate(facts, false)
      return world.decider.settle(evaluation, facts)
    }
    const code = async (text: string) => {
      const { allowed, refusal } = await ask(text)
      return allowed ? 'allowed' : refusal?.code
    }
    return { ...made, feed: made.feed, world, ask, code }
  }

  it('everybody is let in still, and no more than the maximum is held', async () => {
    const { table, code } = await aCrowd(200, 50)
    expect(table.size).toBe(50)
    for (let round = 0; round < 2; round++) {
      for (let number = 0; number < 200; number++) expect(await code(`s${number}`)).toBe('allowed')
    }
    expect(table.size).toBeLessThanOrEqual(50)
  })

  it('even where there is room for one alone', async () => {
    const { table, code } = await aCrowd(5, 1)
    for (const number of [0, 1, 2, 3, 4, 4, 3, 2, 1, 0]) expect(await code(`s${number}`)).toBe('allowed')
    expect(table.size).toBe(1)
  })

  it('what is used often stays in memory', async () => {
    const { store, code } = await aCrowd(300, 100)
    await code('s0')
    for (let number = 100; number < 300; number++) {
      await code(`s${number}`)
      await code('s0')
    }
    const before = store.reads.byDigest
    await code('s0')
    expect(store.reads.byDigest).toBe(before)
  })

  it('one query is made for a secret, however many requests wait for it', async () => {
    const { store, ask } = await aCrowd(20, 10)
    const before = store.reads.byDigest
    const release = store.hold()
    const asked = Array.from({ length: 100 }, () => ask('s15'))
    release()
    expect((await Promise.all(asked)).every(({ allowed }) => allowed)).toBe(true)
    expect(store.reads.byDigest - before).toBe(1)
  })

  it('the dead are told that they are dead, the unknown that they are unknown', async () => {
    const { store, code, feed } = await aCrowd(20, 10)
    feed.applyOwn(changes({ credentials: [record(15, { version: 2, state: 'revoked' })] }), 2)
    store.held.set(credentialIdOf(16), record(16, { version: 2, state: 'blocked' }))
    expect(await Promise.all(['s15', 's16', 'nobody'].map(code))).toEqual([
      'credential_revoked',
      'credential_blocked',
      'credential_unknown',
    ])
  })

  it('the store being away is 503, never 401', async () => {
    const { store, code } = await aCrowd(20, 10)
    store.away = true
    expect(await Promise.all(['s0', 's15', 'nobody'].map(code))).toEqual([
      'allowed',
      'decision_unavailable',
      'decision_unavailable',
    ])
  })

  it('a load that a revocation overtook is thrown away', async () => {
    const { store, ask, feed, table } = await aCrowd(20, 10)
    const release = store.hold()
    const asked = ask('s15')
    await settled()
    const revoked = record(15, { version: 2, state: 'revoked' })
    store.held.set(revoked.id, revoked)
    feed.applyOwn(changes({ credentials: [revoked] }), 2)
    // Even where the row has left memory again before the load comes back.
    table.remove(table.findCredential(revoked.id))
    release()
    expect((await asked).refusal?.code).toBe('credential_revoked')
  })

  it('a load that was overtaken long ago is thrown away, too', async () => {
    const { store, ask, feed, table } = await aCrowd(20, 10)
    const release = store.hold()
    const asked = ask('s15')
    await settled()
    const revoked = record(15, { version: 2, state: 'revoked' })
    store.held.set(revoked.id, revoked)
    feed.applyOwn(changes({ credentials: [revoked] }), 2)
    for (let i = 0; i < 12; i++) {
      feed.applyOwn(
        changes({ credentials: Array.from({ length: 1000 }, (_, at) => record(1000 * (i + 1) + at, { secrets: [] })) }),
        3 + i,
      )
    }
    table.remove(table.findCredential(revoked.id))
    release()
    expect((await asked).refusal?.code).toBe('credential_revoked')
  })

  it('a credential of an account that we do not know yet is let in once we know it', async () => {
    const { store, code } = await aCrowd(20, 10, false)
    const stranger = record(40, { account: 'acc_2', project: 'prj_2' })
    const reads = store.since.bind(store)
    let polls = 0
    store.since = (input) => {
      // The account is made after the poll that this request waits for, the credential before its own load.
      if (++polls === 1) {
        const answered = reads(input)
        store.commit(
          changes({
            accounts: [anAccount({ id: 'acc_2' })],
            projects: [aProject({ id: 'prj_2', account: 'acc_2' })],
            credentials: [stranger],
          }),
        )
        return answered
      }
      return reads(input)
    }
    expect(await code('s40')).toBe('allowed')
  })
})

describe('a token that memory does not hold', () => {
  const holder = aCredential({ createdAt: noon - 1 })
  const words = wordsOfText(theToken)
  const live = (options: Parameters<typeof aFeed>[0] = {}, fields: Partial<TokenRecord> = {}) => {
    const made = aFeed(options)
    made.store.commit(changes({ credentials: [holder] }))
    made.store.tokens = [aToken(theToken, fields)]
    return made
  }

  it('is read from the store, with its grant', async () => {
    const { feed, store, tokens, table } = live({}, { grant: 'grt_000000000001' })
    store.grants.set('grt_000000000001', aGrant())
    await feed.start()
    expect(await feed.tokens.token(words)).toBe(true)
    expect(tokens.cache.find(words)?.id).toBe('tok_1')
    expect(tokens.grants.find('grt_000000000001')?.user).toBe('usr_1')
    expect(table.findCredential('grt_000000000001')).not.toBe(-1)
  })

  it('is one query, however many ask', async () => {
    const { feed, store } = live()
    await feed.start()
    const release = store.hold()
    const asked = Array.from({ length: 1000 }, () => feed.tokens.token(words))
    release()
    expect(new Set(await Promise.all(asked))).toEqual(new Set([true]))
    expect(store.reads.token).toBe(1)
  })

  it('is not known where the store knows none, and not called unknown where the store is away', async () => {
    const { feed, store, tokens, errors } = live()
    await feed.start()
    expect(await feed.tokens.token(wordsOfText('another'))).toBe(true)
    store.away = true
    expect(await feed.tokens.token(words)).toBe(false)
    expect([tokens.cache.size, errors.length]).toEqual([0, 1])
  })

  it.each<[string, Partial<RecordChanges>]>([
    ['of the token', { tokens: [{ of: 'token', digest: aToken().digest }] }],
    ['of its family', { tokens: [{ of: 'family', family: 'tok_family' }] }],
  ])('is read again where a change %s overtook it: what was revoked is never put as live', async (_, change) => {
    const { feed, store, tokens } = live({}, { family: 'tok_family' })
    await feed.start()
    const release = store.hold()
    const loading = feed.tokens.token(words)
    await settled()
    const made = changes(change)
    feed.applyOwn(made, store.commit(made))
    release()
    expect(await loading).toBe(true)
    expect([store.reads.token, tokens.cache.find(words)?.revoked]).toEqual([2, true])
  })

  it('is read again where a change of its grant overtook it', async () => {
    const { feed, store, tokens } = live({}, { grant: 'grt_000000000001' })
    store.grants.set('grt_000000000001', aGrant())
    await feed.start()
    const release = store.hold()
    const loading = feed.tokens.token(words)
    await settled()
    const made = changes({ grants: [aGrant({ version: 4, active: false })] })
    feed.applyOwn(made, store.commit(made))
    release()
    expect(await loading).toBe(true)
    expect(tokens.grants.find('grt_000000000001')?.active).toBe(false)
  })

  it('brings its credential where that left memory, or never fitted (design, section 5)', async () => {
    const { feed, store, table, tokens } = live({ credentialsMax: 2 })
    for (let i = 10; i < 20; i++) store.commit(changes({ credentials: [record(i)] }))
    await feed.start()
    if (table.findCredential(holder.id) !== -1) table.remove(table.findCredential(holder.id))
    expect(await feed.tokens.token(words)).toBe(true)
    expect([table.findCredential(holder.id) === -1, tokens.cache.find(words)?.credential]).toEqual([false, holder.id])
    expect(table.size).toBeLessThanOrEqual(2)
  })

  it('that is held brings back what it stands for, without a query for itself', async () => {
    const { feed, store, table, tokens } = live({}, { grant: 'grt_000000000001' })
    store.grants.set('grt_000000000001', aGrant())
    await feed.start()
    await feed.tokens.token(words)
    table.remove(table.findCredential(holder.id))
    table.remove(table.findCredential('grt_000000000001'))
    expect(await feed.tokens.token(words)).toBe(true)
    expect([store.reads.token, store.reads.grant, store.reads.byId]).toEqual([1, 1, 1])
    expect([table.findCredential(holder.id), tokens.grants.size]).not.toContain(-1)
    expect(tokens.grants.find('grt_000000000001')).not.toBeNull()
  })

  it('waits for the account where that is newer than what is known', async () => {
    const { feed, store, table } = aFeed()
    await feed.start()
    const theirs = { account: 'acc_new', project: 'prj_new' }
    store.held.set(holder.id, { ...holder, ...theirs })
    store.tokens = [aToken()]
    store.commit(changes({ accounts: [anAccount({ id: 'acc_new' })], projects: [aProject({ id: 'prj_new' })] }))
    expect(await feed.tokens.token(words)).toBe(true)
    expect(table.account(table.findCredential(holder.id)).record?.id).toBe('acc_new')
  })

  it('of another issuer brings the credential that it acts as', async () => {
    const { feed, store, table } = live()
    await feed.start()
    table.remove(table.findCredential(holder.id))
    expect(await feed.tokens.credential(holder.id)).toBe(true)
    expect(table.findCredential(holder.id)).not.toBe(-1)
    await feed.tokens.credential(holder.id)
    expect(store.reads.byId).toBe(1)
    expect(await feed.tokens.credential('cred_none00000000')).toBe(true)
  })
})

describe('tokens that were minted here', () => {
  const minted = (fields: Partial<TokenRecord & { kind: 'access' | 'refresh' }> = {}) => ({
    ...aToken(),
    kind: 'access' as const,
    format: 'opaque' as const,
    account: 'acc_1',
    project: 'prj_1',
    createdAt: noon,
    familyEndsAt: null,
    code: null,
    ...fields,
  })

  it('are known at once, access tokens alone', async () => {
    const { feed, store, tokens } = aFeed()
    await feed.start()
    feed.tokens.minted([minted(), minted({ kind: 'refresh', digest: aToken('refresh').digest })])
    expect([tokens.cache.size, tokens.cache.find(wordsOfText(theToken))?.id, store.reads.token]).toEqual([
      1,
      'tok_1',
      0,
    ])
  })

  it('are put as revoked where the news of that came first', async () => {
    const { feed, tokens } = aFeed()
    await feed.start()
    feed.applyOwn(changes({ tokens: [{ of: 'family', family: 'tok_family' }] }), 1)
    feed.tokens.minted([minted({ family: 'tok_family' })])
    expect(tokens.cache.find(wordsOfText(theToken))?.revoked).toBe(true)
  })

  it('end everywhere with the news from another node', async () => {
    const { feed, store, tokens } = aFeed()
    await feed.start()
    feed.tokens.minted([minted()])
    store.commit(changes({ tokens: [{ of: 'token', digest: aToken().digest }] }))
    await feed.poll()
    expect(tokens.cache.find(wordsOfText(theToken))?.revoked).toBe(true)
  })

  it('are forgotten an hour after they expired, with the tombstones', async () => {
    const { feed, tokens, clock } = aFeed()
    await feed.start()
    feed.tokens.minted([minted({ expiresAt: noon + 1 })])
    clock.advance(3_600_000)
    expect(tokens.cache.size).toBe(1)
    clock.advance(3_600_000)
    expect(tokens.cache.size).toBe(0)
  })
})
