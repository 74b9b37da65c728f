/** Tokens of one request, in one meaning for all providers. Whole numbers. */
export interface Tokens {
  /** All that went in, cached ones and those written to the cache included. */
  readonly input: number
  /** Of `input`: read from the provider's cache. */
  readonly cachedInput: number
  /** Of `input`: written to the provider's cache. */
  readonly cacheWrite: number
  /** All that came out, reasoning included. */
  readonly output: number
  /** Of `output`: thought, and mostly not shown. */
  readonly reasoning: number
}

export const noTokens: Tokens = { input: 0, cachedInput: 0, cacheWrite: 0, output: 0, reasoning: 0 }

/** A count as a provider writes it: anything but a whole number from 0 on is none. */
export function countOf(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : 0
}

/** Tokens of that much text, where nobody has counted them: about four bytes make one. */
export function estimateTokens(textBytes: number): number {
  return Math.ceil(textBytes / 4)
}

/** What a picture or document that was sent as a blob stands for in an estimate. */
export const tokensPerBlob = 2_000
