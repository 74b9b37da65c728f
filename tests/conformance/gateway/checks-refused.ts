import { expect, it } from 'vitest'

import { refusal, valueOf, type Stage } from '../support/stage.ts'

/** Checks 21 to 29: heads that could be read in two ways. Each is refused, its connection closed, nothing sent on. */
export function refusalChecks(stage: Stage): void {
  /** What comes of bytes with a good request behind them. */
  const outcomeOf = async (bytes: string) => {
    const client = stage.connect()
    client.send(bytes + stage.head('GET /behind'))
    const answer = await client.answer('POST')
    expect(valueOf(answer, 'connection')).toBe('close')
    client.socket.end()
    await client.closed()
    const upstream = stage.upstream.connections.map((connection) => connection.bytes())
    return { ...refusal(answer), answers: client.bytes().split('HTTP/1.1 ').length - 1, upstream }
  }
  const refused = (code: string, status = 400) => ({ status, code, answers: 1, upstream: [] })
  const malformed = refused('request_malformed')
  /** Requests with these lines; the credential is good, so that nothing else can be the reason. */
  const post = (...lines: string[]): string => stage.head('POST /', ...lines)

  it('check 21: CL with TE refused or made safe', async () => {
    expect(await outcomeOf(`${post('Content-Length: 4', 'Transfer-Encoding: chunked')}0\r\n\r\n`)).toEqual(malformed)
    expect(await outcomeOf(`${post('Transfer-Encoding: chunked', 'Content-Length: 4')}0\r\n\r\n`)).toEqual(malformed)
    expect(await outcomeOf(`${post('Content-Length: 0', 'transfer-encoding: chunked')}0\r\n\r\n`)).toEqual(malformed)
  })

  it.each(['identity, chunked', 'chunked, identity', 'xchunked', 'chunked, chunked', 'gzip, chunked', 'identity', ''])(
    'check 22: odd Transfer-Encoding refused: %j',
    async (value) => {
      expect(await outcomeOf(`${post(`Transfer-Encoding: ${value}`)}0\r\n\r\n`)).toEqual(malformed)
    },
  )

  it.each(['DELETE', 'GET', 'OPTIONS', 'HEAD'])('check 23: chunked %s keeps its framing', async (method) => {
    const hidden = stage.head('GET /admin/smuggled')
    const client = stage.connect()
    client.send(
      `${stage.head(`${method} /`, 'Transfer-Encoding: chunked')}${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`,
    )
    const answer = await client.answer(method)
    expect(answer.status).toBe(200)
    expect(stage.upstream.seen.map((seen) => [seen.method, seen.target, seen.body])).toEqual([[method, '/', hidden]])
    // And the next one on both connections is itself.
    client.send(stage.head('GET /next'))
    expect((await client.answer()).status).toBe(200)
    expect(stage.upstream.seen.map(({ target }) => target)).toEqual(['/', '/next'])
  })

  it('check 24: two Content-Length refused', async () => {
    expect(await outcomeOf(`${post('Content-Length: 4', 'Content-Length: 5')}hello`)).toEqual(malformed)
    expect(await outcomeOf(`${post('Content-Length: 5', 'content-length: 5')}hello`)).toEqual(malformed)
    expect(await outcomeOf(`${post('Content-Length: 5, 5')}hello`)).toEqual(malformed)
  })

  it('check 25: bare LF refused', async () => {
    expect(await outcomeOf(stage.head('GET /').replaceAll('\r\n', '\n'))).toEqual(malformed)
    expect(await outcomeOf(stage.head('GET /', 'X: a\nTransfer-Encoding: chunked'))).toEqual(malformed)
    expect(await outcomeOf(stage.head('GET /').replace(/\r\n\r\n$/, '\r\n\n'))).toEqual(malformed)
  })

  it('check 26: space before colon', async () => {
    expect(await outcomeOf(stage.head('GET /', 'X-A : 1'))).toEqual(malformed)
    expect(await outcomeOf(`${stage.head('POST /', 'Transfer-Encoding : chunked')}0\r\n\r\n`)).toEqual(malformed)
    expect(await outcomeOf(stage.head('GET /', 'X-A\t: 1'))).toEqual(malformed)
  })

  it('check 27: two Host refused', async () => {
    expect(await outcomeOf(stage.head('GET /', 'Host: shop.test'))).toEqual(malformed)
    expect(await outcomeOf(stage.head('GET /', 'hOST: other.test'))).toEqual(malformed)
    expect(await outcomeOf(stage.head('GET /').replace('Host: shop.test\r\n', ''))).toEqual(malformed)
  })

  it('check 28: absolute-form handled', async () => {
    expect(await outcomeOf(stage.head('GET http://shop.test/'))).toEqual(malformed)
    expect(await outcomeOf(stage.head('GET http://other.test/'))).toEqual(malformed)
    expect(await outcomeOf(stage.head('OPTIONS *'))).toEqual(malformed)
  })

  it('check 29: 64 KiB header refused', async () => {
    expect(await outcomeOf(stage.head('GET /', `X-A: ${'a'.repeat(65_536)}`))).toEqual(
      refused('headers_too_large', 431),
    )
    expect(await outcomeOf(stage.head('GET /', ...Array.from({ length: 99 }, () => 'X-A: b')))).toEqual(
      refused('headers_too_large', 431),
    )
    expect(await outcomeOf(stage.head(`GET /${'a'.repeat(8_192)}`))).toEqual(refused('uri_too_long', 414))
  })
}
