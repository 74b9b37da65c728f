import { credentialKinds, credentialStates } from '../credentials/credential.ts'
import { grown } from './columns.ts'
import { IndexTable } from './index-table.ts'
import { PackedRows, rowBytes, rowFloats, rowInts } from './packed-rows.ts'
import type { CredentialRecord, RecordChunk } from './record.ts'

/** Where the fields of a row are. In bytes: */
const at = { id: 0, kind: 12, state: 13, used: 14, grant: 15 } as const
/** in integers: */
const int = { account: 4, project: 5, profile: 6, generation: 7, own: 12, version: 13 } as const
/** and in doubles, epoch ms, NaN for null: */
const float = { notBefore: 4, expiresAt: 5, blockedUntil: 7 } as const

const idBytes = 12
const revoked = credentialStates.indexOf('revoked')

/** Numbers of what a credential shares with others. */
export interface SharedNumbers {
  readonly account: number
  readonly project: number
  readonly profile: number
}

/**
 * The credentials of the record table, and the grants that stand beside them: what each request asks of one lies in
 * one packed row, the rest in columns. Rows are found by id through open addressing.
 */
export class CredentialRows {
  readonly #rows = new PackedRows()
  #createdAt: Float64Array = new Float64Array(0)
  #stateAt: Float64Array = new Float64Array(0)
  /** Where the chain of each one's secrets begins, -1 for none. */
  firstSecret: Int32Array = new Int32Array(0)
  readonly #byId = new IndexTable((row) => hashOf(this.#rows.bytes, row * rowBytes))
  #high = 0
  #live = 0
  #free: number[] = []

  /** Rows in memory. */
  get live(): number {
    return this.#live
  }

  /** Rows that were ever given out: all are below. */
  get high(): number {
    return this.#high
  }

  // ---- one row -----------------------------------------------------------------------------------------

  kind(row: number): number {
    return this.#rows.bytes[row * rowBytes + at.kind] ?? 0
  }

  state(row: number): number {
    return this.#rows.bytes[row * rowBytes + at.state] ?? 0
  }

  account(row: number): number {
    return this.#rows.ints[row * rowInts + int.account] ?? -1
  }

  project(row: number): number {
    return this.#rows.ints[row * rowInts + int.project] ?? -1
  }

  profile(row: number): number {
    return this.#rows.ints[row * rowInts + int.profile] ?? -1
  }

  generation(row: number): number {
    return this.#rows.ints[row * rowInts + int.generation] ?? 0
  }

  version(row: number): number {
    return this.#rows.ints[row * rowInts + int.version] ?? 0
  }

  /** Number of the lists and limits of its own, 0 for none. */
  own(row: number): number {
    return this.#rows.ints[row * rowInts + int.own] ?? 0
  }

  setOwn(row: number, number: number): void {
    this.#rows.ints[row * rowInts + int.own] = number
  }

  notBefore(row: number): number {
    return this.#rows.floats[row * rowFloats + float.notBefore] ?? Number.NaN
  }

  expiresAt(row: number): number {
    return this.#rows.floats[row * rowFloats + float.expiresAt] ?? Number.NaN
  }

  blockedUntil(row: number): number {
    return this.#rows.floats[row * rowFloats + float.blockedUntil] ?? Number.NaN
  }

  createdAt(row: number): number {
    return this.#createdAt[row] ?? Number.NaN
  }

  isHeld(row: number): boolean {
    return this.version(row) > 0
  }

  touch(row: number): void {
    this.#rows.bytes[row * rowBytes + at.used] = 1
  }

  /** Whether it was used since it was last asked. */
  takeUsed(row: number): boolean {
    const place = row * rowBytes + at.used
    const used = this.#rows.bytes[place] === 1
    this.#rows.bytes[place] = 0
    return used
  }

  /** Whether it stands for a grant, not for a credential. */
  isGrant(row: number): boolean {
    return this.#rows.bytes[row * rowBytes + at.grant] === 1
  }

  /** `cred_` and twelve characters; `grt_` for a grant. */
  id(row: number): string {
    const { bytes } = this.#rows
    const i = row * rowBytes + at.id
    if (bytes[i + at.grant] === 1) return `grt_${String.fromCharCode(...bytes.subarray(i, i + idBytes))}`
    // In one call: a text that grows letter by letter costs more than twice as much, and this is the hot path.
    // prettier-ignore
    return String.fromCharCode(
      0x63, 0x72, 0x65, 0x64, 0x5f, // cred_
      bytes[i] ?? 0, bytes[i + 1] ?? 0, bytes[i + 2] ?? 0, bytes[i + 3] ?? 0, bytes[i + 4] ?? 0, bytes[i + 5] ?? 0,
      bytes[i + 6] ?? 0, bytes[i + 7] ?? 0, bytes[i + 8] ?? 0, bytes[i + 9] ?? 0, bytes[i + 10] ?? 0, bytes[i + 11] ?? 0,
    )
  }

  /** Whether the id after `cred_` is that text. */
  idIs(row: number, text: string): boolean {
    if (text.length !== idBytes) return false
    const start = row * rowBytes + at.id
    for (let i = 0; i < idBytes; i++) if (this.#rows.bytes[start + i] !== text.charCodeAt(i)) return false
    return true
  }

  /** -1 where none with that id is held. */
  find(id: string): number {
    let slot = this.#byId.start(hashOfText(id))
    for (let row = this.#byId.rowAt(slot); row !== -1; row = this.#byId.rowAt(slot)) {
      if (this.id(row) === id) return row
      slot = this.#byId.next(slot)
    }
    return -1
  }

  /** Dead for good since before `before`, or expired before it. */
  isDeadSince(row: number, before: number): boolean {
    const final = this.state(row) >= revoked && (this.#stateAt[row] ?? Number.NaN) < before
    return final || this.expiresAt(row) < before
  }

  // ---- writing -----------------------------------------------------------------------------------------

  /** Makes room at once for `count` rows in all. */
  reserve(count: number): void {
    this.#grow(count)
    this.#byId.reserve(count)
  }

  /** A row for a credential that is not held yet. */
  take(id: string): number {
    const row = this.#free.pop() ?? this.#high++
    this.#grow(row + 1)
    const start = id.length - idBytes
    for (let i = 0; i < idBytes; i++) this.#rows.bytes[row * rowBytes + at.id + i] = id.charCodeAt(start + i)
    this.#rows.bytes[row * rowBytes + at.grant] = isGrantId(id) ? 1 : 0
    this.firstSecret[row] = -1
    this.setOwn(row, 0)
    this.touch(row)
    this.#byId.add(row)
    this.#live++
    return row
  }

  write(row: number, record: CredentialRecord, shared: SharedNumbers): void {
    const { bytes, ints, floats } = this.#rows
    bytes[row * rowBytes + at.kind] = credentialKinds.indexOf(record.kind)
    bytes[row * rowBytes + at.state] = credentialStates.indexOf(record.state)
    this.#writeShared(row, shared)
    ints[row * rowInts + int.version] = record.version
    floats[row * rowFloats + float.notBefore] = record.notBefore ?? Number.NaN
    floats[row * rowFloats + float.expiresAt] = record.expiresAt ?? Number.NaN
    floats[row * rowFloats + float.blockedUntil] = record.blockedUntil ?? Number.NaN
    this.#createdAt[row] = record.createdAt
    this.#stateAt[row] = record.stateAt ?? Number.NaN
    this.#nextGeneration(row)
  }

  /** The row leaves the index; it is given out again only after `release`. */
  drop(row: number): void {
    this.#byId.remove(row)
    this.#nextGeneration(row)
    this.#rows.ints[row * rowInts + int.version] = 0
    this.#live--
  }

  release(rows: readonly number[]): void {
    this.#free = this.#free.concat(rows)
  }

  /** Appends the credentials of a chunk; answers the row of each, -1 for one that is held already. */
  append(chunk: RecordChunk, shared: (i: number) => SharedNumbers): Int32Array {
    const rowOf = new Int32Array(chunk.credentialCount)
    this.reserve(this.#high + chunk.credentialCount)
    for (let i = 0; i < chunk.credentialCount; i++) {
      rowOf[i] = this.#holds(chunk.credentialIds, i * idBytes) ? -1 : this.#appendOne(chunk, i, shared(i))
    }
    return rowOf
  }

  #appendOne(chunk: RecordChunk, i: number, shared: SharedNumbers): number {
    const { bytes, ints, floats } = this.#rows
    const row = this.#high++
    const start = row * rowBytes
    for (let b = 0; b < idBytes; b++) bytes[start + at.id + b] = chunk.credentialIds[i * idBytes + b] ?? 0
    bytes[start + at.kind] = chunk.kind[i] ?? 0
    bytes[start + at.state] = chunk.state[i] ?? 0
    bytes[start + at.grant] = 0
    this.#writeShared(row, shared)
    ints[row * rowInts + int.version] = chunk.version[i] ?? 0
    floats[row * rowFloats + float.notBefore] = chunk.notBefore[i] ?? Number.NaN
    floats[row * rowFloats + float.expiresAt] = chunk.expiresAt[i] ?? Number.NaN
    floats[row * rowFloats + float.blockedUntil] = chunk.blockedUntil[i] ?? Number.NaN
    this.#createdAt[row] = chunk.createdAt[i] ?? Number.NaN
    this.#stateAt[row] = chunk.stateAt[i] ?? Number.NaN
    this.firstSecret[row] = -1
    this.#byId.add(row)
    this.#live++
    return row
  }

  #writeShared(row: number, { account, project, profile }: SharedNumbers): void {
    const { ints } = this.#rows
    ints[row * rowInts + int.account] = account
    ints[row * rowInts + int.project] = project
    ints[row * rowInts + int.profile] = profile
  }

  #nextGeneration(row: number): void {
    this.#rows.ints[row * rowInts + int.generation] = (this.generation(row) + 1) | 0
  }

  #holds(ids: Uint8Array, from: number): boolean {
    let slot = this.#byId.start(hashOf(ids, from))
    for (let row = this.#byId.rowAt(slot); row !== -1; row = this.#byId.rowAt(slot)) {
      let same = true
      for (let b = 0; b < idBytes && same; b++) same = this.#rows.bytes[row * rowBytes + at.id + b] === ids[from + b]
      if (same && !this.isGrant(row)) return true
      slot = this.#byId.next(slot)
    }
    return false
  }

  #grow(count: number): void {
    const rows = this.#rows.grow(count)
    this.#createdAt = grown(this.#createdAt, rows)
    this.#stateAt = grown(this.#stateAt, rows)
    this.firstSecret = grown(this.firstSecret, rows)
  }
}

/** FNV-1a over the 12 bytes of an id. */
function hashOf(ids: Uint8Array, from: number): number {
  let hash = 0x811c9dc5
  for (let i = from; i < from + idBytes; i++) hash = Math.imul(hash ^ (ids[i] ?? 0), 0x01000193)
  return hash ^ (hash >>> 15)
}

function isGrantId(id: string): boolean {
  return id.startsWith('grt_')
}

function hashOfText(id: string): number {
  let hash = 0x811c9dc5
  for (let i = id.length - idBytes; i < id.length; i++) hash = Math.imul(hash ^ (id.charCodeAt(i) & 0xff), 0x01000193)
  return hash ^ (hash >>> 15)
}
