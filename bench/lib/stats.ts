export function median(values: ArrayLike<number>): number {
  return quantile(values, 0.5)
}

/** Linear between the two nearest ranks; NaN of nothing. */
export function quantile(values: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(values).toSorted()
  if (sorted.length === 0) return Number.NaN
  const at = (sorted.length - 1) * share
  const low = sorted[Math.floor(at)] ?? Number.NaN
  const high = sorted[Math.ceil(at)] ?? Number.NaN
  return low + (high - low) * (at - Math.floor(at))
}

/** The same order of 0 … count − 1 for the same seed: xorshift32 and Fisher-Yates. */
export function shuffled(count: number, seed: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i)
  const next = randomIntegers(seed)
  for (let i = count - 1; i > 0; i--) {
    const other = next() % (i + 1)
    const held = order[i] ?? 0
    order[i] = order[other] ?? 0
    order[other] = held
  }
  return order
}

/** Non-negative 32-bit integers of xorshift32, the same for the same seed. */
export function randomIntegers(seed: number): () => number {
  let state = seed | 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
}
