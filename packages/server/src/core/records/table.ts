import { compileIpRanges, noIpRanges, type IpRanges } from '../../base/ip.ts'
import type { Environment } from '../apis/api.ts'
import { compileOrigins, type OriginMatcher } from '../apis/origin.ts'
import {
  credentialKinds,
  credentialStates,
  type CredentialKind,
  type CredentialState,
} from '../credentials/credential.ts'
import type { OAuthClient } from '../credentials/oauth-client.ts'
import type { BudgetRule, LimitRule } from '../limits/rules.ts'
import { compileModels, type ModelList } from '../llm/models.ts'
import { CredentialRows } from './credential-rows.ts'
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
  /** Language models that it may ask for; null: every one of its plan. */
  readonly models: ModelList | null
  readonly budgets: readonly BudgetRule[]
  /** Null: it is no OAuth client. */
  readonly oauth: OAuthClient | null
  /** What is spent of these limits, by name; it outlives changes of the credential. */
  readonly spent: Map<string, Spent>
}

/** The theoretical arrival time of a limit that is a credential's own. */
export interface Spent {
  tat: number
}

/** Told when a row leaves memory, before another credential may take its place. */
export type RowWatcher = (row: number) => void

const publishable = credentialKinds.indexOf('publishable')

/**
 * The hot records of a node: for each credential and each secret one packed row, found by digest or by id through
 * open addressing; an object only for credentials with lists of their own. Dead ones stay as rows with
 * their state (tombstones), so that their holders can be told. Look-up compares the whole SHA-256 digest; an
 * attacker cannot steer it, so it need not be constant-time.
 */
export class RecordTable {
  readonly #rows = new CredentialRows()
  readonly #secrets = new SecretRows()
  /** By the number in the row; the first stands for none. */
  readonly #own: (Own | undefined)[] = [undefined]
  readonly #freeOwn: number[] = []
  readonly #accountNumbers = new Interner()
  readonly #projectNumbers = new Interner()
  readonly #profileNumbers = new Interner()
  readonly #regions = new Interner()
  readonly #accounts: AccountSlot[] = []
  readonly #projects: ProjectSlot[] = []
  readonly #profiles: Profile[] = []
  readonly #origins = new ListedOrigins()
  /** OAuth clients that were imported under an id of their own, by it. */
  readonly #clients = new Map<string, number>()
  readonly #watchers: RowWatcher[] = []
  /** Freed since the last `releaseFreed`, and before it. */
  #freedNow: number[] = []
  #freedBefore: number[] = []
  #removals = 0

  get size(): number {
    return this.#rows.live
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

  /** Row of the credential or grant with this id (`cred_…`, `grt_…`), -1 where none is held. */
  findCredential(id: string): number {
    return this.#rows.find(id)
  }

  /** Row of the OAuth client with this `client_id`, -1 where none is held. */
  findClient(clientId: string): number {
    const row = this.#clients.get(clientId) ?? this.#rows.find(`cred_${clientId}`)
    return row !== -1 && this.kind(row) === 'oauth_client' && this.publicId(row) === clientId ? row : -1
  }

  /** Rises whenever a row leaves memory: while it stands, a row that was found is that of the same credential. */
  get removals(): number {
    return this.#removals
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
    const state = credentialStates[this.#rows.state(row)] ?? 'revoked'
    return state === 'blocked' && now >= this.#rows.blockedUntil(row) ? 'active' : state
  }

  kind(row: number): CredentialKind {
    return credentialKinds[this.#rows.kind(row)] ?? 'secret'
  }

  notBefore(row: number): number {
    return this.#rows.notBefore(row)
  }

  expiresAt(row: number): number {
    return this.#rows.expiresAt(row)
  }

  createdAt(row: number): number {
    return this.#rows.createdAt(row)
  }

  generation(row: number): number {
    return this.#rows.generation(row)
  }

  account(row: number): AccountSlot {
    return slotOf(this.#accounts, this.#rows.account(row))
  }

  project(row: number): ProjectSlot {
    return slotOf(this.#projects, this.#rows.project(row))
  }

  profile(row: number): Profile {
    return slotOf(this.#profiles, this.#rows.profile(row))
  }

  own(row: number): Own | undefined {
    return this.#own[this.#rows.own(row)]
  }

  /** Marks a row as lately used, for eviction beyond the maximum. */
  touch(row: number): void {
    this.#rows.touch(row)
  }

  /** Whether the presented id half belongs to the credential. */
  ownsPublicId(row: number, publicId: string): boolean {
    const own = this.own(row)
    return own === undefined ? this.#rows.idIs(row, publicId) : own.publicId === publicId
  }

  publicId(row: number): string | null {
    const own = this.own(row)
    return own === undefined ? this.credentialId(row).slice(-12) : own.publicId
  }

  credentialId(row: number): string {
    return this.#rows.id(row)
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

  /** Null: the project has none. */
  region(row: number): string | null {
    return this.project(row).record?.region ?? null
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

  // ---- writing: chunks at start, after-images and loads afterwards --------------------------------------

  /** Makes room at once, so that a preload of known size does not double its way up. */
  reserve(credentials: number, secrets: number): void {
    this.#rows.reserve(credentials)
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
      slot.record = project.region === null ? project : { ...project, region: this.#regions.shared(project.region) }
      slot.ranges = project.ipAllow.length === 0 ? null : rangesOf(project.ipAllow)
    }
    for (const record of changes.credentials) this.put(record)
  }

  /** Adds or replaces one credential with all its secrets; an older version never replaces a newer one. */
  put(record: CredentialRecord): number {
    const held = this.#rows.find(record.id)
    if (held !== -1) {
      if (this.#rows.version(held) > record.version) return held
      this.#dropOrigins(held)
    }
    const row = held === -1 ? this.#rows.take(record.id) : held
    this.#rows.write(row, record, {
      account: this.#accountSlot(record.account).number,
      project: this.#projectSlot(record.project).number,
      profile: this.#profileNumber(profileKey(record.apis, record.scopes, record.role)),
    })
    this.#setOwn(row, { ...record, row })
    const { firstSecret } = this.#rows
    firstSecret[row] = this.#secrets.replace(firstSecret[row] ?? -1, row, record.secrets)
    this.#addOrigins(row)
    return row
  }

  /** Adds the rows of a chunk. Rows already held (by a change that came first) are left as they are. */
  addChunk(chunk: RecordChunk): void {
    const accounts = chunk.accounts.map((id) => this.#accountSlot(id).number)
    const projects = chunk.projects.map((id) => this.#projectSlot(id).number)
    const profiles = chunk.profiles.map((key) => this.#profileNumber(key))
    const rowOf = this.#rows.append(chunk, (i) => ({
      account: accounts[chunk.account[i] ?? 0] ?? 0,
      project: projects[chunk.project[i] ?? 0] ?? 0,
      profile: profiles[chunk.profile[i] ?? 0] ?? 0,
    }))
    for (const own of chunk.own) {
      const row = rowOf[own.row] ?? -1
      if (row !== -1) this.#setOwn(row, own)
    }
    this.#secrets.append(chunk, rowOf, this.#rows.firstSecret)
    for (const row of rowOf) if (row !== -1 && this.#rows.kind(row) === publishable) this.#addOrigins(row)
  }

  /** Forgets a credential; its row is given out again only after two calls of `releaseFreed`. */
  remove(row: number): void {
    if (!this.#rows.isHeld(row)) return
    this.#removals++
    for (const watcher of this.#watchers) watcher(row)
    this.#dropOrigins(row)
    const { firstSecret } = this.#rows
    firstSecret[row] = this.#secrets.replace(firstSecret[row] ?? -1, row, [])
    this.#forgetOwn(row)
    this.#rows.drop(row)
    this.#freedNow.push(row)
  }

  /**
   * Called each time that counters by row were handed on. Rows freed before the last call may be used again: since
   * then everything that was counted for them has been taken.
   */
  releaseFreed(): void {
    this.#rows.release(this.#freedBefore)
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
    for (let row = 0; row < this.#rows.high; row++) {
      if (this.#rows.isHeld(row) && this.#rows.isDeadSince(row, before)) rows.push(row)
    }
    return rows
  }

  /** Second chance: clears used marks from `hand` on until `count` unused rows were removed. Answers the hand. */
  evict(count: number, hand: number): number {
    let row = hand
    for (let seen = 0, removed = 0; removed < count && seen < 2 * this.#rows.high; seen++) {
      row = (row + 1) % this.#rows.high
      if (!this.#rows.isHeld(row) || this.#rows.takeUsed(row)) continue
      this.remove(row)
      removed++
    }
    return row
  }

  #setOwn(row: number, fields: OwnFields): void {
    const plain =
      fields.publicId === this.credentialId(row).slice(-12) &&
      fields.ipAllow.length === 0 &&
      fields.originAllow === null &&
      fields.limits.length === 0 &&
      fields.llm === null &&
      fields.oauth === null
    if (plain) return this.#forgetOwn(row)
    this.#forgetClient(row)
    const number = this.#rows.own(row) || (this.#freeOwn.pop() ?? this.#own.length)
    this.#rows.setOwn(row, number)
    this.#own[number] = {
      publicId: fields.publicId,
      ranges: fields.ipAllow.length === 0 ? null : rangesOf(fields.ipAllow),
      ...originsOf(fields.originAllow),
      limits: fields.limits,
      models: fields.llm === null || fields.llm.models === null ? null : compileModels(fields.llm.models),
      budgets: fields.llm?.budgets ?? [],
      oauth: fields.oauth,
      spent: carriedOver(this.own(row)?.spent, fields.limits),
    }
    const { oauth, publicId } = fields
    if (oauth !== null && publicId !== null && !this.#rows.idIs(row, publicId)) this.#clients.set(publicId, row)
  }

  #forgetClient(row: number): void {
    const publicId = this.own(row)?.publicId ?? null
    if (publicId !== null && this.#clients.get(publicId) === row) this.#clients.delete(publicId)
  }

  #forgetOwn(row: number): void {
    const number = this.#rows.own(row)
    if (number === 0) return
    this.#forgetClient(row)
    this.#own[number] = undefined
    this.#freeOwn.push(number)
    this.#rows.setOwn(row, 0)
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
    return this.#rows.kind(row) === publishable ? (this.own(row)?.originAllow ?? null) : null
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
}

function slotOf<Slot>(slots: readonly Slot[], number: number | undefined): Slot {
  const slot = slots[number ?? -1]
  if (slot === undefined) throw new Error('record row without its slot')
  return slot
}

const nothingSpent: Own['spent'] = new Map<string, Spent>()

/** What is spent of limits that are still there under their name. */
function carriedOver(spent: Own['spent'] | undefined, limits: readonly LimitRule[]): Own['spent'] {
  if (limits.length === 0) return nothingSpent
  return new Map(
    limits.flatMap(({ name }) => {
      const held = spent?.get(name)
      return held === undefined ? [] : [[name, held]]
    }),
  )
}

/** What was stored and cannot be read allows nobody, and holds nothing else up. */
function rangesOf(entries: readonly string[]): IpRanges {
  try {
    return compileIpRanges(entries)
  } catch (error) {
    if (error instanceof RangeError) return noIpRanges
    throw error
  }
}

function originsOf(entries: readonly string[] | null): Pick<Own, 'originAllow' | 'origins'> {
  if (entries === null) return { originAllow: null, origins: null }
  try {
    return { originAllow: entries, origins: compileOrigins(entries, true) }
  } catch (error) {
    if (error instanceof RangeError) return originsOf([])
    throw error
  }
}
