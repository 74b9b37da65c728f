import { describe, expect, it } from 'vitest'

import { holdsSecret, redact } from './secret-shape.ts'

const key = `acme_sk_live_0123456789ab${'s'.repeat(32)}${'0'.repeat(6)}`
const token = `acme_at_${'t'.repeat(43)}${'0'.repeat(6)}`
const jwt = 'eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUifQ.c2lnbmF0dXJl-_'

describe('holdsSecret', () => {
  it.each([
    ['a key', key],
    ['a token', token],
    ['a refresh token', token.replace('_at_', '_rt_')],
    ['an authorization code', `https://x/callback?code=${token.replace('_at_', '_ac_')}&state=1`],
    ['a client secret', token.replace('_at_', '_cs_')],
    ['a JWT', `token=${jwt}`],
    ['a link for one person', `http://localhost:8081/invitation/${'l'.repeat(43)}`],
    ['a key inside a line', `curl -H "Authorization: Bearer ${key}" https://x`],
    ['a key as a query parameter', `https://x/v2/links?api_key=${key}&a=1`],
    ['the secret half of a pair', 'X-App-Token: 3f0d5bd6-7b3a-4a62-8a5c-3a2f4b3a9d10'],
    ['Basic credentials', 'Authorization: Basic MDEyMzQ1Njc4OWFiOnNlY3JldA=='],
  ])('finds %s', (_, text) => {
    expect(holdsSecret(text)).toBe(true)
  })

  it.each([
    ['an id', 'cred_0123456789ab'],
    ['a request id', 'req_018f2b3c4d5e7abc8def0123456789ab'],
    ['a variable in a header', 'curl -H "Authorization: Bearer $API_KEY_OF_THE_SHOP" https://x'],
    ['a key that is cut off', key.slice(0, -1)],
    ['a word that is too long', `${key}x`],
    ['a path of the console', 'http://localhost:8081/invitation/about'],
  ])('leaves %s alone', (_, text) => {
    expect(holdsSecret(text)).toBe(false)
  })
})

describe('redact', () => {
  it('keeps what tells keys apart and cuts the rest', () => {
    expect(redact(`Authorization: Bearer ${key}`)).toBe('Authorization: Bearer [cut]')
    expect(redact(`key ${key} and ${token}.`)).toBe('key acme_sk_live_[cut] and acme_at_[cut].')
    expect(redact(`a code acme_ac_${token.slice(8)} and ${jwt}.`)).toBe('a code acme_ac_[cut] and eyJ[cut].')
    expect(redact(`"http://x/reset/${'l'.repeat(43)}"`)).toBe('"http://x/reset/[cut]"')
  })
})
