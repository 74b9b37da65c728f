import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { packRequests, RequestPacker, unpackRequests } from './request-blocks.ts'
import type { RequestRow } from './usage.ts'

const unpacked = (rows: readonly RequestRow[]) => packRequests(rows).map((block) => unpackRequests(block.rows))

function aRow(more: Partial<RequestRow> = {}): RequestRow {
  return {
    id: idAt(1_700_000_000_123),
    at: 1_700_000_000_123,
    api: 'shop',
    route: 'getOrder',
    method: 'GET',
    path: '/v1/orders/7',
    status: 200,
    code: null,
    outcome: '2xx',
    account: 'acc_1',
    project: 'prj_1',
    credential: 'cred_1',
    secret: 'sec_1',
    ip: '203.0.113.7',
    country: 'AT',
    userAgent: 'curl/8',
    latencyMs: 1.5,
    trace: null,
    ...more,
  }
}

const idAt = (ms: number, tail = 0): string =>
  `req_${ms.toString(16).padStart(12, '0')}7${tail.toString(16).padStart(19, '0')}`

describe('requests in blocks', () => {
  it('come out as they went in, whatever stands in them', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string(),
      fc.constantFrom('', '"', '\\', '\u007f', 'ÿ', '/'),
    )
    const few = (prefix: string) => fc.option(fc.integer({ min: 0, max: 2 }).map((i) => `${prefix}${i}`))
    const row = fc.record({
      id: fc.tuple(fc.nat(3_000), fc.nat()).map(([ms, tail]) => idAt(1_700_000_000_000 + ms, tail)),
      at: fc.oneof(fc.nat(), fc.maxSafeNat()),
      api: few('api'),
      route: few('r'),
      method: fc.constantFrom('GET', 'POST', 'QUÉRY'),
      path: text,
      status: fc.constantFrom(200, 404),
      code: fc.constantFrom(null, 'rate_limited', 'scope_missing'),
      outcome: fc.constantFrom('2xx', 'rate_limited'),
      account: few('acc'),
      project: few('prj'),
      credential: few('cred'),
      secret: few('sec'),
      ip: fc.constantFrom('203.0.113.7', '2001:db8::1'),
      country: fc.constantFrom('AT', 'ZZ'),
      userAgent: fc.option(text),
      latencyMs: fc.nat(10_000_000).map((hundredths) => hundredths / 100),
      trace: fc.option(text),
    })
    fc.assert(
      fc.property(fc.array(row, { maxLength: 60 }), (rows) => {
        const bySecond = Map.groupBy(rows, ({ id }) => Math.floor(Number.parseInt(id.slice(4, 16), 16) / 1000))
        expect(unpacked(rows)).toEqual([...bySecond.values()])
      }),
    )
  })

  it('are times to two places', () => {
    const times = [0, 0.004, 0.005, 0.05, 1.23456, 9.999, 10, 99.95, 12_345_678.9]
    const rows = times.map((latencyMs) => aRow({ latencyMs }))
    expect(
      unpacked(rows)
        .flat()
        .map(({ latencyMs }) => latencyMs),
    ).toEqual([0, 0, 0.01, 0.05, 1.23, 10, 10, 99.95, 12_345_678.9])
  })

  it('are whole numbers of any length, at each number of digits', () => {
    const instants = [
      0,
      9,
      ...Array.from({ length: 15 }, (_, i) => [10 ** (i + 1) - 1, 10 ** (i + 1)]).flat(),
      Number.MAX_SAFE_INTEGER,
    ]
    expect(
      unpacked(instants.map((at) => aRow({ at })))
        .flat()
        .map(({ at }) => at),
    ).toEqual(instants)
  })

  it('are a thousand to a block at most, each block of one second', () => {
    const rows = Array.from({ length: 2_001 }, (_, i) => aRow({ id: idAt(1_700_000_000_000, i) }))
    const later = aRow({ id: idAt(1_700_000_001_000) })
    const blocks = packRequests([later, ...rows])
    expect(blocks.map(({ second, count }) => [second, count])).toEqual([
      [1_700_000_000, 1_000],
      [1_700_000_000, 1_000],
      [1_700_000_001, 1],
      [1_700_000_000, 1],
    ])
    expect(blocks.flatMap((block) => unpackRequests(block.rows))).toEqual([
      ...rows.slice(0, 2_000),
      later,
      ...rows.slice(2_000),
    ])
  })

  it('are taken once', () => {
    const packer = new RequestPacker()
    packer.add(aRow({ trace: '[]', code: 'scope_missing' }))
    expect([packer.size, packer.take().length, packer.size, packer.take()]).toEqual([1, 1, 0, []])
    packer.add(aRow({ secret: 'sec_2' }))
    expect(packer.take().flatMap(({ rows }) => unpackRequests(rows))).toEqual([aRow({ secret: 'sec_2' })])
  })
})
