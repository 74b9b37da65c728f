import { describe, expect, it } from 'vitest'

import { steps, type Step } from './evaluation.ts'
import { bitsOf, Trail } from './trail.ts'

function noted(...passed: readonly Step[]): number {
  const trail = new Trail(false)
  for (const step of passed) trail.add(step, true, 'compared', 'internal_error')
  return trail.checks
}

describe('the bits of a decision', () => {
  it('are no more than a bitwise operation has: 32', () => {
    expect(steps.length).toBeLessThanOrEqual(32)
  })

  it('are one for each step, and no two steps share one', () => {
    for (const [i, step] of steps.entries()) expect(noted(step) >>> 0).toBe(2 ** i)
    expect(noted(...steps) >>> 0).toBe(2 ** steps.length - 1)
  })

  it('are the same noted at once as one by one', () => {
    const trail = new Trail(false)
    trail.pass(bitsOf(['state', 'quotas']))
    expect(trail.checks).toBe(noted('state', 'quotas'))
  })

  it('are the same whether or not the whole trace is wanted', () => {
    const whole = new Trail(true)
    for (const step of steps) whole.add(step, step !== 'quotas', 'compared', 'quota_exceeded')
    expect(whole.checks).toBe(noted(...steps.filter((step) => step !== 'quotas')))
  })
})
