import { grown } from './columns.ts'
import { wordsOf } from './digest-words.ts'
import { IndexTable } from './index-table.ts'
import { PackedRows, rowBytes, rowFloats, rowInts } from './packed-rows.ts'
import type { RecordChunk, SecretRecord } from './record.ts'

/** Where the fields of a row are: the digest in the first eight integers, then the id's 16 bytes, … */
const at = { digest: 0, id: 32 } as const
const int = { owner: 12, imported: 13 } as const
const float = { notAfter: 7 } as const

const digestBytes = 32
const idBytes = 16

/**
 * The secrets of the record table: one packed row each, found by digest through open addressing. The secrets of a
 * credential are chained; the credential's row holds the first.
 */
export class SecretRows {
  readonly #rows = new PackedRows()
  #next: Int32Array = new Int32Array(0)
  #high = 0
  readonly #free: number[] = []
  readonly #byDigest = new IndexTable((row) => this.#rows.ints[row * rowInts] ?? 0)
  readonly #scratch = new Int32Array(8)

  get count(): number {
    return this.#high - this.#free.length
  }

  /** Row of the secret with this digest, -1 where none is held. */
  find(words: Int32Array): number {
    const { ints } = this.#rows
    let slot = this.#byDigest.start(words[0] ?? 0)
    for (let row = this.#byDigest.rowAt(slot); row !== -1; row = this.#byDigest.rowAt(slot)) {
      const start = row * rowInts
      if (
        ints[start] === words[0] &&
        ints[start + 1] === words[1] &&
        ints[start + 2] === words[2] &&
        ints[start + 3] === words[3] &&
        ints[start + 4] === words[4] &&
        ints[start + 5] === words[5] &&
        ints[start + 6] === words[6] &&
        ints[start + 7] === words[7]
      ) {
        return row
      }
      slot = this.#byDigest.next(slot)
    }
    return -1
  }

  owner(row: number): number {
    return this.#rows.ints[row * rowInts + int.owner] ?? -1
  }

  /** Epoch ms, NaN for never. */
  notAfter(row: number): number {
    return this.#rows.floats[row * rowFloats + float.notAfter] ?? Number.NaN
  }

  isImported(row: number): boolean {
    return this.#rows.ints[row * rowInts + int.imported] === 1
  }

  id(row: number): string {
    return `sec_${this.#rows.hex(row, at.id, at.id + idBytes)}`
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
        this.#setNotAfter(row, secret.notAfter)
        this.#next[row] = kept
        kept = row
      }
      row = next
    }
    for (const secret of wanted.values()) kept = this.#add(kept, owner, secret)
    return kept
  }

  /**
   * Appends the secrets of a chunk. `rowOf` tells the owner's row, -1 for one that is not taken over; `firstOf` is the
   * owners' column of where their chain begins.
   */
  append(chunk: RecordChunk, rowOf: Int32Array, firstOf: Int32Array): void {
    this.reserve(chunk.secretCount)
    const { bytes, ints } = this.#rows
    for (let i = 0; i < chunk.secretCount; i++) {
      const owner = rowOf[chunk.secretOwner[i] ?? -1] ?? -1
      if (owner === -1) continue
      const row = this.#high++
      const start = row * rowBytes
      wordsOf(chunk.digests, this.#scratch, i * digestBytes)
      ints.set(this.#scratch, row * rowInts)
      for (let b = 0; b < idBytes; b++) bytes[start + at.id + b] = chunk.secretIds[i * idBytes + b] ?? 0
      ints[row * rowInts + int.imported] = chunk.imported[i] ?? 0
      this.#setNotAfter(row, chunk.notAfter[i] ?? null)
      firstOf[owner] = this.#link(row, firstOf[owner] ?? -1, owner)
    }
  }

  #add(first: number, owner: number, secret: SecretRecord): number {
    const row = this.#free.pop() ?? this.#high++
    this.#grow(row + 1)
    const { bytes, ints } = this.#rows
    wordsOf(secret.digest, this.#scratch)
    ints.set(this.#scratch, row * rowInts)
    bytes.set(Buffer.from(secret.id.slice('sec_'.length), 'hex'), row * rowBytes + at.id)
    ints[row * rowInts + int.imported] = secret.imported ? 1 : 0
    this.#setNotAfter(row, secret.notAfter)
    return this.#link(row, first, owner)
  }

  #setNotAfter(row: number, notAfter: number | null): void {
    this.#rows.floats[row * rowFloats + float.notAfter] = notAfter ?? Number.NaN
  }

  #link(row: number, first: number, owner: number): number {
    this.#rows.ints[row * rowInts + int.owner] = owner
    this.#next[row] = first
    this.#byDigest.add(row)
    return row
  }

  #grow(count: number): void {
    this.#next = grown(this.#next, this.#rows.grow(count))
  }
}
