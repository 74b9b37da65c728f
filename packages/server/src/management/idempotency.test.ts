import { expect, it } from 'vitest'

import { withoutSecrets } from './idempotency.ts'

it('keeps everything of an answer but its secrets', () => {
  const secret = { id: 'sec_1', value: 'in clear', visible_until: null, hint: 'lear' }
  const body = { credential: { id: 'cred_1' }, secret, credentials: [{ secret }], other: { value: 'kept' } }
  const gone = { ...secret, value: null, secret_unavailable: true }
  expect(withoutSecrets(body)).toEqual({ ...body, secret: gone, credentials: [{ secret: gone }] })
})
