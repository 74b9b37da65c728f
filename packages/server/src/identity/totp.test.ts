import { describe, expect, it } from 'vitest'

import { seededRandom } from '../base/random.ts'
import { Secret } from '../base/secret.ts'
import { grouped, newTotpSecret, otpauthLink, totpStepOf } from './totp.ts'

/** `12345678901234567890` of RFC 6238, appendix B, in base 32. */
const secret = new Secret('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ')

describe('codes of a second factor', () => {
  it.each([
    [59, '287082'],
    [1111111109, '081804'],
    [1111111111, '050471'],
    [1234567890, '005924'],
    [2000000000, '279037'],
    [20000000000, '353130'],
  ])('are those of RFC 6238, appendix B, at %i s', (seconds, code) => {
    expect(totpStepOf(secret, code, seconds * 1000)).toBe(Math.floor(seconds / 30))
  })

  it('are taken one step early and one step late, as the step that they belong to', () => {
    const step = Math.floor(1111111109 / 30)
    const start = step * 30_000
    expect(totpStepOf(secret, '081804', start - 30_000)).toBe(step)
    expect(totpStepOf(secret, '081804', start - 30_001)).toBeNull()
    expect(totpStepOf(secret, '081804', start + 59_999)).toBe(step)
    expect(totpStepOf(secret, '081804', start + 60_000)).toBeNull()
  })

  it('may have spaces', () => {
    expect(totpStepOf(secret, ' 287 082', 59_000)).toBe(1)
  })

  it.each(['287083', '28708', '2870821', '', '٢٨٧٠٨٢', '28708a', '0x4616', '287082\n287082'])(
    'are not "%s"',
    (code) => {
      expect(totpStepOf(secret, code, 59_000)).toBeNull()
    },
  )

  it('come from 160 bits of the random source', () => {
    const made = newTotpSecret(seededRandom(5))
    expect(made.reveal()).toMatch(/^[A-Z2-7]{32}$/)
    expect(grouped(made)).toMatch(/^([A-Z2-7]{4} ){7}[A-Z2-7]{4}$/)
    expect(totpStepOf(made, '000000', 0)).toBeNull()
  })

  it('are set up by a link that names whom it is for', () => {
    expect(otpauthLink(secret, 'acme', 'ada@example.com').reveal()).toBe(
      `otpauth://totp/acme:ada%40example.com?issuer=acme&secret=${secret.reveal()}&algorithm=SHA1&digits=6&period=30`,
    )
  })
})
