import { describe, expect, it } from 'vitest'

import { withoutKeys } from './masking.ts'

const key = 'acme_sk_live_2QxBxQRgwt5ELeZtGlV94K4aosUH24GdqpeaoF1MoVMe3mOjBF'

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
    ['nothing', '/v1/orders/1', '/v1/orders/1'],
  ])('of %s', (_, text, masked) => {
    expect(withoutKeys(text)).toBe(masked)
  })
})
