import { expect, it } from 'vitest'

import { msUntil, valueOf, type Stage } from '../support/stage.ts'

/** Checks 7 to 13: bodies that pass while they are being made, and what comes before and behind them. */
export function streamChecks(stage: Stage): void {
  it('check 7: SSE unbuffered', async () => {
    const head = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n'
    stage.upstream.respond = (_request, { send }) => send(head)
    const client = stage.connect()
    client.send(stage.head('GET /events'))
    await client.until('text/event-stream')
    const [connection] = stage.upstream.connections
    for (let i = 1; i <= 5; i++) {
      const event = `data: ${i}\n\n`
      connection?.send(`${event.length.toString(16)}\r\n${event}\r\n`)
      // Each is here before the next one is made.
      expect(await msUntil(() => client.bytes().includes(event), 1_000)).toBeLessThan(100)
    }
    connection?.send('0\r\n\r\n')
    const answer = await client.answer()
    expect(answer.body).toBe('data: 1\n\ndata: 2\n\ndata: 3\n\ndata: 4\n\ndata: 5\n\n')
  })

  it('check 8: upload streamed', async () => {
    const client = stage.connect()
    client.send(stage.head('POST /', 'Content-Length: 15'))
    for (const part of ['first', 'secon', 'third']) {
      client.send(part)
      await msUntil(() => stage.upstream.connections[0]?.bytes().endsWith(part) === true, 1_000)
    }
    expect((await client.answer('POST')).status).toBe(200)
    expect(stage.upstream.seen.map(({ body, lines }) => [body, valueOf({ lines }, 'content-length')])).toEqual([
      ['firstseconthird', '15'],
    ])
  })

  it('check 9: chunked upload', async () => {
    const client = stage.connect()
    client.send(stage.head('POST /', 'Transfer-Encoding: chunked'))
    for (const [part, seen] of [
      ['5\r\nfirst\r\n', 'first'],
      ['5;ext="a;b"\r\nsecon\r\n', 'secon'],
      ['000005\r\nthi', 'thi'],
      ['rd\r\n', 'rd'],
    ] as const) {
      client.send(part)
      await msUntil(() => stage.upstream.connections[0]?.bytes().includes(seen) === true, 1_000)
    }
    client.send('0\r\n\r\n')
    expect((await client.answer('POST')).status).toBe(200)
    const [seen] = stage.upstream.seen
    expect([seen?.body, seen?.trailers]).toEqual(['firstseconthird', []])
    expect(valueOf({ lines: seen?.lines ?? [] }, 'transfer-encoding')).toBe('chunked')
  })

  it('check 10, pitfall 18: request trailers', async () => {
    const forbidden = [
      'X-Postern-Account: evil',
      'x_postern_account: evil',
      'X-Forwarded-For: 203.0.113.7',
      'Authorization: Bearer evil',
      'X-Api-Key: evil',
      'Host: evil',
      'TE: trailers',
    ]
    const answer = await stage.ask(
      stage.head('POST /', 'Transfer-Encoding: chunked', 'Trailer: X-Checksum, X-Postern-Account') +
        `5\r\nhello\r\n0\r\nX-Checksum: abc\r\n${forbidden.join('\r\n')}\r\nX-Other:  d e \r\n\r\n`,
    )
    expect(answer.status).toBe(200)
    const [seen] = stage.upstream.seen
    expect([seen?.body, seen?.trailers]).toEqual([
      'hello',
      [
        ['X-Checksum', 'abc'],
        ['X-Other', 'd e'],
      ],
    ])
    // A trailer is never a header.
    expect(seen?.lines.filter(([name]) => /^x-(checksum|other)$/i.test(name))).toEqual([])
    expect(valueOf({ lines: seen?.lines ?? [] }, 'trailer')).toBe('X-Checksum')
  })

  it('check 11, pitfall 18: response trailers', async () => {
    stage.upstream.respond = (_request, { send }) =>
      send(
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Checksum, Set-Cookie\r\n\r\n' +
          '5\r\nhello\r\n0\r\nX-Checksum: abc\r\nSet-Cookie: a=1\r\nX-Postern-Account: acc_1\r\nTransfer-Encoding: x\r\n\r\n',
      )
    const answer = await stage.ask(stage.head('GET /'))
    expect([answer.body, answer.trailers, valueOf(answer, 'trailer')]).toEqual([
      'hello',
      [['X-Checksum', 'abc']],
      'X-Checksum',
    ])
    expect(valueOf(answer, 'x-checksum')).toBeNull()
  })

  it('check 11, pitfall 18: an answer that announces a trailer and sends none is whole', async () => {
    stage.upstream.respond = (_request, { send }) =>
      send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Checksum\r\n\r\n2\r\nok\r\n0\r\n\r\n')
    const answer = await stage.ask(stage.head('GET /'))
    expect([answer.status, answer.body, answer.trailers]).toEqual([200, 'ok', []])
  })

  it('check 12: Expect: 100-continue', async () => {
    const client = stage.connect()
    client.send(stage.head('POST /', 'Content-Length: 5', 'Expect: 100-continue'))
    await client.until('HTTP/1.1 100 Continue\r\n\r\n')
    expect(stage.upstream.seen).toEqual([])
    client.send('hello')
    const answer = await client.answer('POST')
    expect([answer.status, answer.interim.map(({ status }) => status)]).toEqual([200, [100]])
    expect(stage.upstream.seen.map(({ body }) => body)).toEqual(['hello'])
    expect(stage.upstream.seen[0]?.lines.map(([name]) => name.toLowerCase())).not.toContain('expect')
    // The connection serves on: the answer ended where it had to.
    client.send(stage.head('GET /next'))
    expect((await client.answer()).status).toBe(200)
  })

  it('check 12: Expect: 100-continue is not answered where the request is refused', async () => {
    for (const [head, status] of [
      [stage.anonymous('POST /', 'Content-Length: 5', 'Expect: 100-continue'), 401],
      [stage.head('POST /admin/x', 'Content-Length: 5', 'Expect: 100-continue'), 403],
      [stage.head('POST /small/x', 'Content-Length: 11', 'Expect: 100-continue'), 413],
    ] as const) {
      const client = stage.connect()
      client.send(head)
      const answer = await client.answer('POST')
      expect([answer.status, answer.interim, valueOf(answer, 'connection')]).toEqual([status, [], 'close'])
    }
    expect(stage.upstream.connections).toEqual([])
  })

  it('check 13: 103 harmless', async () => {
    stage.upstream.respond = (_request, { send }) =>
      send(
        'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nX-Postern-Account: acc_1\r\n\r\n' +
          'HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
      )
    const client = stage.connect()
    for (const path of ['/1', '/2']) {
      client.send(stage.head(`GET ${path}`))
      const answer = await client.answer()
      expect([answer.status, answer.body, valueOf(answer, 'link')]).toEqual([200, 'ok', null])
      expect(answer.interim.map(({ status, lines }) => [status, lines])).toEqual([
        [103, [['Link', '</a.css>; rel=preload']]],
        [102, []],
      ])
    }
  })

  it('check 13: 103 is kept from a client of HTTP/1.0', async () => {
    stage.upstream.respond = (_request, { send }) =>
      send('HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    const client = stage.connect()
    client.send(stage.head('GET /').replace('HTTP/1.1', 'HTTP/1.0'))
    const answer = await client.answer()
    expect([answer.status, answer.body, answer.interim]).toEqual([200, 'ok', []])
  })
}
