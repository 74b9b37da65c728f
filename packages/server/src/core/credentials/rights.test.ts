import { expect, it } from 'vitest'

import { beyond, holds } from './rights.ts'

it.each([
  [['*'], 'accounts.read', true],
  [['accounts.*'], 'accounts.read', true],
  [['accounts.read'], 'accounts.read', true],
  [['accounts.read'], 'accounts.create', false],
  [['accounts.*'], 'accountsx.read', false],
  [['account.*'], 'accounts.read', false],
  [[], 'accounts.read', false],
  [['accounts.*'], '*', false],
  [['accounts.read'], 'accounts.*', false],
  [['accounts.*'], 'accounts.*', true],
])('%j holds %s: %s', (held, right, expected) => expect(holds(held, right)).toBe(expected))

it('names what goes beyond', () => {
  expect(beyond(['credentials.*', 'usage.read'], ['credentials.read', 'events.read', '*'])).toEqual([
    'events.read',
    '*',
  ])
})
