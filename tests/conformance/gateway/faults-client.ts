import { expect, it } from 'vitest'

import { msUntil, refusal, type Stage } from '../support/stage.ts'

export function clientFaults(stage: Stage): void {
  const upstreamGone = async (): Promise<number> =>
    await msUntil(() => stage.upstream.connections.every(({ left }) => left !== null), 2_000)

  it.each([
    ['a length', 'Content-Length: 11', ''],
    ['chunks', 'Transfer-Encoding: chunked', 'b\r\nhello world\r\n0\r\n\r\n'],
    ['chunks that come one by one', 'Transfer-Encoding: chunked', '1\r\nh\r\n'.repeat(11)],
  ])(
    'that sends more than the route takes in %s gets 413, and the upstream no whole body',
    async (_name, framing, body) => {
      const answer = await stage.ask(stage.head('POST /small/x', framing) + body)
      expect(refusal(answer)).toEqual({ status: 413, code: 'request_too_large' })
      await upstreamGone()
      expect(stage.upstream.seen).toEqual([])
    },
  )

  it('that sends just what the route takes is served', async () => {
    const answer = await stage.ask(`${stage.head('POST /small/x', 'Content-Length: 10')}helloworld`)
    expect(answer.status).toBe(200)
    expect(stage.upstream.seen.map(({ body }) => body)).toEqual(['helloworld'])
  })

  it('that falls silent inside its body gets 408, and the upstream is let go', async () => {
    const answer = await stage.ask(`${stage.head('POST /quick/x', 'Content-Length: 10')}hello`)
    expect(refusal(answer)).toEqual({ status: 408, code: 'request_timeout' })
    await upstreamGone()
    expect(stage.upstream.seen).toEqual([])
  })

  it('that breaks the chunked coding gets 400, and the upstream no end of the body', async () => {
    for (const broken of ['zz\r\n', '5\r\nhelloX', '-1\r\n', '5 \r\n', '\n']) {
      await stage.reset()
      const client = stage.connect()
      client.send(`${stage.head('POST /', 'Transfer-Encoding: chunked')}5\r\nhello\r\n`)
      await msUntil(() => stage.upstream.connections[0]?.bytes().includes('hello') === true, 2_000)
      client.send(broken)
      expect(refusal(await client.answer('POST')), JSON.stringify(broken)).toEqual({
        status: 400,
        code: 'request_malformed',
      })
      await upstreamGone()
      expect(stage.upstream.seen).toEqual([])
    }
  })

  it.each([
    ['inside its head', (head: string) => head.slice(0, -2)],
    ['inside its request line', () => 'GET / HT'],
    ['without a word', () => ''],
  ])('that half-closes %s is closed, and the upstream hears nothing', async (_name, part) => {
    const client = stage.connect()
    client.send(part(stage.head('GET /')))
    client.socket.end()
    await client.closed()
    expect([client.bytes(), stage.upstream.connections.length]).toEqual(['', 0])
  })

  it.each(['half-closes', 'leaves', 'resets'] as const)(
    'that %s inside its body takes its upstream along within 500 ms',
    async (how) => {
      const client = stage.connect()
      client.send(`${stage.head('POST /', 'Content-Length: 10')}hello`)
      await msUntil(() => stage.upstream.connections[0]?.bytes().includes('hello') === true, 2_000)
      if (how === 'half-closes') client.socket.end()
      else if (how === 'leaves') client.socket.destroy()
      else client.reset()
      expect(await upstreamGone()).toBeLessThan(500)
      expect(stage.upstream.seen).toEqual([])
    },
  )

  it('that leaves with a hundred requests in flight leaves no upstream waiting', async () => {
    let asked = 0
    stage.upstream.respond = () => void asked++
    const clients = Array.from({ length: 100 }, () => stage.connect())
    for (const client of clients) client.send(stage.head('GET /hang'))
    await msUntil(() => asked === 100, 5_000)
    for (const [i, client] of clients.entries()) {
      if (i % 2 === 0) client.reset()
      else client.socket.destroy()
    }
    expect(await upstreamGone()).toBeLessThan(500)
    stage.upstream.respond = (_request, { send }) => send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    expect((await stage.ask(stage.head('GET /'))).status).toBe(200)
  })
}
