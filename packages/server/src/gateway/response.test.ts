import { describe, expect, it } from 'vitest'

import { gatewayTo, head, key } from './testing/harness.ts'
import { request } from './testing/raw-client.ts'
import type { Reply } from './testing/raw-upstream.ts'

const date = 'Date: Sun, 06 Nov 1994 08:49:37 GMT'
const text =
  (answer: string): Reply =>
  (_request, socket) =>
    void socket.write(answer, 'latin1')

/** What a client is sent, but for the ids and the connection. */
async function sent(answer: string, method: string, ...more: readonly string[]) {
  const { port } = await gatewayTo(text(answer), { limits: true })
  const { status, lines, body } = await request(
    port,
    head(`${method} / HTTP/1.1`, 'Host: a', key, ...more),
    method === 'HEAD' ? { head: true } : undefined,
  )
  const told = lines.filter(([name]) => name !== 'X-Request-Id' && name !== 'Connection')
  return {
    status,
    body,
    told: told.map(([name, value]) => `${name}: ${value}`),
  }
}

describe('a whole answer', () => {
  it.each([
    ['a body', 'GET', head('HTTP/1.1 200 OK', date, 'Content-Type: text/plain', 'Content-Length: 5') + 'hello'],
    ['bytes beyond ASCII', 'GET', head('HTTP/1.1 200 OK', date, 'X-Name: J\xfcrg', 'Content-Length: 2') + '\xff\x00'],
    [
      'a file name beyond ASCII',
      'GET',
      head('HTTP/1.1 200 OK', date, 'Content-Disposition: attachment; filename=a', 'Content-Length: 1') + 'x',
    ],
    [
      'two lines of a name',
      'GET',
      head('HTTP/1.1 404 Gone', date, 'Set-Cookie: a', 'Set-Cookie: b', 'Content-Length: 1') + 'x',
    ],
    ['an odd status', 'GET', head('HTTP/1.1 599 x', date, 'Content-Length: 1') + 'x'],
    ['odd spacing', 'GET', head('HTTP/1.1 200 OK', date, 'a:b', 'c:   d  ', 'e:', 'Content-Length:1') + 'x'],
    [
      'lines that do not go on between others',
      'GET',
      head(
        'HTTP/1.1 200 OK',
        'X-Request-Id: theirs',
        date,
        'X-Postern-Account: a',
        'A: 1',
        'B: 2',
        'Connection: keep-alive',
        'C:3',
        'Keep-Alive: timeout=5',
        'ratelimit: theirs',
        'Vary: A',
        'Content-Length: 1',
        'x_postern_kind: a',
      ) + 'x',
    ],
    [
      'a line that Connection names',
      'GET',
      head('HTTP/1.1 200 OK', date, 'X-Hop: 1', 'Connection: Keep-Alive, X-Hop', 'A: 1', 'Content-Length: 1') + 'x',
    ],
    ['no body', 'GET', head('HTTP/1.1 200 OK', date, 'Content-Length: 0')],
    ['204', 'GET', head('HTTP/1.1 204 No Content', date, 'Content-Length: 0')],
    ['304', 'GET', head('HTTP/1.1 304 Not Modified', date, 'ETag: "a"', 'Content-Length: 7')],
    ['HEAD', 'HEAD', head('HTTP/1.1 200 OK', date, 'Content-Length: 1000')],
    ['HEAD of what would come in chunks', 'HEAD', head('HTTP/1.1 200 OK', date, 'Transfer-Encoding: chunked')],
  ])('is the same on a connection that goes on as on one that ends: %s', async (_name, method, answer) => {
    const goingOn = await sent(answer, method)
    expect(goingOn).toEqual(await sent(answer, method, 'Connection: close'))
    expect(goingOn.told).toContain(date)
    expect(goingOn.told.filter((line) => /theirs|postern|hop/i.test(line))).toEqual([])
  })

  it('is given a date where the upstream gave none', async () => {
    const { told } = await sent(head('HTTP/1.1 200 OK', 'Content-Length: 1') + 'x', 'GET')
    expect(told.filter((line) => line.startsWith('Date: '))).toHaveLength(1)
    expect(await sent(head('HTTP/1.1 200 OK', 'dAtE: x', 'Content-Length: 1') + 'x', 'GET')).toMatchObject({
      told: ['dAtE: x', 'Content-Length: 1', 'RateLimit-Policy: "default";q=100;w=60', 'RateLimit: "default";r=99;t=1'],
    })
  })

  it('with a line of ours that cannot stand in a head is a fault of ours, and its line is not sent', async () => {
    const { port, faults, dataPlane } = await gatewayTo(text(head('HTTP/1.1 200 OK', 'Content-Length: 1') + 'x'))
    Object.assign(dataPlane, { limitHeaders: () => ['RateLimit', '"a"\r\nSet-Cookie: evil'] })
    const answer = await request(port, head('GET / HTTP/1.1', 'Host: a', key))
    expect([answer.status, answer.header('set-cookie'), faults]).toEqual([500, [], ['gateway.fault']])
  })
})
