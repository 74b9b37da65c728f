import { describe, expect, it } from 'vitest'

import { jwtLengthMax, readJwt } from './jws.ts'
import { encoded } from './testing/signer.ts'

const header = encoded('{"alg":"ES256"}')
const claims = encoded('{"iss":"a"}')
const whole = `${header}.${claims}.AAAA`
const fault = (text: string) => {
  const read = readJwt(text)
  return read.ok ? null : read.error
}

describe('a JWT', () => {
  it('is taken apart (RFC 7515, section 7.1)', () => {
    expect(readJwt(whole)).toEqual({
      ok: true,
      value: {
        header: { alg: 'ES256' },
        claims: { iss: 'a' },
        signed: `${header}.${claims}`,
        signature: Buffer.alloc(3),
      },
    })
  })

  it.each([
    ['', 'not three parts'],
    [header, 'not three parts'],
    [`${header}.${claims}`, 'not three parts'],
    [`${header}.${claims}.`, 'not signed'],
    [`${header}.${claims}.AAAA.AAAA`, 'not three parts'],
    [`${header}.AAAA.AAAA.AAAA.AAAA`, 'encrypted, not signed'],
    [`${header}.AAAA.AAAA.AAAA.AAAA.AAAA`, 'not three parts'],
    [`${whole}${'.'.repeat(5_000)}`, 'not three parts'],
    [`.${claims}.AAAA`, 'not plain JSON objects'],
    [`${header}..AAAA`, 'not plain JSON objects'],
    [`${encoded('[]')}.${claims}.AAAA`, 'not plain JSON objects'],
    [`${header}.${encoded('{"iss":"a","iss":"b"}')}.AAAA`, 'not plain JSON objects'],
    [`${encoded('{"alg":"none","alg":"ES256"}')}.${claims}.AAAA`, 'not plain JSON objects'],
  ])('is none: %s', (text, reason) => {
    expect(fault(text)).toBe(reason)
  })

  it('has one spelling: no padding, no other alphabet, no bits left over, nothing between', () => {
    // AAA encodes two bytes and two bits that have to be zero.
    expect(fault(`${header}.${claims}.AAA`)).toBeNull()
    for (const signature of ['AAB', 'AAA=', 'A', 'AA+A', 'AA/A', 'AA A', 'AA\nA', 'AAÄA', 'AAA%3D'])
      expect([signature, fault(`${header}.${claims}.${signature}`)]).toEqual([signature, 'not plain base64url'])
    expect(fault(`${header}=.${claims}.AAAA`)).toBe('not plain base64url')
    expect(fault(`${header}.${claims}==.AAAA`)).toBe('not plain base64url')
  })

  it('is at most 8,192 characters long', () => {
    const of = (length: number) => `${header}.${claims}.${'A'.repeat(length - header.length - claims.length - 2)}`
    expect([fault(of(jwtLengthMax)), fault(of(jwtLengthMax + 1))]).toEqual([null, 'longer than 8192 characters'])
  })
})
