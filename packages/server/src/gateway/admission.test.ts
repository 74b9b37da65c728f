import { describe, expect, it } from 'vitest'

import { gatewayTo, head, key } from './testing/harness.ts'
import { rawClient, request } from './testing/raw-client.ts'

const get = head('GET / HTTP/1.1', 'Host: a', key)

describe('a route under maintenance', () => {
  const maintenance = { retryAfterMs: 90_000, message: 'We move to a new database.' }

  it('answers 503 with Retry-After to who may call it; nothing is charged, and the upstream is not asked', async () => {
    const { port, upstream, dataPlane } = await gatewayTo(undefined, { route: { maintenance } })
    const answer = await request(port, get)
    expect([answer.status, answer.header('retry-after')]).toEqual([503, ['90']])
    expect(JSON.parse(answer.body)).toMatchObject({
      code: 'maintenance',
      detail: 'The provider has paused this API. Try again after the time in Retry-After. We move to a new database.',
      request_id: answer.header('x-request-id')[0],
    })
    expect([upstream.seen, dataPlane.charged]).toEqual([[], []])
    expect(dataPlane.metered).toMatchObject([{ status: 503, ended: 'answered' }])
  })

  it('says 401 to who may not', async () => {
    const { port } = await gatewayTo(undefined, { route: { maintenance } })
    expect((await request(port, head('GET / HTTP/1.1', 'Host: a', 'X-Api-Key: bad'))).status).toBe(401)
  })

  it('does not wait for a body', async () => {
    const { port } = await gatewayTo(undefined, { route: { maintenance } })
    const client = rawClient(port)
    client.send(head('POST / HTTP/1.1', 'Host: a', key, 'Content-Length: 1000000', 'Expect: 100-continue'))
    expect((await client.answer()).status).toBe(503)
    expect(await client.closed()).not.toContain('100 Continue')
  })
})

describe('the largest header section of a route', () => {
  it('is of names and values together: at the bound it passes, one byte more is 431', async () => {
    const lines = ['Host', 'a', 'X-Api-Key', 'good']
    const headerBytesMax = lines.join('').length + 'X-Big'.length + 100
    const { port, upstream, dataPlane } = await gatewayTo(undefined, { route: { headerBytesMax } })
    const sized = (size: number) => head('GET / HTTP/1.1', 'Host: a', key, `X-Big: ${'x'.repeat(size)}`)
    expect((await request(port, sized(100))).status).toBe(200)
    const answer = await request(port, sized(101))
    expect([answer.status, JSON.parse(answer.body).code]).toEqual([431, 'headers_too_large'])
    expect([upstream.seen.length, dataPlane.charged.length]).toEqual([1, 1])
  })
})
