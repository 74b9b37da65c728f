import { describe, expect, it } from 'vitest'

import { compileIpRanges, formatIp } from '../../base/ip.ts'
import { address, aWorld, lines } from '../testing/world.ts'
import { clientOf } from './client.ts'

const rules = { trustedProxies: compileIpRanges(['10.0.0.0/8', '2001:db8::/32']), plainHttpFrom: compileIpRanges([]) }

function client(peer: string, headers: readonly string[], encrypted = false): { ip: string; secure: boolean } {
  const { ip, secure } = clientOf(aWorld().request({ peer, headers, encrypted }), rules)
  return { ip: formatIp(ip), secure }
}

const forwarded = (...values: readonly string[]) => values.flatMap((value) => ['X-Forwarded-For', value])

describe('the client of a request', () => {
  it.each([
    'X-Forwarded-For',
    'Forwarded',
    'X-Real-IP',
    'CF-Connecting-IP',
    'True-Client-IP',
    'X-Client-IP',
    'X-Cluster-Client-IP',
  ])('is the socket whatever %s says, where the peer is not trusted', (name) => {
    const headers = lines(
      [name, name === 'Forwarded' ? 'for=10.0.0.1;proto=https' : '10.0.0.1'],
      ['X-Forwarded-Proto', 'https'],
    )
    expect(client('203.0.113.7', headers)).toEqual({ ip: '203.0.113.7', secure: false })
  })

  it.each(['Forwarded', 'X-Real-IP', 'CF-Connecting-IP', 'True-Client-IP'])('is never what %s says', (name) => {
    expect(client('10.0.0.1', lines([name, '198.51.100.1'])).ip).toBe('10.0.0.1')
  })

  it.each([
    ['one entry', ['198.51.100.1'], '198.51.100.1'],
    ['a forged one on the left', ['192.0.2.66, 198.51.100.1'], '198.51.100.1'],
    ['a forged trusted one on the left', ['10.0.0.9, 198.51.100.1'], '198.51.100.1'],
    ['a chain of trusted proxies', ['198.51.100.1, 10.0.0.2, 10.0.0.3'], '198.51.100.1'],
    ['a forgery before a chain', ['192.0.2.66, 198.51.100.1, 10.0.0.2'], '198.51.100.1'],
    ['several lines', ['192.0.2.66', '198.51.100.1', '10.0.0.2'], '198.51.100.1'],
    ['only trusted ones', ['10.0.0.3, 10.0.0.2'], '10.0.0.3'],
    ['none', [], '10.0.0.1'],
    ['an empty one', [''], '10.0.0.1'],
    ['a malformed one', ['unknown'], '10.0.0.1'],
    ['a malformed one before trusted ones', ['198.51.100.1, bogus, 10.0.0.2'], '10.0.0.2'],
    ['a port', ['198.51.100.1:4711'], '10.0.0.1'],
    ['quotes', ['"198.51.100.1"'], '10.0.0.1'],
    ['octal digits', ['010.0.0.2'], '10.0.0.1'],
    ['a zone', ['fe80::1%eth0'], '10.0.0.1'],
    ['IPv6', ['198.51.100.1, 2001:db9::1, 2001:db8::2'], '2001:db9::1'],
    ['IPv4 in IPv6', ['::ffff:198.51.100.1, ::ffff:10.0.0.2'], '198.51.100.1'],
    ['spaces and tabs', ['192.0.2.66 ,\t198.51.100.1 '], '198.51.100.1'],
  ] as const)('behind a trusted proxy, with %s', (_, values, expected) => {
    expect(client('10.0.0.1', forwarded(...values)).ip).toBe(expected)
  })

  it.each([
    ['none', [], true, true],
    ['none', [], false, false],
    ['https', ['https'], false, true],
    ['HTTPS', ['HTTPS'], false, true],
    ['http', ['http'], true, false],
    ['an empty one', [''], true, false],
    ['a forged one on the left', ['https, http'], false, false],
    ['a forged line before', ['https', 'http'], false, false],
    ['something else', ['httpsx'], false, false],
  ] as const)('is secure by what the trusted proxy said last: %s %j, TLS %s: %s', (_, values, encrypted, expected) => {
    const headers = values.flatMap((value) => ['x-forwarded-proto', value])
    expect(client('10.0.0.1', headers, encrypted).secure).toBe(expected)
  })

  it('is told apart by the smallest difference of trust', () => {
    expect(client('9.255.255.255', forwarded('198.51.100.1')).ip).toBe('9.255.255.255')
    expect(client('10.255.255.255', forwarded('198.51.100.1')).ip).toBe('198.51.100.1')
    expect(formatIp(address('::ffff:10.0.0.1'))).toBe('10.0.0.1')
  })
})
