import { describe, expect, it } from 'vitest'

import { gatewayTo, head, key } from '../../packages/server/src/gateway/testing/harness.ts'
import { rawClient } from '../../packages/server/src/gateway/testing/raw-client.ts'

describe('pitfall 21: a client that is slow on purpose', () => {
  it('has as long for its head as anybody, however often it says something', async () => {
    const { port, upstream } = await gatewayTo(undefined, { wire: { headTimeoutMs: 150 } })
    const client = rawClient(port)
    const slow = head('GET / HTTP/1.1', 'Host: a', key, `X: ${'y'.repeat(1_000)}`)
    let at = 0
    const timer = setInterval(() => client.send(slow.charAt(at++)), 5)
    const answer = await client.answer()
    clearInterval(timer)
    expect([answer.status, JSON.parse(answer.body).code, answer.header('connection')]).toEqual([
      408,
      'request_timeout',
      ['close'],
    ])
    expect(upstream.seen).toEqual([])
    client.socket.destroy()
  })

  it('has no more time between two requests than it has before the first', async () => {
    const { port } = await gatewayTo(undefined, { wire: { headTimeoutMs: 150 } })
    const client = rawClient(port)
    client.send(head('GET / HTTP/1.1', 'Host: a', key))
    expect((await client.answer()).status).toBe(200)
    client.send('GET / HTTP/1.1\r\nHo')
    expect((await client.answer()).status).toBe(408)
    client.socket.destroy()
  })
})
