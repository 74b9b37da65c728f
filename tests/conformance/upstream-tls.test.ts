import { describe, expect, it } from 'vitest'

import { startUpstream } from '../../fuzz/lib/upstream.ts'
import { makeAuthority } from '../support/certificates.ts'
import { refusal, startStage } from './support/stage.ts'

describe('an upstream behind TLS', () => {
  it('gets not a byte of the request where nobody vouches for its certificate: 502', async () => {
    const upstream = await startUpstream(undefined, makeAuthority().issue({ names: ['localhost', '127.0.0.1'] }))
    const stage = await startStage({ name: 'plain HTTP' }, { stranger: `upstream: https://127.0.0.1:${upstream.port}` })
    try {
      const answer = await stage.ask(stage.head('GET /').replace('Host: shop.test', 'Host: stranger.test'))
      expect(refusal(answer)).toEqual({ status: 502, code: 'upstream_unreachable' })
      expect(upstream.connections.map(({ bytes }) => bytes()).join('')).toBe('')
    } finally {
      await stage.stop()
      await upstream.close()
    }
  })
})
