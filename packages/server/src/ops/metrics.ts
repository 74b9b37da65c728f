import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client'

import type { Clock } from '../base/clock.ts'
import type { Evaluation } from '../core/decision/evaluation.ts'
import type { Feed } from '../core/feed/feed.ts'
import type { RecordTable } from '../core/records/table.ts'
import type { Certificate } from '../core/tls/certificate.ts'
import type { MeterEntry } from '../core/usage/meter-entry.ts'
import { outcomeOf } from '../core/usage/outcomes.ts'
import type { UsageRecorder } from '../core/usage/recorder.ts'
import type { AccessLog } from './access-log.ts'
import { type RouteExemplars, RouteMetrics } from './route-metrics.ts'

/** What a scrape looks up at the moment it comes. */
export interface MetricSources {
  readonly table: Pick<RecordTable, 'size'>
  readonly feed: Pick<Feed, 'position' | 'lagMs' | 'isFresh'>
  readonly recorder: Pick<UsageRecorder, 'droppedTotal' | 'foldedTotal'>
  readonly clock: Clock
  readonly accessLog: Pick<AccessLog, 'dropped'>
  readonly certificates: () => readonly Pick<Certificate, 'file' | 'expiresAt'>[]
  readonly targets: () => readonly { readonly upstream: string; readonly target: string; readonly state: string }[]
}

/** What gateway and forward-auth tell as it happens. */
export interface Metrics {
  readonly decided: (evaluation: Evaluation, ms: number) => void
  readonly ended: (entry: MeterEntry) => void
  /** Slow and failed requests of each API and route, to look at. */
  exemplars(): readonly RouteExemplars[]
  /** All of it in Prometheus's text format. */
  text(): Promise<string>
  readonly contentType: string
}

/** Every metric. Counting a request is an addition; the text is made by the scrape. */
export function createMetrics(sources: MetricSources): Metrics {
  const { table, feed, recorder, clock, accessLog, certificates } = sources
  const registry = new Registry()
  const registers = [registry]
  const requests = new Map<string, Map<string, number>>()
  const requestsTotal = new Counter({
    name: 'postern_requests_total',
    help: 'Requests that have ended, by API ("" where none was found) and outcome: a code, 2xx to 5xx, upstream_error, client_gone.',
    labelNames: ['api', 'outcome'],
    registers,
    collect: () => {
      requestsTotal.reset()
      for (const [api, outcomes] of requests) {
        for (const [outcome, count] of outcomes) requestsTotal.inc({ api, outcome }, count)
      }
    },
  })
  const routes = new RouteMetrics()
  const read: readonly (readonly [name: string, help: string, value: () => number])[] = [
    ['postern_records_held', 'Credentials in memory.', () => table.size],
    ['postern_feed_position', 'Sequence of the last event that was applied.', () => feed.position],
    [
      'postern_revocation_lag_seconds',
      'Age of what decisions know: since the start of the last good poll of the store.',
      () => feed.lagMs() / 1000,
    ],
    [
      'postern_stale',
      '1 where records are older than stale_after and are not acted on.',
      () => Number(!feed.isFresh(clock.now(), clock.monotonic())),
    ],
    [
      'postern_request_rows_dropped',
      'Request log rows that were given up since the start.',
      () => recorder.droppedTotal,
    ],
    [
      'postern_access_lines_dropped',
      'Lines of the access log that nobody took, since the start.',
      () => accessLog.dropped,
    ],
    ['postern_usage_folded', 'Usage counts folded into "*" since the start.', () => recorder.foldedTotal],
  ]
  for (const [name, help, value] of read) {
    const gauge: Gauge = new Gauge({ name, help, registers, collect: () => gauge.set(value()) })
  }
  const expiry = new Gauge({
    name: 'postern_certificate_expires_seconds',
    help: 'Until a certificate of listen.tls expires; negative once it has.',
    labelNames: ['file'],
    registers,
    collect: () => {
      expiry.reset()
      for (const { file, expiresAt } of certificates()) expiry.set({ file }, (expiresAt - clock.now()) / 1000)
    },
  })
  const targets = new Gauge({
    name: 'postern_upstream_target_up',
    help: '1 where requests go to the target as its weight says, 0 where its checks fail or it failed requests.',
    labelNames: ['upstream', 'target'],
    registers,
    collect: () => {
      targets.reset()
      for (const { upstream, target, state } of sources.targets()) {
        targets.set({ upstream, target }, Number(state === 'up'))
      }
    },
  })
  // Process, event-loop delay, heap and garbage collection under their usual names.
  collectDefaultMetrics({ register: registry })
  return {
    decided: (evaluation, ms) => routes.decided(evaluation, ms),
    ended: (entry) => {
      routes.ended(entry)
      const api = entry.evaluation.api?.id ?? ''
      const outcome = outcomeOf(entry)
      const outcomes = requests.get(api)
      if (outcomes === undefined) requests.set(api, new Map([[outcome, 1]]))
      else outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    },
    exemplars: () => routes.exemplars(clock.now()),
    text: async () => `${await registry.metrics()}${routes.text()}`,
    contentType: registry.contentType,
  }
}
