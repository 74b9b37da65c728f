import { crc32 } from 'node:zlib'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { base62Alphabet, encodeBase62 } from '../../base/base62.ts'
import { seededRandom } from '../../base/random.ts'
import {
  checksum,
  classifyKey,
  isPresentable,
  makeKey,
  makePair,
  makeToken,
  parseKey,
  type KeyKind,
  type TokenClass,
} from './format.ts'

const brands = ['acme', 'oldacme']
const publicId = '0123456789AB'
const keyKinds: readonly KeyKind[] = ['secret', 'publishable', 'integration', 'management']
const tokenClasses: readonly TokenClass[] = ['access', 'refresh', 'code', 'client_secret']
const valid: readonly string[] = ['key', ...tokenClasses]

/** The published vector: id 0123456789AB, secret CDEFGHIJKLMNOPQRSTUVWXYZabcdefgh. */
const vector = 'acme_sk_live_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefgh2wDaRH'

/** The published vector of a token: secret 0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg. */
const tokenVector = 'acme_at_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg4cZD9C'

const aKey = fc
  .record({
    brand: fc.constantFrom(...brands),
    kind: fc.constantFrom(...keyKinds),
    environment: fc.constantFrom('live' as const, 'sandbox' as const),
    seed: fc.nat(),
  })
  .map(({ seed, ...input }) => makeKey({ ...input, publicId, random: seededRandom(seed) }).reveal())

const aToken = fc
  .record({ brand: fc.constantFrom(...brands), token: fc.constantFrom(...tokenClasses), seed: fc.nat() })
  .map(({ seed, ...input }) => makeToken({ ...input, random: seededRandom(seed) }).reveal())

const someKey = fc.oneof(aKey, aToken)

describe('the published vector', () => {
  it('is a key of ours', () => {
    expect(parseKey(vector, ['acme'])).toEqual({ shape: 'key', kind: 'secret', environment: 'live', publicId })
    expect(classifyKey(vector, ['acme'])).toBe('key')
  })

  it('carries CRC-32/ISO-HDLC, as zlib computes it, of all that stands before', () => {
    expect(checksum('123456789')).toBe(encodeBase62(0xcbf43926, 6))
    expect(vector.slice(-6)).toBe(encodeBase62(crc32(vector.slice(0, -6)), 6))
  })

  it('has a checksum padded with 0 where the number is short', () => {
    const short = Array.from({ length: 5000 }, (_, i) => `x${i}`).find((text) => crc32(text) < 62 ** 5) ?? ''
    expect(checksum(short)).toMatch(/^0[0-9A-Za-z]{5}$/)
  })
})

describe('a made key', () => {
  it('reads back as what it was made of', () => {
    for (const kind of keyKinds) {
      for (const environment of ['live', 'sandbox'] as const) {
        const key = makeKey({ brand: 'acme', kind, environment, publicId, random: seededRandom(3) }).reveal()
        expect(parseKey(key, brands)).toEqual({ shape: 'key', kind, environment, publicId })
      }
    }
  })

  it('says its kind and environment to people', () => {
    const made = keyKinds.map((kind) =>
      makeKey({ brand: 'acme', kind, environment: 'sandbox', publicId, random: seededRandom(3) })
        .reveal()
        .slice(0, 13),
    )
    expect(made).toEqual(['acme_sk_test_', 'acme_pk_test_', 'acme_ik_test_', 'acme_mk_test_'])
  })

  it('matches the published regular expression, each of 100,000', () => {
    const published = /^acme_(sk|pk|ik|mk)_(live|test)_[0-9A-Za-z]{50}$/
    const random = seededRandom(11)
    const seen = new Set<string>()
    let strangers = 0
    for (let i = 0; i < 100_000; i++) {
      const kind = keyKinds[i % 4] ?? 'secret'
      const environment = i % 3 === 0 ? 'live' : 'sandbox'
      const key = makeKey({ brand: 'acme', kind, environment, publicId, random }).reveal()
      if (!published.test(key) || classifyKey(key, brands) !== 'key') strangers++
      seen.add(key)
    }
    expect(strangers).toBe(0)
    expect(seen.size).toBe(100_000)
  })

  it('is of a former brand too', () => {
    const key = makeKey({
      brand: 'oldacme',
      kind: 'publishable',
      environment: 'live',
      publicId,
      random: seededRandom(1),
    }).reveal()
    expect(classifyKey(key, ['acme', 'oldacme'])).toBe('key')
    expect(classifyKey(key, ['acme'])).toBe('foreign')
  })

  it('is told apart where one brand begins another', () => {
    const key = makeKey({
      brand: 'acme2',
      kind: 'secret',
      environment: 'live',
      publicId,
      random: seededRandom(1),
    }).reveal()
    expect(classifyKey(key, ['acme', 'acme2'])).toBe('key')
    expect(classifyKey(key, ['acme'])).toBe('foreign')
  })
})

describe('any mistake in a valid key is seen without a look-up', () => {
  it('one character changed', () => {
    const character = fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code))
    fc.assert(
      fc.property(someKey, fc.nat(), character, (key, position, other) => {
        const at = position % key.length
        fc.pre(key[at] !== other)
        expect(valid).not.toContain(classifyKey(key.slice(0, at) + other + key.slice(at + 1), brands))
      }),
      { numRuns: 3000 },
    )
  })

  it.each([vector, tokenVector])('every single character of %s, changed into every other of the alphabet', (text) => {
    for (let at = 0; at < text.length; at++) {
      for (const other of base62Alphabet) {
        if (other === text[at]) continue
        const changed = text.slice(0, at) + other + text.slice(at + 1)
        expect(parseKey(changed, ['acme']).shape).toBe(at < 5 ? 'foreign' : 'malformed')
      }
    }
  })

  it('case folded', () => {
    expect(classifyKey(vector.toLowerCase(), brands)).toBe('malformed')
    expect(classifyKey(vector.toUpperCase(), brands)).toBe('foreign')
  })

  it('two neighbours swapped', () => {
    fc.assert(
      fc.property(someKey, fc.nat(), (key, position) => {
        const at = position % (key.length - 1)
        const [first, second] = [key.charAt(at), key.charAt(at + 1)]
        fc.pre(first !== second)
        expect(valid).not.toContain(classifyKey(key.slice(0, at) + second + first + key.slice(at + 2), brands))
      }),
    )
  })

  it('cut off anywhere', () => {
    for (let length = 0; length < vector.length; length++) {
      expect(classifyKey(vector.slice(0, length), brands)).toBe(length < 5 ? 'foreign' : 'malformed')
      expect(classifyKey(vector.slice(vector.length - length), brands)).not.toBe('key')
    }
  })

  it('something added in front, at the end or in between', () => {
    fc.assert(
      fc.property(
        someKey,
        fc.nat(),
        fc.string({ minLength: 1, maxLength: 70, unit: 'binary' }),
        (key, position, more) => {
          const at = position % (key.length + 1)
          expect(valid).not.toContain(classifyKey(key.slice(0, at) + more + key.slice(at), brands))
        },
      ),
    )
  })

  it('another character than base 62 in the body, even under a right checksum', () => {
    for (const wrong of ['-', '.', '_', ' ', '/', ':', '@', '[', '`', '{', 'é', 'Ａ']) {
      const unchecked = vector.slice(0, 20) + wrong + vector.slice(21, -6)
      const key = unchecked + checksum(unchecked)
      expect(classifyKey(key, brands)).toBe('malformed')
      expect(parseKey(key, brands)).toEqual({ shape: 'malformed' })
    }
  })

  it('another length, even under a right checksum', () => {
    for (const unchecked of [
      vector.slice(0, -7),
      `${vector.slice(0, -6)}x`,
      `${vector.slice(0, -6)}${'x'.repeat(900)}`,
      'acme_sk_live_',
    ]) {
      expect(classifyKey(unchecked + checksum(unchecked), brands)).toBe('malformed')
      expect(parseKey(unchecked + checksum(unchecked), brands)).toEqual({ shape: 'malformed' })
    }
  })

  it('a class or mode that does not exist, even under a right checksum', () => {
    for (const start of [
      'acme_xk_live_',
      'acme_ss_live_',
      'acme_sk_prod_',
      'acme_SK_live_',
      'acme_sk-live_',
      'acme_at_live_',
    ]) {
      const unchecked = start + vector.slice(13, -6)
      expect(classifyKey(unchecked + checksum(unchecked), brands)).toBe('malformed')
      expect(parseKey(unchecked + checksum(unchecked), brands)).toEqual({ shape: 'malformed' })
    }
  })
})

describe('a made token, code or client secret', () => {
  it('is what the published vector is', () => {
    expect(parseKey(tokenVector, ['acme'])).toEqual({ shape: 'access' })
    expect(classifyKey(tokenVector, ['acme'])).toBe('access')
    expect(tokenVector.slice(-6)).toBe(encodeBase62(crc32(tokenVector.slice(0, -6)), 6))
  })

  it.each([
    ['access', /^acme_at_[0-9A-Za-z]{49}$/],
    ['refresh', /^acme_rt_[0-9A-Za-z]{49}$/],
    ['code', /^acme_ac_[0-9A-Za-z]{49}$/],
    ['client_secret', /^acme_cs_[0-9A-Za-z]{49}$/],
  ] as const)('says its class: %s', (token, form) => {
    const random = seededRandom(5)
    const made = Array.from({ length: 1000 }, () => makeToken({ brand: 'acme', token, random }).reveal())
    expect(made.filter((text) => !form.test(text) || classifyKey(text, brands) !== token)).toEqual([])
    expect(new Set(made).size).toBe(1000)
  })

  it('is of no other class under the same secret, even with a right checksum for a class that does not exist', () => {
    for (const letters of ['ak', 'xt', 'ct', 'as', 'cc', 'rc', 'AT']) {
      const unchecked = `acme_${letters}_${tokenVector.slice(8, -6)}`
      expect(classifyKey(unchecked + checksum(unchecked), brands)).toBe('malformed')
      expect(parseKey(unchecked + checksum(unchecked), brands)).toEqual({ shape: 'malformed' })
    }
  })

  it('of another length is malformed, even under a right checksum', () => {
    for (const unchecked of [tokenVector.slice(0, -7), `${tokenVector.slice(0, -6)}x`, 'acme_at_']) {
      expect(classifyKey(unchecked + checksum(unchecked), brands)).toBe('malformed')
    }
  })
})

describe('a JWT', () => {
  const jwt = 'eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUifQ.c2lnbmF0dXJl-_'

  it.each([
    ['with its three parts', jwt, 'jwt'],
    ['without a signature', jwt.slice(0, jwt.lastIndexOf('.') + 1), 'jwt'],
    ['without its last dot', jwt.slice(0, jwt.lastIndexOf('.')), 'foreign'],
    ['encrypted, of five parts', `${jwt}.AAAA.BBBB`, 'foreign'],
    ['whose header is no JSON object', jwt.slice(1), 'foreign'],
    ['with an empty payload', 'eyJhbGciOiJFUzI1NiJ9..c2ln', 'foreign'],
    ['in the other alphabet of base64', jwt.replace('-', '+'), 'foreign'],
    ['with padding', `${jwt}=`, 'foreign'],
  ])('%s', (_, text, shape) => {
    expect(classifyKey(text, brands)).toBe(shape)
    expect(parseKey(text, brands)).toEqual({ shape })
  })
})

describe('text of others', () => {
  it.each([
    '',
    'x',
    'acm',
    'acme',
    'acmesk_live_x',
    'sk_live_4eC39HqLyjWDarjtT1zdp7dc',
    'ghp_abc',
    'Acme_sk_live_x',
    '__proto__',
    'constructor',
  ])('is foreign: %j', (text) => {
    expect(parseKey(text, brands)).toEqual({ shape: 'foreign' })
    expect(classifyKey(text, brands)).toBe('foreign')
  })

  it('is read alike by the two readers', () => {
    const text = fc.oneof(
      fc.string(),
      someKey,
      fc.string({ unit: fc.constantFrom('e', '.', 'A', '-') }).map((rest) => `e${rest}`),
      fc.string().map((rest) => `acme_${rest}`),
      fc.string().map((rest) => `acme_at_${rest}`),
      fc.string().map((rest) => `acme_sk_live_${rest}`),
    )
    fc.assert(
      fc.property(text, (sent) => {
        expect(parseKey(sent, brands).shape).toBe(classifyKey(sent, brands))
      }),
    )
  })
})

describe('a made pair', () => {
  it('is two UUIDs of version 4 that have nothing in common', () => {
    const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
    const pair = makePair('uuid', seededRandom(1))
    expect(pair.publicId).toMatch(uuid)
    expect(pair.secret.reveal()).toMatch(uuid)
    expect(pair.publicId).not.toBe(pair.secret.reveal())
  })

  it('is base 62 where the preset has no shape of its own', () => {
    const pair = makePair('base62', seededRandom(1))
    expect(pair.publicId).toMatch(/^[0-9A-Za-z]{20}$/)
    expect(pair.secret.reveal()).toMatch(/^[0-9A-Za-z]{43}$/)
  })
})

describe('what can be a credential', () => {
  it.each([
    ['', false],
    ['x', true],
    ['!~', true],
    ['a'.repeat(1024), true],
    ['a'.repeat(1025), false],
    [`e${'a'.repeat(8000)}.a.`, true],
    [`e${'a'.repeat(8188)}.a.`, true],
    [`e${'a'.repeat(8189)}.a.`, false],
    [`e${'a'.repeat(8000)}.a`, false],
    [' a', false],
    ['a ', false],
    ['a b', false],
    ['a\tb', false],
    ['a\u0000', false],
    ['a\u007f', false],
    ['é', false],
    ['\u00a0', false],
    ['__proto__', true],
  ])('%j: %s', (text, expected) => {
    expect(isPresentable(text)).toBe(expected)
  })
})
