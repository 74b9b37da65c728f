import type { Clock, Timer } from '../../base/clock.ts'
import type { ConnectionTable } from '../connections/table.ts'
import type { Freshness } from '../decision/resolve.ts'
import type { GrantTable } from '../grants/grant-table.ts'
import { bytesOf } from '../records/digest-words.ts'
import { noChanges, type RecordChanges } from '../records/record.ts'
import type { RecordTable } from '../records/table.ts'
import type { RecordStore } from '../store.ts'
import type { TokenCache } from '../tokens/token-cache.ts'
import type { TokenStore } from '../tokens/token-store.ts'
import { RecentChanges } from './recent-changes.ts'
import { TokenLoads } from './token-loads.ts'

export interface FeedOptions {
  readonly records: RecordStore
  readonly table: RecordTable
  /** Kept current as well. */
  readonly connections?: Pick<ConnectionTable, 'apply'>
  readonly tokens: {
    readonly cache: TokenCache
    readonly grants: GrantTable
    readonly store: Pick<TokenStore, 'byDigest'>
  }
  readonly clock: Clock
  /** One process owns the store (SQLite): nobody else can change what we hold. */
  readonly alone: boolean
  readonly staleAfterMs: () => number
  readonly credentialsMax: number
  /** Called when a poll fails, with the error. */
  readonly onError: (error: unknown) => void
}

const pollEveryMs = 500
/** Catch-ups begin at least this far apart, however many requests ask for one. */
const catchUpSpacingMs = 20
const batch = 1000
const tombstoneMs = 90 * 86_400_000
const pruneEveryMs = 3_600_000
/** So long after its end a token in memory is still told that it has expired. */
const expiredMs = 3_600_000

/**
 * Keeps the record table current (design, section 5): preload, then every change either from our own commits,
 * applied before their answer, or from other nodes by polling from our position; a hint only makes the poll sooner.
 */
export class Feed implements Freshness {
  readonly #options: FeedOptions
  #position = 0
  #partial = false
  /** Start of the last poll that succeeded: what it saw is at least as new. */
  #goodAt = { wall: Number.NEGATIVE_INFINITY, monotonic: Number.NEGATIVE_INFINITY }
  /** Monotonic start of the last poll, whether it succeeded or not. */
  #polledAt = Number.NEGATIVE_INFINITY
  #polling: Promise<boolean> | null = null
  #scheduled: Promise<boolean> | null = null
  readonly #recent = new RecentChanges()
  /** What tokens wait for. */
  readonly tokens: TokenLoads
  readonly #loads = new Map<string, Promise<boolean>>()
  #evictionHand = 0
  readonly #timers: Timer[] = []

  constructor(options: FeedOptions) {
    this.#options = options
    this.tokens = new TokenLoads({
      ...options,
      ...options.tokens,
      recent: this.#recent,
      makeRoom: (rows) => this.#makeRoom(rows),
      poll: () => this.poll(),
    })
  }

  get position(): number {
    return this.#position
  }

  /** Milliseconds since the start of the last good poll; 0 where nobody else can change the store. */
  lagMs(): number {
    return this.#options.alone ? 0 : this.#age(this.#options.clock.now(), this.#options.clock.monotonic())
  }

  /** Loads everything that fits, then catches up with what changed meanwhile. */
  async start(): Promise<void> {
    const { records, table, clock, credentialsMax } = this.#options
    const started = { wall: clock.now(), monotonic: clock.monotonic() }
    const snapshot = await records.snapshot()
    table.apply({ ...noChanges, accounts: snapshot.accounts, projects: snapshot.projects })
    this.#options.connections?.apply(snapshot.connections)
    this.#partial = snapshot.credentialCount > credentialsMax
    const expected = Math.min(snapshot.credentialCount, credentialsMax)
    table.reserve(expected, expected)
    for await (const chunk of records.chunks({ deadSince: clock.now() - tombstoneMs, max: credentialsMax })) {
      table.addChunk(chunk)
    }
    this.#position = snapshot.position
    await this.#readOn()
    this.#goodAt = started
    this.#timers.push(clock.every(pruneEveryMs, () => this.#prune()))
    if (!this.#options.alone) this.#timers.push(clock.every(pollEveryMs, () => void this.poll()))
  }

  stop(): void {
    for (const timer of this.#timers) timer.stop()
  }

  /** The after-images of our own commit, before its answer is given. */
  applyOwn(changes: RecordChanges, sequence: number): void {
    this.#apply(changes)
    // Alone, our own events are all events; otherwise others' may lie between, and the poll passes over ours again.
    if (this.#options.alone) this.#position = Math.max(this.#position, sequence)
  }

  /** Reads on from our position; one at a time. False where the store did not answer. */
  poll(): Promise<boolean> {
    this.#polling ??= this.#pollOnce().finally(() => {
      this.#polling = null
    })
    return this.#polling
  }

  isFresh(now: number, monotonic: number): boolean {
    return this.#options.alone || this.#age(now, monotonic) < this.#options.staleAfterMs()
  }

  catchUp(words: Int32Array, monotonic: number): Promise<boolean> | null {
    const behind = !this.#options.alone && this.#goodAt.monotonic <= monotonic
    if (!behind && !this.#partial) return null
    const digest = bytesOf(words)
    const current = behind ? this.#catchUpOnce() : Promise.resolve(true)
    return this.#partial ? current.then((known) => known && this.#load(digest)) : current
  }

  #prune(): void {
    const { clock, table, tokens } = this.#options
    table.prune(clock.now() - tombstoneMs)
    tokens.cache.prune(clock.now() - expiredMs)
  }

  #age(now: number, monotonic: number): number {
    return Math.max(monotonic - this.#goodAt.monotonic, now - this.#goodAt.wall)
  }

  /** A poll that begins after this call, shared by all who ask until it begins. */
  #catchUpOnce(): Promise<boolean> {
    this.#scheduled ??= this.#whenNextMayBegin().then(() => {
      this.#scheduled = null
      return this.poll()
    })
    return this.#scheduled
  }

  async #whenNextMayBegin(): Promise<void> {
    await this.#polling
    const { clock } = this.#options
    const wait = this.#polledAt + catchUpSpacingMs - clock.monotonic()
    if (wait > 0) await new Promise<void>((resolve) => clock.after(wait, resolve))
    await this.#polling
  }

  async #pollOnce(): Promise<boolean> {
    const { clock } = this.#options
    const started = { wall: clock.now(), monotonic: clock.monotonic() }
    this.#polledAt = started.monotonic
    try {
      await this.#readOn()
      this.#goodAt = started
      return true
    } catch (error) {
      this.#options.onError(error)
      return false
    }
  }

  async #readOn(): Promise<void> {
    for (let more = true; more;) {
      const read = await this.#options.records.since({ after: this.#position, limit: batch })
      this.#apply(read.changes)
      this.#position = Math.max(this.#position, read.position)
      more = read.more
    }
  }

  #apply(changes: RecordChanges): void {
    this.#options.table.apply(changes)
    if (changes.connections.length > 0) this.#options.connections?.apply(changes.connections)
    this.tokens.revoke(changes.tokens)
    this.tokens.applyGrants(changes.grants)
    for (const { id } of changes.credentials) this.#recent.note(id)
    this.#makeRoom(0)
  }

  /** One query for one digest, however many requests wait for it; discarded where a change overtook it. */
  #load(digest: Uint8Array): Promise<boolean> {
    const key = Buffer.from(digest).toString('latin1')
    const running = this.#loads.get(key)
    if (running !== undefined) return running
    const load = this.#loadOnce(digest).finally(() => this.#loads.delete(key))
    this.#loads.set(key, load)
    return load
  }

  async #loadOnce(digest: Uint8Array): Promise<boolean> {
    const { records, table } = this.#options
    for (let attempt = 0; attempt < 5; attempt++) {
      const began = this.#recent.count
      try {
        const record = await records.byDigest({ digest })
        if (record === null) return true
        if (this.#recent.overtook(record.id, began)) continue
        // Before it is put, so that it is not itself what leaves.
        this.#makeRoom(1)
        const row = table.put(record)
        // Of an account or project that is newer than what we know.
        const known = table.account(row).record !== null && table.project(row).record !== null
        return known || (await this.poll())
      } catch (error) {
        this.#options.onError(error)
        return false
      }
    }
    return false
  }

  /** For so many more: where there is none, a hundredth leaves at once. */
  #makeRoom(more: number): void {
    const { table, credentialsMax } = this.#options
    if (table.size + more <= credentialsMax) return
    this.#partial = true
    const surplus = table.size + more - credentialsMax + Math.floor(credentialsMax / 100)
    this.#evictionHand = table.evict(surplus, this.#evictionHand)
  }
}
