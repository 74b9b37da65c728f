import { describe, expect, it } from 'vitest'

import { gatewayTo, head, key } from './testing/harness.ts'
import { request } from './testing/raw-client.ts'

const identity = [
  'Credential',
  'Kind',
  'Account',
  'Project',
  'Environment',
  'Api',
  'Scopes',
  'Subject',
  'Grant',
  'Request',
]

/** Spellings that some upstream reads as the same header: in any case, and with anything that a name may have for `-`. */
const spellings = identity
  .flatMap((name) => [
    `X-Postern-${name}`,
    `x-postern-${name.toLowerCase()}`,
    `X-POSTERN-${name.toUpperCase()}`,
    `X_Postern_${name}`,
    `X-Postern_${name}`,
    `x.postern.${name.toLowerCase()}`,
    `X_Postern.${name}`,
  ])
  .concat(['!', '#', '$', '%', '&', "'", '*', '+', '^', '`', '|', '~'].map((mark) => `X${mark}Postern${mark}Account`))
  .concat(['X-Postern-Anything', 'x-postern-', 'X_POSTERN_ANYTHING'])

const stated = [
  'Forwarded',
  'X-Forwarded-For',
  'x_forwarded_for',
  'X-Forwarded-Host',
  'X-Forwarded-Proto',
  'X-Forwarded-Port',
  'X-Forwarded-Prefix',
  'X-Forwarded-Server',
  'X-Forwarded-Scheme',
  'X~Forwarded~For',
  'X-Real-IP',
  'X_Real_IP',
  'X-Client-IP',
  'Client-IP',
  'X-Originating-IP',
  'X-Remote-IP',
  'X-Remote-Addr',
  'X-ProxyUser-IP',
  'WL-Proxy-Client-IP',
  'X-Azure-ClientIP',
  'X-AppEngine-User-IP',
  'CF-Connecting-IPv6',
  'CF-Pseudo-IPv4',
  'X-Forward-For',
  'True-Client-IP',
  'CF-Connecting-IP',
  'X-Original-URL',
  'X-Original-URI',
  'X-Rewrite-URL',
  'X-Original-Method',
  'X-HTTP-Method-Override',
  'X-HTTP-Method',
  'X-Method-Override',
  'X-Envoy-Original-Path',
  'X-Original-Forwarded-For',
  'X-Original-Path',
  'X-URL-Scheme',
  'Front-End-Https',
  'Remote-User',
  'X-Remote-User',
  'X-Middleware-Subrequest',
  'X-Request-Id',
  'Proxy',
]

const ofConnection = [
  'Keep-Alive',
  'Proxy-Connection',
  'Proxy-Authorization',
  'Proxy-Authenticate',
  'TE',
  'Trailer',
  'HTTP2-Settings',
]

describe('a header that only the gateway may state', () => {
  it('is tried in more than forty spellings', () => {
    expect(spellings.length).toBeGreaterThan(40)
  })

  it.each([...spellings, ...stated, ...ofConnection])('never reaches the upstream from a client: %s', async (name) => {
    const { port, upstream } = await gatewayTo()
    const answer = await request(port, head('GET / HTTP/1.1', 'Host: a', `${name}: evil`, key, `${name}: evil`))
    expect(answer.status).toBe(200)
    expect(upstream.seen).toHaveLength(1)
    expect(upstream.seen[0]?.lines.filter(([, value]) => value.includes('evil'))).toEqual([])
    expect(upstream.seen[0]?.lines.map(([known]) => known).filter((known) => known.startsWith('X-Postern-'))).toEqual(
      identity.map((one) => `X-Postern-${one}`),
    )
  })

  it('is there even where a client names it, and what it may name is gone', async () => {
    const { port, upstream } = await gatewayTo()
    const nominated =
      'close, X-Postern-Api, x-postern-request, X-Forwarded-For, X-Request-Id, Content-Length, Host, X-Own, Cookie'
    const answer = await request(
      port,
      head(
        'POST / HTTP/1.1',
        'Host: a',
        key,
        `Connection: ${nominated}`,
        'X-Own: 1',
        'Cookie: c=1',
        'X-Kept: 2',
        'Content-Length: 2',
      ) + 'hi',
    )
    const [requestId = ''] = answer.header('x-request-id')
    expect(upstream.seen[0]?.body).toBe('hi')
    expect(upstream.seen[0]?.lines).toEqual([
      ['Host', `127.0.0.1:${upstream.port}`],
      ['X-Kept', '2'],
      ...identity.map((name) => [`X-Postern-${name}`, name === 'Api' ? 'shop' : name === 'Request' ? requestId : '']),
      ['X-Forwarded-For', '127.0.0.1'],
      ['X-Forwarded-Host', 'a'],
      ['X-Forwarded-Proto', 'http'],
      ['X-Request-Id', requestId],
      ['Content-Length', '2'],
    ])
  })
})

describe('a header of the message', () => {
  it('passes as it came, in its order and spelling, with its bytes', async () => {
    const { port, upstream } = await gatewayTo()
    const lines = [
      'accept: */*',
      'X-Odd_Name.x: \u00e9\u00ff',
      'Cookie: a=1',
      'COOKIE: b=2',
      'Origin: https://x.example',
      'Accept: text/html',
      'X-Empty:',
    ]
    await request(port, head('GET / HTTP/1.1', 'Host: a', ...lines, key))
    expect(
      upstream.seen[0]?.lines.slice(1, 1 + lines.length).map(([name, value]) => `${name}: ${value}`.trim()),
    ).toEqual(lines.map((line) => line.replace('X-Empty:', 'X-Empty:')))
  })
})

describe('trace context (W3C Trace Context)', () => {
  const traceparent = 'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const tracestate = 'tracestate: rojo=00f067aa0ba902b7,congo=t61rcWkgMzE'
  const passed = async (...lines: readonly string[]) => {
    const { port, upstream } = await gatewayTo()
    await request(port, head('GET / HTTP/1.1', 'Host: a', ...lines, key))
    return upstream.seen[0]?.lines.map((pair) => pair.join(': ')).filter((line) => /^trace/i.test(line))
  }

  it('passes unchanged where it is valid: the gateway is no participant, and starts no trace', async () => {
    expect(await passed(traceparent, tracestate)).toEqual([traceparent, tracestate])
    expect(await passed(tracestate, 'Tracestate: x=1', traceparent)).toEqual([
      tracestate,
      'Tracestate: x=1',
      traceparent,
    ])
    expect(await passed()).toEqual([])
  })

  it('goes no further where it is malformed, doubled or incomplete', async () => {
    expect(await passed('traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331', tracestate)).toEqual([])
    expect(await passed(traceparent, traceparent, tracestate)).toEqual([])
    expect(await passed(tracestate)).toEqual([])
  })
})
