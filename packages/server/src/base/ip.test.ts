import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { compileIpRanges, formatIp, type Ip, ipBucket, ipInRanges, parseCidr, parseIp } from './ip.ts'

/** Spelling → its one form, or null where it is refused. */
const spellings: readonly (readonly [string, string | null])[] = [
  ['0.0.0.0', '0.0.0.0'],
  ['127.0.0.1', '127.0.0.1'],
  ['192.0.2.1', '192.0.2.1'],
  ['255.255.255.255', '255.255.255.255'],
  ['128.0.0.0', '128.0.0.0'],
  ['256.0.0.1', null],
  ['1.2.3', null],
  ['127.1', null],
  ['2130706433', null],
  ['0x7f000001', null],
  ['0x7f.0.0.1', null],
  ['0177.0.0.1', null],
  ['127.0.0.01', null],
  ['010.0.0.1', null],
  ['1.2.3.4.5', null],
  ['1.2.3.4.', null],
  ['.1.2.3.4', null],
  ['1..2.3', null],
  ['1.2.3.-4', null],
  ['+1.2.3.4', null],
  [' 1.2.3.4', null],
  ['1.2.3.4 ', null],
  ['1.2.3.4\n', null],
  ['1.2.3.4:80', null],
  ['1.2.3.4/32', null],
  ['１.2.3.4', null],
  ['1。2。3。4', null],
  ['', null],
  ['localhost', null],
  ['unknown', null],
  ['_hidden', null],
  ['::', '::'],
  ['::1', '::1'],
  ['0:0:0:0:0:0:0:1', '::1'],
  ['0000:0000:0000:0000:0000:0000:0000:0001', '::1'],
  ['2001:DB8::A', '2001:db8::a'],
  ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
  ['::2:3:4:5:6:7:8', '0:2:3:4:5:6:7:8'],
  ['1::', '1::'],
  ['ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::FFFF:192.0.2.1', '192.0.2.1'],
  ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
  ['::ffff:c000:201', '192.0.2.1'],
  ['::ffff:0:0', '0.0.0.0'],
  ['::192.0.2.1', '::c000:201'],
  ['::fffe:192.0.2.1', '::fffe:c000:201'],
  ['64:ff9b::192.0.2.1', '64:ff9b::c000:201'],
  ['::ffff:192.0.2.01', null],
  ['::ffff:192.0.2', null],
  ['::ffff:0300.0.2.1', null],
  ['fe80::1%eth0', null],
  ['fe80::1%25eth0', null],
  ['[::1]', null],
  ['[::1]:443', null],
  ['1::2::3', null],
  [':::', null],
  ['1:2:3:4:5:6:7', null],
  ['1:2:3:4:5:6:7:8:9', null],
  ['12345::', null],
  ['g::', null],
  ['::1/128', null],
]

describe('parseIp', () => {
  it.each(spellings)('reads %j as %j', (text, expected) => {
    const ip = parseIp(text)
    expect(ip === null ? null : formatIp(ip)).toBe(expected)
  })

  it('gives IPv4 as a number and IPv6 as a bigint, so that the two never meet', () => {
    expect(parseIp('1.2.3.4')).toBe(0x01020304)
    expect(parseIp('::ffff:1.2.3.4')).toBe(0x01020304)
    expect(parseIp('::1.2.3.4')).toBe(0x01020304n)
  })

  it('reads back what it prints', () => {
    const v4 = fc.nat({ max: 0xffff_ffff })
    const v6 = fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }).filter((value) => value >> 32n !== 0xffffn)
    fc.assert(
      fc.property(fc.oneof(v4, v6), (ip) => {
        expect(parseIp(formatIp(ip))).toBe(ip)
      }),
    )
  })
})

const allows = (entries: readonly string[], text: string): boolean => {
  const ip = parseIp(text)
  if (ip === null) throw new Error(text)
  return ipInRanges(ip, compileIpRanges(entries))
}

describe('ranges', () => {
  it.each([
    ['10.0.0.0/8', '9.255.255.255', false],
    ['10.0.0.0/8', '10.0.0.0', true],
    ['10.0.0.0/8', '10.255.255.255', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['10.1.2.3/8', '10.200.0.1', true],
    ['192.0.2.4/31', '192.0.2.3', false],
    ['192.0.2.4/31', '192.0.2.4', true],
    ['192.0.2.4/31', '192.0.2.5', true],
    ['192.0.2.4/31', '192.0.2.6', false],
    ['192.0.2.4/32', '192.0.2.4', true],
    ['192.0.2.4/32', '192.0.2.5', false],
    ['192.0.2.4', '192.0.2.4', true],
    ['0.0.0.0/0', '255.255.255.255', true],
    ['0.0.0.0/0', '::1', false],
    ['::/0', 'ffff::', true],
    ['::/0', '1.2.3.4', false],
    ['128.0.0.0/1', '127.255.255.255', false],
    ['128.0.0.0/1', '128.0.0.0', true],
    ['2001:db8::/32', '2001:db7:ffff:ffff:ffff:ffff:ffff:ffff', false],
    ['2001:db8::/32', '2001:db8::', true],
    ['2001:db8::/32', '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff', true],
    ['2001:db8::/32', '2001:db9::', false],
    ['2001:db8::1/128', '2001:db8::1', true],
    ['2001:db8::1/128', '2001:db8::2', false],
    ['::ffff:10.0.0.0/104', '10.9.9.9', true],
    ['::ffff:10.0.0.0/104', '11.0.0.0', false],
    ['10.0.0.0/8', '::ffff:10.1.1.1', true],
  ])('%s and %s: %s', (range, ip, expected) => {
    expect(allows([range], ip)).toBe(expected)
  })

  it.each([
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/08',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0.0/8 ',
    '10.0/8',
    '010.0.0.0/8',
    '::/129',
    '::ffff:0:0/95',
    'fe80::1%eth0/64',
    '10.0.0.0/255.0.0.0',
    'example.com',
    '',
    '/8',
  ])('refuses the range %j', (text) => {
    expect(parseCidr(text)).toBeNull()
    expect(() => compileIpRanges(['10.0.0.1', text])).toThrow(`"${text}" is not an IP address or CIDR range`)
  })

  it('of no entries hold nothing', () => {
    expect(allows([], '1.2.3.4')).toBe(false)
    expect(allows([], '::1')).toBe(false)
  })

  it('that touch or overlap become one', () => {
    const { v4, v6 } = compileIpRanges(['10.0.0.128/25', '10.0.0.0/25', '10.0.0.7', '10.0.2.0/24', '::/1', '8000::/1'])
    expect([...v4]).toEqual([0x0a000000, 0x0a0000ff, 0x0a000200, 0x0a0002ff])
    expect(v6).toEqual([0n, (1n << 128n) - 1n])
  })

  it('merged hold exactly what the entries hold one by one', () => {
    const v4 = fc
      .tuple(fc.nat({ max: 255 }), fc.integer({ min: 24, max: 32 }))
      .map(([ip, length]) => `10.0.0.${ip}/${length}`)
    const v6 = fc
      .tuple(fc.nat({ max: 255 }), fc.integer({ min: 120, max: 128 }))
      .map(([ip, length]) => `2001:db8::${ip.toString(16)}/${length}`)
    const probes: Ip[] = []
    for (let i = 0; i < 256; i++) probes.push(0x0a000000 + i, (0x20010db8n << 96n) + BigInt(i))
    fc.assert(
      fc.property(fc.array(fc.oneof(v4, v6), { maxLength: 12 }), (entries) => {
        const merged = compileIpRanges(entries)
        const single = entries.map((entry) => compileIpRanges([entry]))
        for (const ip of probes) {
          expect(ipInRanges(ip, merged)).toBe(single.some((ranges) => ipInRanges(ip, ranges)))
        }
      }),
    )
  })
})

describe('ipBucket', () => {
  it('is the address itself for IPv4 and the /64 for IPv6', () => {
    expect(bucketOf('192.0.2.1')).toBe('192.0.2.1')
    expect(bucketOf('2001:db8:1:2:ffff:ffff:ffff:ffff')).toBe('2001:db8:1:2::')
    expect(bucketOf('2001:db8:1:2::')).toBe('2001:db8:1:2::')
    expect(bucketOf('2001:db8:1:3::')).toBe('2001:db8:1:3::')
  })
})

function bucketOf(text: string): string {
  return formatIp(ipBucket(parseIp(text) ?? 0))
}

it('an address is never told as another with the same last bits', () => {
  const texts = ['10.0.0.1', '10.0.4.1', '255.255.255.255', '127.255.255.255', '0.0.0.0', '0.0.4.0', '10.0.0.1']
  expect(texts.map((text) => formatIp(parseIp(text) ?? 0))).toEqual(texts)
  expect(texts.toReversed().map((text) => formatIp(parseIp(text) ?? 0))).toEqual(texts.toReversed())
})
