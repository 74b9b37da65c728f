import { describe, expect, it } from 'vitest'

import { nearest } from './nearest.ts'

describe('the name that was probably meant', () => {
  const known = ['orders.read', 'orders.write', 'refunds.read']

  it.each([
    ['order.read', 'orders.read'],
    ['Orders.Read', 'orders.read'],
    ['orders.wrtie', 'orders.write'],
    ['customers', null],
    ['', null],
  ])('for %j is %j', (name, expected) => {
    expect(nearest(name, known)).toBe(expected)
  })

  it('is none where nothing is known', () => {
    expect(nearest('orders.read', [])).toBeNull()
  })
})
