import { nextCapacity } from './columns.ts'

/** Bytes of a row: one line of the processor's cache, so that all of a row comes with one miss. */
export const rowBytes = 64
export const rowInts = 16
export const rowFloats = 8

/** Rows of 64 bytes in one block of memory, seen as integers, as doubles and as bytes. */
export class PackedRows {
  ints: Int32Array = new Int32Array(0)
  floats: Float64Array = new Float64Array(0)
  bytes: Uint8Array = new Uint8Array(0)
  #text: Buffer = Buffer.alloc(0)
  #capacity = 0

  /** Makes room for `count` rows; answers how many there is room for now. */
  grow(count: number): number {
    if (count <= this.#capacity) return this.#capacity
    this.#capacity = nextCapacity(this.#capacity, count)
    const block = new ArrayBuffer(this.#capacity * rowBytes)
    const bytes = new Uint8Array(block)
    bytes.set(this.bytes)
    this.bytes = bytes
    this.ints = new Int32Array(block)
    this.floats = new Float64Array(block)
    this.#text = Buffer.from(block)
    return this.#capacity
  }

  /** Bytes of a row as lower-case hex, written in one call. */
  hex(row: number, from: number, to: number): string {
    return this.#text.toString('hex', row * rowBytes + from, row * rowBytes + to)
  }
}
