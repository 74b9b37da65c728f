import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { attacks } from '../../fuzz/heads/attacks.ts'
import { judge } from '../../fuzz/heads/judge.ts'
import { observe, type Observation } from '../../fuzz/heads/observe.ts'
import { startFuzzGateway, type FuzzGateway, type Slot } from '../../fuzz/lib/gateway.ts'
import { readRequests } from '../../fuzz/strict/request.ts'

const refusals = ['400', '413', '431']
const credential = 'CREDENTIAL'
const lines = `Host: shop.test\r\nX-Api-Key: ${credential}\r\n`
const smuggled = `GET /smuggled HTTP/1.1\r\n${lines}\r\n`

/** Pitfalls 3, 5 and 20: heads on which parsers were seen to disagree. */
describe('a head', () => {
  let gateway: FuzzGateway
  let slot: Slot
  beforeAll(async () => {
    gateway = await startFuzzGateway(1)
    const [first] = gateway.slots
    if (first === undefined) throw new Error('there is one slot')
    slot = first
  })
  afterAll(() => gateway.close())

  const sent = (bytes: string): Promise<Observation> =>
    observe({ port: slot.port, tls: null }, slot.upstream, {
      bytes: bytes.replaceAll(credential, gateway.key),
      cuts: [],
    })

  const known = attacks(lines, smuggled)

  it('pitfall 3: is tried in more than two hundred forms', () => {
    expect(new Set(known.map(({ bytes }) => bytes)).size).toBeGreaterThan(200)
  })

  it.each(known)('pitfalls 3 and 5: is refused, or read as by the letter: $name', async ({ bytes }) => {
    const observation = await sent(bytes)
    const verdict = judge(observation, { identity: gateway.identity(slot) })
    expect(verdict.fault).toBeNull()
    const { requests, rest } = readRequests(bytes)
    expect(requests.map(({ method, target }) => `${method} ${target}`)).toEqual(
      expect.arrayContaining(observation.whole.map(({ method, target }) => `${method} ${target}`)),
    )
    // What has no reading gets one answer, and the connection ends behind it.
    if (rest.kind !== 'malformed') return
    expect(observation.closed).toBe(true)
    if (requests.length === 0) expect(refusals).toContain(verdict.refused.join())
  })

  it.each([
    ['100 lines', 96, 200],
    ['101 lines', 97, 431],
    ['1,001 lines', 997, 431],
    ['2,500 lines', 2_496, 431],
  ])('pitfall 20: of %s with the framing and an identity hidden at its end', async (_name, more, status) => {
    const hidden = 'X-Postern-Account: evil\r\nTransfer-Encoding: chunked\r\n'
    const observation = await sent(
      `POST / HTTP/1.1\r\n${lines}${'X:y\r\n'.repeat(more)}${hidden}\r\n4\r\nhell\r\n0\r\n\r\n`,
    )
    expect(judge(observation, { identity: gateway.identity(slot) }).fault).toBeNull()
    expect(observation.received).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(observation.whole.map(({ body }) => body)).toEqual(status === 200 ? ['hell'] : [])
  })

  it.each([
    ['a head of 16 KiB less one line', 16_200, 200],
    ['a head of more than 16 KiB', 17_000, 431],
  ])('pitfall 20, statement 68: %s', async (_name, bytes, status) => {
    const start = `GET / HTTP/1.1\r\n${lines}X: `.replaceAll(credential, gateway.key)
    const observation = await sent(`${start}${'y'.repeat(bytes - start.length - 4)}\r\n\r\n`)
    expect(observation.received).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
  })

  it.each([
    [8_192, 200],
    [8_193, 414],
  ])('pitfall 20, statement 68: a target of %i bytes', async (bytes, status) => {
    const observation = await sent(`GET /${'x'.repeat(bytes - 1)} HTTP/1.1\r\n${lines}\r\n`)
    expect(observation.received).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(observation.whole).toHaveLength(status === 200 ? 1 : 0)
  })
})
