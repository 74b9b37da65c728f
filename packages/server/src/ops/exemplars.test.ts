import { describe, expect, it } from 'vitest'

import { refuse } from '../core/decision/refuse.ts'
import { Exemplars } from './exemplars.ts'
import { aRequest } from './testing/entries.ts'

const start = Date.UTC(2026, 0, 1)
const minuteMs = 60_000

describe('exemplars', () => {
  it('are the slowest of what was passed on, the slowest first', () => {
    const exemplars = new Exemplars()
    for (const [i, latencyMs] of [3, 1, 9, 7, 2, 8, 5].entries())
      exemplars.tell(aRequest({ requestId: `req_${i}`, latencyMs, upstreamMs: latencyMs / 3, now: start }))
    exemplars.tell(
      aRequest({ requestId: 'refused', latencyMs: 100, refusal: refuse('scope_missing'), status: 403, now: start }),
    )
    const { slowest, failed } = exemplars.view(start)
    expect([slowest.map(({ ms }) => ms), failed]).toEqual([[9, 8, 7, 5, 3], []])
    expect(slowest[0]).toEqual({
      request_id: 'req_2',
      at: '2026-01-01T00:00:00.000Z',
      status: 200,
      outcome: '2xx',
      ms: 9,
      upstream_ms: 3,
    })
  })

  it('are of this period of five minutes and the one before it', () => {
    const exemplars = new Exemplars()
    const slowest = (now: number) => exemplars.view(now).slowest.map(({ ms }) => ms)
    exemplars.tell(aRequest({ latencyMs: 50, now: start }))
    expect(slowest(start + 5 * minuteMs - 1)).toEqual([50])
    exemplars.tell(aRequest({ latencyMs: 20, now: start + 5 * minuteMs }))
    expect(slowest(start + 10 * minuteMs - 1)).toEqual([50, 20])
    exemplars.tell(aRequest({ latencyMs: 10, now: start + 10 * minuteMs }))
    expect(slowest(start + 10 * minuteMs)).toEqual([20, 10])
    expect(slowest(start + 60 * minuteMs)).toEqual([])
  })

  it('are the last that failed, the latest first: 5xx of anybody, and answers that broke off', () => {
    const exemplars = new Exemplars()
    const fail = (requestId: string, more: object) => exemplars.tell(aRequest({ requestId, now: start, ...more }))
    for (let i = 0; i < 4; i++) fail(`old_${i}`, { status: 500 })
    fail('refused', { refusal: refuse('decision_unavailable'), status: 503 })
    fail('cut', { status: 200, ended: 'upstream_error' })
    fail('fine', { status: 499, ended: 'client_gone' })
    fail('found', { status: 404 })
    expect(exemplars.view(start).failed.map((each) => [each.request_id, each.outcome])).toEqual([
      ['cut', 'upstream_error'],
      ['refused', 'decision_unavailable'],
      ['old_3', '5xx'],
      ['old_2', '5xx'],
      ['old_1', '5xx'],
    ])
  })
})
