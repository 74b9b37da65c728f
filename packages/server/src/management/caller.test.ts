import type { FastifyRequest } from 'fastify'
import { expect, it } from 'vitest'

import { callerOf, scopeOf } from './caller.ts'

it('throws where a handler is reached without a decision (86)', () => {
  expect(() => callerOf({ caller: null } as FastifyRequest)).toThrow('without a decision')
})

it("sees everything in the operator's account, and one account in any other", () => {
  const principal = { account: 'postern' } as Parameters<typeof scopeOf>[0]
  expect(scopeOf(principal)).toBeNull()
  expect(scopeOf({ ...principal, account: 'acc_1' })).toBe('acc_1')
})
