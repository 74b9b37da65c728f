import { describe, expect, it } from 'vitest'

import { fixedClock } from '../base/clock.ts'
import { parseIp } from '../base/ip.ts'
import { createAttempts, type Gate } from './attempts.ts'

const ipOf = (text: string) => parseIp(text) ?? 0
const home = ipOf('192.0.2.1')

describe('attempts at a password (79)', () => {
  it('cost nothing five times, then a time that doubles up to 15 minutes', () => {
    const { clock, attempts } = aWorld()
    const waits: number[] = []
    for (let attempt = 0; attempt < 20; attempt++) {
      const gate = attempts.password(aGuess({}))
      if (gate.kind === 'wait') {
        waits.push(gate.ms)
        clock.advance(gate.ms - 1)
        expect(attempts.password(aGuess({}))).toEqual({ kind: 'wait', ms: 1 })
        clock.advance(1)
        attempt--
      }
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900, 900].map((s) => s * 1000))
  })

  it('are counted as failures before they are known to be any, so that many at once are no way around', () => {
    const { attempts } = aWorld()
    const gates = Array.from({ length: 100 }, () => attempts.password(aGuess({})))
    expect(gates.filter(({ kind }) => kind === 'open')).toHaveLength(5)
  })

  it('cost nothing any more once one was right', () => {
    const { attempts } = aWorld()
    for (let attempt = 0; attempt < 4; attempt++) attempts.password(aGuess({}))
    right(attempts.password(aGuess({})))
    for (let attempt = 0; attempt < 5; attempt++) expect(attempts.password(aGuess({})).kind).toBe('open')
    expect(attempts.password(aGuess({})).kind).toBe('wait')
  })

  it('of one address, or one /64, are 60 in all, whoever is guessed at', () => {
    const { clock, attempts } = aWorld()
    const from = (host: number, email: string) => aGuess({ ip: ipOf(`2001:db8::${host.toString(16)}`), email })
    for (let n = 0; n < 60; n++) expect(attempts.password(from(n, `person${n}@example.com`)).kind).toBe('open')
    const refused = { kind: 'wait', ms: expect.closeTo(10_000, -1) }
    expect(attempts.password(from(60, 'other@example.com'))).toEqual(refused)
    expect(attempts.password(aGuess({ ip: ipOf('2001:db8:0:1::1') })).kind).toBe('open')
    clock.advance(10_000)
    expect(attempts.password(from(61, 'other@example.com')).kind).toBe('open')
  })

  it('that were right leave the address all that it had', () => {
    const { attempts } = aWorld()
    for (let n = 0; n < 200; n++) right(attempts.password(aGuess({ email: `person${n}@example.com` })))
    expect(attempts.password(aGuess({})).kind).toBe('open')
  })

  it('from many addresses at one person need a code as well, after 30', () => {
    const { clock, attempts } = aWorld()
    for (let n = 0; n < 30; n++) expect(attempts.password(aGuess({ ip: n }))).toMatchObject({ kind: 'open' })
    expect(attempts.password(aGuess({ ip: 30 }))).toEqual({ kind: 'factor_needed' })
    expect(attempts.password(aGuess({ ip: 30, withFactor: true }))).toMatchObject({ kind: 'open', known: false })
    expect(attempts.password(aGuess({ ip: 30, email: 'eve@example.com' }))).toMatchObject({ kind: 'open' })
    clock.advance(2 * 60_000)
    expect(attempts.password(aGuess({ ip: 31 }))).toMatchObject({ kind: 'open' })
    expect(attempts.password(aGuess({ ip: 32 }))).toEqual({ kind: 'factor_needed' })
  })

  it('of 10,000 from 100 networks do not keep out who knows password and code, or has been there before', () => {
    const { attempts } = aWorld()
    for (let n = 0; n < 10_000; n++) attempts.password(aGuess({ ip: ipOf(`2001:db8:0:${(n % 100).toString(16)}::1`) }))
    expect(attempts.password(aGuess({ ip: home }))).toEqual({ kind: 'factor_needed' })
    expect(attempts.password(aGuess({ ip: home, withFactor: true })).kind).toBe('open')
    const fromThere = aGuess({ ip: ipOf('2001:db8:0:1::1'), device: 'laptop' })
    expect(attempts.password(fromThere)).toMatchObject({ kind: 'open', known: true })
  })

  it('of a browser that is known are 10, then it counts as any other', () => {
    const { clock, attempts } = aWorld()
    const guess = () => attempts.password(aGuess({ device: 'laptop' }))
    for (let n = 0; n < 10; n++) expect(guess()).toMatchObject({ kind: 'open', known: true })
    for (let n = 0; n < 5; n++) expect(guess()).toMatchObject({ kind: 'open', known: false })
    expect(guess()).toMatchObject({ kind: 'wait' })
    clock.advance(60_000)
    expect(guess()).toMatchObject({ kind: 'open', known: true })
  })
})

describe('attempts at a second factor', () => {
  it('are 10, then one in 15 minutes', () => {
    const { clock, attempts } = aWorld()
    const guess = () => attempts.factor({ user: 'usr_1', device: null })
    for (let n = 0; n < 10; n++) expect(guess().kind).toBe('open')
    expect(guess()).toEqual({ kind: 'wait', ms: expect.closeTo(15 * 60_000, -1) })
    clock.advance(15 * 60_000)
    expect(guess().kind).toBe('open')
    expect(guess().kind).toBe('wait')
  })

  it('of somebody who has the password do not keep out the browser of whom it belongs to', () => {
    const { attempts } = aWorld()
    for (let n = 0; n < 50; n++) attempts.factor({ user: 'usr_1', device: null })
    expect(attempts.factor({ user: 'usr_1', device: 'laptop' })).toMatchObject({ kind: 'open', known: true })
  })

  it('that were right cost nothing', () => {
    const { attempts } = aWorld()
    for (let n = 0; n < 50; n++) right(attempts.factor({ user: 'usr_1', device: null }))
    expect(attempts.factor({ user: 'usr_1', device: null }).kind).toBe('open')
  })
})

describe('attempts at a link', () => {
  it('are 20 of one peer, then one in 30 s', () => {
    const { clock, attempts } = aWorld()
    for (let n = 0; n < 20; n++) expect(attempts.link(home).kind).toBe('open')
    expect(attempts.link(home)).toEqual({ kind: 'wait', ms: expect.closeTo(30_000, -1) })
    expect(attempts.link(ipOf('192.0.2.2')).kind).toBe('open')
    clock.advance(30_000)
    right(attempts.link(home))
    expect(attempts.link(home).kind).toBe('open')
    expect(attempts.link(home).kind).toBe('wait')
  })
})

function aWorld() {
  const clock = fixedClock()
  return { clock, attempts: createAttempts(clock) }
}

function aGuess({ email = 'ada@example.com', ip = home, device = null as string | null, withFactor = false }) {
  return { email, ip, device, withFactor }
}

function right(gate: Gate): void {
  expect(gate.kind).toBe('open')
  if (gate.kind === 'open') gate.right()
}
