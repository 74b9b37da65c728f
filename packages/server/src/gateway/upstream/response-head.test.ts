import { describe, expect, it } from 'vitest'

import { mayBecomeHead, parseResponseHead } from './response-head.ts'

const head = (...lines: readonly string[]) => `${lines.join('\r\n')}\r\n\r\n`
const ok = 'HTTP/1.1 200 OK'
const parsed = (text: string, method: string) => parseResponseHead(text, text.length, method)

describe('the head of an answer', () => {
  it('is status, lines as sent, and how its body ends', () => {
    const read = parsed(head(ok, 'X-A: 1', 'x-a:\t é\xff ', 'X-Empty:', 'Content-Length: 5'), 'GET')
    expect(read?.fields.pairs).toEqual(['X-A', '1', 'x-a', 'é\xff', 'X-Empty', '', 'Content-Length', '5'])
    expect(read).toMatchObject({
      status: 200,
      framing: 'length',
      length: 5,
      persistent: true,
      keepAliveMs: null,
      nominates: false,
    })
  })

  it.each([
    ['without a reason', 'HTTP/1.1 200'],
    ['with an empty reason', 'HTTP/1.1 200 '],
    ['with a reason in Latin-1', 'HTTP/1.1 200 d\xe9j\xe0\tvu'],
  ])('may come %s', (_name, line) => {
    expect(parsed(head(line), 'GET')).toMatchObject({ status: 200, framing: 'close', persistent: false })
  })

  it.each<[string, string, string, object]>([
    ['a length', head(ok, 'content-LENGTH: 0'), 'GET', { framing: 'none', length: 0, persistent: true }],
    ['chunks', head(ok, 'Transfer-Encoding: Chunked'), 'GET', { framing: 'chunked', persistent: true }],
    ['neither', head(ok), 'GET', { framing: 'close', persistent: false }],
    ['a length, to HEAD', head(ok, 'Content-Length: 9'), 'HEAD', { framing: 'none', length: 0, persistent: true }],
    ['chunks, to HEAD', head(ok, 'Transfer-Encoding: chunked'), 'HEAD', { framing: 'none', persistent: true }],
    ['204', head('HTTP/1.1 204 No', 'Content-Length: 9'), 'GET', { framing: 'none', persistent: true }],
    ['304', head('HTTP/1.1 304 No', 'Content-Length: 9'), 'GET', { framing: 'none', persistent: true }],
    ['103', head('HTTP/1.1 103 E'), 'GET', { framing: 'none' }],
    ['close', head(ok, 'Content-Length: 1', 'Connection: a, Close ,b'), 'GET', { persistent: false }],
    ['closed, which is not close', head(ok, 'Content-Length: 1', 'Connection: closed'), 'GET', { persistent: true }],
    ['HTTP/1.0', head('HTTP/1.0 200 OK', 'Content-Length: 1', 'Connection: keep-alive'), 'GET', { persistent: false }],
    ['a time', head(ok, 'Content-Length: 1', 'Keep-Alive: timeout=5, max=9'), 'GET', { keepAliveMs: 5_000 }],
    ['an odd time', head(ok, 'Content-Length: 1', 'Keep-Alive: timeout=x'), 'GET', { keepAliveMs: null }],
  ])('with %s ends there', (_name, text, method, expected) => {
    expect(parsed(text, method)).toMatchObject(expected)
  })

  it.each([
    ['another protocol', head('HTTP/2.0 200 OK')],
    ['another minor version', head('HTTP/1.2 200 OK')],
    ['lower case', head('http/1.1 200 OK')],
    ['two spaces', head('HTTP/1.1  200 OK')],
    ['a status of two digits', head('HTTP/1.1 20 OK')],
    ['a status of four digits', head('HTTP/1.1 2000 OK')],
    ['status 099', head('HTTP/1.1 099 OK')],
    ['status 600', head('HTTP/1.1 600 OK')],
    ['a tab before the reason', head('HTTP/1.1 200\tOK')],
    ['a control character in the reason', head('HTTP/1.1 200 O\x01K')],
    ['a bare CR in the reason', head('HTTP/1.1 200 O\rK')],
    ['a bare LF behind the status line', 'HTTP/1.1 200 OK\nX: 1\r\n\r\n'],
    ['a bare LF behind a line', `${ok}\r\nX: 1\nY: 2\r\n\r\n`],
    ['a bare CR in a value', head(ok, 'X: 1\rY: 2')],
    ['a NUL in a value', head(ok, 'X: 1\x00')],
    ['a DEL in a value', head(ok, 'X: 1\x7f')],
    ['a folded line', head(ok, 'X: 1', ' 2')],
    ['a space before the colon', head(ok, 'X : 1')],
    ['a tab in a name', head(ok, 'X\tY: 1')],
    ['a name with a byte above 127', head(ok, 'X\xe9: 1')],
    ['no name', head(ok, ': 1')],
    ['no colon', head(ok, 'X')],
    ['an empty line in front', `\r\n${head(ok)}`],
    ['two lengths', head(ok, 'Content-Length: 1', 'Content-Length: 2')],
    ['a length twice', head(ok, 'Content-Length: 1', 'Content-Length: 1')],
    ['a list of lengths', head(ok, 'Content-Length: 1, 1')],
    ['a signed length', head(ok, 'Content-Length: +1')],
    ['an empty length', head(ok, 'Content-Length:')],
    ['a length of sixteen digits', head(ok, 'Content-Length: 1000000000000000')],
    ['a length and chunks', head(ok, 'Content-Length: 1', 'Transfer-Encoding: chunked')],
    ['chunks and a length', head(ok, 'Transfer-Encoding: chunked', 'Content-Length: 1')],
    ['another encoding', head(ok, 'Transfer-Encoding: gzip')],
    ['two encodings', head(ok, 'Transfer-Encoding: gzip, chunked')],
    ['chunks twice', head(ok, 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked')],
    ['chunks in HTTP/1.0', head('HTTP/1.0 200 OK', 'Transfer-Encoding: chunked')],
    ['more lines than 256', head(ok, ...Array.from({ length: 257 }, (_, i) => `X-${i}: 1`))],
  ])('is refused with %s', (_name, text) => {
    expect(parsed(text, 'GET')).toBeNull()
  })

  it('may have 256 lines', () => {
    const lines = Array.from({ length: 256 }, (_, i) => `X-${i}: 1`)
    expect(parsed(head(ok, ...lines), 'GET')?.fields.pairs).toHaveLength(512)
  })

  it('is given up as soon as nothing can make it one', () => {
    const whole = head(ok, 'X: 1')
    for (let i = 1; i < whole.length; i++) expect(mayBecomeHead(whole.slice(0, i))).toBe(true)
    for (const text of ['h', 'HTTP/2', 'SSH-2.0-x', `${ok}\n`, `${ok}\rX`, `${ok}\r\nX: 1\n\n`])
      expect(mayBecomeHead(text)).toBe(false)
  })
})
