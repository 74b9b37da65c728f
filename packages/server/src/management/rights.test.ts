import { wire } from '@postern/contract'
import { expect, it } from 'vitest'

import { operations } from './rights.ts'

it('gives every right at least one operation, and every operation a right that is described', () => {
  const used = new Set(Object.values(operations).flatMap(({ right }) => (right === null ? [] : [right])))
  expect([...used].toSorted()).toEqual(Object.keys(wire.rights).toSorted())
})
