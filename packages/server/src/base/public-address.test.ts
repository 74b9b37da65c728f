import { describe, expect, it } from 'vitest'

import { parseIp } from './ip.ts'
import { isPublicAddress } from './public-address.ts'

const isPublic = (text: string): boolean => {
  const ip = parseIp(text)
  if (ip === null) throw new Error(text)
  return isPublicAddress(ip)
}

describe('a public address', () => {
  it('is none of a loop, a private network, a link, a cloud’s metadata service or a group', () => {
    const own = [
      '0.0.0.0',
      '10.255.255.255',
      '100.64.0.1',
      '127.0.0.1',
      '127.255.255.255',
      '169.254.169.254',
      '172.16.0.1',
      '172.31.255.255',
      '192.168.0.1',
      '198.19.255.255',
      '224.0.0.1',
      '255.255.255.255',
      '::',
      '::1',
      '::ffff:127.0.0.1',
      '::ffff:10.0.0.1',
      '::127.0.0.1',
      '64:ff9b::7f00:1',
      'fc00::1',
      'fdff::1',
      'fe80::1',
      'ff02::1',
      '2002:7f00:1::',
      '2001::1',
      '2001:db8::1',
    ]
    expect(own.filter(isPublic)).toEqual([])
  })

  it('is one beside them', () => {
    const others = ['1.1.1.1', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '126.255.255.255']
    const more = [
      '172.15.255.255',
      '172.32.0.0',
      '192.167.255.255',
      '223.255.255.255',
      '2606:4700::1111',
      '::ffff:8.8.8.8',
    ]
    expect([...others, ...more].filter((text) => !isPublic(text))).toEqual([])
  })
})
