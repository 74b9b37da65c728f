import { describe, expect, it } from 'vitest'

import { HeldBodies } from './held-bodies.ts'

describe('the room for bodies that are held whole', () => {
  it('is for all together, and half of it for one account', () => {
    const held = new HeldBodies(100)
    expect([held.claim('acc_1', 50), held.claim('acc_1', 1)]).toEqual([true, false])
    expect([held.claim('acc_2', 50), held.claim('acc_3', 1)]).toEqual([true, false])
  })

  it('is given back, to whom it was taken from', () => {
    const held = new HeldBodies(100)
    expect([held.claim('acc_1', 30), held.claim('acc_1', 20), held.claim('acc_2', 50)]).toEqual([true, true, true])
    held.release('acc_1', 30)
    expect([held.claim('acc_2', 1), held.claim('acc_1', 31), held.claim('acc_1', 30)]).toEqual([false, false, true])
    held.release('acc_1', 50)
    held.release('acc_2', 50)
    expect([held.claim('acc_2', 50), held.claim('acc_1', 50)]).toEqual([true, true])
  })

  it('takes nothing where there is none', () => {
    const held = new HeldBodies(100)
    expect([held.claim('acc_1', 51), held.claim('acc_1', 50)]).toEqual([false, true])
    expect([held.claim(null, 51), held.claim(null, 50), held.claim(null, 1)]).toEqual([false, true, false])
  })
})
