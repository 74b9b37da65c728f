import { randomIntegers } from '../../bench/lib/stats.ts'

/** Chance that comes out the same for the same seed. */
export interface Chance {
  /** From 0 up to, without, `bound`. */
  below(bound: number): number
  pick<Value>(values: readonly [Value, ...Value[]]): Value
  /** True in that share of cases. */
  in(share: number): boolean
}

export function chanceOf(seed: number, index: number): Chance {
  // Neighbouring seeds must not begin alike: both are spread over all bits first.
  const next = randomIntegers(Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(index + 1, 0xc2b2ae35))
  for (let i = 0; i < 4; i++) next()
  const below = (bound: number): number => next() % bound
  return {
    below,
    pick: (values) => values[below(values.length)] ?? values[0],
    in: (share) => next() < share * 0x1_0000_0000,
  }
}
