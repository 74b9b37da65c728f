import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { compileModels, isModelName } from './models.ts'
import { costOf, createPriceList, highestCostOf, type Price } from './prices.ts'
import { noTokens } from './tokens.ts'

const day = Date.parse('2026-01-01T00:00:00Z')

function aPrice(fields: Partial<Price> = {}): Price {
  const base = { input: 2_500_000, cachedInput: 1_250_000, cacheWrite: 2_500_000, output: 10_000_000 }
  return { model: 'gpt-x', from: day, currency: 'USD', ...base, ...fields }
}

describe('a list of models', () => {
  it('has names in full, and beginnings', () => {
    const list = compileModels(['gpt-x', 'claude-*'])
    expect(['gpt-x', 'claude-', 'claude-opus'].map((name) => list.allows(name))).toEqual([true, true, true])
    expect(['gpt-x-mini', 'GPT-X', 'xclaude-', 'claude', ''].map((name) => list.allows(name))).toEqual([
      false,
      false,
      false,
      false,
      false,
    ])
    expect(compileModels(['*']).allows('anything')).toBe(true)
    expect(compileModels([]).allows('gpt-x')).toBe(false)
  })

  it('has names that can be written', () => {
    expect(['gpt-4.1', 'models/gemini', 'ft:gpt:a::b', 'x'.repeat(200)].map(isModelName)).toEqual([
      true,
      true,
      true,
      true,
    ])
    expect(['', 'a b', 'a\n', 'é', 'x'.repeat(201)].map(isModelName)).toEqual([false, false, false, false, false])
  })
})

describe('prices', () => {
  it('hold from their first instant until the next one’s', () => {
    const list = createPriceList([aPrice(), aPrice({ from: day + 1000, input: 1 })])
    expect(list.find('gpt-x', day - 1)).toBeNull()
    expect(list.find('gpt-x', day)?.input).toBe(2_500_000)
    expect(list.find('gpt-x', day + 999)?.input).toBe(2_500_000)
    expect(list.find('gpt-x', day + 1000)?.input).toBe(1)
  })

  it('of a name go before those of a beginning, and a longer one before a shorter', () => {
    const list = createPriceList([
      aPrice({ model: '*', input: 1 }),
      aPrice({ model: 'gpt-*', input: 2 }),
      aPrice({ model: 'gpt-x', input: 3 }),
      aPrice({ model: 'gpt-x-*', input: 4 }),
    ])
    expect(['llama', 'gpt-4', 'gpt-x', 'gpt-x-mini'].map((model) => list.find(model, day)?.input)).toEqual([1, 2, 3, 4])
  })

  it('are whole micro-units, rounded up once', () => {
    const tokens = { ...noTokens, input: 1_000, cachedInput: 400, output: 7 }
    expect(costOf(aPrice(), tokens)).toBe(Math.ceil(600 * 2.5 + 400 * 1.25 + 7 * 10))
    expect(costOf(aPrice({ input: 1, cachedInput: 1, output: 0 }), { ...noTokens, input: 1 })).toBe(1)
    expect(costOf(aPrice(), noTokens)).toBe(0)
    expect(costOf(aPrice({ cacheWrite: 5_000_000 }), { ...noTokens, input: 10, cacheWrite: 10 })).toBe(50)
  })

  it('never make more of a request than what is reserved for as many tokens', () => {
    const amount = fc.nat({ max: 100_000_000 })
    const count = fc.nat({ max: 1_000_000 })
    fc.assert(
      fc.property(
        amount,
        amount,
        amount,
        amount,
        count,
        count,
        count,
        count,
        (input, cachedInput, cacheWrite, output, a, b, c, d) => {
          const price = aPrice({ input, cachedInput, cacheWrite, output })
          const tokens = { input: a + b + c, cachedInput: b, cacheWrite: c, output: d, reasoning: 0 }
          const cost = costOf(price, tokens)
          expect(Number.isSafeInteger(cost)).toBe(true)
          expect(cost).toBeLessThanOrEqual(highestCostOf(price, tokens.input, tokens.output))
        },
      ),
    )
  })
})
