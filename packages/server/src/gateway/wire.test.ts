import { describe, expect, it } from 'vitest'

import { gatewayTo, head, key } from './testing/harness.ts'
import { rawClient, request } from './testing/raw-client.ts'

const smuggled = head('GET /smuggled HTTP/1.1', 'Host: a', key)
const chunks = `0\r\n\r\n${smuggled}`

/** Each is refused as a whole: nothing of it, and nothing behind it, reaches the upstream. */
const refusedHeads: readonly (readonly [string, string, number?])[] = [
  // length and chunks (RFC 9112, section 6.3)
  [
    'length, then chunks',
    `POST / HTTP/1.1\r\nHost: a\r\n${key}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`,
  ],
  [
    'chunks, then length',
    `POST / HTTP/1.1\r\nHost: a\r\n${key}\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n${chunks}`,
  ],
  [
    'length 0 and chunks',
    `POST / HTTP/1.1\r\nHost: a\r\n${key}\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`,
  ],
  // two lengths
  ...[
    '4',
    '5',
    '0',
    '+4',
    '-4',
    '4, 4',
    '4,5',
    '0x4',
    '4 4',
    '4;',
    '1e1',
    '4.0',
    "'4'",
    '99999999999999999999',
    '4\u00a0',
  ].map(
    (value) =>
      [
        `two lengths, the second ${value}`,
        `POST / HTTP/1.1\r\nHost: a\r\n${key}\r\nContent-Length: 4\r\nContent-Length: ${value}\r\n\r\n${smuggled}`,
      ] as const,
  ),
  ...[
    '+4',
    '-1',
    '4, 4',
    '4,4',
    '0x4',
    '4 4',
    '4a',
    '1e1',
    '4.0',
    '"4"',
    '',
    '99999999999999999999',
    '9007199254740993',
    '٤',
  ].map(
    (value) =>
      [
        `length ${JSON.stringify(value)}`,
        `POST / HTTP/1.1\r\nHost: a\r\n${key}\r\nContent-Length: ${value}\r\n\r\n${smuggled}`,
      ] as const,
  ),
  // encodings
  ...[
    'identity',
    'gzip',
    'chunked, identity',
    'identity, chunked',
    'gzip, chunked',
    'chunked, chunked',
    'chunked,',
    ',chunked',
    'xchunked',
    'chunkedx',
    'chunked;q=1',
    '"chunked"',
    'chunked chunked',
    '',
    'ch\u00fcnked',
    '\u000bchunked',
    'x',
  ].map(
    (value) =>
      [
        `encoding ${JSON.stringify(value)}`,
        `POST / HTTP/1.1\r\nHost: a\r\n${key}\r\nTransfer-Encoding: ${value}\r\n\r\n${chunks}`,
      ] as const,
  ),
  [
    'encoding twice',
    `POST / HTTP/1.1\r\nHost: a\r\n${key}\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`,
  ],
  [
    'encoding twice, one unknown',
    `POST / HTTP/1.1\r\nHost: a\r\n${key}\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n${chunks}`,
  ],
  ['chunks in HTTP/1.0', `POST / HTTP/1.0\r\nHost: a\r\n${key}\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`],
  // lines
  [
    'bare LF at the end of a line',
    `GET / HTTP/1.1\r\nHost: a\nTransfer-Encoding: chunked\r\n${key}\r\n\r\n${smuggled}`,
  ],
  ['bare LF as the last line', `GET / HTTP/1.1\r\nHost: a\r\n${key}\r\n\n${smuggled}`],
  ['bare CR inside a value', `GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n${key}\r\n\r\n${smuggled}`],
  ['folded line', `GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n${key}\r\n\r\n${smuggled}`],
  ['folded encoding', `POST / HTTP/1.1\r\nHost: a\r\n${key}\r\nTransfer-Encoding:\r\n chunked\r\n\r\n${chunks}`],
  ['space before the colon', `POST / HTTP/1.1\r\nHost: a\r\n${key}\r\nTransfer-Encoding : chunked\r\n\r\n${chunks}`],
  ['tab before the colon', `POST / HTTP/1.1\r\nHost: a\r\n${key}\r\nTransfer-Encoding\t: chunked\r\n\r\n${chunks}`],
  ['space before the first name', `POST / HTTP/1.1\r\n Host: a\r\nHost: a\r\n${key}\r\n\r\n${smuggled}`],
  ['no name', `GET / HTTP/1.1\r\nHost: a\r\n: x\r\n${key}\r\n\r\n${smuggled}`],
  ['no colon', `GET / HTTP/1.1\r\nHost: a\r\nX\r\n${key}\r\n\r\n${smuggled}`],
  ['NUL in a name', `GET / HTTP/1.1\r\nHost: a\r\nX\0: a\r\n${key}\r\n\r\n${smuggled}`],
  ['NUL in a value', `GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n${key}\r\n\r\n${smuggled}`],
  ['control character in a value', `GET / HTTP/1.1\r\nHost: a\r\nX: a\u0001b\r\n${key}\r\n\r\n${smuggled}`],
  ['bytes above ASCII in a name', `GET / HTTP/1.1\r\nHost: a\r\nX\u00e9: a\r\n${key}\r\n\r\n${smuggled}`],
  // Host
  ['no Host', `GET / HTTP/1.1\r\n${key}\r\n\r\n${smuggled}`],
  ['no Host in HTTP/1.0', `GET / HTTP/1.0\r\n${key}\r\n\r\n${smuggled}`],
  ['two Hosts', `GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n${key}\r\n\r\n${smuggled}`],
  ...[
    'a b',
    'a, b',
    'a\tb',
    'user@a',
    'a/b',
    'a?b',
    'a#b',
    'http://a',
    '"a"',
    'a\\b',
    '[::1',
    '[x]',
    'a:b',
    'a:1:2',
    'h\u00e9',
  ].map((host): readonly [string, string] => [
    `Host ${JSON.stringify(host)}`,
    `GET / HTTP/1.1\r\nHost: ${host}\r\n${key}\r\n\r\n${smuggled}`,
  ]),
  ['two equal Hosts', `GET / HTTP/1.1\r\nHost: a\r\nhOST: a\r\n${key}\r\n\r\n${smuggled}`],
  // request line
  ['absolute target of another host', `GET http://evil.example/ HTTP/1.1\r\nHost: a\r\n${key}\r\n\r\n${smuggled}`],
  ['absolute target of this host', `GET http://a/ HTTP/1.1\r\nHost: a\r\n${key}\r\n\r\n${smuggled}`],
  ['target *', `OPTIONS * HTTP/1.1\r\nHost: a\r\n${key}\r\n\r\n${smuggled}`],
  ['target without a slash', `GET index HTTP/1.1\r\nHost: a\r\n${key}\r\n\r\n${smuggled}`],
  ['CONNECT', `CONNECT a:443 HTTP/1.1\r\nHost: a\r\n${key}\r\n\r\n${smuggled}`],
  ['TRACE', `TRACE / HTTP/1.1\r\nHost: a\r\n${key}\r\n\r\n${smuggled}`],
  ['unknown method', `SMUGGLE / HTTP/1.1\r\nHost: a\r\n${key}\r\n\r\n${smuggled}`],
  ['method in lower case', `get / HTTP/1.1\r\nHost: a\r\n${key}\r\n\r\n${smuggled}`],
  ['HTTP/2.0', `GET / HTTP/2.0\r\nHost: a\r\n${key}\r\n\r\n${smuggled}`],
  ['HTTP/0.9', `GET / HTTP/0.9\r\nHost: a\r\n${key}\r\n\r\n${smuggled}`],
  ['HTTP/1.10', `GET / HTTP/1.10\r\nHost: a\r\n${key}\r\n\r\n${smuggled}`],
  ['http/1.1', `GET / http/1.1\r\nHost: a\r\n${key}\r\n\r\n${smuggled}`],
  ['no version', `GET /\r\nHost: a\r\n${key}\r\n\r\n${smuggled}`],
  ['an HTTP/2 preface', `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`],
  ['a TLS greeting', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003'],
  // others
  [
    'two Authorizations',
    `GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer good\r\nauthorization: Bearer good\r\n\r\n${smuggled}`,
  ],
  [
    'another expectation',
    `POST / HTTP/1.1\r\nHost: a\r\n${key}\r\nExpect: 200-ok\r\nContent-Length: 0\r\n\r\n${smuggled}`,
  ],
  [
    '100-continue and more',
    `POST / HTTP/1.1\r\nHost: a\r\n${key}\r\nExpect: 100-continue, x\r\nContent-Length: 0\r\n\r\n${smuggled}`,
  ],
  // sizes
  ['101 lines', `GET / HTTP/1.1\r\nHost: a\r\n${key}\r\n${'X: y\r\n'.repeat(99)}\r\n${smuggled}`, 431],
  [
    '1,005 lines, then chunks',
    `POST / HTTP/1.1\r\nHost: a\r\n${key}\r\n${'X:y\r\n'.repeat(1003)}Transfer-Encoding: chunked\r\n\r\n${chunks}`,
    431,
  ],
  [
    '1,005 lines, then a length',
    `POST / HTTP/1.1\r\nHost: a\r\n${key}\r\n${'X:y\r\n'.repeat(1003)}Content-Length: 4\r\n\r\n${smuggled}`,
    431,
  ],
  ['2,500 lines', `GET / HTTP/1.1\r\nHost: a\r\n${key}\r\n${'X:\r\n'.repeat(2500)}\r\n${smuggled}`, 431],
  ['a line of 20 KB', `GET / HTTP/1.1\r\nHost: a\r\n${key}\r\nX: ${'y'.repeat(20_000)}\r\n\r\n${smuggled}`, 431],
  ['a target of 8,193 bytes', `GET /${'x'.repeat(8192)} HTTP/1.1\r\nHost: a\r\n${key}\r\n\r\n${smuggled}`, 414],
]

describe('a head that is not plain', () => {
  it('is tried in more than sixty forms', () => {
    expect(refusedHeads.length).toBeGreaterThan(60)
  })

  it.each(refusedHeads.map(([name, text, status = 400]) => ({ name, text, status })))(
    'is refused with everything behind it: $name',
    async ({ text, status }) => {
      const { port, upstream, dataPlane } = await gatewayTo(undefined, { wire: { lingerMs: 20, sweepMs: 10 } })
      const client = rawClient(port)
      client.send(text)
      const answer = await client.answer()
      const [requestId = ''] = answer.header('x-request-id')
      expect(requestId).toMatch(/^req_/)
      expect(answer.status).toBe(status)
      expect(answer.header('connection')).toEqual(['close'])
      expect(answer.header('content-type')).toEqual(['application/problem+json'])
      expect(JSON.parse(answer.body)).toMatchObject({ status, request_id: requestId })
      const rest = await client.closed()
      expect(rest.split('HTTP/1.1 ')).toHaveLength(2)
      expect(upstream.seen).toEqual([])
      expect(dataPlane.charged).toEqual([])
    },
  )
})

describe('a head at the edge of what is plain', () => {
  it.each([
    ['100 lines', `GET / HTTP/1.1\r\nHost: a\r\n${key}\r\n${'X: y\r\n'.repeat(98)}\r\n`],
    ['a target of 8,192 bytes', `GET /${'x'.repeat(8191)} HTTP/1.1\r\nHost: a\r\n${key}\r\n\r\n`],
    ['chunked in capitals', `POST / HTTP/1.1\r\nHost: a\r\n${key}\r\nTransfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n`],
    ['a length with spaces around it', `POST / HTTP/1.1\r\nHost: a\r\n${key}\r\nContent-Length:  0  \r\n\r\n`],
    ['an empty line before it', `\r\nGET / HTTP/1.1\r\nHost: a\r\n${key}\r\n\r\n`],
    ['two spaces in the request line', `GET /  HTTP/1.1\r\nHost: a\r\n${key}\r\n\r\n`],
    ['HTTP/1.0', `GET / HTTP/1.0\r\nHost: a\r\n${key}\r\n\r\n`],
    [
      'a chunk with an extension',
      `POST / HTTP/1.1\r\nHost: a\r\n${key}\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nhi\r\n0\r\n\r\n`,
    ],
    [
      'a trailer',
      `POST / HTTP/1.1\r\nHost: a\r\n${key}\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Postern-Account: evil\r\n\r\n`,
    ],
  ])('is exactly one request: %s', async (_name, text) => {
    const { port, upstream } = await gatewayTo()
    const answer = await request(port, text)
    expect(answer.status).toBe(200)
    expect(upstream.seen).toHaveLength(1)
    expect(upstream.seen[0]?.lines.filter(([, value]) => value === 'evil')).toEqual([])
  })

  it('ends the connection of a client that waits in vain to be told to go on, and sends on nothing behind it', async () => {
    const { port, upstream } = await gatewayTo()
    const client = rawClient(port)
    client.send(
      head('GET /1 HTTP/1.1', 'Host: a', key, 'Expect: 100-continue') + head('POST /2 HTTP/1.1', 'Host: a', key),
    )
    const answer = await client.answer()
    expect([answer.status, answer.header('connection')]).toEqual([200, ['close']])
    expect((await client.closed()).split('HTTP/1.1 ')).toHaveLength(2)
    expect(upstream.seen.map(({ path }) => path)).toEqual(['/1'])
  })

  const connect = head('CONNECT b:443 HTTP/1.1', 'Host: b', key)

  it('lets a running request end before a CONNECT behind it ends the connection', async () => {
    const { port, upstream } = await gatewayTo(() => undefined)
    const client = rawClient(port)
    const arrived = upstream.nextHead()
    client.send(head('GET /1 HTTP/1.1', 'Host: a', key) + connect)
    ;(await arrived).write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    expect((await client.answer()).body).toBe('ok')
    expect((await client.closed()).split('HTTP/1.1 ')).toHaveLength(2)
    expect(upstream.seen.map(({ path }) => path)).toEqual(['/1'])
  })

  it.each(['end', 'resetAndDestroy'] as const)(
    'gives up a running request whose client leaves (%s) with a CONNECT behind it',
    async (how) => {
      const { port, upstream, dataPlane } = await gatewayTo(() => undefined)
      const client = rawClient(port)
      const arrived = upstream.nextHead()
      client.send(head('GET /1 HTTP/1.1', 'Host: a', key) + connect)
      const socket = await arrived
      const cut = new Promise((resolve) => void socket.once('close', resolve))
      client.socket[how]()
      await cut
      expect(dataPlane.metered).toMatchObject([{ ended: 'client_gone', status: 499 }])
    },
  )

  it('survives clients that reset a connection on which they asked for a tunnel', async () => {
    const { port } = await gatewayTo()
    const failures: unknown[] = []
    const failed = (error: unknown) => void failures.push(error)
    process.on('uncaughtException', failed)
    try {
      for (let i = 0; i < 20; i++) {
        const client = rawClient(port)
        client.send(connect)
        expect((await client.answer()).status).toBe(400)
        client.socket.resetAndDestroy()
      }
      expect((await request(port, head('GET / HTTP/1.1', 'Host: a', key))).status).toBe(200)
    } finally {
      process.off('uncaughtException', failed)
    }
    expect(failures).toEqual([])
  })

  it('lets a running request end before what is broken behind it ends the connection', async () => {
    const { port, upstream } = await gatewayTo(() => undefined)
    const client = rawClient(port)
    const arrived = upstream.nextHead()
    client.send(`${head('GET /1 HTTP/1.1', 'Host: a', key)}NOT HTTP\r\n\r\n`)
    ;(await arrived).write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    const answer = await client.answer()
    expect([answer.status, answer.body]).toEqual([200, 'ok'])
    expect((await client.closed()).split('HTTP/1.1 ')).toHaveLength(2)
    expect(upstream.seen).toHaveLength(1)
  })
})
