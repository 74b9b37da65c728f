/**
 * Open addressing with linear probing: slots hold row + 1, 0 is free. The owner gives the hash of a row and says
 * whether a row is the one it looks for. Deletion shifts back, so there are no tombstones and no clean-up.
 */
export class IndexTable {
  #slots = new Int32Array(2048)
  #mask = 2047
  #count = 0
  readonly #hashOf: (row: number) => number

  constructor(hashOf: (row: number) => number) {
    this.#hashOf = hashOf
  }

  /** Makes room for `count` rows at a load of at most two thirds. */
  reserve(count: number): void {
    let size = this.#slots.length
    while (size * 2 < count * 3) size *= 2
    if (size !== this.#slots.length) this.#resize(size)
  }

  /** First candidate slot of a hash; walk with `next` until `rowAt` answers -1. */
  start(hash: number): number {
    return hash & this.#mask
  }

  next(slot: number): number {
    return (slot + 1) & this.#mask
  }

  rowAt(slot: number): number {
    return (this.#slots[slot] ?? 0) - 1
  }

  add(row: number): void {
    this.reserve(this.#count + 1)
    this.#place(row)
    this.#count++
  }

  remove(row: number): void {
    let slot = this.start(this.#hashOf(row))
    while (this.rowAt(slot) !== row) {
      if (this.rowAt(slot) === -1) return
      slot = this.next(slot)
    }
    this.#count--
    let hole = slot
    for (;;) {
      slot = this.next(slot)
      const other = this.rowAt(slot)
      if (other === -1) break
      const home = this.start(this.#hashOf(other))
      const distanceToHole = (hole - home) & this.#mask
      const distanceToSlot = (slot - home) & this.#mask
      if (distanceToHole < distanceToSlot) {
        this.#slots[hole] = other + 1
        hole = slot
      }
    }
    this.#slots[hole] = 0
  }

  #place(row: number): void {
    let slot = this.start(this.#hashOf(row))
    while ((this.#slots[slot] ?? 0) !== 0) slot = this.next(slot)
    this.#slots[slot] = row + 1
  }

  #resize(size: number): void {
    const old = this.#slots
    this.#slots = new Int32Array(size)
    this.#mask = size - 1
    for (const entry of old) if (entry !== 0) this.#place(entry - 1)
  }
}
