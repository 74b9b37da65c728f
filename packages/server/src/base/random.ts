import { randomBytes } from 'node:crypto'

/** Chance comes in as an argument. `bytes(n)` answers n bytes fit for secrets. */
export interface Random {
  bytes(count: number): Uint8Array
}

export const systemRandom: Random = { bytes: (count) => randomBytes(count) }

/** Deterministic bytes for tests (xorshift32); never for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed | 0 || 1
  return {
    bytes: (count) => {
      const out = new Uint8Array(count)
      for (let i = 0; i < count; i++) {
        state ^= state << 13
        state ^= state >>> 17
        state ^= state << 5
        out[i] = state & 0xff
      }
      return out
    },
  }
}
