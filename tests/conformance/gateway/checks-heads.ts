import { expect, it } from 'vitest'

import type { Line } from '../../../fuzz/strict/fields.ts'
import { refusal, valueOf, type Stage } from '../support/stage.ts'

/** Checks 1 to 6: what a head says on either side of the gateway. */
export function headChecks(stage: Stage): void {
  const sentTo = (lines: readonly Line[]) => lines.map(([name]) => name.toLowerCase())

  it('check 1: HEAD length kept, no body', async () => {
    stage.upstream.respond = (_request, { send }) => send('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n')
    const client = stage.connect()
    for (let i = 0; i < 3; i++) {
      client.send(stage.head(`HEAD /${i}`))
      const answer = await client.answer('HEAD')
      expect([answer.status, valueOf(answer, 'content-length'), valueOf(answer, 'transfer-encoding')]).toEqual([
        200,
        '1000',
        null,
      ])
    }
    expect(stage.upstream.seen.map(({ method, target }) => `${method} ${target}`)).toEqual([
      'HEAD /0',
      'HEAD /1',
      'HEAD /2',
    ])
    // Not one byte of a body: each head begins where the one before it ended.
    expect(client.bytes().split('\r\n\r\n')).toHaveLength(4)
  })

  it.each([
    '/',
    '/v1/orders/%7Efoo/b%20c?x=%zz&y=%2F&&z=a+b&=',
    '/v1/%c3%bc/%C3%BC?q=%E2%82%AC',
    "/v1/a:b@c!$&'()*+,=~-._?/?",
    '/raw/a/%2e%2e/b//c',
    '/raw/a;b=c/%2F/./x?y',
    '/v1/orders?',
  ])('check 2: path bytes unchanged: %s', async (target) => {
    const answer = await stage.ask(stage.head(`GET ${target}`))
    expect(answer.status).toBe(200)
    expect(stage.upstream.seen.map((seen) => seen.target)).toEqual([target])
  })

  it('check 2: path bytes unchanged: what could be read in two ways is refused, not rewritten', async () => {
    for (const target of ['/v1/%2e%2e/admin/x', '/v1//x', '/v1/x;y', '/v1/a%2fb', '/v1/a\\b', '/v1/./x']) {
      expect(refusal(await stage.ask(stage.head(`GET ${target}`))), target).toEqual({
        status: 400,
        code: 'path_not_canonical',
      })
    }
    expect(stage.upstream.seen).toEqual([])
  })

  it('check 3: request headers named in Connection removed', async () => {
    await stage.ask(
      stage.head(
        'GET /',
        'Connection: X-Own, keep-alive',
        'connection: x_other',
        'X-Own: 1',
        'X-Other: 2',
        'X-Kept: 3',
      ),
    )
    const [seen] = stage.upstream.seen
    const names = sentTo(seen?.lines ?? [])
    expect(names).toContain('x-kept')
    expect(names.filter((name) => /^x-(own|other)$/.test(name))).toEqual([])
  })

  it('check 4: request hop-by-hop removed', async () => {
    const hopByHop = [
      'Keep-Alive: timeout=5',
      'TE: trailers, gzip',
      'Proxy-Connection: keep-alive',
      'Proxy-Authorization: Basic eDp5',
      'Proxy-Authenticate: Basic',
      'HTTP2-Settings: AAMAAABkAAQAAP__',
    ]
    await stage.ask(stage.head('GET /', ...hopByHop, 'X-Kept: 3'))
    const names = sentTo(stage.upstream.seen[0]?.lines ?? [])
    expect(names).toContain('x-kept')
    const known = ['keep-alive', 'te', 'trailer', 'upgrade', 'expect', 'http2-settings']
    expect(names.filter((name) => known.includes(name) || name.startsWith('proxy-'))).toEqual([])
  })

  it('check 5: response hop-by-hop removed', async () => {
    stage.upstream.respond = (_request, { send }) =>
      send(
        [
          'HTTP/1.1 200 OK',
          'Connection: keep-alive, X-Bar',
          'connection: x-baz',
          'X-Bar: 1',
          'X-Baz: 2',
          'X-Kept: 3',
          'Keep-Alive: timeout=9',
          'Proxy-Authenticate: Basic',
          'Proxy-Authentication-Info: x',
          'Upgrade: h2c',
          'Content-Length: 2',
          '',
          'ok',
        ].join('\r\n'),
      )
    const answer = await stage.ask(stage.head('GET /'))
    const names = sentTo(answer.lines)
    expect(valueOf(answer, 'x-kept')).toBe('3')
    expect(names.filter((name) => /^(x-bar|x-baz|proxy-.*|upgrade)$/.test(name))).toEqual([])
    expect(valueOf(answer, 'keep-alive')).not.toBe('timeout=9')
  })

  it('check 6: two Set-Cookie kept', async () => {
    stage.upstream.respond = (_request, { send }) =>
      send(
        'HTTP/1.1 200 OK\r\nSet-Cookie: a=1; Path=/\r\nset-cookie: b=2, c\r\nSet-Cookie: a=1; Path=/\r\nContent-Length: 0\r\n\r\n',
      )
    const { lines } = await stage.ask(stage.head('GET /'))
    expect(lines.filter(([name]) => name.toLowerCase() === 'set-cookie')).toEqual([
      ['Set-Cookie', 'a=1; Path=/'],
      ['set-cookie', 'b=2, c'],
      ['Set-Cookie', 'a=1; Path=/'],
    ])
  })
}
