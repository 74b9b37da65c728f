import { compileModels, type ModelList } from './models.ts'
import type { Tokens } from './tokens.ts'

/** Prices are in micro-units of the currency (1 USD = 1,000,000) for 1,000,000 tokens: whole numbers. */
export interface Price {
  /** A model, or the beginning of several and `*`. */
  readonly model: string
  /** The first instant at which it holds, epoch ms. */
  readonly from: number
  readonly currency: string
  readonly input: number
  readonly cachedInput: number
  readonly cacheWrite: number
  readonly output: number
}

export interface PriceList {
  readonly prices: readonly Price[]
  /** The price of a model at an instant: an exact name goes before a pattern, a longer pattern before a shorter one. */
  find(model: string, now: number): Price | null
}

export const noPrices: PriceList = { prices: [], find: () => null }

export function createPriceList(prices: readonly Price[]): PriceList {
  if (prices.length === 0) return noPrices
  const ranked: readonly { readonly price: Price; readonly models: ModelList }[] = prices
    .map((price) => ({ price, models: compileModels([price.model]) }))
    .toSorted((a, b) => rankOf(b.price) - rankOf(a.price) || b.price.from - a.price.from)
  return {
    prices,
    find: (model, now) => ranked.find(({ price, models }) => price.from <= now && models.allows(model))?.price ?? null,
  }
}

function rankOf({ model }: Price): number {
  return model.endsWith('*') ? model.length : Number.MAX_SAFE_INTEGER
}

/** What tokens cost, in micro-units, rounded up once for the request. */
export function costOf(price: Price, tokens: Tokens): number {
  const { input, cachedInput, cacheWrite, output } = tokens
  const plain = Math.max(0, input - cachedInput - cacheWrite)
  const millionths =
    plain * price.input + cachedInput * price.cachedInput + cacheWrite * price.cacheWrite + output * price.output
  return Math.ceil(millionths / 1_000_000)
}

/** At most what tokens can cost: whatever the cache may do with those that go in. */
export function highestCostOf(price: Price, input: number, output: number): number {
  const perInput = Math.max(price.input, price.cachedInput, price.cacheWrite)
  return Math.ceil((input * perInput + output * price.output) / 1_000_000)
}
