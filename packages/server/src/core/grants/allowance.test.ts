import { describe, expect, it } from 'vitest'

import { aDeclaration } from '../testing/declaration.ts'
import { allowable } from './allowance.ts'

const declaration = aDeclaration()
const shop = declaration.apis.get('shop')
const pro = declaration.plans.get('pro')
if (shop === undefined || pro === undefined) throw new Error('the shop is not declared')

describe('what a member may allow a client', () => {
  const api = { ...shop, memberScopes: { owner: ['*'], admin: ['*'], developer: ['orders.read'], viewer: [] } }
  const plan = { ...pro, apis: new Set(['shop']), scopes: null }
  const wanted = ['orders.read', 'orders.write']

  it('is what the role may', () => {
    expect(allowable(wanted, { api, plan, role: 'owner' })).toEqual(wanted)
    expect(allowable(wanted, { api, plan, role: 'developer' })).toEqual(['orders.read'])
    expect(allowable(wanted, { api, plan, role: 'viewer' })).toEqual([])
  })

  it('is within the plan', () => {
    const narrow = { ...plan, scopes: new Set(['orders.write']) }
    expect(allowable(wanted, { api, plan: narrow, role: 'owner' })).toEqual(['orders.write'])
    expect(allowable(wanted, { api, plan: { ...plan, apis: new Set<string>() }, role: 'owner' })).toEqual([])
  })

  it('includes what a scope implies', () => {
    const implies = new Map([['orders.write', new Set(['orders.read'])]])
    const roles = { ...api.memberScopes, developer: ['orders.write'] }
    expect(allowable(wanted, { api: { ...api, implies, memberScopes: roles }, plan, role: 'developer' })).toEqual(
      wanted,
    )
  })
})
