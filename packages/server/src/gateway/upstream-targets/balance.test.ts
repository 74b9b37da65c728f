import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { targetAt } from '../../core/apis/upstream.ts'
import { choose, type Member } from './balance.ts'
import { Standing } from './standing.ts'

const rule = { failures: 1, windowMs: 1_000, ejectMs: 1_000, statuses: [] }

function members(...weights: number[]): Member[] {
  return weights.map((weight, i) => ({
    target: targetAt(new URL(`http://${i}.test`), { weight }),
    standing: new Standing(),
    current: 0,
    report: () => {},
  }))
}

/** Indexes of the targets chosen, one after the other. */
function chosen(among: readonly Member[], times: number, now = 0): number[] {
  return Array.from({ length: times }, () => {
    const choice = choose(among, [], now)
    return among.findIndex((each) => each === choice)
  })
}

function tally(choices: readonly number[], count: number): number[] {
  return Array.from({ length: count }, (_, i) => choices.filter((each) => each === i).length)
}

describe('smooth weighted round robin', () => {
  it('spreads the heavy one among the others', () => {
    expect(chosen(members(5, 1, 1), 7)).toEqual([0, 0, 1, 0, 2, 0, 0])
    expect(chosen(members(1, 1, 1), 6)).toEqual([0, 1, 2, 0, 1, 2])
  })

  it('gives each target exactly its weight in every cycle', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 8 }), (weights) => {
        const cycle = weights.reduce((sum, weight) => sum + weight, 0)
        fc.pre(cycle > 0)
        const group = members(...weights)
        for (let i = 0; i < 3; i++) expect(tally(chosen(group, cycle), weights.length)).toEqual(weights)
      }),
    )
  })

  it('shares what a target that is out would get among the others by their weights, and gives it back', () => {
    const group = members(2, 1, 1)
    group[0]?.standing.failed(rule, 0)
    expect(tally(chosen(group, 4, 999), 3)).toEqual([0, 2, 2])
    expect(tally(chosen(group, 4, 1_000), 3)).toEqual([2, 1, 1])
  })

  it('asks all of them, by weight, where none is up', () => {
    const group = members(3, 1)
    for (const { standing } of group) standing.failed(rule, 0)
    expect(tally(chosen(group, 4), 2)).toEqual([3, 1])
  })

  it('never chooses weight 0, not even where nothing else is up', () => {
    const group = members(0, 1)
    group[1]?.standing.failed(rule, 0)
    expect(chosen(group, 2)).toEqual([1, 1])
    expect(choose(group, group.slice(1), 0)).toBeNull()
  })

  it('chooses for another attempt what was not tried and is up, and all that was not tried where nothing is up', () => {
    const group = members(1, 1, 1)
    const [first, second, third] = group
    if (first === undefined || second === undefined || third === undefined) throw new Error('three')
    second.standing.failed(rule, 0)
    expect(choose(group, [first], 0)).toBe(third)
    expect(choose(group, [first, third], 0)).toBeNull()
    first.standing.failed(rule, 0)
    third.standing.failed(rule, 0)
    expect(choose(group, [first, third], 0)).toBe(second)
    expect(choose(group, group, 0)).toBeNull()
  })
})
