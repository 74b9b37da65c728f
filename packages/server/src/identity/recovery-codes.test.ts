import { describe, expect, it } from 'vitest'

import { systemRandom } from '../base/random.ts'
import { newRecoveryCodes, recoveryDigestOf } from './recovery-codes.ts'

describe('recovery codes', () => {
  const { codes, digests } = newRecoveryCodes(systemRandom)

  it('are ten of 80 bits, kept as digests', () => {
    expect(new Set(codes.map((code) => code.reveal())).size).toBe(10)
    for (const code of codes) {
      expect(code.reveal()).toMatch(/^([0-9a-hjkmnp-tv-z]{4}-){3}[0-9a-hjkmnp-tv-z]{4}$/)
      expect(digests).toContainEqual(recoveryDigestOf(code.reveal()))
    }
  })

  it('are taken as people type them', () => {
    const digest = recoveryDigestOf('01ab-cdef-0hjk-m1np')
    expect(recoveryDigestOf(' 01AB CDEF 0HJK MINP ')).toEqual(digest)
    expect(recoveryDigestOf('olabcdefohjkmlnp')).toEqual(digest)
  })

  it.each(['', '01ab-cdef-0hjk-m1n', '01ab-cdef-0hjk-m1npq', '-'.repeat(100_000)])('are not "%s"', (typed) => {
    expect(recoveryDigestOf(typed)).toBeNull()
  })
})
