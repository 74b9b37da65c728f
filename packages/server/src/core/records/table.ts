import { compileIpRanges, type IpRanges } from '../../base/ip.ts'
import type { Environment } from '../apis/api.ts'
import { compileOrigins, type OriginMatcher } from '../apis/origin.ts'
import {
  credentialKinds,
  credentialStates,
  type CredentialKind,
  type CredentialState,
} from '../credentials/credential.ts'
import type { LimitRule } from '../limits/rules.ts'
import { grown, nextCapacity } from './columns.ts'
import { IndexTable } from './index-table.ts'
import { Interner } from './interner.ts'
import { ListedOrigins } from './listed-origins.ts'
import {
  profileKey,
  type AccountRecord,
  type CredentialRecord,
  type OwnFields,
  type ProjectRecord,
  type RecordChanges,
  type RecordChunk,
} from './record.ts'
import { SecretRows } from './secret-rows.ts'

/** What an account looks like to `decide`; `record` is null until it is known. */
export interface AccountSlot {
  readonly number: number
  record: AccountRecord | null
}

export interface ProjectSlot {
  readonly number: number
  record: ProjectRecord | null
  ranges: IpRanges | null
}

/** What many credentials share: APIs, scopes, role. */
export interface Profile {
  readonly number: number
  readonly apis: ReadonlySet<string>
  readonly scopes: readonly string[]
  readonly role: string | null
}

/** Lists and limits of a credential's own; most have none. */
export interface Own {
  readonly publicId: string | null
  readonly ranges: IpRanges | null
  readonly originAllow: readonly string[] | null
  readonly origins: OriginMatcher | null
  readonly limits: readonly LimitRule[]
}

/** Told when a row leaves memory, before another credential may take its place. */
export type RowWatcher = (row: number) => void

const publishable = credentialKinds.indexOf('publishable')

/**
 * The hot records of a node: for each credential and each secret one row of packed columns, found by digest or by
 * id through open addressing; an object only for credentials with lists of their own. Dead ones stay as rows with
 * their state (tombstones), so that their holders can be told. Look-up compares the whole SHA-256 digest; an
 * attacker cannot steer it, so it need not be constant-time.
 */
export class RecordTable {
  #ids: Uint8Array = new Uint8Array(0)
  #kind: Uint8Array = new Uint8Array(0)
  #state: Uint8Array = new Uint8Array(0)
  #account: Uint32Array = new Uint32Array(0)
  #project: Uint32Array = new Uint32Array(0)
  #profile: Uint32Array = new Uint32Array(0)
  #notBefore: Float64Array = new Float64Array(0)
  #expiresAt: Float64Array = new Float64Array(0)
  #createdAt: Float64Array = new Float64Array(0)
  #stateAt: Float64Array = new Float64Array(0)
  #blockedUntil: Float64Array = new Float64Array(0)
  #version: Uint32Array = new Uint32Array(0)
  #generation: Uint32Array = new Uint32Array(0)
  #firstSecret: Int32Array = new Int32Array(0)
  #used: Uint8Array = new Uint8Array(0)
  readonly #own = new Map<number, Own>()
  #capacity = 0
  #high = 0
  #live = 0
  #free: number[] = []
  /** Freed since the last `releaseFreed`, and before it. */
  #freedNow: number[] = []
  #freedBefore: number[] = []

  readonly #secrets = new SecretRows()
  readonly #byId = new IndexTable((row) => idHash(this.#ids, row * 12))
  readonly #accountNumbers = new Interner()
  readonly #projectNumbers = new Interner()
  readonly #profileNumbers = new Interner()
  readonly #accounts: AccountSlot[] = []
  readonly #projects: ProjectSlot[] = []
  readonly #profiles: Profile[] = []
  readonly #origins = new ListedOrigins()
  readonly #watchers: RowWatcher[] = []

  get size(): number {
    return this.#live
  }

  get secretCount(): number {
    return this.#secrets.count
  }

  onFreed(watcher: RowWatcher): void {
    this.#watchers.push(watcher)
  }

  // ---- reading: what `decide` asks ---------------------------------------------------------------------

  /** Row of the secret with this digest, -1 where none is held. */
  findSecret(words: Int32Array): number {
    return this.#secrets.find(words)
  }

  /** Row of the credential with this id (`cred_…`), -1 where none is held. */
  findCredential(id: string): number {
    const hash = idHashOfText(id)
    let slot = this.#byId.start(hash)
    for (let row = this.#byId.rowAt(slot); row !== -1; row = this.#byId.rowAt(slot)) {
      if (this.credentialId(row) === id) return row
      slot = this.#byId.next(slot)
    }
    return -1
  }

  owner(secretRow: number): number {
    return this.#secrets.owner(secretRow)
  }

  /** Epoch ms, NaN for never. */
  notAfter(secretRow: number): number {
    return this.#secrets.notAfter(secretRow)
  }

  isImported(secretRow: number): boolean {
    return this.#secrets.isImported(secretRow)
  }

  /** The state as stored, a block whose end has passed counted as over. */
  state(row: number, now: number): CredentialState {
    const state = credentialStates[this.#state[row] ?? 0] ?? 'revoked'
    return state === 'blocked' && now >= (this.#blockedUntil[row] ?? Number.NaN) ? 'active' : state
  }

  kind(row: number): CredentialKind {
    return credentialKinds[this.#kind[row] ?? 0] ?? 'secret'
  }

  notBefore(row: number): number {
    return this.#notBefore[row] ?? Number.NaN
  }

  expiresAt(row: number): number {
    return this.#expiresAt[row] ?? Number.NaN
  }

  createdAt(row: number): number {
    return this.#createdAt[row] ?? Number.NaN
  }

  generation(row: number): number {
    return this.#generation[row] ?? 0
  }

  account(row: number): AccountSlot {
    return slotOf(this.#accounts, this.#account[row])
  }

  project(row: number): ProjectSlot {
    return slotOf(this.#projects, this.#project[row])
  }

  profile(row: number): Profile {
    return slotOf(this.#profiles, this.#profile[row])
  }

  own(row: number): Own | undefined {
    return this.#own.size === 0 ? undefined : this.#own.get(row)
  }

  /** Marks a row as lately used, for eviction beyond the maximum. */
  touch(row: number): void {
    this.#used[row] = 1
  }

  /** Whether the presented id half belongs to the credential. */
  ownsPublicId(row: number, publicId: string): boolean {
    const own = this.own(row)
    return own === undefined ? this.#idTextIs(row, publicId) : own.publicId === publicId
  }

  publicId(row: number): string | null {
    const own = this.own(row)
    return own === undefined ? this.credentialId(row).slice(5) : own.publicId
  }

  credentialId(row: number): string {
    const byte = this.#ids
    const at = row * 12
    // In one call: a text that grows letter by letter costs more than twice as much, and this is the hot path.
    // prettier-ignore
    return String.fromCharCode(
      0x63, 0x72, 0x65, 0x64, 0x5f, // cred_
      byte[at] ?? 0, byte[at + 1] ?? 0, byte[at + 2] ?? 0, byte[at + 3] ?? 0, byte[at + 4] ?? 0, byte[at + 5] ?? 0,
      byte[at + 6] ?? 0, byte[at + 7] ?? 0, byte[at + 8] ?? 0, byte[at + 9] ?? 0, byte[at + 10] ?? 0, byte[at + 11] ?? 0,
    )
  }

  secretId(secretRow: number): string {
    return this.#secrets.id(secretRow)
  }

  accountById(id: string): AccountSlot | undefined {
    const number = this.#accountNumbers.find(id)
    return number === undefined ? undefined : this.#accounts[number]
  }

  projectById(id: string): ProjectSlot | undefined {
    const number = this.#projectNumbers.find(id)
    return number === undefined ? undefined : this.#projects[number]
  }

  accountName(number: number): string {
    return this.#accountNumbers.textOf(number)
  }

  projectName(number: number): string {
    return this.#projectNumbers.textOf(number)
  }

  environment(row: number): Environment | null {
    return this.project(row).record?.environment ?? null
  }

  /** Whether some publishable credential of the API that is live now lists the origin: for preflights. */
  originListed(api: string, origin: string, now: number): boolean {
    return this.#origins.some(api, origin, (row) => this.#isLive(row, now))
  }

  #isLive(row: number, now: number): boolean {
    const account = this.account(row).record
    return (
      this.state(row, now) === 'active' &&
      !(now >= this.expiresAt(row)) &&
      !(now < this.notBefore(row)) &&
      account !== null &&
      !account.suspended
    )
  }

  #idTextIs(row: number, text: string): boolean {
    if (text.length !== 12) return false
    const at = row * 12
    for (let i = 0; i < 12; i++) if (this.#ids[at + i] !== text.charCodeAt(i)) return false
    return true
  }

  // ---- writing: chunks at start, after-images and loads afterwards --------------------------------------

  /** Makes room at once, so that a preload of known size does not double its way up. */
  reserve(credentials: number, secrets: number): void {
    this.#grow(credentials)
    this.#byId.reserve(credentials)
    this.#secrets.reserve(secrets)
  }

  apply(changes: RecordChanges): void {
    for (const account of changes.accounts) {
      const slot = this.#accountSlot(account.id)
      if (account.version >= (slot.record?.version ?? 0)) slot.record = account
    }
    for (const project of changes.projects) {
      const slot = this.#projectSlot(project.id)
      if (project.version < (slot.record?.version ?? 0)) continue
      slot.record = project
      slot.ranges = project.ipAllow.length === 0 ? null : compileIpRanges(project.ipAllow)
    }
    for (const record of changes.credentials) this.put(record)
  }

  /** Adds or replaces one credential with all its secrets; an older version never replaces a newer one. */
  put(record: CredentialRecord): number {
    let row = this.findCredential(record.id)
    const isNew = row === -1
    if (isNew) row = this.#takeRow(record.id)
    else if ((this.#version[row] ?? 0) > record.version) return row
    else this.#dropOrigins(row)
    this.#kind[row] = credentialKinds.indexOf(record.kind)
    this.#state[row] = credentialStates.indexOf(record.state)
    this.#account[row] = this.#accountSlot(record.account).number
    this.#project[row] = this.#projectSlot(record.project).number
    this.#profile[row] = this.#profileNumber(profileKey(record.apis, record.scopes, record.role))
    this.#notBefore[row] = record.notBefore ?? Number.NaN
    this.#expiresAt[row] = record.expiresAt ?? Number.NaN
    this.#createdAt[row] = record.createdAt
    this.#stateAt[row] = record.stateAt ?? Number.NaN
    this.#blockedUntil[row] = record.blockedUntil ?? Number.NaN
    this.#version[row] = record.version
    this.#generation[row] = ((this.#generation[row] ?? 0) + 1) >>> 0
    this.#setOwn(row, { ...record, row })
    this.#firstSecret[row] = this.#secrets.replace(this.#firstSecret[row] ?? -1, row, record.secrets)
    this.#addOrigins(row)
    return row
  }

  /** Adds the rows of a chunk. Rows already held (by a change that came first) are left as they are. */
  addChunk(chunk: RecordChunk): void {
    const accounts = chunk.accounts.map((id) => this.#accountSlot(id).number)
    const projects = chunk.projects.map((id) => this.#projectSlot(id).number)
    const profiles = chunk.profiles.map((key) => this.#profileNumber(key))
    const first = this.#high
    const rowOf = this.#appendRows(chunk)
    for (let i = 0; i < chunk.credentialCount; i++) {
      this.#account[first + i] = accounts[chunk.account[i] ?? 0] ?? 0
      this.#project[first + i] = projects[chunk.project[i] ?? 0] ?? 0
      this.#profile[first + i] = profiles[chunk.profile[i] ?? 0] ?? 0
    }
    for (const own of chunk.own) {
      const row = rowOf[own.row] ?? -1
      if (row !== -1) this.#setOwn(row, own)
    }
    this.#secrets.append(chunk, rowOf, this.#firstSecret)
    for (const row of rowOf) if (row !== -1 && this.#kind[row] === publishable) this.#addOrigins(row)
  }

  /** Appends whole columns; the row of one that is held already is free again at once, and -1 in the answer. */
  #appendRows(chunk: RecordChunk): Int32Array {
    const first = this.#high
    const count = chunk.credentialCount
    this.#grow(first + count)
    this.#byId.reserve(first + count)
    this.#ids.set(chunk.credentialIds, first * 12)
    this.#kind.set(chunk.kind, first)
    this.#state.set(chunk.state, first)
    this.#notBefore.set(chunk.notBefore, first)
    this.#expiresAt.set(chunk.expiresAt, first)
    this.#createdAt.set(chunk.createdAt, first)
    this.#stateAt.set(chunk.stateAt, first)
    this.#blockedUntil.set(chunk.blockedUntil, first)
    this.#version.set(chunk.version, first)
    this.#firstSecret.fill(-1, first, first + count)
    this.#high += count
    const rowOf = new Int32Array(count)
    for (let i = 0; i < count; i++) {
      const row = first + i
      const held = this.#holdsId(chunk.credentialIds, i * 12)
      rowOf[i] = held ? -1 : row
      if (held) {
        this.#version[row] = 0
        this.#free.push(row)
      } else {
        this.#byId.add(row)
        this.#live++
      }
    }
    return rowOf
  }

  /** Forgets a credential; its row is given out again only after two calls of `releaseFreed`. */
  remove(row: number): void {
    if (!this.#isHeld(row)) return
    for (const watcher of this.#watchers) watcher(row)
    this.#dropOrigins(row)
    this.#firstSecret[row] = this.#secrets.replace(this.#firstSecret[row] ?? -1, row, [])
    this.#byId.remove(row)
    this.#own.delete(row)
    this.#generation[row] = ((this.#generation[row] ?? 0) + 1) >>> 0
    this.#version[row] = 0
    this.#live--
    this.#freedNow.push(row)
  }

  /**
   * Called each time that counters by row were handed on. Rows freed before the last call may be used again: since
   * then everything that was counted for them has been taken.
   */
  releaseFreed(): void {
    this.#free = this.#free.concat(this.#freedBefore)
    this.#freedBefore = this.#freedNow
    this.#freedNow = []
  }

  /** Tombstones older than `before` leave; answers how many. */
  prune(before: number): number {
    const dead = this.#deadRows(before)
    for (const row of dead) this.remove(row)
    return dead.length
  }

  #deadRows(before: number): number[] {
    const rows: number[] = []
    const revoked = credentialStates.indexOf('revoked')
    for (let row = 0; row < this.#high; row++) {
      if (!this.#isHeld(row)) continue
      const final = (this.#state[row] ?? 0) >= revoked && (this.#stateAt[row] ?? 0) < before
      if (final || (this.#expiresAt[row] ?? Number.NaN) < before) rows.push(row)
    }
    return rows
  }

  /** Second chance: clears used marks from `hand` on until `count` unused rows were removed. Answers the hand. */
  evict(count: number, hand: number): number {
    let at = hand
    for (let seen = 0, removed = 0; removed < count && seen < 2 * this.#high; seen++) {
      at = (at + 1) % this.#high
      if (!this.#isHeld(at)) continue
      if (this.#used[at] === 1) this.#used[at] = 0
      else {
        this.remove(at)
        removed++
      }
    }
    return at
  }

  #isHeld(row: number): boolean {
    return (this.#version[row] ?? 0) > 0
  }

  #takeRow(id: string): number {
    const row = this.#free.pop() ?? this.#high++
    this.#grow(row + 1)
    for (let i = 0; i < 12; i++) this.#ids[row * 12 + i] = id.charCodeAt(i + 5)
    this.#firstSecret[row] = -1
    this.#used[row] = 1
    this.#byId.add(row)
    this.#live++
    return row
  }

  #setOwn(row: number, fields: OwnFields): void {
    const plain =
      fields.publicId === this.credentialId(row).slice(5) &&
      fields.ipAllow.length === 0 &&
      fields.originAllow === null &&
      fields.limits.length === 0
    if (plain) this.#own.delete(row)
    else {
      this.#own.set(row, {
        publicId: fields.publicId,
        ranges: fields.ipAllow.length === 0 ? null : compileIpRanges(fields.ipAllow),
        originAllow: fields.originAllow,
        origins: fields.originAllow === null ? null : compileOrigins(fields.originAllow, true),
        limits: fields.limits,
      })
    }
  }

  #addOrigins(row: number): void {
    const entries = this.#listedOrigins(row)
    if (entries !== null) for (const api of this.profile(row).apis) this.#origins.add(api, entries, row)
  }

  #dropOrigins(row: number): void {
    const entries = this.#listedOrigins(row)
    if (entries !== null) for (const api of this.profile(row).apis) this.#origins.remove(api, entries, row)
  }

  #listedOrigins(row: number): readonly string[] | null {
    return this.#kind[row] === publishable ? (this.#own.get(row)?.originAllow ?? null) : null
  }

  #accountSlot(id: string): AccountSlot {
    const number = this.#accountNumbers.numberOf(id)
    return (this.#accounts[number] ??= { number, record: null })
  }

  #projectSlot(id: string): ProjectSlot {
    const number = this.#projectNumbers.numberOf(id)
    return (this.#projects[number] ??= { number, record: null, ranges: null })
  }

  #profileNumber(key: string): number {
    const number = this.#profileNumbers.numberOf(key)
    if (this.#profiles[number] === undefined) {
      // The key was made by `profileKey`, so its shape is known.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
      const [apis, scopes, role] = JSON.parse(key) as [string[], string[], string | null]
      this.#profiles[number] = { number, apis: new Set(apis), scopes, role }
    }
    return number
  }

  #holdsId(ids: Uint8Array, at: number): boolean {
    let slot = this.#byId.start(idHash(ids, at))
    for (let row = this.#byId.rowAt(slot); row !== -1; row = this.#byId.rowAt(slot)) {
      let same = true
      for (let b = 0; b < 12 && same; b++) same = this.#ids[row * 12 + b] === ids[at + b]
      if (same) return true
      slot = this.#byId.next(slot)
    }
    return false
  }

  #grow(count: number): void {
    if (count <= this.#capacity) return
    const rows = nextCapacity(this.#capacity, count)
    this.#ids = grown(this.#ids, rows, 12)
    this.#kind = grown(this.#kind, rows)
    this.#state = grown(this.#state, rows)
    this.#account = grown(this.#account, rows)
    this.#project = grown(this.#project, rows)
    this.#profile = grown(this.#profile, rows)
    this.#notBefore = grown(this.#notBefore, rows)
    this.#expiresAt = grown(this.#expiresAt, rows)
    this.#createdAt = grown(this.#createdAt, rows)
    this.#stateAt = grown(this.#stateAt, rows)
    this.#blockedUntil = grown(this.#blockedUntil, rows)
    this.#version = grown(this.#version, rows)
    this.#generation = grown(this.#generation, rows)
    this.#firstSecret = grown(this.#firstSecret, rows)
    this.#used = grown(this.#used, rows)
    this.#capacity = rows
  }
}

function slotOf<Slot>(slots: readonly Slot[], number: number | undefined): Slot {
  const slot = slots[number ?? -1]
  if (slot === undefined) throw new Error('record row without its slot')
  return slot
}

/** FNV-1a over the 12 bytes of an id. */
function idHash(ids: Uint8Array, at: number): number {
  let hash = 0x811c9dc5
  for (let i = at; i < at + 12; i++) hash = Math.imul(hash ^ (ids[i] ?? 0), 0x01000193)
  return hash ^ (hash >>> 15)
}

function idHashOfText(id: string): number {
  let hash = 0x811c9dc5
  for (let i = 5; i < 17; i++) hash = Math.imul(hash ^ (id.charCodeAt(i) & 0xff), 0x01000193)
  return hash ^ (hash >>> 15)
}
