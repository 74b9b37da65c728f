import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { seededRandom } from '../../base/random.ts'
import { classifyKey, isPresentable, makeKey } from '../credentials/format.ts'
import { digestWords } from '../records/digest-words.ts'
import { aCredential, aSecret } from '../testing/records.ts'
import { aWorld, lines, theSecret } from '../testing/world.ts'
import { Seen } from './seen.ts'

const key = (brand: string, seed: number): string =>
  makeKey({ brand, kind: 'secret', environment: 'live', publicId: '000000000001', random: seededRandom(seed) }).reveal()

const brandLists = [['acme'], ['acme', 'former'], ['former']] as const

function digest(secret: string): readonly number[] {
  const words = new Int32Array(8)
  digestWords(secret, words)
  return [...words]
}

describe('what was worked out of the credential that came last', () => {
  const secret = fc.constantFrom(
    key('acme', 1),
    key('acme', 2),
    `${key('acme', 1)}x`,
    key('former', 3),
    'foreign',
    '',
    'a b',
  )
  const call = fc.oneof(
    fc.record({ ask: fc.constant('shape' as const), secret, brands: fc.constantFrom(...brandLists) }),
    fc.record({ ask: fc.constantFrom('digest' as const, 'presentable' as const), secret }),
  )

  it('is what would have been worked out anew, in whatever order it is asked for', () => {
    fc.assert(
      fc.property(fc.array(call, { maxLength: 30 }), (calls) => {
        const seen = new Seen()
        for (const one of calls) {
          if (one.ask === 'shape') expect(seen.shape(one.secret, one.brands)).toBe(classifyKey(one.secret, one.brands))
          else if (one.ask === 'presentable') expect(seen.isPresentable(one.secret)).toBe(isPresentable(one.secret))
          else {
            const words = new Int32Array(8)
            seen.digest(one.secret, words)
            expect([...words]).toEqual(digest(one.secret))
          }
        }
      }),
    )
  })

  it('decides nothing: on one connection every secret is judged by itself, and from the moment it is dead', () => {
    const world = aWorld({ credential: { secrets: [aSecret(theSecret), aSecret('second')] } })
    const seen = new Seen()
    const code = (presented: string) => world.code({ seen, headers: lines(['X-Api-Key', presented]) })
    expect(['second', theSecret, 'unknown', theSecret, 'second', 'unknown'].map(code)).toEqual([
      'allowed',
      'allowed',
      'credential_unknown',
      'allowed',
      'allowed',
      'credential_unknown',
    ])
    world.table.put(aCredential({ version: 2, state: 'revoked', secrets: [aSecret(theSecret)] }))
    expect([theSecret, 'second'].map(code)).toEqual(['credential_revoked', 'credential_unknown'])
  })
})

describe('requests of one connection', () => {
  const headers = fc.array(
    fc.tuple(
      fc.constantFrom('Authorization', 'authorization', 'X-Api-Key', 'X-App-Id', 'X-App-Token'),
      fc.constantFrom(
        `Bearer ${theSecret}`,
        `bearer ${theSecret}`,
        `Basic ${Buffer.from(`000000000001:${theSecret}`).toString('base64')}`,
        'Basic ???',
        'Bearer',
        'Negotiate x',
        theSecret,
        'unknown',
        ' ',
        '',
      ),
    ),
    { maxLength: 3 },
  )

  it('are decided as if each were the first, whatever came before', () => {
    const world = aWorld()
    fc.assert(
      fc.property(fc.array(headers, { minLength: 1, maxLength: 8 }), (requests) => {
        const seen = new Seen()
        for (const sent of requests) {
          const told = (more: object) => {
            const { allowed, refusal, presented, trace } = world.evaluate({ headers: sent.flat(), ...more })
            return { allowed, refusal, presented, trace }
          }
          expect(told({ seen })).toEqual(told({}))
        }
      }),
    )
  })
})
