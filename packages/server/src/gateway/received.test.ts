import { once } from 'node:events'
import { createServer, ServerResponse } from 'node:http'
import { connect } from 'node:net'

import { describe, expect, it, onTestFinished } from 'vitest'

import { ReceivedRequest, readHead } from './received.ts'

const host = ['Host', 'a']
const body = (...lines: readonly string[]) => readHead([...host, ...lines], 1).body
const fault = (lines: readonly string[], minor = 1) => readHead(lines, minor).fault

describe('the head of a request', () => {
  it('says the first host, in whatever case it is named', () => {
    expect(readHead(['hOsT', 'a', 'Host', 'b'], 1).host).toBe('a')
    expect(readHead(['Most', 'a'], 1).host).toBe('')
  })

  it.each([
    ['nothing', [], { present: false, length: null }],
    ['a length of 0', ['Content-Length', '0'], { present: false, length: 0 }],
    ['a length', ['CONTENT-LENGTH', '17'], { present: true, length: 17 }],
    ['chunks', ['transfer-encoding', 'chunked'], { present: true, length: 'chunked' }],
    [
      'chunks beside a length',
      ['Content-Length', '3', 'Transfer-Encoding', 'chunked'],
      { present: true, length: 'chunked' },
    ],
    ['two lengths', ['Content-Length', '3', 'Content-Length', '4'], { present: true, length: 3 }],
  ])('says how its body is framed: %s', (_name, lines, framing) => {
    expect(body(...lines)).toEqual({ ...framing, expectsContinue: false, upgrade: false })
  })

  it('says what is expected and what is to be upgraded, of HTTP/1.1 alone', () => {
    expect(body('Expect', '100-continue', 'Upgrade', 'h2c')).toMatchObject({ expectsContinue: true, upgrade: true })
    expect(readHead([...host, 'Expect', '100-continue'], 0).body.expectsContinue).toBe(false)
  })

  it.each([
    [[], 'no host'],
    [[...host, ...host], 'two hosts'],
    [[...host, 'Authorization', 'a', 'authorization', 'b'], 'two credentials'],
    [[...host, 'Content-Length', '1', 'Content-Length', '1'], 'two lengths'],
    [[...host, 'Content-Length', '1', 'Transfer-Encoding', 'chunked'], 'a length beside chunks'],
    [[...host, 'Content-Length', '+1'], 'an odd length'],
    [[...host, 'Content-Length', '1234567890123456'], 'a length beyond every body'],
    [[...host, 'Transfer-Encoding', 'gzip, chunked'], 'another encoding'],
    [[...host, 'Expect', 'another'], 'another expectation'],
  ])('is refused where it could be read in two ways: %j', (lines) => {
    expect(fault(lines)).toBe('request_malformed')
  })

  it('is refused where HTTP/1.0 sends chunks, and HTTP/1.1 may', () => {
    const chunks = [...host, 'Transfer-Encoding', 'Chunked']
    expect([fault(chunks, 0), fault(chunks, 1)]).toEqual(['request_malformed', null])
  })

  it('with one line of each is plain', () => {
    expect(
      fault([...host, 'Authorization', 'a', 'Content-Length', '123456789012345', 'Expect', '100-Continue']),
    ).toBeNull()
  })
})

describe("what Node's server asks of the head", () => {
  it.each([
    ['GET / HTTP/1.1', [], {}],
    ['POST / HTTP/1.1', ['Content-Length: 0'], { 'content-length': '0' }],
    ['POST / HTTP/1.1', ['Transfer-Encoding: chunked'], { 'transfer-encoding': 'chunked' }],
    ['POST / HTTP/1.1', ['Expect: 100-continue'], { expect: '100-continue' }],
    ['GET / HTTP/1.0', ['TE: trailers'], { te: 'trailers' }],
  ])('is answered as Node would: %s, %j', async (line, lines, asked) => {
    const heads: unknown[] = []
    const server = createServer({ IncomingMessage: ReceivedRequest, requireHostHeader: false })
    const keep = (req: ReceivedRequest, res: ServerResponse) => {
      const { expect: expected, te } = req.headers
      const length = req.headers['content-length']
      const encoding = req.headers['transfer-encoding']
      heads.push({
        ...(expected !== undefined && { expect: expected }),
        ...(te !== undefined && { te }),
        ...(length !== undefined && { 'content-length': length }),
        ...(encoding !== undefined && { 'transfer-encoding': encoding }),
      })
      res.destroy()
    }
    server.on('request', keep).on('checkContinue', keep)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const address = server.address()
    const client = connect(address !== null && typeof address === 'object' ? address.port : 0, '127.0.0.1')
    client.on('error', () => undefined).resume()
    client.write([line, 'Host: a', ...lines, '', ''].join('\r\n'))
    await once(client, 'close')
    expect(heads).toEqual([asked])
  })
})
