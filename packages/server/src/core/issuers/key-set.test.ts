import { describe, expect, it } from 'vitest'

import { aSigner } from '../jose/testing/signer.ts'
import { keysMax, readKeySet } from './key-set.ts'

const allowed = new Set(['ES256', 'RS256'] as const)
const { jwk } = aSigner('k1')
const other = aSigner('k2').jwk
const read = (body: unknown, held = new Map()) =>
  readKeySet(typeof body === 'string' ? body : JSON.stringify(body), allowed, held)

describe('a key set', () => {
  it('has the keys that are for us, by their ids', () => {
    const secret = { kty: 'oct', k: 'AAAA', kid: 'k3' }
    const set = read({ keys: [jwk, secret, other, { ...other, kid: 'k4', use: 'enc' }, 7, null], more: 'a' })
    expect(set.ok && [...set.value.keys()]).toEqual(['k1', 'k2'])
  })

  it('may have several keys of one id', () => {
    const set = read({ keys: [jwk, { ...other, kid: 'k1' }] })
    expect(set.ok && set.value.get('k1')?.length).toBe(2)
  })

  it('may be empty: then its issuer vouches for none', () => {
    expect(read({ keys: [] })).toEqual({ ok: true, value: new Map() })
  })

  it('keeps the values of keys that are held, and of those alone that are the same', () => {
    const first = read({ keys: [jwk, other] })
    if (!first.ok) throw new Error(first.error)
    const second = read({ keys: [jwk, { ...aSigner('k2').jwk }] }, new Map(first.value))
    if (!second.ok) throw new Error(second.error)
    expect(second.value.get('k1')?.[0]).toBe(first.value.get('k1')?.[0])
    expect(second.value.get('k2')?.[0]).not.toBe(first.value.get('k2')?.[0])
  })

  it.each<[unknown, string]>([
    ['', 'not a JWK Set'],
    ['<html>', 'not a JWK Set'],
    [[], 'not a JWK Set'],
    [{}, 'not a JWK Set'],
    [{ keys: { k1: jwk } }, 'not a JWK Set'],
    [{ Keys: [jwk] }, 'not a JWK Set'],
    [`{"keys":[],"keys":[${JSON.stringify(jwk)}]}`, 'not a JWK Set'],
    ['['.repeat(1_000_000), 'not a JWK Set'],
    [{ keys: Array.from({ length: keysMax + 1 }, () => ({})) }, 'more than 100 keys'],
  ])('is none', (body, reason) => {
    expect(read(body)).toEqual({ ok: false, error: reason })
  })

  it('has a hundred keys at most', () => {
    expect(read({ keys: Array.from({ length: keysMax }, () => ({})) })).toEqual({ ok: true, value: new Map() })
  })
})
