import fc from 'fast-check'
import { createLocalJWKSet, errors, jwtVerify, SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'

import type { JwsAlgorithm } from '../jose/algorithms.ts'
import { aSigner, type Signer } from '../jose/testing/signer.ts'
import { noon } from '../testing/world.ts'
import { anIssuer, anIssuerWorld, issuerUrl, theClaims } from './testing/issuer.ts'

/**
 * The same tokens are shown to a library that others wrote. What it refuses is never taken here; what it takes and is
 * refused here is refused for one of the reasons for which we are stricter.
 */
const algorithms: readonly JwsAlgorithm[] = ['ES256', 'RS256', 'PS256', 'EdDSA']
const signers: readonly Signer[] = algorithms.map((algorithm) => aSigner(`of ${algorithm}`, algorithm))
const stranger = aSigner('of ES256')
const keys = createLocalJWKSet({ keys: signers.map(({ jwk }) => ({ ...jwk, kty: jwk.kty ?? '' })) })
const skewSeconds = 30
const now = noon / 1_000

const world = anIssuerWorld({
  issuers: [anIssuer({ algorithms: new Set(algorithms), clockSkewMs: skewSeconds * 1_000 })],
  signers,
})

/** Null: it is taken. */
async function oursRefuses(token: string): Promise<string | null> {
  const verdict = await world.settled(token)
  if (verdict.kind === 'refused') return verdict.reason
  if (verdict.kind !== 'foreign') return verdict.kind
  const { notBefore, expiresAt, scopesByApi } = verdict.token
  if (noon >= expiresAt) return 'expired'
  if (noon < notBefore) return 'not yet'
  return scopesByApi.has('shop') ? null : 'audience'
}

async function theirsRefuses(token: string): Promise<string | null> {
  try {
    await jwtVerify(token, keys, {
      issuer: issuerUrl,
      audience: 'https://api.example.com',
      typ: 'at+jwt',
      algorithms: [...algorithms],
      requiredClaims: ['exp', 'sub'],
      clockTolerance: skewSeconds,
      currentDate: new Date(noon),
    })
    return null
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof TypeError) return error.message
    throw error
  }
}

/** Where we are stricter, and the rule. */
const stricter: readonly string[] = [
  // RFC 7515, section 2, and RFC 4648, section 3.5: one signature is one text.
  'not plain base64url',
  // RFC 7515, section 4, and RFC 8725, section 2.4: names twice, depth.
  'not plain JSON objects',
  'longer than 8192 characters',
  // RFC 8725, section 3.10: looked at and not followed by theirs, refused here.
  'a key of its own, or where to find one',
  'an extension that is not understood',
  // Theirs takes the only fitting key where a token names none.
  'no key id',
  'another kind of token, such as an ID token',
  'no subject of up to 255 visible characters',
  'scopes or roles that are no texts',
  'an audience that is no text',
  // RFC 9068 has iat; one of the future says that clocks differ by more than is tolerated.
  'not yet',
]

const texts = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.constantFrom('', 'at+jwt', 'JWT', issuerUrl, 'none', 'HS256', 'ES256', '../k', 'read'),
)
const odd = fc.oneof(
  texts,
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(null, true, [], {}, ['a', 'a'], [1], { a: { b: 1 } }, now, now + 40, now - 40, String(now + 600)),
)
const times = fc.oneof(
  fc.integer({ min: now - 2 * skewSeconds, max: now + 2 * skewSeconds }),
  fc.constantFrom(now + skewSeconds, now + skewSeconds + 1, now - skewSeconds, now - skewSeconds - 1, now + 1e9),
)
const claimChanges = fc.record(
  {
    iss: fc.oneof(odd, fc.constantFrom(issuerUrl, `${issuerUrl}/`)),
    aud: fc.oneof(odd, fc.constantFrom('https://api.example.com', ['https://api.example.com', 'x'], ['x'])),
    sub: odd,
    exp: fc.oneof(times, odd),
    nbf: fc.oneof(times, odd),
    iat: fc.oneof(times, odd),
    scope: odd,
    roles: odd,
    nonce: odd,
    jti: odd,
  },
  { requiredKeys: [] },
)
const headerChanges = fc.record(
  {
    alg: fc.oneof(fc.constantFrom<unknown>(...algorithms, 'none', 'HS256', 'ES384', 'es256'), odd),
    typ: fc.oneof(fc.constantFrom<unknown>('at+jwt', 'application/at+jwt', 'AT+JWT', 'JWT'), odd),
    kid: fc.oneof(fc.constantFrom<unknown>(...signers.map(({ kid }) => kid), undefined), odd),
    crit: odd,
    b64: odd,
    zip: odd,
    jku: odd,
    jwk: fc.constantFrom<unknown>(...signers.map(({ jwk }) => jwk)),
    x5t: texts,
    cty: texts,
  },
  { requiredKeys: [] },
)
/** A change of the text itself: at a place from 0 to 1, take away so many characters, put others in. */
const edits = fc.array(
  fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    cut: fc.nat({ max: 3 }),
    put: fc.oneof(fc.constantFrom('', '.', '=', 'A', '-', '_', '+', ' ', 'e30'), fc.string({ maxLength: 2 })),
  }),
  { maxLength: 2 },
)
const rarely = <Value>(some: fc.Arbitrary<Value>, none: Value) =>
  fc.oneof({ weight: 2, arbitrary: fc.constant(none) }, { weight: 1, arbitrary: some })

const tokens = fc
  .record({
    signer: fc.constantFrom(...signers, stranger),
    header: rarely(headerChanges, {}),
    claims: fc.oneof(fc.constant({}), claimChanges),
    edits: rarely(edits, []),
  })
  .map(({ signer, header, claims, edits: changes }) => {
    const token = signer.sign(theClaims(claims), header)
    return changes.reduce((text, { at, cut, put }) => {
      const place = Math.floor(at * text.length)
      return text.slice(0, place) + put + text.slice(place + cut)
    }, token)
  })

describe('the verifier beside another one', () => {
  it('takes nothing that the other refuses, and says why where it refuses what the other takes', async () => {
    const seen = { both: 0, neither: 0 }
    await fc.assert(
      fc.asyncProperty(tokens, async (token) => {
        const [ours, theirs] = [await oursRefuses(token), await theirsRefuses(token)]
        if (ours === null) expect({ ours, theirs }).toEqual({ ours: null, theirs: null })
        else if (theirs === null) expect(stricter).toContain(ours)
        if (ours === null) seen.both++
        else if (theirs !== null) seen.neither++
      }),
      { numRuns: 1_500 },
    )
    // It saw both kinds of answers often.
    expect(seen.both).toBeGreaterThan(100)
    expect(seen.neither).toBeGreaterThan(100)
  })

  it('takes what the other signs', async () => {
    for (const { algorithm, privateKey, kid } of signers) {
      const token = await new SignJWT(theClaims())
        .setProtectedHeader({ alg: algorithm, kid, typ: 'at+jwt' })
        .sign(privateKey)
      expect([algorithm, await oursRefuses(token), await theirsRefuses(token)]).toEqual([algorithm, null, null])
    }
  })

  it('agrees with it on both sides of each boundary of time', async () => {
    const [signer] = signers
    const cases = (['exp', 'nbf'] as const).flatMap((name) =>
      [-31, -30, -29, 29, 30, 31].map((off) => ({ [name]: now + off })),
    )
    for (const claims of cases) {
      const token = signer?.sign(theClaims(claims)) ?? ''
      expect([claims, (await oursRefuses(token)) === null]).toEqual([claims, (await theirsRefuses(token)) === null])
    }
  })
})
