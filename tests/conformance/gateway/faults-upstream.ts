import { expect, it } from 'vitest'

import { connectTo, type Door } from '../../../fuzz/lib/client.ts'
import type { Respond } from '../../../fuzz/lib/upstream.ts'
import { msUntil, refusal, type Stage } from '../support/stage.ts'
import { startRelay } from '../support/tls-records.ts'

export function upstreamFaults(stage: Stage): void {
  const at = (api: string): string => stage.head('GET /').replace('Host: shop.test', `Host: ${api}.test`)

  it.each([
    ['nothing listens on its port', 'gone'],
    ['its name is of nobody', 'nameless'],
    ['it does not answer the TLS handshake', 'mute'],
  ])('is 502 with a request id where %s', async (_name, api) => {
    expect(refusal(await stage.ask(at(api)))).toEqual({ status: 502, code: 'upstream_unreachable' })
  })

  const says =
    (text: string, then: 'stay' | 'end' | 'reset' = 'stay'): Respond =>
    (_request, { socket, send }) => {
      send(text)
      if (then === 'end') socket.end()
      if (then === 'reset') setImmediate(() => socket.resetAndDestroy())
    }
  const ok = 'HTTP/1.1 200 OK\r\n'

  it.each<[string, Respond]>([
    ['closes before a word', says('', 'end')],
    ['resets before a word', says('', 'reset')],
    ['closes inside its status line', says('HTTP/1.1 20', 'end')],
    ['resets inside its head', says(`${ok}Content-Type: text/p`, 'reset')],
    ['closes inside its head', says(`${ok}Content-Type: text/plain\r\n`, 'end')],
    ['closes behind an interim answer', says('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n', 'end')],
    ['says two lengths', says(`${ok}Content-Length: 2\r\nContent-Length: 3\r\n\r\nok!`)],
    ['says a length and chunks', says(`${ok}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`)],
    ['says a length that is none', says(`${ok}Content-Length: two\r\n\r\nok`)],
    ['says an encoding that nobody asked for', says(`${ok}Transfer-Encoding: gzip\r\n\r\nxx`, 'end')],
    ['folds a line', says(`${ok}X: a\r\n b\r\nContent-Length: 2\r\n\r\nok`)],
    ['ends lines with LF', says('HTTP/1.1 200 OK\nContent-Length: 2\n\nok')],
    ['puts a NUL into a line', says(`${ok}X: a\0b\r\nContent-Length: 2\r\n\r\nok`)],
    ['puts a CR into a line', says(`${ok}X: a\rSet-Cookie: b\r\nContent-Length: 2\r\n\r\nok`)],
    ['puts a space before a colon', says(`${ok}X : a\r\nContent-Length: 2\r\n\r\nok`)],
    ['speaks HTTP/2', says('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')],
    ['speaks something else', says('SSH-2.0-OpenSSH\r\n')],
    ['answers with another status than there are', says('HTTP/1.1 999 No\r\nContent-Length: 0\r\n\r\n')],
    [
      'switches protocols unasked',
      says('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'),
    ],
    ['sends header lines without end', (_request, { socket }) => endless(socket, ok, 'X: y\r\n')],
    ['sends one header line without end', (_request, { socket }) => endless(socket, `${ok}X: `, 'yyyyyyyy')],
    ['sends a status line without end', (_request, { socket }) => endless(socket, 'HTTP/1.1 200 ', 'OKOKOKOK')],
  ])('is 502 where it %s', async (_name, respond) => {
    stage.upstream.respond = respond
    const client = stage.connect()
    client.send(`${stage.head('POST /', 'Content-Length: 2')}hi`)
    expect(refusal(await client.answer('POST'))).toEqual({ status: 502, code: 'upstream_unreachable' })
    await msUntil(() => stage.upstream.connections.every(({ left }) => left !== null), 1_000)
    // Neither connection carries anything of it into what comes next.
    stage.upstream.respond = says('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext')
    client.send(stage.head('GET /'))
    expect((await client.answer()).body).toBe('next')
  })

  it.each<[string, Respond]>([
    ['says nothing', () => undefined],
    ['says half a head', says(`${ok}Content-`)],
    ['says half a status line', says('HTTP/1.1')],
    [
      'sends interim answers without end',
      (_request, { socket }) => endless(socket, '', 'HTTP/1.1 102 Processing\r\n\r\n', 20),
    ],
  ])('is 504 where it %s within its time', async (_name, respond) => {
    stage.upstream.respond = respond
    const answer = await stage.ask(stage.head('GET /quick/x'))
    expect(refusal(answer)).toEqual({ status: 504, code: 'upstream_timeout' })
    await msUntil(() => stage.upstream.connections.every(({ left }) => left !== null), 1_000)
  })

  it.each<[string, Respond]>([
    ['falls silent', says(`${ok}Content-Length: 10\r\n\r\nhello`)],
    ['falls silent in a chunk', says(`${ok}Transfer-Encoding: chunked\r\n\r\na\r\nhello`)],
    ['resets', says(`${ok}Content-Length: 10\r\n\r\nhello`, 'reset')],
    ['closes', says(`${ok}Content-Length: 10\r\n\r\nhello`, 'end')],
    ['resets between two chunks', says(`${ok}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`, 'reset')],
    ['closes between two chunks', says(`${ok}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`, 'end')],
    ['closes before the last line', says(`${ok}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n`, 'end')],
    ['resets a body that ends with its connection', says(`${ok}\r\nhello`, 'reset')],
    ['breaks the chunked coding', says(`${ok}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n`)],
    ['sends more than its chunk', says(`${ok}Transfer-Encoding: chunked\r\n\r\n5\r\nhello!\r\n0\r\n\r\n`)],
    [
      'sends extensions without end',
      (_request, { socket }) => endless(socket, `${ok}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5;`, 'xxxxxxxx'),
    ],
    [
      'sends trailers without end',
      (_request, { socket }) =>
        endless(socket, `${ok}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n`, 'X: y\r\n'),
    ],
  ])('that %s inside its answer is never made to look whole', async (_name, respond) => {
    stage.upstream.respond = respond
    const client = stage.connect()
    client.send(stage.head('GET /quick/x'))
    await expect(client.answer()).rejects.toThrow(/the connection ended after|no answer/)
    expect(client.bytes()).not.toMatch(/\r\n0\r\n/)
    await msUntil(() => stage.upstream.connections.every(({ left }) => left !== null), 1_000)
  })

  it('that resets a body which ends with its connection breaks the connection of an HTTP/1.0 client as well', async () => {
    stage.upstream.respond = says(`${ok}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`, 'reset')
    const text = stage.head('GET /').replace('HTTP/1.1', 'HTTP/1.0')
    if (stage.door.tls === null) {
      const client = stage.connect()
      client.send(text)
      expect(await client.closed()).toBe('reset')
      return
    }
    // Over TLS an end that is meant is told by an alert (RFC 8446, section 6.1), which TLS 1.2 sends in the open.
    expect(await lastRecord(stage.door, text)).toBe(23)
    stage.upstream.respond = says(`${ok}Content-Length: 5\r\n\r\nhello`)
    expect(await lastRecord(stage.door, text)).toBe(21)
  })

  it('that answers before the request has ended is heard, and the rest of the body goes nowhere', async () => {
    stage.upstream.onHead = ({ send }) => send('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno')
    const client = stage.connect()
    client.send(`${stage.head('POST /', 'Content-Length: 1000000')}hello`)
    const answer = await client.answer('POST')
    expect([answer.status, answer.body]).toEqual([403, 'no'])
    client.send('x'.repeat(10_000))
    await msUntil(() => stage.upstream.connections.every(({ left }) => left !== null), 1_000)
    expect(stage.upstream.seen).toEqual([])
    stage.upstream.onHead = null
    expect((await stage.ask(stage.head('GET /next'))).status).toBe(200)
    expect(stage.upstream.seen.map(({ target }) => target)).toEqual(['/next'])
  })

  it('that says more than its length is not heard beyond it', async () => {
    stage.upstream.respond = says(`${ok}Content-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`)
    const client = stage.connect()
    for (let i = 0; i < 3; i++) {
      client.send(stage.head(`GET /${i}`))
      expect((await client.answer()).body).toBe('ok')
    }
    expect(client.bytes()).not.toContain('evil')
  })
}

/** Type of the last record that the gateway sent to a client which got `hello` from it. */
async function lastRecord({ port, tls }: Door, text: string): Promise<number | undefined> {
  const relay = await startRelay(port)
  const client = connectTo({ port: relay.port, tls: { ...tls, maxVersion: 'TLSv1.2' } })
  client.send(text)
  await client.closed()
  relay.close()
  expect(client.bytes()).toMatch(/hello$/)
  return relay.types().at(-1)
}

/** `first`, and then the same again and again, `everyMs` apart or as fast as it is taken. */
function endless(socket: Parameters<Respond>[1]['socket'], first: string, again: string, everyMs = 0): void {
  socket.write(first)
  const more = (): void => {
    if (socket.destroyed) return
    if (everyMs > 0) {
      socket.write(again)
      setTimeout(more, everyMs)
    } else if (socket.write(again.repeat(1_000))) setImmediate(more)
    else socket.once('drain', more)
  }
  more()
}
