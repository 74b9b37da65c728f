import { createServer as createPlainServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { createServer as createRawServer, type AddressInfo, type Server } from 'node:net'

import { describe, expect, it, onTestFinished } from 'vitest'

import { makeAuthority, type Authority } from '../../../../tests/support/certificates.ts'
import { fixedClock, systemClock } from '../base/clock.ts'
import { compileIpRanges } from '../base/ip.ts'
import type { OutboundAnswer, OutboundRequest } from '../core/outbound.ts'
import { createOutbound, type OutboundOptions } from './client.ts'

const authority: Authority = makeAuthority()
const loopback = compileIpRanges(['127.0.0.0/8'])
const none = compileIpRanges([])

type Handler = (request: IncomingMessage, response: ServerResponse) => void

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}

/** A platform at api.test with a certificate of `from`; every connection to it is counted. */
async function aPlatform(handler: Handler, names = ['api.test'], from = authority) {
  const server = createServer(from.issue({ names }), handler)
  let connections = 0
  server.on('connection', () => connections++)
  const port = await listen(server)
  onTestFinished(() => server.closeAllConnections())
  return { port, connections: () => connections }
}

const outboundTo = (more: Partial<OutboundOptions> = {}) =>
  createOutbound({
    clock: systemClock,
    lookup: () => Promise.resolve(['127.0.0.1']),
    ca: authority.cert,
    ...more,
  })

function get(url: string, more: Partial<OutboundRequest> = {}): OutboundRequest {
  const bounds = { timeoutMs: 10_000, bodyBytesMax: 65_536 }
  return { method: 'GET', url: new URL(url), headers: [], body: null, allowedPrivate: loopback, ...bounds, ...more }
}

const failed = (reason: string) => ({ kind: 'failed', reason })

describe('a call to a third party', () => {
  it('carries what it is given and answers status and body', async () => {
    const seen: unknown[] = []
    const { port } = await aPlatform((request, response) => {
      request.on('data', (chunk: Buffer) => seen.push(String(chunk)))
      request.on('end', () => {
        const { host, authorization, 'user-agent': agent } = request.headers
        seen.push([request.method, request.url, host, authorization, agent])
        response.writeHead(201).end('{"a":1}')
      })
    })
    const request = get(`https://api.test:${port}/v1/me?x=1`, {
      method: 'POST',
      headers: ['Authorization', 'Bearer S3CRET'],
      body: '{"key":"S3CRET"}',
    })
    expect(await outboundTo().send(request)).toMatchObject({
      kind: 'answered',
      status: 201,
      body: '{"a":1}',
      cut: false,
    })
    expect(seen).toEqual(['{"key":"S3CRET"}', ['POST', '/v1/me?x=1', `api.test:${port}`, 'Bearer S3CRET', 'postern']])
  })

  it('follows no redirect', async () => {
    const { port, connections } = await aPlatform((_request, response) =>
      response.writeHead(302, { location: `https://api.test:${port}/elsewhere` }).end(),
    )
    expect(await outboundTo().send(get(`https://api.test:${port}/`))).toMatchObject({ status: 302 })
    expect(connections()).toBe(1)
  })

  it('security 50: reaches no address that is not public, however it is written, unless that is allowed', async () => {
    const { port, connections } = await aPlatform((_request, response) => response.end('inside'))
    const calls: [string, Partial<OutboundOptions>, Partial<OutboundRequest>][] = [
      ['api.test', {}, { allowedPrivate: none }],
      ['api.test', {}, { allowedPrivate: compileIpRanges(['127.0.0.2']) }],
      ['127.0.0.1', {}, { allowedPrivate: none }],
      ['127.1', {}, { allowedPrivate: none }],
      ['2130706433', {}, { allowedPrivate: none }],
      ['0x7f.1', {}, { allowedPrivate: none }],
      ['[::1]', {}, {}],
      ['[::ffff:127.0.0.1]', {}, { allowedPrivate: none }],
      ['[fd00::1]', {}, {}],
      ['169.254.169.254', {}, {}],
      // One name, two addresses: which of them answers is not ours to say.
      ['api.test', { lookup: () => Promise.resolve(['1.1.1.1', '10.0.0.1']) }, {}],
      ['api.test', { lookup: () => Promise.resolve(['nonsense']) }, {}],
    ]
    for (const [host, options, request] of calls) {
      const answer = await outboundTo(options).send(get(`https://${host}:${port}/`, request))
      expect([host, answer]).toEqual([host, failed('address_forbidden')])
    }
    expect(connections()).toBe(0)
  })

  it('looks a name up once, and goes to that address alone', async () => {
    const { port, connections } = await aPlatform((_request, response) => response.end('ok'))
    let asked = 0
    const lookup = () => Promise.resolve(asked++ === 0 ? ['127.0.0.1'] : ['127.0.0.9'])
    expect(await outboundTo({ lookup }).send(get(`https://api.test:${port}/`))).toMatchObject({ status: 200 })
    expect([asked, connections()]).toEqual([1, 1])
  })

  it('sends plain HTTP to allowed addresses alone', async () => {
    const port = await listen(createPlainServer((_request, response) => response.end('plain')))
    const url = `http://api.test:${port}/`
    expect(await outboundTo().send(get(url))).toMatchObject({ status: 200, body: 'plain' })
    expect(await outboundTo().send(get(url, { allowedPrivate: none }))).toEqual(failed('address_forbidden'))
    const lookup = () => Promise.resolve(['1.1.1.1'])
    expect(await outboundTo({ lookup }).send(get(url))).toEqual(failed('address_forbidden'))
  })

  it('security 18: sends nothing where the certificate is not good', async () => {
    let asked = 0
    const handler: Handler = (_request, response) => {
      asked++
      response.end()
    }
    const strange = await aPlatform(handler, ['api.test'], makeAuthority())
    const other = await aPlatform(handler, ['other.test'])
    for (const { port } of [strange, other])
      expect(await outboundTo().send(get(`https://api.test:${port}/`))).toEqual(failed('tls_failed'))
    const plain = await listen(createRawServer((socket) => void socket.end('HTTP/1.1 200 OK\r\n\r\n')))
    expect(await outboundTo().send(get(`https://api.test:${plain}/`))).toEqual(failed('tls_failed'))
    expect(asked).toBe(0)
  })

  it('reads the beginning of an answer that does not end', async () => {
    const { port } = await aPlatform((_request, response) => {
      const more = (): void => {
        while (response.write('x'.repeat(16_384)));
        response.once('drain', more)
      }
      more()
    })
    const answer = await outboundTo().send(get(`https://api.test:${port}/`))
    expect(answer).toMatchObject({ kind: 'answered', status: 200, cut: true })
    expect(answer.kind === 'answered' && answer.body.length).toBe(65_536)
  })

  it('answers an answer of the greatest size as a whole one', async () => {
    const { port } = await aPlatform((_request, response) => response.end('x'.repeat(1_000)))
    const of = (bodyBytesMax: number) => outboundTo().send(get(`https://api.test:${port}/`, { bodyBytesMax }))
    expect(await of(1_000)).toMatchObject({ cut: false, body: 'x'.repeat(1_000) })
    expect(await of(999)).toMatchObject({ cut: true, body: 'x'.repeat(999) })
  })

  it('answers a header by its name, one that came twice as one list', async () => {
    const { port } = await aPlatform((_request, response) =>
      response
        .writeHead(200, [
          ['Cache-Control', 'public'],
          ['cache-control', 'max-age=60'],
        ])
        .end(),
    )
    const answer: OutboundAnswer = await outboundTo().send(get(`https://api.test:${port}/`))
    const header = (name: string) => (answer.kind === 'answered' ? answer.header(name) : '')
    expect([header('cache-control'), header('age')]).toEqual(['public, max-age=60', null])
  })

  it.each([
    ['never answers', (): void => {}],
    ['sends half an answer', (_: IncomingMessage, response: ServerResponse): void => void response.write('half')],
  ] as const)('ends in time where the platform %s', async (_what, handler) => {
    const arrived = Promise.withResolvers<undefined>()
    const { port } = await aPlatform((request, response) => {
      handler(request, response)
      arrived.resolve(undefined)
    })
    const clock = fixedClock()
    const answer = outboundTo({ clock }).send(get(`https://api.test:${port}/`))
    await arrived.promise
    clock.advance(9_999)
    expect(await Promise.race([answer, new Promise((resolve) => setImmediate(resolve, 'waiting'))])).toBe('waiting')
    clock.advance(1)
    expect(await answer).toEqual(failed('timeout'))
  })

  it('ends in time where the name service does not answer', async () => {
    const clock = fixedClock()
    const answer = outboundTo({ clock, lookup: () => new Promise(() => {}) }).send(get('https://api.test/'))
    clock.advance(10_000)
    expect(await answer).toEqual(failed('timeout'))
  })

  it('tells a name without address from a host that does not answer', async () => {
    const unknown = Object.assign(new Error('no such host'), { code: 'ENOTFOUND' })
    const to = (lookup: () => Promise<string[]>) => outboundTo({ lookup }).send(get('https://api.test:9/'))
    expect(await to(() => Promise.reject(unknown))).toEqual(failed('host_unknown'))
    expect(await to(() => Promise.resolve([]))).toEqual(failed('host_unknown'))
    expect(await to(() => Promise.resolve(['127.0.0.1']))).toEqual(failed('unreachable'))
  })

  it('tells an answer that was cut off as none', async () => {
    const { port } = await aPlatform((_request, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('half')
      setImmediate(() => response.destroy())
    })
    expect(await outboundTo().send(get(`https://api.test:${port}/`))).toEqual(failed('unreachable'))
  })
})
