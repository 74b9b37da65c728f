import { describe, expect, it } from 'vitest'

import { createNameTable } from './certificate.ts'

const find = createNameTable([
  [['shop.example', '*.shop.example'], 'first'],
  [['api.shop.example', 'shop.example', '192.0.2.1'], 'second'],
])

describe('the certificate for a name', () => {
  it.each([
    ['shop.example', 'first'],
    ['SHOP.example', 'first'],
    ['any.shop.example', 'first'],
    ['api.shop.example', 'second'],
    ['192.0.2.1', 'second'],
    ['two.labels.shop.example', null],
    ['.shop.example', null],
    ['xshop.example', null],
    ['example', null],
    ['', null],
    ['__proto__', null],
  ])('of %s is %s: exact before wildcard, one label for a wildcard', (name, expected) => {
    expect(find(name)).toBe(expected)
  })
})
