import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { createEventSplitter, type StreamEvent } from './event-stream.ts'

function events(chunks: readonly (string | Buffer)[], bytesMax = 1_000): readonly StreamEvent[] {
  const splitter = createEventSplitter(bytesMax)
  return chunks.flatMap((chunk) => splitter.push(Buffer.from(chunk)))
}

const datas = (all: readonly StreamEvent[]) => all.map(({ data }) => data).filter((data) => data !== '')

describe('events of a stream', () => {
  it('are told with their data, as soon as they end', () => {
    const splitter = createEventSplitter(1_000)
    expect(splitter.push(Buffer.from('event: a\ndata: 1\n'))).toEqual([])
    expect(splitter.push(Buffer.from('\nda')).map(({ data }) => data)).toEqual(['1'])
    expect(splitter.rest().toString()).toBe('da')
    expect(splitter.rest().toString()).toBe('')
  })

  it('have several data lines, one without a space, comments, ids and no data at all', () => {
    expect(datas(events(['data: a\ndata:b\n: data: c\nid: 7\nevent: x\n\n:ping\n\ndata\n\ndata: d\n\n']))).toEqual([
      'a\nb',
      'd',
    ])
  })

  it.each(['\n', '\r\n', '\r'])('end in %j, wherever the bytes are cut', (end) => {
    const text = ['data: é1', 'data: 2', '', ': hi', '', 'event: e', 'data: {"x":"…"}', '', ''].join(end)
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 80 })), (cuts) => {
        const bytes = Buffer.from(text)
        const at = [0, ...cuts.map((cut) => cut % bytes.length), bytes.length].toSorted((a, b) => a - b)
        const found = events(at.map((from, i) => bytes.subarray(from, at[i + 1] ?? bytes.length)))
        expect(datas(found)).toEqual(['é1\n2', '{"x":"…"}'])
      }),
    )
  })

  it('are told whole: their bytes and the rest are the stream', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: fc.constantFrom('\n', '\r', 'd', 'data: ') })),
        fc.nat({ max: 20 }),
        (chunks, max) => {
          const splitter = createEventSplitter(max)
          const found = chunks.flatMap((chunk) => splitter.push(Buffer.from(chunk)))
          expect(Buffer.concat([...found.map(({ raw }) => raw), splitter.rest()]).toString()).toBe(chunks.join(''))
        },
      ),
    )
  })

  it('are not held beyond the bound, and the next one is read again', () => {
    const splitter = createEventSplitter(20)
    expect(splitter.push(Buffer.from('data: 12345678901234')).map(({ data }) => data)).toEqual([])
    const pieces = splitter.push(Buffer.from('5'))
    expect(pieces.map(({ raw, data }) => [raw.length, data])).toEqual([[21, '']])
    expect(splitter.push(Buffer.from('more')).map(({ raw }) => raw.toString())).toEqual(['more'])
    expect(datas(splitter.push(Buffer.from('\n\ndata: next\n\n')))).toEqual(['next'])
  })
})
