import { grown, nextCapacity } from './columns.ts'
import { wordsOf } from './digest-words.ts'
import { IndexTable } from './index-table.ts'
import type { RecordChunk, SecretRecord } from './record.ts'

/**
 * The secrets of the record table: one row of packed columns each, found by digest through open addressing. The
 * secrets of a credential are chained; the credential's row holds the first.
 */
export class SecretRows {
  /** Eight words each, little-endian as the machines that Node runs on. */
  #digests: Int32Array = new Int32Array(0)
  #ids: Uint8Array = new Uint8Array(0)
  /** The same bytes, as what writes hex in one call. */
  #idText = Buffer.from(this.#ids.buffer)
  #owner: Int32Array = new Int32Array(0)
  #next: Int32Array = new Int32Array(0)
  #notAfter: Float64Array = new Float64Array(0)
  #imported: Uint8Array = new Uint8Array(0)
  #capacity = 0
  #high = 0
  readonly #free: number[] = []
  readonly #byDigest = new IndexTable((row) => this.#digests[row * 8] ?? 0)
  readonly #scratch = new Int32Array(8)

  get count(): number {
    return this.#high - this.#free.length
  }

  /** Row of the secret with this digest, -1 where none is held. */
  find(words: Int32Array): number {
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

  owner(row: number): number {
    return this.#owner[row] ?? -1
  }

  /** Epoch ms, NaN for never. */
  notAfter(row: number): number {
    return this.#notAfter[row] ?? Number.NaN
  }

  isImported(row: number): boolean {
    return this.#imported[row] === 1
  }

  id(row: number): string {
    return `sec_${this.#idText.toString('hex', row * 16, row * 16 + 16)}`
  }

  /** Makes room for `more` secrets at once. */
  reserve(more: number): void {
    this.#grow(this.#high + more)
    this.#byDigest.reserve(this.#high + more)
  }

  /** Makes the chain that begins at `first` hold exactly these secrets; answers where it begins now. */
  replace(first: number, owner: number, secrets: readonly SecretRecord[]): number {
    const wanted = new Map(secrets.map((secret) => [secret.id, secret]))
    let kept = -1
    for (let row = first; row !== -1;) {
      const next = this.#next[row] ?? -1
      const secret = wanted.get(this.id(row))
      if (secret === undefined) {
        this.#byDigest.remove(row)
        this.#free.push(row)
      } else {
        wanted.delete(secret.id)
        this.#notAfter[row] = secret.notAfter ?? Number.NaN
        this.#next[row] = kept
        kept = row
      }
      row = next
    }
    for (const secret of wanted.values()) kept = this.#add(kept, owner, secret)
    return kept
  }

  /**
   * Appends the secrets of a chunk, whole columns at once. `rowOf` tells the owner's row, -1 for one that is not taken
   * over; `firstOf` is the owners' column of where their chain begins.
   */
  append(chunk: RecordChunk, rowOf: Int32Array, firstOf: Int32Array): void {
    const first = this.#high
    const count = chunk.secretCount
    this.reserve(count)
    new Uint8Array(this.#digests.buffer).set(chunk.digests, first * 32)
    this.#ids.set(chunk.secretIds, first * 16)
    this.#imported.set(chunk.imported, first)
    this.#notAfter.set(chunk.notAfter, first)
    this.#high += count
    for (let i = 0; i < count; i++) {
      const row = first + i
      const owner = rowOf[chunk.secretOwner[i] ?? -1] ?? -1
      if (owner === -1) {
        this.#free.push(row)
        continue
      }
      this.#owner[row] = owner
      this.#next[row] = firstOf[owner] ?? -1
      firstOf[owner] = row
      this.#byDigest.add(row)
    }
  }

  #add(first: number, owner: number, secret: SecretRecord): number {
    const row = this.#take()
    wordsOf(secret.digest, this.#scratch)
    for (let b = 0; b < 16; b++) this.#ids[row * 16 + b] = Number.parseInt(secret.id.slice(4 + 2 * b, 6 + 2 * b), 16)
    this.#imported[row] = secret.imported ? 1 : 0
    this.#notAfter[row] = secret.notAfter ?? Number.NaN
    return this.#link(row, first, owner)
  }

  #take(): number {
    const row = this.#free.pop() ?? this.#high++
    this.#grow(row + 1)
    return row
  }

  #link(row: number, first: number, owner: number): number {
    this.#digests.set(this.#scratch, row * 8)
    this.#owner[row] = owner
    this.#next[row] = first
    this.#byDigest.add(row)
    return row
  }

  #grow(count: number): void {
    if (count <= this.#capacity) return
    const rows = nextCapacity(this.#capacity, count)
    this.#digests = grown(this.#digests, rows, 8)
    this.#ids = grown(this.#ids, rows, 16)
    this.#idText = Buffer.from(this.#ids.buffer)
    this.#owner = grown(this.#owner, rows)
    this.#next = grown(this.#next, rows)
    this.#notAfter = grown(this.#notAfter, rows)
    this.#imported = grown(this.#imported, rows)
    this.#capacity = rows
  }
}
