import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { wordsOfText } from '../testing/records.ts'
import { aToken } from '../testing/tokens.ts'
import { TokenCache } from './token-cache.ts'
import type { TokenRevocation } from './token.ts'

const holds = (cache: TokenCache, text: string) => cache.find(wordsOfText(text)) !== null

describe('the cache of verified tokens', () => {
  it('finds a token by the digest of its text, and nothing else', () => {
    const cache = new TokenCache()
    const held = cache.put(aToken('a', { id: 'tok_a' }))
    expect(cache.find(wordsOfText('a'))).toBe(held)
    expect(cache.find(wordsOfText('b'))).toBeNull()
    expect([held.id, held.scopesOn('shop'), held.scopesOn('stock')]).toEqual(['tok_a', ['orders.read'], null])
  })

  it('keeps what is revoked as such, and never takes it back', () => {
    const cache = new TokenCache()
    cache.put(aToken('a'))
    cache.revoke({ of: 'token', digest: aToken('a').digest })
    expect(cache.put(aToken('a')).revoked).toBe(true)
    expect(cache.put(aToken('b', { revoked: true })).revoked).toBe(true)
  })

  it('ends a family whole, and no other', () => {
    const cache = new TokenCache()
    for (const [text, family] of [
      ['a', 'f'],
      ['b', 'f'],
      ['c', 'g'],
      ['d', null],
    ] as const) {
      cache.put(aToken(text, { family }))
    }
    cache.revoke({ of: 'family', family: 'f' })
    expect(['a', 'b', 'c', 'd'].map((text) => cache.find(wordsOfText(text))?.revoked)).toEqual([
      true,
      true,
      false,
      false,
    ])
  })

  it('is bounded: what was not used lately goes first, and whoever still has it can tell', () => {
    const cache = new TokenCache(100)
    const first = cache.put(aToken('0'))
    for (let i = 1; i < 100; i++) cache.put(aToken(String(i)))
    for (let i = 100; i < 1000; i++) {
      cache.find(wordsOfText('0'))
      cache.put(aToken(String(i)))
      expect(cache.size).toBeLessThanOrEqual(100)
    }
    expect([holds(cache, '0'), holds(cache, '999'), first.forgotten]).toEqual([true, true, false])
    expect(holds(cache, '1')).toBe(false)
  })

  it('forgets what expired before the instant that it is told', () => {
    const cache = new TokenCache()
    const gone = cache.put(aToken('a', { expiresAt: 999, family: 'f' }))
    cache.put(aToken('b', { expiresAt: 1_000 }))
    expect([cache.prune(1_000), holds(cache, 'a'), holds(cache, 'b'), gone.forgotten]).toEqual([1, false, true, true])
    cache.revoke({ of: 'family', family: 'f' })
    expect(gone.revoked).toBe(false)
  })

  it('answers like a map of the same tokens, whatever comes and goes', () => {
    const text = fc.integer({ min: 0, max: 40 }).map(String)
    const family = fc.constantFrom('f', 'g', null)
    const act = fc.oneof(
      { weight: 4, arbitrary: fc.record({ act: fc.constant('put' as const), text, family, revoked: fc.boolean() }) },
      { weight: 2, arbitrary: fc.record({ act: fc.constant('revoke' as const), text }) },
      { weight: 1, arbitrary: fc.record({ act: fc.constant('end' as const), family: fc.constantFrom('f', 'g') }) },
      {
        weight: 1,
        arbitrary: fc.record({ act: fc.constant('prune' as const), before: fc.integer({ min: 0, max: 50 }) }),
      },
    )
    fc.assert(
      fc.property(fc.array(act, { maxLength: 200 }), (acts) => {
        const cache = new TokenCache(1_000)
        const model = new Map<string, { family: string | null; revoked: boolean }>()
        const revoke = (revocation: TokenRevocation) => cache.revoke(revocation)
        for (const step of acts) {
          switch (step.act) {
            case 'put': {
              const known = model.get(step.text)
              const record = aToken(step.text, {
                family: step.family,
                revoked: step.revoked,
                expiresAt: Number(step.text),
              })
              cache.put(record)
              model.set(step.text, {
                family: known === undefined ? step.family : known.family,
                revoked: step.revoked || known?.revoked === true,
              })
              break
            }
            case 'revoke': {
              revoke({ of: 'token', digest: aToken(step.text).digest })
              const known = model.get(step.text)
              if (known !== undefined) known.revoked = true
              break
            }
            case 'end':
              revoke({ of: 'family', family: step.family })
              for (const known of model.values()) if (known.family === step.family) known.revoked = true
              break
            case 'prune':
              cache.prune(step.before)
              for (const key of model.keys()) if (Number(key) < step.before) model.delete(key)
              break
          }
        }
        expect(cache.size).toBe(model.size)
        for (let i = 0; i <= 40; i++) {
          expect(cache.find(wordsOfText(String(i)))?.revoked).toBe(model.get(String(i))?.revoked)
        }
      }),
    )
  })
})
