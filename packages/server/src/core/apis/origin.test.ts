import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { compileOrigins, validOriginEntry } from './origin.ts'

const allows = (entry: string, origin: string) => compileOrigins([entry], true).matches(origin)

describe('an allowed origin', () => {
  it.each([
    ['shop.example', 'https://shop.example'],
    ['shop.example', 'shop.example'],
    ['shop.example', 'https://shop.example:443'],
    ['shop.example', 'shop.example:443'],
    ['https://shop.example', 'shop.example'],
    ['https://shop.example:443', 'https://shop.example'],
    ['Shop.Example', 'https://shop.example'],
    ['HTTPS://SHOP.example', 'https://shop.example'],
    ['yourdomain.com', 'yourdomain.com'],
    ['http://shop.example', 'http://shop.example'],
    ['http://shop.example:80', 'http://shop.example'],
    ['http://shop.example', 'http://shop.example:80'],
    ['http://localhost:5173', 'http://localhost:5173'],
    ['https://shop.example:8443', 'https://shop.example:8443'],
    ['shop.example:8443', 'https://shop.example:8443'],
    ['http://127.0.0.1:3000', 'http://127.0.0.1:3000'],
    ['http://[::1]:3000', 'http://[::1]:3000'],
    ['*.shop.example', 'https://a.shop.example'],
    ['*.shop.example', 'https://a.b.shop.example'],
    ['*.shop.example', 'a.shop.example'],
    ['*.shop.example', 'https://a.shop.example:443'],
    ['https://*.shop.example:8443', 'https://a.shop.example:8443'],
    ['http://*.localhost:3000', 'http://a.localhost:3000'],
    ['capacitor://localhost', 'capacitor://localhost'],
    ['app://com.acme.shop', 'app://com.acme.shop'],
    ['chrome-extension://abcdef', 'chrome-extension://abcdef'],
    ['*', 'https://any.example'],
    ['*', 'yourdomain.com'],
  ])('%s lets %s in', (entry, origin) => {
    expect(allows(entry, origin)).toBe(true)
  })

  const tricks: readonly (readonly [string, string])[] = [
    ['https://good.example', 'null'],
    ['*', 'null'],
    ['*', ''],
    ['https://good.example', ''],
    ['https://good.example', 'https://good.example.evil.test'],
    ['https://good.example', 'https://evilgood.example'],
    ['https://good.example', 'https://evil.good.example'],
    ['https://good.example', 'https://goodXexample'],
    ['https://good.example', 'http://good.example'],
    ['good.example', 'http://good.example'],
    ['https://good.example', 'https://good.example:8443'],
    ['https://good.example', 'https://good.example:80'],
    ['http://good.example', 'http://good.example:443'],
    ['https://good.example', 'https://good.example:'],
    ['https://good.example', 'https://good.example:0443'],
    ['https://good.example', 'https://good.example:443:443'],
    ['https://good.example', 'https://good.example/'],
    ['https://good.example', 'https://good.example/path'],
    ['https://good.example', 'https://good.example?x'],
    ['https://good.example', 'https://good.example#x'],
    ['https://good.example', 'https://good.example@evil.test'],
    ['https://good.example', 'https://evil.test@good.example'],
    ['https://good.example', 'https://good.example%00.evil.test'],
    ['https://good.example', 'https://good.example,https://evil.test'],
    ['https://good.example', 'https://evil.test https://good.example'],
    ['https://good.example', 'https://good.example '],
    ['https://good.example', ' https://good.example'],
    ['https://good.example', 'https://good.example.'],
    ['https://good.example', 'HTTPS://good.example'],
    ['https://good.example', 'https://GOOD.example'],
    ['https://good.example', 'https:/good.example'],
    ['https://good.example', 'https:good.example'],
    ['https://good.example', '//good.example'],
    ['https://good.example', 'https://https://good.example'],
    ['https://good.example', 'https:\\\\good.example'],
    ['https://good.example', 'ftp://good.example'],
    ['https://kube.example', 'https://\u212aube.example'],
    ['*.good.example', 'https://good.example'],
    ['*.good.example', 'https://.good.example'],
    ['*.good.example', 'https://evilgood.example'],
    ['*.good.example', 'https://a.good.example.evil.test'],
    ['*.good.example', 'https://a.goodXexample'],
    ['*.good.example', 'https://evil.test/.good.example'],
    ['*.good.example', 'https://evil.test?.good.example'],
    ['*.good.example', 'https://evil.test#.good.example'],
    ['*.good.example', 'https://evil.test:80/.good.example'],
    ['*.good.example', 'https://user@a.good.example'],
    ['*.good.example', 'https://a..good.example'],
    ['*.good.example', 'https://-a.good.example'],
    ['*.good.example', 'https://A.good.example'],
    ['*.good.example', 'https://a.good.example:8443'],
    ['*.good.example', 'http://a.good.example'],
    ['*.good.example', 'https://*.good.example'],
    ['capacitor://localhost', 'https://localhost'],
    ['capacitor://localhost', 'capacitor://localhost.evil.test'],
    ['capacitor://localhost', 'capacitor://LOCALHOST'],
    ['app://com.acme.shop', 'app://com.acme.shop.evil'],
    ['app://com.acme.shop', 'com.acme.shop'],
    ['http://127.0.0.1:3000', 'http://127.1:3000'],
  ]
  it.each(tricks)('%s keeps %j out', (entry, origin) => {
    expect(allows(entry, origin)).toBe(false)
  })

  it('covers at least forty tricks', () => {
    expect(tricks.length).toBeGreaterThanOrEqual(40)
  })

  it('lets nobody in where the list is empty', () => {
    expect(compileOrigins([], true).matches('https://shop.example')).toBe(false)
  })

  it('lets in each listed origin, and only those', () => {
    const matcher = compileOrigins(['shop.example', '*.cdn.example', 'capacitor://localhost'], false)
    const origins = ['https://shop.example', 'https://a.cdn.example', 'capacitor://localhost', 'https://other.example']
    expect(origins.map((origin) => matcher.matches(origin))).toEqual([true, true, true, false])
  })

  it('a wildcard matches exactly the hosts that end in whole labels of its own', () => {
    const label = fc.stringMatching(/^[a-z0-9]{1,4}$/)
    fc.assert(
      fc.property(fc.array(label, { minLength: 1, maxLength: 4 }), (labels) => {
        const host = labels.join('.')
        expect(allows('*.shop.example', `https://${host}.shop.example`)).toBe(true)
        expect(allows('*.shop.example', `https://${host}shop.example`)).toBe(false)
        expect(allows('*.shop.example', `https://${host}.shop.example.test`)).toBe(false)
      }),
    )
  })

  it('an exact entry matches no mutation of itself', () => {
    const entry = 'https://shop.example'
    fc.assert(
      fc.property(fc.nat(entry.length), fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 3 }), (at, text) => {
        const mutated = entry.slice(0, at) + text + entry.slice(at)
        fc.pre(mutated !== `${entry}:443`)
        expect(allows(entry, mutated)).toBe(false)
      }),
    )
  })
})

describe('validOriginEntry', () => {
  it.each([
    ['', 'cannot be empty'],
    ['null', 'identifies nobody'],
    ['https://shop.example/', 'without a path'],
    ['https://shop.example/checkout', 'without a path'],
    ['https://user@shop.example', 'no user or password'],
    ['https://', 'the host is missing'],
    ['https://shop.example:99999', 'port'],
    ['https://shop.example:0', 'port'],
    ['https://shop.example:', 'port'],
    ['https://[zz]', 'not an IPv6'],
    ['https://a:b:c', 'port'],
    ['https://[::1]x', 'not a host name'],
    ['shop.example.', 'ends with a dot'],
    ['shop..example', 'not a host name'],
    ['-shop.example', 'not a host name'],
    ['shop_.*.example', 'whole leading labels'],
    ['*shop.example', 'whole leading labels'],
    ['*.*.example', 'whole leading labels'],
    ['*.com', 'top-level domain'],
    ['*.127.0.0.1', 'IP address'],
    ['caf\u00e9.example', 'punycode'],
    ['file://x', 'no origin of their own'],
    ['app://*', "app's name"],
    ['app://com.acme.shop/', "app's name"],
  ])('refuses %j because: %s', (entry, reason) => {
    expect(validOriginEntry(entry, true)).toEqual({ ok: false, error: expect.stringContaining(reason) })
  })

  it('accepts "*" only where the preset allows it', () => {
    expect(validOriginEntry('*', true)).toEqual({ ok: true, value: '*' })
    expect(validOriginEntry('*', false)).toMatchObject({ ok: false })
    expect(() => compileOrigins(['*'], false)).toThrow(RangeError)
  })

  it('answers the form that is compared', () => {
    expect(validOriginEntry('Shop.Example', false)).toEqual({ ok: true, value: 'https://shop.example' })
    expect(validOriginEntry('http://Shop.Example:80', false)).toEqual({ ok: true, value: 'http://shop.example' })
    expect(validOriginEntry('App://com.Acme', false)).toEqual({ ok: true, value: 'app://com.Acme' })
  })
})
