import { describe, expect, it } from 'vitest'

import { withoutKeys } from './masking.ts'

const key = 'acme_sk_live_2QxBxQRgwt5ELeZtGlV94K4aosUH24GdqpeaoF1MoVMe3mOjBF'
const token = 'acme_at_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg4cZD9C'
const jwt = 'eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUifQ.c2lnbmF0dXJl-_'

describe('withoutKeys', () => {
  it.each([
    ['a key alone', key, 'acme_sk_live_2QxBxQRgwt5E***'],
    [
      'a key in a path',
      `/v1/${key}/orders/${key}`,
      '/v1/acme_sk_live_2QxBxQRgwt5E***/orders/acme_sk_live_2QxBxQRgwt5E***',
    ],
    ['a key that is cut off', key.slice(0, -7), 'acme_sk_live_2QxBxQRgwt5E***'],
    [
      'a sandbox key of another brand',
      key.replace('acme', 'former1').replace('live', 'test'),
      'former1_sk_test_2QxBxQRgwt5E***',
    ],
    ['a public id', 'acme_sk_live_2QxBxQRgwt5E', 'acme_sk_live_2QxBxQRgwt5E'],
    ['an id of ours', '/api/v1/credentials/cred_2QxBxQRgwt5E', '/api/v1/credentials/cred_2QxBxQRgwt5E'],
    ['a token', `/v1/${token}`, '/v1/acme_at_***'],
    ['a refresh token that is cut off', token.replace('_at_', '_rt_').slice(0, 20), 'acme_rt_***'],
    ['a code in a redirect that went astray', `/callback/${token.replace('_at_', '_ac_')}`, '/callback/acme_ac_***'],
    [
      'a client secret beside a key',
      `${token.replace('_at_', '_cs_')} ${key}`,
      'acme_cs_*** acme_sk_live_2QxBxQRgwt5E***',
    ],
    ['a JWT', `/v1/${jwt}/orders`, '/v1/eyJ***/orders'],
    ['a JWT without its signature', `${jwt.slice(0, jwt.lastIndexOf('.') + 1)} x`, 'eyJ*** x'],
    ['an encrypted JWT', `${jwt}.AAAAAAAA.BBBBBBBB`, 'eyJ***'],
    ['a JWT behind a word', `Bearer-${jwt}`, 'Bearer-eyJ***'],
    ['a file with dots', '/v1/monkey-business.thumbnail.png', '/v1/monkey-business.thumbnail.png'],
    ['a version that has dots', 'example/1.2.3 (e2e.shop.example)', 'example/1.2.3 (e2e.shop.example)'],
    ['nothing', '/v1/orders/1', '/v1/orders/1'],
  ])('of %s', (_, text, masked) => {
    expect(withoutKeys(text)).toBe(masked)
  })
  it('takes time in proportion to the text, whatever it is made of', () => {
    for (const part of ['e-', 'eyJ', 'eyJ-.', 'eyJaaaaaaaa.', 'a_at_', 'acme_at_0123456789_']) {
      const text = part.repeat(2_000_000 / part.length)
      const began = process.cpuUsage().user
      withoutKeys(text)
      expect(process.cpuUsage().user - began).toBeLessThan(2_000_000)
    }
  })
})
