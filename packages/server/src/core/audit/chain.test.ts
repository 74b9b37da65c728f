import { createHash } from 'node:crypto'

import { describe, expect, it } from 'vitest'

import { canonicalJson, commitmentOf, eventHash, genesisHash, type HashedFields } from './chain.ts'

const event: HashedFields = {
  sequence: 1,
  at: 1_000,
  actor: { kind: 'credential', id: 'cred_a' },
  action: 'credential.revoked',
  targetKind: 'credential',
  targetId: 'cred_b',
  account: 'acc_1',
  project: null,
  before: { state: 'active' },
  after: { state: 'revoked' },
  requestId: null,
  commitment: 'c0ffee',
}

describe('the hash chain', () => {
  it('hashes 0x01, the previous hash and the canonical JSON', () => {
    const json =
      '{"account":"acc_1","action":"credential.revoked","actor":{"id":"cred_a","kind":"credential"},' +
      '"after":{"state":"revoked"},"at":1000,"before":{"state":"active"},"commitment":"c0ffee","project":null,' +
      '"requestId":null,"sequence":1,"targetId":"cred_b","targetKind":"credential"}'
    const expected = createHash('sha256')
      .update(`\x01${'\0'.repeat(32)}${json}`, 'latin1')
      .digest('hex')
    expect(eventHash(genesisHash, event)).toBe(expected)
  })

  it('changes with the previous hash and with every field', () => {
    const original = eventHash(genesisHash, event)
    expect(eventHash('1'.repeat(64), event)).not.toBe(original)
    for (const key of Object.keys(event))
      expect(eventHash(genesisHash, { ...event, [key]: 'other' })).not.toBe(original)
  })

  it('does not depend on the order of keys, nor on fields beside its own', () => {
    const reordered = Object.fromEntries(Object.entries(event).toReversed()) as unknown as HashedFields
    expect(eventHash(genesisHash, { ...reordered, hash: 'x' } as HashedFields)).toBe(eventHash(genesisHash, event))
  })

  it('commits to personal fields with a salt', () => {
    const personal = { ip: '192.0.2.1', userAgent: null }
    const one = commitmentOf(Uint8Array.of(1), personal)
    expect(one).toBe(createHash('sha256').update('\x01{"ip":"192.0.2.1","userAgent":null}').digest('hex'))
    expect(commitmentOf(Uint8Array.of(2), personal)).not.toBe(one)
  })
})

describe('canonical JSON', () => {
  it('sorts keys at every depth and drops what JSON drops', () => {
    expect(canonicalJson({ b: [{ d: 1, c: undefined }, undefined], a: 'é"' })).toBe('{"a":"é\\"","b":[{"d":1},null]}')
  })
})
