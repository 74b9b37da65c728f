import { describe, expect, it } from 'vitest'

import { refuse } from '../core/decision/refuse.ts'
import { RouteMetrics } from './route-metrics.ts'
import { aRequest } from './testing/entries.ts'

const shown = (metrics: RouteMetrics) =>
  metrics
    .text()
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#') && !line.includes('_bucket'))

describe('metrics of APIs and routes', () => {
  it('tell what was passed on in all, the upstream’s part of it, and every decision', () => {
    const metrics = new RouteMetrics()
    const passed = aRequest({ api: 'shop', route: 'getOrder', latencyMs: 4, upstreamMs: 3 })
    const refused = aRequest({
      api: 'shop',
      route: 'getOrder',
      refusal: refuse('scope_missing'),
      status: 403,
      latencyMs: 9,
    })
    for (const entry of [passed, refused]) {
      metrics.decided(entry.evaluation, 0.5)
      metrics.ended(entry)
    }
    const labels = 'api="shop",route="getOrder"'
    expect(shown(metrics)).toEqual([
      `postern_request_seconds_sum{${labels}} 0.004`,
      `postern_request_seconds_count{${labels}} 1`,
      `postern_upstream_seconds_sum{${labels}} 0.003`,
      `postern_upstream_seconds_count{${labels}} 1`,
      `postern_decision_seconds_sum{${labels}} 0.001`,
      `postern_decision_seconds_count{${labels}} 2`,
      `postern_route_requests_total{${labels},outcome="2xx"} 1`,
      `postern_route_requests_total{${labels},outcome="refused"} 1`,
    ])
    expect(metrics.text()).toContain(`postern_request_seconds_bucket{${labels},le="0.0025"} 0\n`)
    expect(metrics.text()).toContain(`postern_request_seconds_bucket{${labels},le="0.005"} 1\n`)
    expect(metrics.text()).toContain(`postern_request_seconds_bucket{${labels},le="+Inf"} 1\n`)
  })

  it('have a bound of series: routes beyond it are "*" of their API, requests without one are ""', () => {
    const metrics = new RouteMetrics(2)
    for (let i = 0; i < 5; i++) metrics.ended(aRequest({ api: 'shop', route: `r${i}`, index: i }))
    metrics.ended(aRequest({ api: 'books', route: 'r9', index: 9 }))
    metrics.ended(aRequest({ api: 'shop', route: null, refusal: refuse('path_not_canonical') }))
    metrics.ended(aRequest({ api: null, route: null, refusal: refuse('api_unknown') }))
    metrics.ended(aRequest({ api: 'shop', route: 'r4', index: 4 }))
    expect(shown(metrics).filter((line) => line.startsWith('postern_route'))).toEqual([
      'postern_route_requests_total{api="shop",route="r0",outcome="2xx"} 1',
      'postern_route_requests_total{api="shop",route="r1",outcome="2xx"} 1',
      'postern_route_requests_total{api="shop",route="*",outcome="2xx"} 4',
      'postern_route_requests_total{api="books",route="*",outcome="2xx"} 1',
      'postern_route_requests_total{api="shop",route="",outcome="refused"} 1',
      'postern_route_requests_total{api="",route="",outcome="refused"} 1',
    ])
  })

  it('escape what an OpenAPI document may name an operation (Prometheus text format)', () => {
    const metrics = new RouteMetrics()
    metrics.ended(aRequest({ api: 'shop', route: 'a"b\\c\nd' }))
    expect(metrics.text()).toContain('route="a\\"b\\\\c\\nd",outcome="2xx"} 1\n')
  })
})
