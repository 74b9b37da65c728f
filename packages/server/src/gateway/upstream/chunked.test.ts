import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { ChunkedDecoder } from './chunked.ts'

/** Feeds the pieces one after the other, and gathers what comes of them. */
function decode(...pieces: readonly string[]) {
  const decoder = new ChunkedDecoder()
  let data = ''
  let rest = ''
  for (const piece of pieces) {
    const bytes = Buffer.from(piece, 'latin1')
    const stopped = decoder.read(bytes, 0, bytes.length, {
      chunkData: (found, start, end) => (data += found.toString('latin1', start, end)),
    })
    rest += piece.slice(stopped)
  }
  return { state: decoder.state, data, trailers: decoder.trailers, rest }
}

describe('the chunked coding', () => {
  it('gives the data, the trailers, and what is behind them', () => {
    expect(decode('5;a=b\r\nhello\r\n0A\r\n0123456789\r\n0\r\nX-Sum: 1\r\nx-Sum:2 \r\n\r\nHTTP/1.1')).toEqual({
      state: 'ended',
      data: 'hello0123456789',
      trailers: ['X-Sum', '1', 'x-Sum', '2'],
      rest: 'HTTP/1.1',
    })
  })

  it('reads the same wherever packets divide it', () => {
    const whole = 'b;ext="v"\r\nhello\r\n0\r\n!\r\n1\r\n\r\r\n00\r\nX-Sum: 1\r\nY: 2\r\n\r\n'
    const expected = decode(whole)
    expect(expected).toMatchObject({ state: 'ended', data: 'hello\r\n0\r\n!\r', trailers: ['X-Sum', '1', 'Y', '2'] })
    for (let i = 0; i <= whole.length; i++)
      for (let j = i; j <= whole.length; j++)
        expect(decode(whole.slice(0, i), whole.slice(i, j), whole.slice(j))).toEqual(expected)
  })

  it('gives back any data, in any chunks, over any packets', () => {
    const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array).toString('latin1'))
    const packets = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 })
    fc.assert(
      fc.property(fc.array(bytes), packets, (chunks, sizes) => {
        const coded = `${chunks
          .filter((chunk) => chunk !== '')
          .map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`)
          .join('')}0\r\n\r\n`
        const pieces: string[] = []
        for (let at = 0, i = 0; at < coded.length; i++) {
          const size = sizes[i % sizes.length] ?? 1
          pieces.push(coded.slice(at, at + size))
          at += size
        }
        expect(decode(...pieces)).toEqual({ state: 'ended', data: chunks.join(''), trailers: [], rest: '' })
      }),
    )
  })

  it.each([
    ['no digits', '\r\n'],
    ['a sign', '+5\r\n'],
    ['a prefix', '0x5\r\n'],
    ['a space behind the size', '5 \r\n'],
    ['a space before the size', ' 5\r\n'],
    ['thirteen digits', '0000000000005\r\n'],
    ['a bare LF behind the size', '5\nhello'],
    ['a bare CR behind the size', '5\rhello'],
    ['more data than its size', '5\r\nhello!\r\n'],
    ['a bare LF behind the data', '5\r\nhello\n'],
    ['a control character in an extension', '5;\x00\r\n'],
    ['a bare LF in an extension', '5;a\nb\r\n'],
    ['extensions without end', `5;${'a'.repeat(16_385)}`],
    ['a folded trailer', '0\r\nX: 1\r\n 2\r\n\r\n'],
    ['a space before the colon of a trailer', '0\r\nX : 1\r\n\r\n'],
    ['trailers without end', `0\r\n${'X: 1\r\n'.repeat(2_800)}`],
    ['a hundred and one trailers', `0\r\n${'X: 1\r\n'.repeat(101)}\r\n`],
  ])('is broken with %s, and nothing mends it', (_name, text) => {
    expect(decode(text, '\r\n0\r\n\r\n').state).toBe('broken')
  })

  it('has not ended before its last byte', () => {
    const whole = '5\r\nhello\r\n0\r\n\r\n'
    for (let i = 0; i < whole.length; i++) expect(decode(whole.slice(0, i)).state).not.toBe('ended')
    expect(decode(whole).state).toBe('ended')
  })
})
