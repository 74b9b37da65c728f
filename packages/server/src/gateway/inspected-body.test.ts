import { describe, expect, it } from 'vitest'

import type { RequestContract } from '../core/apis/request-contract.ts'
import { headerValue } from '../core/decision/headers.ts'
import type { Principal } from '../core/records/principal.ts'
import { gatewayTo, head, key } from './testing/harness.ts'
import { rawClient, request } from './testing/raw-client.ts'

const aPrincipal: Principal = {
  row: 0,
  generation: 0,
  holder: 0,
  holderGeneration: 0,
  secretRow: 0,
  bearer: null,
  credential: 'cred_1',
  secret: 'sec_1',
  publicId: '',
  kind: 'secret',
  account: '',
  project: 'prj_1',
  environment: 'live',
  region: null,
  scopes: [],
  token: null,
  grant: null,
  subject: null,
  label: null,
}

/** Every body is read whole, and any will do. */
const contract: RequestContract = { headFault: () => null, body: { isRead: () => true, fault: () => null } }
const post = (length: number) => head('POST / HTTP/1.1', 'Host: a', key, `Content-Length: ${length}`)
const chunked = head('POST / HTTP/1.1', 'Host: a', key, 'Transfer-Encoding: chunked')

describe('bodies that are held whole', () => {
  it('have a bound together, and give their room back with the end of their requests', async () => {
    const { port, upstream } = await gatewayTo(undefined, { route: { contract }, wire: { heldBytesMax: 30_000 } })
    const first = rawClient(port)
    first.send(post(20_000) + 'x'.repeat(19_999))
    await expect.poll(() => first.socket.bytesWritten).toBeGreaterThan(19_999)
    // Bodies that fit beside it pass; how much of the first has been read by now is for the system to say.
    await expect.poll(async () => (await request(port, post(20_000) + 'y'.repeat(20_000))).status).toBe(503)
    expect((await request(port, post(9_000) + 'z'.repeat(9_000))).status).toBe(200)
    first.send('x')
    expect((await first.answer()).status).toBe(200)
    for (let i = 0; i < 3; i++) expect((await request(port, post(20_000) + 'y'.repeat(20_000))).status).toBe(200)
    first.socket.destroy()
    expect(upstream.seen.some(({ body }) => body === 'x'.repeat(20_000))).toBe(true)
  })

  it('of one account leave half of the room to others', async () => {
    const { port, dataPlane } = await gatewayTo(undefined, { route: { contract }, wire: { heldBytesMax: 60_000 } })
    const evaluate = dataPlane.evaluate.bind(dataPlane)
    dataPlane.evaluate = (facts, trace) => {
      const found = evaluate(facts, trace)
      const account = headerValue(facts.headers, 'x-account') ?? ''
      return found instanceof Promise ? found : { ...found, principal: { ...aPrincipal, account } }
    }
    const postAs = (account: string) => post(20_000).replace('\r\n\r\n', `\r\nX-Account: ${account}\r\n\r\n`)
    const first = rawClient(port)
    first.send(postAs('acc_1') + 'x'.repeat(19_999))
    const again = async (account: string) => (await request(port, postAs(account) + 'y'.repeat(20_000))).status
    await expect.poll(() => again('acc_1')).toBe(503)
    expect(await again('acc_2')).toBe(200)
    first.send('x')
    expect((await first.answer()).status).toBe(200)
    expect(await again('acc_1')).toBe(200)
    first.socket.destroy()
  })

  it('take no room while they are only announced', async () => {
    const { port } = await gatewayTo(undefined, { route: { contract }, wire: { heldBytesMax: 30_000 } })
    const idle = [rawClient(port), rawClient(port)]
    for (const client of idle)
      client.send(head('POST / HTTP/1.1', 'Host: a', key, 'Content-Length: 30000', 'Expect: 100-continue'))
    for (const client of idle) await client.until('100 Continue')
    expect((await request(port, post(20_000) + 'y'.repeat(20_000))).status).toBe(200)
    for (const client of idle) client.socket.destroy()
  })

  it('give their room back where their client leaves in the middle', async () => {
    const { port } = await gatewayTo(undefined, { route: { contract }, wire: { heldBytesMax: 20_000 } })
    const first = rawClient(port)
    first.send(post(20_000) + 'x'.repeat(19_999))
    await expect.poll(async () => (await request(port, post(20_000) + 'y'.repeat(20_000))).status).toBe(503)
    first.socket.destroy()
    await expect.poll(async () => (await request(port, post(20_000) + 'y'.repeat(20_000))).status).toBe(200)
  })

  it('are whole, and take no more room than their bytes, when they come in the smallest of chunks', async () => {
    const { port, upstream } = await gatewayTo(undefined, {
      route: { contract },
      wire: { heldBytesMax: 131_072 },
    })
    const body = Array.from({ length: 100_000 }, (_, i) => String(i % 10)).join('')
    const client = rawClient(port)
    client.send(`${chunked}${Array.from(body, (byte) => `1\r\n${byte}\r\n`).join('')}0\r\n\r\n`)
    expect((await client.answer()).status).toBe(200)
    expect(upstream.seen[0]?.body === body).toBe(true)
    client.socket.destroy()
  })
})
