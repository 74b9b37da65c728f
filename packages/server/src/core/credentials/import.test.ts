import { expect, it } from 'vitest'

import { fixedClock } from '../../base/clock.ts'
import { sha256, sha256Hex } from '../../base/digest.ts'
import { createIds } from '../../base/ids.ts'
import { seededRandom } from '../../base/random.ts'
import { importCredential, parseDigest } from './import.ts'
import type { OAuthClient } from './oauth-client.ts'
import type { AcceptedTerms } from './terms.ts'

it.each([
  ['hex', sha256Hex('hello')],
  ['upper-case hex', sha256Hex('hello').toUpperCase()],
  ['base64', Buffer.from(sha256('hello')).toString('base64')],
  ['base64url', Buffer.from(sha256('hello')).toString('base64url')],
])('reads a digest in %s', (_form, text) => {
  expect(Buffer.from(parseDigest(text) ?? []).toString('hex')).toBe(sha256Hex('hello'))
})

it.each(['', 'abc', 'g'.repeat(64), sha256Hex('hello').slice(1), `${sha256Hex('hello')}0`, '='.repeat(44)])(
  'refuses %j',
  (text) => expect(parseDigest(text)).toBeNull(),
)

const ids = createIds(fixedClock(1), seededRandom(1))

function clientTerms(type: OAuthClient['type']): AcceptedTerms {
  return {
    name: 'App',
    kind: 'oauth_client',
    apis: ['shop'],
    scopes: ['*'],
    role: null,
    ipAllow: [],
    originAllow: null,
    limits: [],
    llm: null,
    oauth: { type, grantTypes: ['authorization_code'], redirectUris: ['https://app.example/'] },
    notBefore: null,
    expiresAt: null,
    metadata: {},
    form: 'key',
    declaredApis: [],
  }
}

it('takes an OAuth client of another system over by its client_id and the digest of its secret', () => {
  const digest = sha256Hex('a secret')
  expect(importCredential(clientTerms('confidential'), { digest, publicId: 'app-1' }, ids)).toMatchObject({
    ok: true,
    value: { publicId: 'app-1', kind: 'oauth_client', oauth: { type: 'confidential' }, secret: { origin: 'imported' } },
  })
  expect(importCredential(clientTerms('confidential'), { digest, publicId: null }, ids)).toMatchObject({
    ok: false,
    error: { path: '/public_id' },
  })
  expect(importCredential(clientTerms('public'), { digest, publicId: 'app-1' }, ids)).toMatchObject({
    ok: false,
    error: { path: '/oauth/type' },
  })
})
