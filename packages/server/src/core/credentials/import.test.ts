import { expect, it } from 'vitest'

import { sha256, sha256Hex } from '../../base/digest.ts'
import { parseDigest } from './import.ts'

it.each([
  ['hex', sha256Hex('hello')],
  ['upper-case hex', sha256Hex('hello').toUpperCase()],
  ['base64', Buffer.from(sha256('hello')).toString('base64')],
  ['base64url', Buffer.from(sha256('hello')).toString('base64url')],
])('reads a digest in %s', (_form, text) => {
  expect(Buffer.from(parseDigest(text) ?? []).toString('hex')).toBe(sha256Hex('hello'))
})

it.each(['', 'abc', 'g'.repeat(64), sha256Hex('hello').slice(1), `${sha256Hex('hello')}0`, '='.repeat(44)])(
  'refuses %j',
  (text) => expect(parseDigest(text)).toBeNull(),
)
