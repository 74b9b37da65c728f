import { describe, expect, it } from 'vitest'

import { CheckBudget } from './check-budget.ts'

/** Begins and ends so many; answers what was told. */
function checks(budget: CheckBudget, account: string | null, count: number, now: number): (number | null)[] {
  return Array.from({ length: count }, () => {
    const wait = budget.begin(account, now)
    if (wait === null) budget.end(account)
    return wait
  })
}

const passed = (count: number): null[] => Array.from({ length: count }, () => null)

describe('the budget of checks', () => {
  it('gives each account ten a minute, and says when the next one may follow', () => {
    const budget = new CheckBudget()
    expect(checks(budget, 'acc_1', 10, 0)).toEqual(passed(10))
    const [wait = null] = checks(budget, 'acc_1', 1, 0)
    expect(wait).toBeCloseTo(6_000, 1)
    expect(checks(budget, 'acc_2', 10, 0)).toEqual(passed(10))
    expect(checks(budget, 'acc_1', 1, 5_999)).not.toEqual([null])
    expect(checks(budget, 'acc_1', 2, 6_000)).toEqual([null, expect.closeTo(6_000, 1)])
  })

  it('gives each account two at once, and what was refused costs nothing', () => {
    const budget = new CheckBudget()
    expect([1, 2, 3, 4].map(() => budget.begin('acc_1', 0))).toEqual([null, null, 1_000, 1_000])
    expect(budget.begin('acc_2', 0)).toBeNull()
    budget.end('acc_1')
    expect([1, 2].map(() => budget.begin('acc_1', 0))).toEqual([null, 1_000])
    for (let i = 0; i < 2; i++) budget.end('acc_1')
    expect(checks(budget, 'acc_1', 8, 0)).toEqual([...passed(7), expect.closeTo(6_000, 1)])
  })

  it('bounds all that run at once, the operator’s among them, and those by nothing else', () => {
    const budget = new CheckBudget()
    expect(checks(budget, null, 1_000, 0)).toEqual(passed(1_000))
    expect(Array.from({ length: 16 }, () => budget.begin(null, 0))).toEqual(passed(16))
    expect([budget.begin(null, 0), budget.begin('acc_1', 0)]).toEqual([1_000, 1_000])
    budget.end(null)
    expect(budget.begin('acc_1', 0)).toBeNull()
  })
})
