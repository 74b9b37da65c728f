import { wordsOf } from '../records/digest-words.ts'
import { IndexTable } from '../records/index-table.ts'
import { HeldToken } from './held-token.ts'
import type { TokenRecord, TokenRevocation } from './token.ts'

const sharedMax = 4_096

/**
 * Verified access tokens of ours by the digest of what is presented. What comes in leaves when there is no more room
 * (second chance) or when it is asked for and has expired long enough; what is revoked stays as such, so that its
 * holder can be told.
 */
export class TokenCache {
  readonly #max: number
  /** Eight words each. */
  #digests = new Int32Array(0)
  readonly #held: (HeldToken | undefined)[] = []
  readonly #free: number[] = []
  readonly #byDigest = new IndexTable((slot) => this.#digests[slot * 8] ?? 0)
  readonly #scopes = new Map<string, readonly string[]>()
  readonly #families = new Map<string, Set<number>>()
  readonly #words = new Int32Array(8)
  #hand = -1
  #count = 0

  constructor(max = 200_000) {
    this.#max = max
  }

  get size(): number {
    return this.#count
  }

  find(words: Int32Array): HeldToken | null {
    const slot = this.#slot(words)
    const held = slot === -1 ? undefined : this.#held[slot]
    if (held === undefined) return null
    held.used = true
    return held
  }

  /** Adds a token as it was just read or minted. One that is held already is only ever revoked by it. */
  put(record: TokenRecord): HeldToken {
    wordsOf(record.digest, this.#words)
    const known = this.find(this.#words)
    if (known !== null) {
      known.revoked ||= record.revoked
      return known
    }
    if (this.#count >= this.#max) this.#evict(Math.max(1, Math.floor(this.#max / 100)))
    const slot = this.#free.pop() ?? this.#held.length
    const held = new HeldToken({ ...record, scopes: this.#shared(record.scopes) })
    this.#held[slot] = held
    if (this.#digests.length < (slot + 1) * 8) this.#digests = grown(this.#digests, Math.max(8192, slot * 12 + 12))
    this.#digests.set(this.#words, slot * 8)
    this.#byDigest.add(slot)
    if (held.family !== null) this.#familyOf(held.family).add(slot)
    this.#count++
    return held
  }

  /** Those that are held are not taken any more from this moment. */
  revoke(revocation: TokenRevocation): void {
    if (revocation.of === 'token') {
      wordsOf(revocation.digest, this.#words)
      const held = this.find(this.#words)
      if (held !== null) held.revoked = true
      return
    }
    for (const slot of this.#families.get(revocation.family) ?? []) {
      const held = this.#held[slot]
      if (held !== undefined) held.revoked = true
    }
  }

  /** Forgets what expired before `before`. Answers how many. */
  prune(before: number): number {
    let forgotten = 0
    for (const [slot, held] of this.#held.entries()) {
      if (held === undefined || held.expiresAt >= before) continue
      this.#forget(slot, held)
      forgotten++
    }
    return forgotten
  }

  /** One list for all tokens with the same scopes, of which there are few: what follows from it is found by it. */
  #shared(scopes: readonly string[]): readonly string[] {
    const key = scopes.join(' ')
    const known = this.#scopes.get(key)
    if (known !== undefined) return known
    if (this.#scopes.size >= sharedMax) this.#scopes.clear()
    this.#scopes.set(key, scopes)
    return scopes
  }

  #slot(words: Int32Array): number {
    let place = this.#byDigest.start(words[0] ?? 0)
    for (let slot = this.#byDigest.rowAt(place); slot !== -1; slot = this.#byDigest.rowAt(place)) {
      if (this.#isAt(slot, words)) return slot
      place = this.#byDigest.next(place)
    }
    return -1
  }

  #isAt(slot: number, words: Int32Array): boolean {
    const start = slot * 8
    for (let i = 0; i < 8; i++) if (this.#digests[start + i] !== words[i]) return false
    return true
  }

  #familyOf(family: string): Set<number> {
    const known = this.#families.get(family)
    if (known !== undefined) return known
    const made = new Set<number>()
    this.#families.set(family, made)
    return made
  }

  #evict(count: number): void {
    for (let left = count, seen = 0; left > 0 && seen < 2 * this.#held.length; seen++) {
      this.#hand = (this.#hand + 1) % this.#held.length
      const held = this.#held[this.#hand]
      if (held === undefined) continue
      if (held.used) held.used = false
      else {
        this.#forget(this.#hand, held)
        left--
      }
    }
  }

  #forget(slot: number, held: HeldToken): void {
    held.forgotten = true
    this.#byDigest.remove(slot)
    this.#held[slot] = undefined
    this.#free.push(slot)
    this.#count--
    if (held.family === null) return
    const family = this.#families.get(held.family)
    family?.delete(slot)
    if (family?.size === 0) this.#families.delete(held.family)
  }
}

function grown(digests: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(length)
  larger.set(digests)
  return larger
}
