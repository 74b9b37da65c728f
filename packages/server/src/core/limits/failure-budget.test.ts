import { describe, expect, it } from 'vitest'

import { parseIp, type Ip } from '../../base/ip.ts'
import { FailureBudget } from './failure-budget.ts'
import { BoundedTats, NumberedTats } from './tats.ts'

const rule = { attempts: 30, windowMs: 60_000 }

function ip(text: string): Ip {
  const parsed = parseIp(text)
  if (parsed === null) throw new Error(text)
  return parsed
}

function fail(budget: FailureBudget, from: Ip, times: number, now: number): void {
  for (let i = 0; i < times; i++) budget.charge(from, now, rule)
}

describe('the budget of failed attempts', () => {
  it('is spent by the thirtieth failure, and gives back one each two seconds', () => {
    const budget = new FailureBudget()
    fail(budget, ip('192.0.2.1'), 29, 0)
    expect(budget.waitMs(ip('192.0.2.1'), 0, rule)).toBe(0)
    fail(budget, ip('192.0.2.1'), 1, 0)
    expect(budget.waitMs(ip('192.0.2.1'), 0, rule)).toBeCloseTo(2000, 1)
    expect(budget.waitMs(ip('192.0.2.1'), 1999, rule)).toBeGreaterThan(0)
    expect(budget.waitMs(ip('192.0.2.1'), 2000, rule)).toBe(0)
  })

  it('is not spent further by what is refused because it is spent', () => {
    const budget = new FailureBudget()
    fail(budget, ip('192.0.2.1'), 1000, 0)
    expect(budget.waitMs(ip('192.0.2.1'), 2000, rule)).toBe(0)
  })

  it('is that of one IPv4 address', () => {
    const budget = new FailureBudget()
    fail(budget, ip('192.0.2.1'), 30, 0)
    expect(budget.waitMs(ip('192.0.2.2'), 0, rule)).toBe(0)
    expect(budget.waitMs(ip('::ffff:192.0.2.1'), 0, rule)).toBeGreaterThan(0)
  })

  it('is that of a whole /64 of IPv6', () => {
    const budget = new FailureBudget()
    for (let i = 0; i < 30; i++) fail(budget, ip(`2001:db8:0:1::${i.toString(16)}`), 1, 0)
    expect(budget.waitMs(ip('2001:db8:0:1:ffff:ffff:ffff:ffff'), 0, rule)).toBeGreaterThan(0)
    expect(budget.waitMs(ip('2001:db8:0:2::'), 0, rule)).toBe(0)
    expect(budget.waitMs(ip('2001:db8:0:0:ffff::'), 0, rule)).toBe(0)
  })
})

describe('state by address', () => {
  it('holds no more than its maximum, however many addresses come', () => {
    const tats = new BoundedTats<Ip>(1000)
    for (let address = 0; address < 1_000_000; address++) tats.set(address, address)
    expect(tats.size).toBe(1000)
    expect([tats.get(998_999), tats.get(999_000), tats.get(999_999)]).toEqual([0, 999_000, 999_999])
  })

  it('keeps those that go on being charged', () => {
    const tats = new BoundedTats<Ip>(3)
    for (let address = 1; address <= 10; address++) {
      tats.set(0, address)
      tats.set(address, address)
    }
    expect([tats.get(0), tats.get(8), tats.get(9), tats.get(10)]).toEqual([10, 0, 9, 10])
  })
})

describe('state by number', () => {
  it('is 0 where nothing was set, near and far', () => {
    const tats = new NumberedTats()
    tats.set(5000, 7)
    tats.set(90_000, 0)
    expect([tats.get(0), tats.get(4999), tats.get(5000), tats.get(90_000), tats.get(1e9)]).toEqual([0, 0, 7, 0, 0])
  })
})
