import { once } from 'node:events'
import { connect } from 'node:net'

import { describe, expect, it, onTestFinished } from 'vitest'

import { fixedClock } from '../base/clock.ts'
import { refuse } from '../core/decision/refuse.ts'
import { createMetrics } from './metrics.ts'
import { createOps } from './ops.ts'
import { closeServer, listenOn, neighbourServer } from './server.ts'
import { aRequest } from './testing/entries.ts'

const someKeys = { credential: 'cred_0000000000aa' }

async function anOps(more: { readonly reasons?: readonly string[]; readonly fresh?: boolean } = {}) {
  const metrics = createMetrics({
    table: { size: 42 },
    feed: { position: 7, lagMs: () => 1500, isFresh: () => more.fresh ?? true },
    recorder: { droppedTotal: 3, foldedTotal: 2 },
    clock: fixedClock(),
    certificates: () => [],
    accessLog: { dropped: 4 },
    issuers: () => [
      { ...someKeys, issuer: 'corp', state: 'stale', keys: 2, ageMs: 1_500, failures: 3, failing: 'timeout' },
      { ...someKeys, issuer: 'other', state: 'none', keys: 0, ageMs: null, failures: 0, failing: null },
    ],
    targets: () => [{ upstream: 'shop', target: 'http://a', state: 'failing' }],
  })
  const ops = createOps({
    metrics,
    ready: () => more.reasons ?? [],
    forwardAuth: {
      isQuestion: (url) => url === '/asked',
      handle: (_req, res) => void res.writeHead(299).end('asked'),
    },
  })
  const { port } = await ops.listen({ host: '127.0.0.1', port: 0 })
  onTestFinished(() => ops.close())
  const get = async (path: string, method = 'GET') => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method })
    return { status: response.status, type: response.headers.get('content-type'), body: await response.text() }
  }
  return { ops, metrics, get }
}

describe('the ops listener', () => {
  it('says that it lives', async () => {
    const { get } = await anOps({ reasons: ['the store does not answer'] })
    expect(await get('/healthz')).toEqual({ status: 200, type: 'application/json', body: '{"status":"ok"}' })
  })

  it('is ready without a reason not to be, and otherwise names every reason', async () => {
    const ready = await anOps()
    expect(await ready.get('/readyz?verbose')).toEqual({
      status: 200,
      type: 'application/json',
      body: '{"status":"ready"}',
    })
    const not = await anOps({ reasons: ['the store does not answer', 'records are old'] })
    expect(await not.get('/readyz')).toEqual({
      status: 503,
      type: 'application/json',
      body: '{"status":"not_ready","reasons":["the store does not answer","records are old"]}',
    })
  })

  it('offers nothing else', async () => {
    const { get } = await anOps()
    expect((await get('/')).status).toBe(404)
    expect((await get('/metrics/')).status).toBe(404)
    expect((await get('/metrics', 'POST')).status).toBe(405)
    expect((await get('/asked', 'POST')).status).toBe(299)
  })
})

describe('a neighbour that is slow on purpose (pitfall 21)', () => {
  it.each([
    ['says nothing', ''],
    ['sends half a head', 'GET /healthz HTTP/1.1\r\nHost: a\r\n'],
    ['sends half a second head', 'GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET'],
  ])('is cut off within a second of its time: one that %s', async (_what, text) => {
    const server = neighbourServer((_req, res) => void res.end(), undefined, 200)
    const { port } = await listenOn(server, { host: '127.0.0.1', port: 0 })
    onTestFinished(() => closeServer(server))
    const began = performance.now()
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(text)).resume()
    await once(socket, 'close')
    expect(performance.now() - began).toBeLessThan(2_000)
  })
})

describe('the listener of forward-auth', () => {
  it('serves questions and nothing else, moves, and ends', async () => {
    const { ops } = await anOps()
    const asked = { host: '127.0.0.1', port: 0 }
    const first = await ops.listenForwardAuth(asked)
    const status = async (path: string, port = first?.port ?? 0) =>
      (await fetch(`http://127.0.0.1:${port}${path}`)).status
    expect(await Promise.all([status('/asked'), status('/metrics'), status('/readyz')])).toEqual([299, 404, 404])
    expect(await ops.listenForwardAuth({ ...asked })).toEqual(first)
    await expect(ops.listenForwardAuth({ host: '127.0.0.1', port: first?.port ?? 0 })).rejects.toThrow('EADDRINUSE')
    expect(await status('/asked')).toBe(299)
    const second = await ops.listenForwardAuth({ host: '::1', port: 0 })
    await expect(status('/asked')).rejects.toThrow('fetch failed')
    expect((await fetch(`http://[::1]:${second?.port}/asked`)).status).toBe(299)
    expect(await ops.listenForwardAuth(null)).toBeNull()
    await expect(fetch(`http://[::1]:${second?.port}/asked`)).rejects.toThrow('fetch failed')
  })
})

describe('metrics', () => {
  it('point at requests to look at', async () => {
    const { metrics, get } = await anOps()
    expect((await get('/exemplars')).body).toBe('{"routes":[]}')
    metrics.ended(aRequest({ requestId: 'req_slow', latencyMs: 5, now: 1_000_000 }))
    metrics.ended(
      aRequest({ requestId: 'req_bad', route: null, status: 500, now: 1_000_000, refusal: refuse('internal_error') }),
    )
    const { routes } = JSON.parse((await get('/exemplars')).body)
    expect(routes).toMatchObject([
      { api: 'shop', route: 'getOrder', slowest: [{ request_id: 'req_slow', ms: 5 }], failed: [] },
      { api: 'shop', route: '', slowest: [], failed: [{ request_id: 'req_bad', status: 500 }] },
    ])
  })

  it('counts requests by outcome, times decisions, and reads the rest when scraped', async () => {
    const { metrics, get } = await anOps({ fresh: false })
    const nobody = { api: null, route: null }
    metrics.decided(aRequest(nobody).evaluation, 0.02)
    metrics.ended(aRequest({ ...nobody, refusal: refuse('request_malformed'), status: 400 }))
    metrics.ended(aRequest({ ...nobody, status: 204 }))
    metrics.ended(aRequest({ ...nobody, status: 204 }))
    metrics.ended(aRequest({ ...nobody, status: 499, ended: 'client_gone' }))
    await get('/metrics')
    const { status, type, body } = await get('/metrics')
    expect([status, type]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8'])
    const lines = body.split('\n').filter((line) => line.startsWith('postern_') && !line.includes('_bucket'))
    expect(lines).toEqual([
      'postern_requests_total{api="",outcome="request_malformed"} 1',
      'postern_requests_total{api="",outcome="2xx"} 2',
      'postern_requests_total{api="",outcome="client_gone"} 1',
      'postern_records_held 42',
      'postern_feed_position 7',
      'postern_revocation_lag_seconds 1.5',
      'postern_stale 1',
      'postern_request_rows_dropped 3',
      'postern_access_lines_dropped 4',
      'postern_usage_folded 2',
      'postern_upstream_target_up{upstream="shop",target="http://a"} 0',
      'postern_issuer_keys_age_seconds{issuer="corp"} 1.5',
      'postern_issuer_keys{issuer="corp"} 2',
      'postern_issuer_keys{issuer="other"} 0',
      'postern_issuer_keys_failures_total{issuer="corp"} 3',
      'postern_issuer_keys_failures_total{issuer="other"} 0',
      'postern_request_seconds_sum{api="",route=""} 0.003',
      'postern_request_seconds_count{api="",route=""} 3',
      'postern_decision_seconds_sum{api="",route=""} 0.00002',
      'postern_decision_seconds_count{api="",route=""} 1',
      'postern_route_requests_total{api="",route="",outcome="refused"} 1',
      'postern_route_requests_total{api="",route="",outcome="2xx"} 2',
      'postern_route_requests_total{api="",route="",outcome="client_gone"} 1',
    ])
    expect(body).toContain('postern_decision_seconds_bucket{api="",route="",le="0.00001"} 0')
    expect(body).toContain('postern_decision_seconds_bucket{api="",route="",le="+Inf"} 1')
    expect(body).toContain('postern_decision_seconds_bucket{api="",route="",le="0.000025"} 1')
    expect(body).toContain('nodejs_eventloop_lag_p99_seconds')
    expect(body).toContain('process_resident_memory_bytes')
  })
})
