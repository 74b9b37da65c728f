import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'

import { msUntil, startStage, transports, valueOf, type Stage } from './support/stage.ts'

/** Checks 7 to 12: bodies that pass while they are being made. */
describe.each(transports)('over $name', (transport) => {
  let stage: Stage
  beforeAll(async () => {
    stage = await startStage(transport)
  })
  beforeEach(() => stage.reset())
  afterAll(() => stage.stop())

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
})
