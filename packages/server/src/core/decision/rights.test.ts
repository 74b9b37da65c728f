import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { impliedScopes } from '../apis/implied-scopes.ts'
import { anApi, aPlan } from '../testing/declaration.ts'
import { missingScopes, RightsCache, rightsOf } from './rights.ts'

const api = anApi({ roles: new Map([['Clerk', ['orders.read', 'orders.write']]]) })

function rights(scopes: readonly string[], role: string | null, ceiling: readonly string[] | null) {
  return rightsOf({ scopes, role }, aPlan({ scopes: ceiling === null ? null : new Set(ceiling) }), api)
}

describe('rights', () => {
  it.each([
    ['own scopes', ['a', 'b'], null, null, ['a', 'b']],
    ['own scopes within the plan', ['a', 'b'], null, ['b', 'c'], ['b']],
    ['everything', ['*'], null, null, ['*']],
    ['everything, within the plan', ['*'], null, ['b', 'c'], ['b', 'c']],
    ["the role's scopes", [], 'Clerk', null, ['orders.read', 'orders.write']],
    ["own and the role's, within the plan", ['a'], 'Clerk', ['a', 'orders.read'], ['a', 'orders.read']],
    ['none of a role that is not declared any more', [], 'Gone', null, []],
    ['none of a role with the name of a property', [], 'constructor', null, []],
    ['none', [], null, null, []],
  ] as const)('are %s', (_, scopes, role, ceiling, expected) => {
    expect(rights(scopes, role, ceiling).scopes).toEqual(expected)
  })

  it.each(['__proto__', 'constructor', 'toString', ''])('do not hold %j by chance', (scope) => {
    expect(rights(['a'], 'Clerk', null).holds(scope)).toBe(false)
    expect(rights(['*'], null, ['a']).holds(scope)).toBe(false)
    expect(rights([scope], null, null).holds(scope)).toBe(true)
  })

  it('"*" in a plan that lists scopes is the name of a scope, not all of them', () => {
    expect(rights(['a'], null, ['*']).scopes).toEqual([])
  })

  it('are never more than the plan, whatever the credential says', () => {
    const scope = fc.constantFrom('*', 'a', 'b', 'c', 'orders.read', 'orders.write')
    fc.assert(
      fc.property(
        fc.array(scope),
        fc.option(fc.constantFrom('Clerk', 'Gone')),
        fc.array(fc.constantFrom<string[]>('a', 'b', 'orders.read')),
        (own, role, ceiling) => {
          const held = rights(own, role, ceiling)
          expect(held.scopes.filter((name) => !ceiling.includes(name))).toEqual([])
          expect(['a', 'b', 'c', 'orders.read', 'orders.write'].filter((name) => held.holds(name)).toSorted()).toEqual(
            [...held.scopes].toSorted(),
          )
        },
      ),
    )
  })
})

describe('rights where scopes stand for others', () => {
  const implies = impliedScopes(
    new Map([
      ['all', ['read', 'write']],
      ['write', ['write.one', 'write.two']],
      ['skus', ['SKUs']],
      ['SKUs', ['skus']],
    ]),
  )
  const of = (scopes: readonly string[], ceiling: readonly string[] | null) =>
    rightsOf({ scopes, role: null }, aPlan({ scopes: ceiling === null ? null : new Set(ceiling) }), anApi({ implies }))
  const every = ['all', 'read', 'write', 'write.one', 'write.two', 'skus', 'SKUs', 'other']
  const holding = (scopes: readonly string[], ceiling: readonly string[] | null) =>
    every.filter((scope) => of(scopes, ceiling).holds(scope))

  it.each([
    [['all'], null, ['all', 'read', 'write', 'write.one', 'write.two'], ['all']],
    [['write'], null, ['write', 'write.one', 'write.two'], ['write']],
    [['read', 'all'], null, ['all', 'read', 'write', 'write.one', 'write.two'], ['read', 'all']],
    [['skus'], null, ['skus', 'SKUs'], ['skus']],
    [['all'], ['read'], ['read'], ['read']],
    [['all'], ['write', 'other'], ['write', 'write.one', 'write.two'], ['write']],
    [['write.one'], ['all'], ['write.one'], ['write.one']],
    [['all'], ['write.two', 'read'], ['read', 'write.two'], ['read', 'write.two']],
    [['SKUs'], ['skus'], ['skus', 'SKUs'], ['SKUs']],
    [['*'], ['write'], ['write', 'write.one', 'write.two'], ['write']],
    [['other'], ['all'], [], []],
  ] as const)('%j within %j hold %j and are said as %j', (scopes, ceiling, held, said) => {
    expect(holding(scopes, ceiling)).toEqual(held)
    expect(of(scopes, ceiling).scopes).toEqual(said)
  })

  it('are said by names that mean just what is held', () => {
    const some = fc.subarray(every)
    fc.assert(
      fc.property(some, fc.option(some), (scopes, ceiling) => {
        expect(holding(of(scopes, ceiling).scopes, null)).toEqual(holding(scopes, ceiling))
      }),
    )
  })
})

describe('the cache of rights', () => {
  const profile = { number: 3, apis: new Set(['shop']), scopes: ['*'], role: 'Clerk' }

  it('answers the same while nothing is declared anew', () => {
    const cache = new RightsCache()
    const plan = aPlan()
    expect(cache.of(profile, plan, api)).toBe(cache.of(profile, plan, api))
  })

  it('answers nothing of before once plan or API was declared anew', () => {
    const cache = new RightsCache()
    const clerk = { ...profile, scopes: [] }
    expect(cache.of(clerk, aPlan(), api).scopes).toEqual(['orders.read', 'orders.write'])
    expect(cache.of(clerk, aPlan(), anApi({ roles: new Map() })).scopes).toEqual([])
    expect(cache.of(clerk, aPlan({ scopes: new Set() }), api).scopes).toEqual([])
  })

  it('keeps profiles apart', () => {
    const cache = new RightsCache()
    const plan = aPlan()
    expect(cache.of(profile, plan, api).scopes).toEqual(['*'])
    expect(cache.of({ ...profile, number: 4, scopes: ['a'], role: null }, plan, api).scopes).toEqual(['a'])
  })
})

describe('missing scopes', () => {
  const held = rights(['a', 'b'], null, null)

  it.each([
    [[], [], []],
    [['a', 'x'], [], []],
    [['x', 'y'], [], ['x', 'y']],
    [[], ['a', 'b'], []],
    [[], ['a', 'x'], ['x']],
    [['a'], ['x'], ['x']],
    [['y'], ['x', 'a'], ['x', 'y']],
  ])('of any %j and all %j are %j', (any, all, expected) => {
    expect(missingScopes({ any, all }, held)).toEqual(expected)
  })
})
