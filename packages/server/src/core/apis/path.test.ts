import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { canonicalPath, comparisonForm, rawPrefixLength, type PathFault } from './path.ts'

const faultOf = (target: string) => {
  const result = canonicalPath(target)
  return result.ok ? null : result.fault
}

describe('canonicalPath', () => {
  it.each([
    ['/', '/', ''],
    ['/v1/orders', '/v1/orders', ''],
    ['/v1/orders/', '/v1/orders/', ''],
    ['/v1/orders?a=1&b=%2F..;', '/v1/orders', '?a=1&b=%2F..;'],
    ['/v1/orders?', '/v1/orders', '?'],
    ['/a?b?c//../d', '/a', '?b?c//../d'],
    ['/%61%7E%2d%5F%30', '/a~-_0', ''],
    ['/v1/a%2Eb', '/v1/a.b', ''],
    ['/v1/...', '/v1/...', ''],
    ['/v1/.well-known/..x', '/v1/.well-known/..x', ''],
    ['/a%3ab%40c', '/a%3Ab%40c', ''],
    ["/a:b@c!$&'()*+,=", "/a:b@c!$&'()*+,=", ''],
    ['/caf%c3%a9', '/caf%C3%A9', ''],
    ['/%f0%9f%92%a9', '/%F0%9F%92%A9', ''],
    ['/100%25', '/100%25', ''],
    ['/100%25off/50%252', '/100%25off/50%252', ''],
    ['/a%252?e', '/a%252', '?e'],
    ['/a%20b', '/a%20b', ''],
    ['/a%3Fb%23c', '/a%3Fb%23c', ''],
    ['/a?x=\u00e9', '/a', '?x=\u00e9'],
  ])('reads %s as %s', (target, path, query) => {
    expect(canonicalPath(target)).toEqual({ ok: true, path, query })
  })

  const hostile: readonly (readonly [string, PathFault])[] = [
    ['', 'not_origin_form'],
    ['*', 'not_origin_form'],
    ['v1/orders', 'not_origin_form'],
    ['?a=1', 'not_origin_form'],
    ['http://evil.test/v1', 'not_origin_form'],
    ['https://shop.example/v1', 'not_origin_form'],
    ['shop.example:443', 'not_origin_form'],
    ['\\v1', 'not_origin_form'],
    ['%2fv1', 'not_origin_form'],
    [' /v1', 'not_origin_form'],
    ['//', 'empty_segment'],
    ['//v1', 'empty_segment'],
    ['//evil.test/v1', 'empty_segment'],
    ['/v1//orders', 'empty_segment'],
    ['/v1/orders//', 'empty_segment'],
    ['/v1/%61//b', 'empty_segment'],
    ['/%61//', 'empty_segment'],
    ['/.', 'dot_segment'],
    ['/..', 'dot_segment'],
    ['/./v1', 'dot_segment'],
    ['/../v1', 'dot_segment'],
    ['/v1/.', 'dot_segment'],
    ['/v1/..', 'dot_segment'],
    ['/v1/./orders', 'dot_segment'],
    ['/v1/../admin', 'dot_segment'],
    ['/v1/..?x', 'dot_segment'],
    ['/v1/%2e', 'dot_segment'],
    ['/v1/%2E%2E/admin', 'dot_segment'],
    ['/v1/.%2e/admin', 'dot_segment'],
    ['/v1/%2e./admin', 'dot_segment'],
    ['/%2e%2e', 'dot_segment'],
    ['/%61/..', 'dot_segment'],
    ['/v1/a%2fb', 'encoded_separator'],
    ['/v1/a%2Fb', 'encoded_separator'],
    ['/v1%2f..%2fadmin', 'encoded_separator'],
    ['/v1/a%5cb', 'encoded_separator'],
    ['/v1/..%5C..%5Cadmin', 'encoded_separator'],
    ['/v1\\admin', 'backslash'],
    ['/\\evil.test', 'backslash'],
    ['/v1/..\\admin', 'backslash'],
    ['/v1;admin', 'semicolon'],
    ['/v1/orders;jsessionid=1', 'semicolon'],
    ['/v1/..;/admin', 'semicolon'],
    ['/v1/%3badmin', 'semicolon'],
    ['/v1/%3Badmin', 'semicolon'],
    ['/v1/%00', 'encoded_control'],
    ['/v1/a%0d%0aHost:x', 'encoded_control'],
    ['/v1/a%09b', 'encoded_control'],
    ['/v1/a%1fb', 'encoded_control'],
    ['/v1/a%7f', 'encoded_control'],
    ['/v1/a%C2%80', 'encoded_control'],
    ['/v1/a%C2%9f', 'encoded_control'],
    ['/v1/\u0000', 'character'],
    ['/v1/a\r\nHost: x', 'character'],
    ['/v1/a\tb', 'character'],
    ['/v1/a b', 'character'],
    ['/v1/\u007f', 'character'],
    ['/v1/caf\u00e9', 'character'],
    ['/v1/\u2215x', 'character'],
    ['/v1/a?b=\u0000', 'character'],
    ['/v1/a?b c', 'character'],
    ['/v1/a?b=\u2028', 'character'],
    ['/v1/%61?b=\n', 'character'],
    ['/v1#admin', 'fragment'],
    ['/v1?x#y', 'fragment'],
    ['/%61#', 'fragment'],
    ['/v1/%', 'malformed_percent'],
    ['/v1/%4', 'malformed_percent'],
    ['/v1/%4?1', 'malformed_percent'],
    ['/v1/%zz', 'malformed_percent'],
    ['/v1/%u002e', 'malformed_percent'],
    ['/v1/%%32%65', 'malformed_percent'],
    ['/v1/%2 e', 'malformed_percent'],
    ['/v1/%252e%252E/admin', 'double_encoding'],
    ['/v1/%252fadmin', 'double_encoding'],
    ['/%2561dmin', 'double_encoding'],
    ['/v1/%25252e', 'double_encoding'],
    ['/v1/%c0%ae%c0%ae/admin', 'invalid_utf8'],
    ['/v1/%c0%af', 'invalid_utf8'],
    ['/v1/%c1%9c', 'invalid_utf8'],
    ['/v1/%e0%80%af', 'invalid_utf8'],
    ['/v1/%f0%80%80%af', 'invalid_utf8'],
    ['/v1/%ed%a0%80', 'invalid_utf8'],
    ['/v1/%f4%90%80%80', 'invalid_utf8'],
    ['/v1/%f8%80%80%80%af', 'invalid_utf8'],
    ['/v1/%ff', 'invalid_utf8'],
    ['/v1/%80', 'invalid_utf8'],
    ['/v1/%c3', 'invalid_utf8'],
    ['/v1/%c3a', 'invalid_utf8'],
    ['/v1/%e2%82', 'invalid_utf8'],
    ['/v1/%c3?%a9', 'invalid_utf8'],
  ]
  it.each(hostile)('refuses %j as %s', (target, fault) => {
    expect(faultOf(target)).toBe(fault)
  })

  it('covers at least sixty hostile targets', () => {
    expect(hostile.length).toBeGreaterThanOrEqual(60)
  })

  it('gives raw routes the path as it came, and nothing where it could not be forwarded', () => {
    expect(canonicalPath('/files/a%2Fb?x=1')).toMatchObject({ raw: { path: '/files/a%2Fb', query: '?x=1' } })
    expect(canonicalPath('/files//b')).toMatchObject({ raw: { path: '/files//b', query: '' } })
    expect(canonicalPath('/files/%00')).toMatchObject({ raw: { path: '/files/%00', query: '' } })
    for (const target of [
      '*',
      'http://x/y',
      '/a\u0000',
      '/a#b',
      '/caf\u00e9',
      '/a//b#c',
      '/a/../b\u0001',
      '/a//b?c\u2028',
    ]) {
      expect(canonicalPath(target)).toMatchObject({ ok: false, raw: null })
    }
  })

  it('changes nothing when it is applied twice', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'/ab.%2fe5C3A9?;~'.split('')), maxLength: 16 }), (tail) => {
        const once = canonicalPath(`/${tail}`)
        fc.pre(once.ok)
        expect(canonicalPath(once.path)).toEqual({ ok: true, path: once.path, query: '' })
      }),
    )
  })

  it('reads every encoding of unreserved characters as the characters themselves', () => {
    const unreserved = 'abcXYZ019-_~'.split('')
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...unreserved), fc.boolean()), { minLength: 1 }), (text) => {
        const plainText = text.map(([letter]) => letter).join('')
        const mixed = text
          .map(([letter, encode]) => (encode ? `%${letter.charCodeAt(0).toString(16)}` : letter))
          .join('')
        expect(canonicalPath(`/${mixed}`)).toEqual({ ok: true, path: `/${plainText}`, query: '' })
      }),
    )
  })

  it('accepts the percent-encoding of any text without separators, controls and dot segments, and keeps its meaning', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (text) => {
        fc.pre(!/[/\\;\p{Cc}]/u.test(text) && text !== '.' && text !== '..')
        const result = canonicalPath(`/${encodeURIComponent(text)}`)
        expect(result.ok && decodeURIComponent(result.path)).toBe(`/${text}`)
      }),
    )
  })

  it('never lets a path through that a URL parser would resolve to another one', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'/ab.%2fe5C\\?'.split('')), maxLength: 14 }), (tail) => {
        const result = canonicalPath(`/${tail}`)
        fc.pre(result.ok)
        expect(new URL(`http://h${result.path}`).pathname).toBe(result.path)
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('comparisonForm', () => {
  it('decodes printable characters that delimit nothing, and no others', () => {
    expect(comparisonForm('/a%3Ab%40%7C%22')).toBe('/a:b@|"')
    expect(comparisonForm('/a%20%25%2F%3F%23%5C%3B%7F%C3%A9')).toBe('/a%20%25%2F%3F%23%5C%3B%7F%C3%A9')
  })
})

describe('rawPrefixLength', () => {
  it('finds the end of an address prefix however it was spelled', () => {
    expect(rawPrefixLength('/shop/v1', '')).toBe(0)
    expect(rawPrefixLength('/shop/v1', '/shop')).toBe(5)
    expect(rawPrefixLength('/%73hop/v1', '/shop')).toBe(7)
    expect(rawPrefixLength('/shop', '/shop')).toBe(5)
    expect(rawPrefixLength('/a/%62/c', '/a/b')).toBe(6)
    expect(rawPrefixLength('/shop?next=/a/b', '/shop')).toBe(5)
    expect(rawPrefixLength('/a/b?/c', '/a/b')).toBe(4)
  })
})
