import { createPrivateKey, generateKeyPairSync, type JsonWebKey } from 'node:crypto'

import { describe, expect, it } from 'vitest'

import { isSignatureOf, type JwsAlgorithm, jwsAlgorithms } from './algorithms.ts'
import { readVerifyingKey } from './jwk.ts'
import { aSigner, encoded } from './testing/signer.ts'

const every: ReadonlySet<JwsAlgorithm> = new Set(jwsAlgorithms)
const read = (jwk: unknown, allowed = every) => readVerifyingKey(jwk, allowed)
const ec = aSigner('k1').jwk
const rsa = aSigner('k2', 'RS256').jwk
const okp = aSigner('k3', 'Ed25519').jwk

// RFC 7638, section 3.1.
const ofRfc7638 = {
  kty: 'RSA',
  n: '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw',
  e: 'AQAB',
  alg: 'RS256',
  kid: '2011-04-29',
}

describe('a key of a set', () => {
  it('has the thumbprint of RFC 7638, section 3.1', () => {
    expect(read(ofRfc7638)).toMatchObject({
      kid: '2011-04-29',
      algorithms: new Set(['RS256']),
      thumbprint: 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs',
    })
  })

  it('verifies the signature of RFC 7515, appendix A.3, and no other', () => {
    const key = read({
      kty: 'EC',
      crv: 'P-256',
      x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
      y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
      kid: 'a3',
    })
    const signed =
      'eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ'
    const signature = Buffer.from(
      'DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q',
      'base64url',
    )
    if (key === null) throw new Error('no key')
    expect([key.algorithms, isSignatureOf('ES256', signed, signature, key.key)]).toEqual([new Set(['ES256']), true])
    expect(isSignatureOf('ES256', `${signed}Q`, signature, key.key)).toBe(false)
  })

  it('verifies the signature of RFC 8037, appendix A.4', () => {
    const d = 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A'
    const x = '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'
    const key = read({ kty: 'OKP', crv: 'Ed25519', x, kid: 'a4', alg: 'EdDSA' })
    expect(createPrivateKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', d, x } }).type).toBe('private')
    expect(key?.thumbprint).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k')
    const signature = Buffer.from(
      'hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg',
      'base64url',
    )
    const signed = `eyJhbGciOiJFZERTQSJ9.${encoded('Example of Ed25519 signing')}`
    expect(key !== null && isSignatureOf('EdDSA', signed, signature, key.key)).toBe(true)
  })

  it.each(jwsAlgorithms.map((algorithm) => [algorithm] as const))('verifies what is signed with %s', (algorithm) => {
    const signer = aSigner('k1', algorithm)
    const key = read(signer.jwk)
    const [header = '', payload = '', signature = ''] = signer.sign({ iss: 'a' }).split('.')
    expect(
      key !== null && isSignatureOf(algorithm, `${header}.${payload}`, Buffer.from(signature, 'base64url'), key.key),
    ).toBe(true)
  })

  it('is for the algorithms that are allowed and that its type and its own "alg" fit', () => {
    const algorithms = (jwk: unknown, allowed?: ReadonlySet<JwsAlgorithm>) => [
      ...(read(jwk, allowed)?.algorithms ?? []),
    ]
    const { alg: _ofEc, ...anyEc } = ec
    const { alg: _ofRsa, ...anyRsa } = rsa
    expect(algorithms(anyEc)).toEqual(['ES256'])
    expect(algorithms(anyRsa)).toEqual(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'])
    expect(algorithms(anyRsa, new Set(['PS256', 'ES256']))).toEqual(['PS256'])
    expect(algorithms(rsa)).toEqual(['RS256'])
    expect(algorithms({ ...okp, alg: 'EdDSA' })).toEqual(['EdDSA', 'Ed25519'])
    expect(algorithms({ ...okp, alg: 'Ed25519' }, new Set(['EdDSA']))).toEqual(['EdDSA'])
    expect(read(rsa, new Set(['ES256', 'PS256']))).toBeNull()
    expect(read({ ...anyEc, alg: 'HS256' })).toBeNull()
    expect(read({ ...anyEc, alg: 'none' })).toBeNull()
    expect(read({ ...anyEc, alg: 7 })).toBeNull()
  })

  it('is for signatures', () => {
    const kept = [{ use: 'sig' }, { use: undefined }, { key_ops: ['verify'] }, { key_ops: ['sign', 'verify'] }]
    const { use: _use, ...bare } = ec
    for (const more of kept) expect(read(JSON.parse(JSON.stringify({ ...bare, ...more })))).not.toBeNull()
    for (const more of [{ use: 'enc' }, { use: '' }, { key_ops: ['sign'] }, { key_ops: [] }, { key_ops: 'verify' }])
      expect(read({ ...bare, ...more })).toBeNull()
  })

  const shared: JsonWebKey = { kty: 'oct', k: 'c2hhcmVkLXNlY3JldC1zaGFyZWQtc2VjcmV0LXNoYXJlZA' }
  const offCurve = { ...ec, y: Buffer.alloc(32, 2).toString('base64url') }
  const small = generateKeyPairSync('rsa', { modulusLength: 1_024 }).publicKey.export({ format: 'jwk' })

  it.each<[string, unknown]>([
    ['a shared secret', { ...shared, kid: 'k', alg: 'HS256' }],
    ['of no id', { ...ec, kid: undefined }],
    ['with an empty id', { ...ec, kid: '' }],
    ['with a number for its id', { ...ec, kid: 1 }],
    ['with an id of 257 characters', { ...ec, kid: 'k'.repeat(257) }],
    ['with its private part in it', { ...ec, d: 'AAAA' }],
    ['RSA with a prime in it', { ...rsa, p: 'AAAA' }],
    ['off its curve', offCurve],
    ['on another curve', { ...ec, crv: 'secp256k1', alg: undefined }],
    ['with a coordinate that has two spellings', { ...ec, x: `${ec.x}=` }],
    ['without a coordinate', { ...ec, y: undefined }],
    ['RSA of 1,024 bits', { ...small, kid: 'k' }],
    ['RSA with the exponent 1', { ...rsa, e: 'AQ' }],
    ['RSA with an even exponent', { ...rsa, e: 'Ag' }],
    ['for encryption on X25519', { ...okp, crv: 'X25519', alg: undefined }],
    ['of a type that nobody knows', { ...ec, kty: 'AKP' }],
    ['of a type that every object has', { ...ec, kty: 'constructor' }],
    ['no object', 'key'],
    ['null', null],
    ['a list', [ec]],
  ])('is none: %s', (_what, jwk) => {
    expect(read(jwk)).toBeNull()
  })
})
