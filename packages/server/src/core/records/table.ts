import type { Environment } from '../apis/api.ts'
import { compileIpRanges, type IpRanges } from '../../base/ip.ts'
import { compileOrigins, type OriginMatcher } from '../apis/origin.ts'
import { credentialKinds, credentialStates, type CredentialKind, type CredentialState } from '../credentials/credential.ts'
import type { LimitRule } from '../limits/rules.ts'
import { grown, nextCapacity } from './columns.ts'
import { wordsOf } from './digest-words.ts'
import { IndexTable } from './index-table.ts'
import { Interner } from './interner.ts'
import {
  profileKey,
  type AccountRecord,
  type CredentialRecord,
  type OwnFields,
  type ProjectRecord,
  type RecordChanges,
  type RecordChunk,
  type SecretRecord,
} from './record.ts'

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

/** An entry of origin_allow and the publishable credentials that list it. */
interface ListedOrigin {
  readonly matcher: OriginMatcher
  readonly rows: Set<number>
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
  // credentials
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
  // secrets
  #digests: Int32Array = new Int32Array(0)
  #secretIds: Uint8Array = new Uint8Array(0)
  #owner: Int32Array = new Int32Array(0)
  #nextSecret: Int32Array = new Int32Array(0)
  #notAfter: Float64Array = new Float64Array(0)
  #imported: Uint8Array = new Uint8Array(0)

  #capacity = 0
  #secretCapacity = 0
  #high = 0
  #secretHigh = 0
  #live = 0
  readonly #free: number[] = []
  readonly #freeSecrets: number[] = []
  #limbo: number[] = []

  readonly #byDigest = new IndexTable((row) => this.#digests[row * 8] ?? 0)
  readonly #byId = new IndexTable((row) => idHash(this.#ids, row * 12))
  readonly #accountNumbers = new Interner()
  readonly #projectNumbers = new Interner()
  readonly #profileNumbers = new Interner()
  readonly #accounts: AccountSlot[] = []
  readonly #projects: ProjectSlot[] = []
  readonly #profiles: Profile[] = []
  /** Publishable rows by API and origin entry: the union that preflights are answered from. */
  readonly #origins = new Map<string, Map<string, ListedOrigin>>()
  readonly #watchers: RowWatcher[] = []
  readonly #scratch = new Int32Array(8)

  get size(): number {
    return this.#live
  }

  get secretCount(): number {
    return this.#secretHigh - this.#freeSecrets.length
  }

  onFreed(watcher: RowWatcher): void {
    this.#watchers.push(watcher)
  }

  // ---- reading: what `decide` asks ---------------------------------------------------------------------

  /** Row of the secret with this digest, -1 where none is held. */
  findSecret(words: Int32Array): number {
    const digests = this.#digests
    let slot = this.#byDigest.start(words[0] ?? 0)
    for (let row = this.#byDigest.rowAt(slot); row !== -1; row = this.#byDigest.rowAt(slot)) {
      const at = row * 8
      if (
        digests[at] === words[0] &&
        digests[at + 1] === words[1] &&
        digests[at + 2] === words[2] &&
        digests[at + 3] === words[3] &&
        digests[at + 4] === words[4] &&
        digests[at + 5] === words[5] &&
        digests[at + 6] === words[6] &&
        digests[at + 7] === words[7]
      ) {
        return row
      }
      slot = this.#byDigest.next(slot)
    }
    return -1
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
    return this.#owner[secretRow] ?? -1
  }

  /** Epoch ms, NaN for never. */
  notAfter(secretRow: number): number {
    return this.#notAfter[secretRow] ?? Number.NaN
  }

  isImported(secretRow: number): boolean {
    return this.#imported[secretRow] === 1
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
    const ids = this.#ids
    const at = row * 12
    let text = 'cred_'
    for (let i = 0; i < 12; i++) text += String.fromCharCode(ids[at + i] ?? 0)
    return text
  }

  secretId(secretRow: number): string {
    let text = 'sec_'
    for (let i = secretRow * 16; i < secretRow * 16 + 16; i++) text += hexOfByte[this.#secretIds[i] ?? 0] ?? ''
    return text
  }

  accountById(id: string): AccountSlot | undefined {
    const number = this.#accountNumbers.find(id)
    return number === undefined ? undefined : this.#accounts[number]
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
    const entries = this.#origins.get(api)
    if (entries === undefined) return false
    for (const { matcher, rows } of entries.values()) {
      if (!matcher.matches(origin)) continue
      for (const row of rows) if (this.#isLive(row, now)) return true
    }
    return false
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
    this.#growSecrets(secrets)
    this.#byId.reserve(credentials)
    this.#byDigest.reserve(secrets)
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
    this.#putSecrets(row, record.secrets)
    this.#addOrigins(row)
    return row
  }

  /** Adds the rows of a chunk. Rows already held (by a change that came first) are left as they are. */
  addChunk(chunk: RecordChunk): void {
    const accounts = chunk.accounts.map((id) => this.#accountSlot(id).number)
    const projects = chunk.projects.map((id) => this.#projectSlot(id).number)
    const profiles = chunk.profiles.map((key) => this.#profileNumber(key))
    this.#grow(this.#high + chunk.credentialCount)
    this.#growSecrets(this.#secretHigh + chunk.secretCount)
    const rowOf = new Int32Array(chunk.credentialCount)
    for (let i = 0; i < chunk.credentialCount; i++) {
      if (this.#holdsId(chunk.credentialIds, i * 12)) {
        rowOf[i] = -1
        continue
      }
      const row = this.#high++
      rowOf[i] = row
      this.#live++
      for (let b = 0; b < 12; b++) this.#ids[row * 12 + b] = chunk.credentialIds[i * 12 + b] ?? 0
      this.#kind[row] = chunk.kind[i] ?? 0
      this.#state[row] = chunk.state[i] ?? 0
      this.#account[row] = accounts[chunk.account[i] ?? 0] ?? 0
      this.#project[row] = projects[chunk.project[i] ?? 0] ?? 0
      this.#profile[row] = profiles[chunk.profile[i] ?? 0] ?? 0
      this.#notBefore[row] = chunk.notBefore[i] ?? Number.NaN
      this.#expiresAt[row] = chunk.expiresAt[i] ?? Number.NaN
      this.#createdAt[row] = chunk.createdAt[i] ?? Number.NaN
      this.#stateAt[row] = chunk.stateAt[i] ?? Number.NaN
      this.#blockedUntil[row] = chunk.blockedUntil[i] ?? Number.NaN
      this.#version[row] = chunk.version[i] ?? 0
      this.#firstSecret[row] = -1
      this.#byId.add(row)
    }
    for (const own of chunk.own) {
      const row = rowOf[own.row] ?? -1
      if (row !== -1) this.#setOwn(row, own)
    }
    for (let i = 0; i < chunk.secretCount; i++) {
      const owner = rowOf[chunk.secretOwner[i] ?? 0] ?? -1
      if (owner === -1) continue
      const row = this.#secretHigh++
      wordsOf(chunk.digests, this.#scratch, i * 32)
      this.#digests.set(this.#scratch, row * 8)
      for (let b = 0; b < 16; b++) this.#secretIds[row * 16 + b] = chunk.secretIds[i * 16 + b] ?? 0
      this.#imported[row] = chunk.imported[i] ?? 0
      this.#notAfter[row] = chunk.notAfter[i] ?? Number.NaN
      this.#link(row, owner)
    }
    for (const row of rowOf) if (row !== -1 && this.#kind[row] === publishable) this.#addOrigins(row)
  }

  /** Forgets a credential; its row is given out again only after the next `releaseFreed`. */
  remove(row: number): void {
    for (const watcher of this.#watchers) watcher(row)
    this.#dropOrigins(row)
    this.#putSecrets(row, [])
    this.#byId.remove(row)
    this.#own.delete(row)
    this.#generation[row] = ((this.#generation[row] ?? 0) + 1) >>> 0
    this.#version[row] = 0
    this.#live--
    this.#limbo.push(row)
  }

  /** Rows freed since the last call may be used again: called after counters by row were flushed. */
  releaseFreed(): void {
    this.#free.push(...this.#limbo)
    this.#limbo = []
  }

  /** Tombstones older than `before` leave; answers how many. */
  prune(before: number): number {
    let pruned = 0
    const dead = this.#deadRows(before)
    for (const row of dead) {
      this.remove(row)
      pruned++
    }
    return pruned
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

  #putSecrets(row: number, secrets: readonly SecretRecord[]): void {
    const wanted = new Map(secrets.map((secret) => [secret.id, secret]))
    let kept = -1
    for (let at = this.#firstSecret[row] ?? -1; at !== -1; ) {
      const next = this.#nextSecret[at] ?? -1
      const secret = wanted.get(this.secretId(at))
      if (secret === undefined) {
        this.#byDigest.remove(at)
        this.#freeSecrets.push(at)
      } else {
        wanted.delete(secret.id)
        this.#notAfter[at] = secret.notAfter ?? Number.NaN
        this.#nextSecret[at] = kept
        kept = at
      }
      at = next
    }
    this.#firstSecret[row] = kept
    for (const secret of wanted.values()) this.#addSecret(row, secret)
  }

  #addSecret(owner: number, secret: SecretRecord): void {
    const row = this.#freeSecrets.pop() ?? this.#secretHigh++
    this.#growSecrets(row + 1)
    wordsOf(secret.digest, this.#scratch)
    this.#digests.set(this.#scratch, row * 8)
    for (let b = 0; b < 16; b++) {
      this.#secretIds[row * 16 + b] = Number.parseInt(secret.id.slice(4 + 2 * b, 6 + 2 * b), 16)
    }
    this.#imported[row] = secret.imported ? 1 : 0
    this.#notAfter[row] = secret.notAfter ?? Number.NaN
    this.#link(row, owner)
  }

  #link(secretRow: number, owner: number): void {
    this.#owner[secretRow] = owner
    this.#nextSecret[secretRow] = this.#firstSecret[owner] ?? -1
    this.#firstSecret[owner] = secretRow
    this.#byDigest.add(secretRow)
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
    if (this.#kind[row] !== publishable) return
    for (const api of this.profile(row).apis) {
      const entries = this.#origins.get(api) ?? new Map<string, ListedOrigin>()
      this.#origins.set(api, entries)
      for (const entry of this.#own.get(row)?.originAllow ?? []) {
        const listed = entries.get(entry) ?? { matcher: compileOrigins([entry], true), rows: new Set() }
        listed.rows.add(row)
        entries.set(entry, listed)
      }
    }
  }

  #dropOrigins(row: number): void {
    if (this.#kind[row] !== publishable) return
    for (const api of this.profile(row).apis) {
      const entries = this.#origins.get(api)
      for (const entry of this.#own.get(row)?.originAllow ?? []) {
        const listed = entries?.get(entry)
        listed?.rows.delete(row)
        if (listed?.rows.size === 0) entries?.delete(entry)
      }
    }
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

  #growSecrets(count: number): void {
    if (count <= this.#secretCapacity) return
    const rows = nextCapacity(this.#secretCapacity, count)
    this.#digests = grown(this.#digests, rows, 8)
    this.#secretIds = grown(this.#secretIds, rows, 16)
    this.#owner = grown(this.#owner, rows)
    this.#nextSecret = grown(this.#nextSecret, rows)
    this.#notAfter = grown(this.#notAfter, rows)
    this.#imported = grown(this.#imported, rows)
    this.#secretCapacity = rows
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

const hexOfByte = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
