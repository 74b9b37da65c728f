import { describe, expect, it } from 'vitest'

import { readRequests } from '../../fuzz/strict/request.ts'
import { readResponse } from '../../fuzz/strict/response.ts'

const read = (text: string) => {
  const { requests, rest } = readRequests(text)
  return [requests.map(({ method, target, body }) => `${method} ${target} ${body}`), rest.kind]
}
const head = (...lines: string[]): string => ['POST / HTTP/1.1', 'Host: a', ...lines, '', ''].join('\r\n')

describe('the strict reader, by which the gateway is judged', () => {
  it.each([
    ['nothing', '', [], 'nothing'],
    ['a length', `${head('Content-Length: 2')}hi`, ['POST / hi'], 'nothing'],
    [
      'chunks',
      `${head('Transfer-Encoding: Chunked')}2;a=b\r\nhi\r\n01\r\n!\r\n0\r\nX: 1\r\n\r\n`,
      ['POST / hi!'],
      'nothing',
    ],
    ['two behind each other', `${head('Content-Length: 1')}x\r\n${head()}`, ['POST / x', 'POST / '], 'nothing'],
    ['half a line', 'GET / HT', [], 'incomplete'],
    ['half a body', `${head('Content-Length: 3')}hi`, [], 'incomplete'],
    ['half a chunk', `${head('Transfer-Encoding: chunked')}3\r\nhi`, [], 'incomplete'],
  ])('reads %s', (_name, text, requests, rest) => {
    expect(read(text)).toEqual([requests, rest])
  })

  it.each([
    ['a bare LF', head('X: 1\nY: 2')],
    ['a bare CR', head('X: 1\rY: 2')],
    ['a folded line', head('X: 1', ' 2')],
    ['a space before the colon', head('X : 1')],
    ['a control character', head('X: \u0001')],
    ['a length beside chunks', head('Content-Length: 1', 'Transfer-Encoding: chunked')],
    ['two lengths', head('Content-Length: 1', 'Content-Length: 1')],
    ['a list of lengths', head('Content-Length: 1, 1')],
    ['a signed length', head('Content-Length: +1')],
    ['another encoding', head('Transfer-Encoding: identity, chunked')],
    ['chunks in HTTP/1.0', head('Transfer-Encoding: chunked').replace('1.1', '1.0')],
    ['no Host', 'GET / HTTP/1.1\r\n\r\n'],
    ['two Hosts', head('Host: a')],
    ['a chunk size with a sign', `${head('Transfer-Encoding: chunked')}+1\r\nx\r\n0\r\n\r\n`],
    ['a chunk size with a space', `${head('Transfer-Encoding: chunked')}1 \r\nx\r\n0\r\n\r\n`],
    ['a chunk without its end', `${head('Transfer-Encoding: chunked')}1\r\nxy\r\n0\r\n\r\n`],
    ['a tab in the request line', 'GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['another version', head().replace('1.1', '1.2')],
  ])('has no reading of %s', (_name, text) => {
    expect(read(text)).toEqual([[], 'malformed'])
  })

  it.each([
    ['a length', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi', 'GET', false, 'length hi'],
    [
      'an interim answer first',
      'HTTP/1.1 103 X\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
      'GET',
      false,
      'length ',
    ],
    ['the end of the connection', 'HTTP/1.1 200 OK\r\n\r\nhi', 'GET', true, 'close hi'],
    ['a connection that has not ended', 'HTTP/1.1 200 OK\r\n\r\nhi', 'GET', false, 'incomplete'],
    ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n', 'HEAD', false, 'length '],
    ['a body that is cut short', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nh', 'GET', true, 'incomplete'],
    ['a 204 with a length', 'HTTP/1.1 204 X\r\nContent-Length: 2\r\n\r\n', 'GET', false, 'malformed'],
    ['no status', 'HTTP/1.1 OK\r\n\r\n', 'GET', false, 'malformed'],
  ])('reads of answers: %s', (_name, text, method, ended, expected) => {
    const found = readResponse(text, 0, method, ended)
    expect(found.kind === 'read' ? `${found.value.framing} ${found.value.body}` : found.kind).toBe(expected)
  })
})
