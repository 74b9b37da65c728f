import { describe, expect, it } from 'vitest'

import type { Credential } from './credential.ts'
import { standingOf } from './state.ts'

const standing = (fields: Partial<Credential>, now: number) =>
  standingOf({ state: 'active', blockedUntil: null, notBefore: null, expiresAt: null, ...fields }, now)

describe('the standing of a credential', () => {
  it.each([
    ['active without times', {}, 0, 'active'],
    ['before its first instant', { notBefore: 1000 }, 999, 'not_yet_valid'],
    ['from its first instant', { notBefore: 1000 }, 1000, 'active'],
    ['before it expires', { expiresAt: 2000 }, 1999, 'active'],
    ['from the instant it expires', { expiresAt: 2000 }, 2000, 'expired'],
    ['expired at the epoch is expired, not endless', { expiresAt: 0 }, 0, 'expired'],
    ['blocked without end', { state: 'blocked' }, 9e15, 'blocked'],
    ['blocked before the end', { state: 'blocked', blockedUntil: 500 }, 499, 'blocked'],
    ['blocked until the end', { state: 'blocked', blockedUntil: 500 }, 500, 'active'],
    ['blocked, over, but expired', { state: 'blocked', blockedUntil: 500, expiresAt: 600 }, 600, 'expired'],
    ['revoked stays so', { state: 'revoked', blockedUntil: 500 }, 9e15, 'revoked'],
    ['compromised stays so', { state: 'compromised', expiresAt: 1 }, 9e15, 'compromised'],
  ] as const)('%s', (_, fields, now, expected) => {
    expect(standing(fields, now)).toBe(expected)
  })
})
