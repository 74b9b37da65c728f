import { describe, expect, it } from 'vitest'

import { until } from '../../../../tests/support/until.ts'
import { fixedClock } from '../base/clock.ts'
import { gatewayTo, head, key } from './testing/harness.ts'
import { heldBytes, watchSockets } from './testing/held-bytes.ts'
import { rawClient, request } from './testing/raw-client.ts'
import type { Reply } from './testing/raw-upstream.ts'

/** How much the gateway has read of what came from that side, and the most of it that it held at any look. */
function follow(
  find: ReturnType<typeof watchSockets>,
  port: number,
  upstreamPort: number,
  from: 'client' | 'upstream',
): { readonly read: () => number; most: number } {
  const followed = {
    most: 0,
    read: (): number => {
      const found = find(port, upstreamPort)
      if (found === null) return 0
      const { client, upstream } = found
      const [source, sink] = from === 'client' ? [client, upstream] : [upstream, client]
      followed.most = Math.max(followed.most, heldBytes(source, sink))
      return source.bytesRead
    },
  }
  return followed
}

/** Whether a count that has begun stays the same through twenty looks. */
function stopped(count: () => number): () => boolean {
  let before = 0
  let same = 0
  return () => {
    const now = count()
    same = now === before && now > 65_536 ? same + 1 : 0
    before = now
    return same === 20
  }
}

const answerWith =
  (...lines: readonly string[]): Reply =>
  (_request, socket) =>
    void socket.write(lines.join('\r\n'), 'latin1')

describe('a request on its way', () => {
  it('answers what the upstream answered, with our request id', async () => {
    const { port, upstream, dataPlane } = await gatewayTo()
    const answer = await request(
      port,
      head('GET /v1/orders?a=1 HTTP/1.1', 'Host: shop.example', key, 'X-Request-Id: mine'),
    )
    const [requestId = ''] = answer.header('x-request-id')
    expect(requestId).toMatch(/^req_[0-9a-f]{32}$/)
    expect(answer.header('x-request-id')).toHaveLength(1)
    expect([answer.status, answer.body]).toEqual([200, 'ok'])
    expect(upstream.seen).toHaveLength(1)
    expect(upstream.seen[0]).toEqual({
      method: 'GET',
      path: '/v1/orders?a=1',
      lines: [
        ['Host', `127.0.0.1:${upstream.port}`],
        ['X-Postern-Credential', ''],
        ['X-Postern-Kind', ''],
        ['X-Postern-Account', ''],
        ['X-Postern-Project', ''],
        ['X-Postern-Environment', ''],
        ['X-Postern-Api', 'shop'],
        ['X-Postern-Scopes', ''],
        ['X-Postern-Subject', ''],
        ['X-Postern-Grant', ''],
        ['X-Postern-Request', requestId],
        ['X-Forwarded-For', '127.0.0.1'],
        ['X-Forwarded-Host', 'shop.example'],
        ['X-Forwarded-Proto', 'http'],
        ['X-Request-Id', requestId],
      ],
      body: '',
      trailers: [],
    })
    expect(dataPlane.metered).toMatchObject([{ requestId, status: 200, ended: 'answered' }])
  })

  it('cuts the prefix of the address, and puts the base path of the upstream before the rest', async () => {
    const { port, upstream } = await gatewayTo(undefined, { basePath: '/base', prefixLength: 5 })
    await request(port, head('GET /shop/a%2Fb/%7Ec?q=%20 HTTP/1.1', 'Host: a', key))
    await request(port, head('GET /shop?q HTTP/1.1', 'Host: a', key))
    expect(upstream.seen.map(({ path }) => path)).toEqual(['/base/a%2Fb/%7Ec?q=%20', '/base/?q'])
  })

  it.each([
    ['GET with a length', 'GET', head('Content-Length: 5') + 'hello', 'hello'],
    ['GET in chunks', 'GET', head('Transfer-Encoding: chunked') + '5\r\nhello\r\n0\r\n\r\n', 'hello'],
    [
      'DELETE in chunks whose data is a request',
      'DELETE',
      head('Transfer-Encoding: chunked') + '1c\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n\r\n0\r\n\r\n',
      'GET /x HTTP/1.1\r\nHost: a\r\n\r\n',
    ],
    ['POST without a body', 'POST', head('Content-Length: 0'), ''],
    ['POST in chunks without data', 'POST', head('Transfer-Encoding: chunked') + '0\r\n\r\n', ''],
    ['OPTIONS with a length', 'OPTIONS', head('Content-Length: 2') + '{}', '{}'],
  ])('sends the body of %s on as one body', async (_name, method, rest, body) => {
    const { port, upstream } = await gatewayTo()
    const answer = await request(port, `${method} / HTTP/1.1\r\nHost: a\r\n${key}\r\n${rest}`)
    expect(answer.status).toBe(200)
    expect(upstream.seen.map((seen) => [seen.method, seen.body])).toEqual([[method, body]])
  })

  it('serves pipelined requests one after the other, in order', async () => {
    const { port, upstream } = await gatewayTo((seen, socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${seen.path.length}\r\n\r\n${seen.path}`)
    })
    const client = rawClient(port)
    const paths = Array.from({ length: 50 }, (_, i) => `/${i}`)
    client.send(paths.map((path) => head(`GET ${path} HTTP/1.1`, 'Host: a', key)).join(''))
    const bodies: string[] = []
    for (const _ of paths) bodies.push((await client.answer()).body)
    expect(bodies).toEqual(paths)
    expect(upstream.seen.map(({ path }) => path)).toEqual(paths)
    client.socket.destroy()
  })
})

describe('a body on its way', () => {
  it('tells a client to go on only once it is allowed and the upstream is there', async () => {
    const { port, upstream } = await gatewayTo()
    const client = rawClient(port)
    client.send(head('POST / HTTP/1.1', 'Host: a', key, 'Content-Length: 5', 'Expect: 100-continue'))
    expect((await client.answer()).status).toBe(100)
    client.send('hello')
    expect((await client.answer()).status).toBe(200)
    expect(upstream.seen.map(({ body }) => body)).toEqual(['hello'])
    client.socket.destroy()
  })

  it('refuses before the body where a client waits to be told to go on', async () => {
    const { port, upstream } = await gatewayTo()
    const client = rawClient(port)
    client.send(head('POST / HTTP/1.1', 'Host: a', 'Content-Length: 5', 'Expect: 100-continue'))
    const answer = await client.answer()
    expect([answer.status, answer.header('connection')]).toEqual([401, ['close']])
    expect(client.text()).not.toContain('100 Continue')
    expect(upstream.seen).toEqual([])
    client.socket.destroy()
  })

  it('shows a client that uploads 10 MiB its 401, and reads no more than 64 KiB', async () => {
    const { port, upstream } = await gatewayTo(undefined, { wire: { lingerMs: 100, sweepMs: 20 } })
    const client = rawClient(port)
    client.send(head('POST / HTTP/1.1', 'Host: a', `Content-Length: ${10 * 1024 * 1024}`))
    client.socket.write(Buffer.alloc(10 * 1024 * 1024, 'x'))
    const answer = await client.answer()
    expect([answer.status, answer.header('connection')]).toEqual([401, ['close']])
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'credential_missing' })
    await client.closed()
    expect(upstream.seen).toEqual([])
  })

  it('keeps the connection after refusals with small bodies', async () => {
    const { port, upstream } = await gatewayTo()
    const client = rawClient(port)
    for (let i = 0; i < 20; i++) {
      client.send(head('POST / HTTP/1.1', 'Host: a', 'Content-Length: 5') + 'hello')
      expect((await client.answer()).status).toBe(401)
    }
    client.send(head('GET /2 HTTP/1.1', 'Host: a', key))
    expect((await client.answer()).status).toBe(200)
    expect(upstream.seen.map(({ path }) => path)).toEqual(['/2'])
    client.socket.destroy()
  })

  it('refuses a length over the limit before anything is charged or sent', async () => {
    const { port, upstream, dataPlane } = await gatewayTo(undefined, { route: { bodyBytesMax: 10 } })
    const over = await request(port, head('POST / HTTP/1.1', 'Host: a', key, 'Content-Length: 11') + 'hello world')
    expect([over.status, JSON.parse(over.body).code]).toEqual([413, 'request_too_large'])
    expect([dataPlane.charged, upstream.seen]).toEqual([[], []])
    const within = await request(port, head('POST / HTTP/1.1', 'Host: a', key, 'Content-Length: 10') + 'helloworld')
    expect(within.status).toBe(200)
  })

  it('refuses chunks over the limit while they come, and never ends the body at the upstream', async () => {
    const { port, upstream, dataPlane } = await gatewayTo(undefined, { route: { bodyBytesMax: 10 } })
    const client = rawClient(port)
    const arrived = upstream.nextHead()
    client.send(head('POST / HTTP/1.1', 'Host: a', key, 'Transfer-Encoding: chunked') + 'a\r\nhelloworld\r\n')
    const socket = await arrived
    const cut = new Promise((resolve) => void socket.once('close', resolve))
    client.send('1\r\n!\r\n')
    const answer = await client.answer()
    expect([answer.status, JSON.parse(answer.body).code, answer.header('connection')]).toEqual([
      413,
      'request_too_large',
      ['close'],
    ])
    await cut
    expect(upstream.seen).toEqual([])
    expect(dataPlane.metered).toMatchObject([
      { status: 413, evaluation: { allowed: false, refusal: { code: 'request_too_large' } } },
    ])
    client.socket.destroy()
  })

  it('drops the upstream when the client leaves in the middle of its body', async () => {
    const { port, upstream, dataPlane } = await gatewayTo()
    const client = rawClient(port)
    const arrived = upstream.nextHead()
    client.send(head('POST / HTTP/1.1', 'Host: a', key, 'Content-Length: 10') + 'hello')
    const socket = await arrived
    const cut = new Promise((resolve) => void socket.once('close', resolve))
    client.socket.destroy()
    await cut
    expect(upstream.seen).toEqual([])
    expect(dataPlane.metered).toMatchObject([{ ended: 'client_gone', status: 499 }])
  })

  it('answers 400 to a broken chunk and drops the upstream', async () => {
    const { port, upstream } = await gatewayTo()
    const client = rawClient(port)
    const arrived = upstream.nextHead()
    client.send(head('POST / HTTP/1.1', 'Host: a', key, 'Transfer-Encoding: chunked') + '5\r\nhello\r\n')
    const socket = await arrived
    const cut = new Promise((resolve) => void socket.once('close', resolve))
    client.send('zz\r\n')
    expect((await client.answer()).status).toBe(400)
    await cut
    expect(upstream.seen).toEqual([])
    client.socket.destroy()
  })

  it('shows the client an upstream that answers before the body has come', async () => {
    const { port, upstream } = await gatewayTo(undefined)
    const client = rawClient(port)
    const arrived = upstream.nextHead()
    client.send(head('POST / HTTP/1.1', 'Host: a', key, 'Content-Length: 1000000') + 'hello')
    ;(await arrived).write('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno')
    const answer = await client.answer()
    expect([answer.status, answer.body, answer.header('connection')]).toEqual([403, 'no', ['close']])
    client.socket.destroy()
  })
})

describe('an answer on its way back', () => {
  it('keeps two cookies apart and leaves out what belongs to the upstream and its connection', async () => {
    const { port } = await gatewayTo(
      answerWith(
        'HTTP/1.1 200 Whatever',
        'Set-Cookie: a=1',
        'Set-Cookie: b=2',
        'Connection: keep-alive, X-Bar',
        'X-Bar: 1',
        'Keep-Alive: timeout=5',
        'Proxy-Authenticate: Basic',
        'X-Postern-Account: acc_1',
        'x_postern_account: acc_1',
        'X-Request-Id: theirs',
        'RateLimit: theirs',
        'X-Total: 3',
        'Content-Length: 2',
        '',
        'ok',
      ),
      { limits: true },
    )
    const answer = await request(port, head('GET / HTTP/1.1', 'Host: a', key))
    const names = answer.lines.map(([name]) => name)
    expect(names.toSorted()).toEqual(
      [
        'Set-Cookie',
        'Set-Cookie',
        'X-Total',
        'Content-Length',
        'X-Request-Id',
        'RateLimit-Policy',
        'RateLimit',
        'Date',
        'Cache-Control',
        'Connection',
      ].toSorted(),
    )
    expect(answer.header('set-cookie')).toEqual(['a=1', 'b=2'])
    expect(answer.header('ratelimit')).toEqual(['"default";r=99;t=1'])
    expect(answer.header('connection')).toEqual(['keep-alive'])
  })

  it.each([
    ['HEAD keeps its length', 'HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n', 200, ['1000']],
    ['204 has no length', 'GET', 'HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n', 204, []],
    ['304 keeps its length', 'GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n', 304, ['1000']],
  ])('%s and has no body', async (_name, method, reply, status, length) => {
    const { port } = await gatewayTo(answerWith(reply))
    const client = rawClient(port)
    client.send(head(`${method} / HTTP/1.1`, 'Host: a', key))
    const answer = await client.answer({ head: true })
    expect([answer.status, answer.header('content-length'), answer.header('transfer-encoding')]).toEqual([
      status,
      length,
      [],
    ])
    client.send(head(`${method} / HTTP/1.1`, 'Host: a', key))
    expect((await client.answer({ head: true })).status).toBe(status)
    client.socket.destroy()
  })

  describe('before the answer', () => {
    const early = answerWith(
      'HTTP/1.1 100 Continue',
      '',
      'HTTP/1.1 103 Early Hints',
      'Link: </a>',
      'Connection: X-Hop',
      'X-Hop: 1',
      'X-Postern-Account: acc_1',
      'Content-Length: 7',
      '',
      'HTTP/1.1 200 OK',
      'Content-Length: 2',
      '',
      'ok',
    )

    it('passes 103 on, less what is of the connection or ours, and no 100 that was not asked for', async () => {
      const { port } = await gatewayTo(early)
      const client = rawClient(port)
      client.send(head('GET / HTTP/1.1', 'Host: a', key))
      const hints = await client.answer()
      expect([hints.status, hints.lines]).toEqual([103, [['Link', '</a>']]])
      const answer = await client.answer()
      expect([answer.status, answer.body, answer.header('link')]).toEqual([200, 'ok', []])
      client.socket.destroy()
    })

    it('tells a client of HTTP/1.0 nothing', async () => {
      const { port } = await gatewayTo(early)
      const answer = await request(port, head('GET / HTTP/1.0', 'Host: a', key))
      expect([answer.status, answer.body]).toEqual([200, 'ok'])
    })

    it('is 502 where it never ends', async () => {
      const { port } = await gatewayTo(answerWith('HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(33)))
      const client = rawClient(port)
      client.send(head('GET / HTTP/1.1', 'Host: a', key))
      for (let i = 0; i < 32; i++) expect((await client.answer()).status).toBe(103)
      expect((await client.answer()).status).toBe(502)
      client.socket.destroy()
    })
  })

  it('passes each event of a stream as it comes, the head before the first', async () => {
    const { port, upstream } = await gatewayTo(
      answerWith('HTTP/1.1 200 OK', 'Content-Type: text/event-stream', 'Transfer-Encoding: chunked', '', ''),
    )
    const client = rawClient(port)
    client.send(head('GET / HTTP/1.1', 'Host: a', key))
    await client.until('text/event-stream')
    const [socket] = upstream.sockets
    for (const event of ['one', 'two', 'three']) {
      socket?.write(`${event.length.toString(16)}\r\n${event}\r\n`)
      await client.until(event)
    }
    socket?.write('0\r\n\r\n')
    expect((await client.answer()).body).toBe('onetwothree')
    client.socket.destroy()
  })

  it('passes a body that ends with its connection', async () => {
    const { port } = await gatewayTo(
      (_seen, socket) => void socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall of it'),
    )
    const answer = await request(port, head('GET / HTTP/1.1', 'Host: a', key))
    expect([answer.body, answer.header('transfer-encoding')]).toEqual(['all of it', ['chunked']])
  })

  it.each([
    ['a length', 'Content-Length: 1000\r\n\r\nonly this', 'HTTP/1.1'],
    ['chunks', 'Transfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n', 'HTTP/1.1'],
    ['chunks, for an HTTP/1.0 client', 'Transfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n', 'HTTP/1.0'],
  ])('never makes an answer look whole whose upstream died inside %s', async (_name, rest, version) => {
    const { port, dataPlane } = await gatewayTo(
      (_seen, socket) => void socket.write(`HTTP/1.1 200 OK\r\n${rest}`, () => socket.destroy()),
    )
    const client = rawClient(port)
    const errors: string[] = []
    client.socket.on('error', (error: NodeJS.ErrnoException) => errors.push(error.code ?? ''))
    client.send(head(`GET / ${version}`, 'Host: a', key))
    const text = await client.closed()
    expect(text).not.toContain('\r\n0\r\n')
    expect(errors).toEqual(version === 'HTTP/1.0' ? ['ECONNRESET'] : [])
    expect(dataPlane.metered).toMatchObject([{ ended: 'upstream_error' }])
  })

  it('stops reading from the upstream while the client does not read, and holds less than 256 KiB of it', async () => {
    const size = 64 * 1024 * 1024
    const chunk = Buffer.alloc(65_536)
    const find = watchSockets()
    const { port, upstream } = await gatewayTo((_seen, socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`)
      let left = size
      const more = () => {
        while (left > 0) {
          left -= chunk.length
          if (!socket.write(chunk)) break
        }
      }
      socket.on('drain', more)
      more()
    })
    const client = rawClient(port)
    client.socket.removeAllListeners('data')
    client.socket.pause()
    client.send(head('GET / HTTP/1.1', 'Host: a', key))
    const followed = follow(find, port, upstream.port, 'upstream')
    await until('the gateway reads no more', stopped(followed.read))
    let read = 0
    client.socket.on('data', (bytes: Buffer) => (read += bytes.length)).resume()
    await until('the client has all of it', () => followed.read() > size && read > size)
    client.socket.destroy()
    expect(followed.most).toBeLessThan(256 * 1024)
  })

  it('stops reading from the client while the upstream does not read, and holds less than 256 KiB of it', async () => {
    const find = watchSockets()
    const { port, upstream } = await gatewayTo()
    const client = rawClient(port)
    const arrived = upstream.nextHead()
    client.send(head('POST / HTTP/1.1', 'Host: a', key, `Content-Length: ${2 ** 26}`))
    const socket = await arrived
    socket.pause()
    const chunk = Buffer.alloc(65_536)
    const more = () => {
      while (client.socket.write(chunk));
    }
    client.socket.on('drain', more)
    more()
    const followed = follow(find, port, upstream.port, 'client')
    await until('the gateway reads no more', stopped(followed.read))
    client.socket.destroy()
    expect(followed.most).toBeLessThan(256 * 1024)
  })

  describe('statement 67: for caches that many share', () => {
    const told = async (method: string, ...lines: readonly string[]) => {
      const { port } = await gatewayTo(answerWith('HTTP/1.1 200 OK', ...lines, 'Content-Length: 0', '', ''))
      const client = rawClient(port)
      client.send(head(`${method} / HTTP/1.1`, 'Host: a', key))
      const answer = await client.answer({ head: true })
      client.socket.destroy()
      return answer.header('cache-control')
    }

    it.each([
      [[], ['private']],
      [['Cache-Control: max-age=60'], ['max-age=60', 'private']],
      [['Cache-Control: no-cache'], ['no-cache', 'private']],
      [['Expires: Thu, 01 Jan 2099 00:00:00 GMT'], ['private']],
    ])(
      'what does not say otherwise is one client’s own, wherever its credential travelled: %j',
      async (lines, seen) => {
        expect(await told('GET', ...lines)).toEqual(seen)
        expect(await told('HEAD', ...lines)).toEqual(seen)
      },
    )

    it.each([
      'public, max-age=60',
      'max-age=1, S-MaxAge=60',
      'max-age=60, must-revalidate',
      'private',
      'no-store',
      'max-age=60,PRIVATE',
    ])('what says so stays as it is (RFC 9111, section 3.5): %s', async (value) => {
      expect(await told('GET', `Cache-Control: ${value}`)).toEqual([value])
    })

    it('says nothing of answers that nobody keeps', async () => {
      expect(await told('POST')).toEqual([])
    })
  })

  it('aborts the upstream at once when the client leaves', async () => {
    const { port, upstream, dataPlane } = await gatewayTo(() => undefined)
    const client = rawClient(port)
    const arrived = upstream.nextHead()
    client.send(head('GET /hang HTTP/1.1', 'Host: a', key))
    const socket = await arrived
    const cut = new Promise((resolve) => void socket.once('close', resolve))
    client.socket.destroy()
    await cut
    expect(dataPlane.metered).toMatchObject([{ ended: 'client_gone', status: 499 }])
  })

  it('charges nothing for a client that left while the decision waited', async () => {
    const { port, upstream, dataPlane } = await gatewayTo()
    const gate = Promise.withResolvers<void>()
    const asked = Promise.withResolvers<void>()
    const evaluate = dataPlane.evaluate.bind(dataPlane)
    dataPlane.evaluate = (facts, trace) => {
      asked.resolve()
      return evaluate(facts, trace)
    }
    dataPlane.gate = gate.promise
    const client = rawClient(port)
    client.send(head('GET / HTTP/1.1', 'Host: a', key))
    await asked.promise
    const metered = new Promise<void>((resolve) => {
      const meter = dataPlane.meter.bind(dataPlane)
      dataPlane.meter = (entry) => {
        meter(entry)
        resolve()
      }
    })
    client.socket.destroy()
    await new Promise((resolve) => void setTimeout(resolve, 50))
    gate.resolve()
    await metered
    expect([dataPlane.charged, upstream.seen]).toEqual([[], []])
    expect(dataPlane.metered).toMatchObject([{ ended: 'client_gone', status: 499 }])
  })

  it('lets a listed page read it, by our word and not by the upstream’s', async () => {
    const { port } = await gatewayTo(
      answerWith(
        'HTTP/1.1 200 OK',
        'Access-Control-Allow-Origin: *',
        'Access-Control-Allow-Credentials: true',
        'Vary: Accept',
        'Content-Length: 0',
        '',
        '',
      ),
      { corsOrigin: 'https://shop.example' },
    )
    const listed = await request(port, head('GET / HTTP/1.1', 'Host: a', key, 'Origin: https://shop.example'))
    expect(listed.lines.filter(([name]) => /^(access-control|vary)/i.test(name))).toEqual([
      ['Vary', 'Accept'],
      ['Access-Control-Allow-Origin', 'https://shop.example'],
      ['Access-Control-Expose-Headers', 'X-Request-Id, Retry-After, RateLimit, RateLimit-Policy, x-total'],
      ['Vary', 'Origin'],
    ])
    const other = await request(port, head('GET / HTTP/1.1', 'Host: a', key, 'Origin: https://evil.example'))
    expect(other.lines.filter(([name]) => /^(access-control|vary)/i.test(name))).toEqual([
      ['Vary', 'Accept'],
      ['Vary', 'Origin'],
    ])
  })
})

describe('an upstream that fails before its first byte', () => {
  it('is 502 where nothing listens', async () => {
    const { port, dataPlane, faults } = await gatewayTo(undefined, { upstreamPort: 1 })
    const answer = await request(port, head('GET / HTTP/1.1', 'Host: a', key))
    expect([answer.status, JSON.parse(answer.body).code]).toEqual([502, 'upstream_unreachable'])
    expect(dataPlane.metered).toMatchObject([{ ended: 'upstream_error', status: 502, evaluation: { allowed: true } }])
    expect(faults).toEqual(['gateway.upstream_failed'])
  })

  it.each(['GET', 'POST'])('is 502 where it closes, and %s is tried once', async (method) => {
    const { port, upstream } = await gatewayTo((_seen, socket) => void socket.destroy())
    const answer = await request(port, head(`${method} / HTTP/1.1`, 'Host: a', key, 'Content-Length: 0'))
    expect(answer.status).toBe(502)
    expect(upstream.seen).toHaveLength(1)
  })

  it.each([
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!'],
    ['a length and chunks', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    [
      'an upgrade that nobody asked for',
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
    ],
    ['no HTTP at all', 'hello\r\n\r\n'],
  ])('is 502 where it answers with %s', async (_name, reply) => {
    const { port } = await gatewayTo(answerWith(reply))
    const answer = await request(port, head('GET / HTTP/1.1', 'Host: a', key))
    expect(answer.status).toBe(502)
  })

  it('is 504 from the instant its first byte is due', async () => {
    const clock = fixedClock()
    const { port, upstream, dataPlane } = await gatewayTo(() => undefined, { clock })
    const client = rawClient(port)
    const arrived = upstream.nextHead()
    client.send(head('GET / HTTP/1.1', 'Host: a', key))
    const socket = await arrived
    const cut = new Promise((resolve) => void socket.once('close', resolve))
    clock.advance(4_999)
    expect(dataPlane.metered).toEqual([])
    clock.advance(251)
    expect((await client.answer()).status).toBe(504)
    await cut
    expect(dataPlane.metered).toMatchObject([{ ended: 'upstream_error', status: 504 }])
    client.socket.destroy()
  })
})

describe('what does not move on', () => {
  it('is cut where the upstream falls silent inside its answer', async () => {
    const clock = fixedClock()
    const { port } = await gatewayTo(answerWith('HTTP/1.1 200 OK', 'Content-Length: 10', '', 'hello'), { clock })
    const client = rawClient(port)
    client.send(head('GET / HTTP/1.1', 'Host: a', key))
    await client.until('hello')
    clock.advance(5_250)
    expect(await client.closed()).toMatch(/hello$/)
  })

  it('is cut when its time is up, however it moves', async () => {
    const clock = fixedClock()
    const { port, upstream, dataPlane } = await gatewayTo(
      answerWith('HTTP/1.1 200 OK', 'Content-Length: 1000', '', ''),
      { clock, route: { timeouts: { connectMs: 5_000, firstByteMs: 5_000, idleMs: 5_000, totalMs: 12_000 } } },
    )
    const client = rawClient(port)
    client.send(head('GET / HTTP/1.1', 'Host: a', key))
    for (const part of ['one', 'two', 'three', 'four']) {
      await client.until('Content-Length')
      for (const socket of upstream.sockets) socket.write(part)
      await client.until(part)
      clock.advance(part === 'four' ? 500 : 3_900)
    }
    expect(await client.closed()).toMatch(/onetwothreefour$/)
    expect(dataPlane.metered).toMatchObject([{ ended: 'upstream_error', latencyMs: 12_000 }])
  })

  it('is 504 where its time is up before an answer', async () => {
    const clock = fixedClock()
    const timeouts = { connectMs: 5_000, firstByteMs: 5_000, idleMs: 5_000, totalMs: 1_000 }
    const { port, upstream } = await gatewayTo(() => undefined, { clock, route: { timeouts } })
    const client = rawClient(port)
    const arrived = upstream.nextHead()
    client.send(head('GET / HTTP/1.1', 'Host: a', key))
    await arrived
    clock.advance(1_000)
    expect((await client.answer()).status).toBe(504)
    client.socket.destroy()
  })

  it('is 408 where the client falls silent inside its body', async () => {
    const clock = fixedClock()
    const { port, upstream } = await gatewayTo(undefined, { clock })
    const client = rawClient(port)
    const arrived = upstream.nextHead()
    client.send(head('POST / HTTP/1.1', 'Host: a', key, 'Content-Length: 10') + 'hello')
    await arrived
    clock.advance(5_250)
    const answer = await client.answer()
    expect([answer.status, JSON.parse(answer.body).code, answer.header('connection')]).toEqual([
      408,
      'request_timeout',
      ['close'],
    ])
    expect(upstream.seen).toEqual([])
    client.socket.destroy()
  })

  it('is closed where a client asks nothing more for a while, and not before', async () => {
    const clock = fixedClock()
    const { port } = await gatewayTo(undefined, { clock, wire: { keepAliveMs: 10_000 } })
    const client = rawClient(port)
    for (const idle of [10_000, 0]) {
      client.send(head('GET / HTTP/1.1', 'Host: a', key))
      expect((await client.answer()).status).toBe(200)
      clock.advance(idle)
    }
    expect(client.socket.readyState).toBe('open')
    clock.advance(11_000)
    await client.closed()
  })

  it('is 408 where a head does not come to its end', async () => {
    const { port } = await gatewayTo(undefined, { wire: { headTimeoutMs: 50 } })
    const client = rawClient(port)
    client.send('GET / HTTP/1.1\r\nHost: a\r\n')
    const answer = await client.answer()
    expect([answer.status, JSON.parse(answer.body).code]).toEqual([408, 'request_timeout'])
    expect(answer.header('x-request-id')).toHaveLength(1)
    client.socket.destroy()
  })
})

describe('a credential', () => {
  it.each([
    ['bearer', '/', ['Authorization: Bearer good']],
    ['bearer in another case', '/', ['AUTHORIZATION: bearer good']],
    ['basic', '/', [`Authorization: Basic ${Buffer.from('id:good').toString('base64')}`]],
    ['header', '/', ['x-aPi-kEy: good']],
    ['pair', '/', ['X-App-Id: id', 'X-App-Token: good']],
    ['query', '/?api_key=good', []],
    [
      'header, with every other place declared but empty',
      '/?api_key=',
      ['X-Api-Key: good', 'X-App-Id:', 'X-App-Token:', 'Authorization:'],
    ],
  ])('is not shown to the upstream when it came as %s', async (_name, target, lines) => {
    const { port, upstream } = await gatewayTo()
    const answer = await request(port, head(`GET ${target} HTTP/1.1`, 'Host: a', 'Cookie: c=1', ...lines))
    expect(answer.status).toBe(200)
    const [seen] = upstream.seen
    expect(seen?.path).toBe('/')
    expect(seen?.lines.filter(([name]) => !/^(x-(postern|forwarded|request)|host$|connection$)/i.test(name))).toEqual([
      ['Cookie', 'c=1'],
    ])
  })

  it.each([
    ['/p?api_key=good&a=1&b=%2f%20+', '/p?a=1&b=%2f%20+'],
    ['/p?a=1&api_key=good&b', '/p?a=1&b'],
    ['/p?a=1&b=%zz&api%5Fkey=good', '/p?a=1&b=%zz'],
    ['/p?API_KEY=x&&api_key=good&a[]=;', '/p?API_KEY=x&&a[]=;'],
  ])('in %s is cut out, and no other byte changes', async (target, sent) => {
    const { port, upstream } = await gatewayTo()
    const answer = await request(
      port,
      head(
        `GET ${target} HTTP/1.1`,
        'Host: a',
        'Referer: https://x.example/?q=1&api_key=good',
        'Referer: https://x.example/',
      ),
    )
    expect([answer.status, answer.header('cache-control'), answer.header('referrer-policy')]).toEqual([
      200,
      ['no-store'],
      ['no-referrer'],
    ])
    expect(upstream.seen.map(({ path }) => path)).toEqual([sent])
    expect(upstream.seen[0]?.lines.filter(([name]) => name === 'Referer')).toEqual([['Referer', 'https://x.example/']])
  })
})
