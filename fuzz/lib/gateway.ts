import { holdCredentials } from '../../bench/lib/credentials.ts'
import { systemClock } from '../../packages/server/src/base/clock.ts'
import { createIds } from '../../packages/server/src/base/ids.ts'
import { systemRandom } from '../../packages/server/src/base/random.ts'
import { formatConfigError } from '../../packages/server/src/config/issue.ts'
import { loadConfigText } from '../../packages/server/src/config/load.ts'
import { createDataPlane } from '../../packages/server/src/core/data-plane.ts'
import { Limiter } from '../../packages/server/src/core/limits/limiter.ts'
import { tokenParts } from '../../packages/server/src/core/testing/tokens.ts'
import { UsageRecorder } from '../../packages/server/src/core/usage/recorder.ts'
import { createGateway } from '../../packages/server/src/gateway/gateway.ts'
import { freePorts } from '../../tests/support/ports.ts'
import { type Upstream, startUpstream } from './upstream.ts'

/** One API of the gateway with an upstream of its own, so that whatever arrives there belongs to one case. */
export interface Slot {
  readonly api: string
  readonly port: number
  readonly upstream: Upstream
}

/** The gateway in this process, with the real decision over one credential in memory. */
export interface FuzzGateway {
  readonly slots: readonly Slot[]
  /** The one good credential. */
  readonly key: string
  /** What the upstream has to be told of it, by header. */
  identity(slot: Slot): ReadonlyMap<string, string>
  /** Faults that the gateway reported about itself. */
  readonly faults: string[]
  close(): Promise<void>
}

export async function startFuzzGateway(count: number): Promise<FuzzGateway> {
  const upstreams = await Promise.all(Array.from({ length: count }, () => startUpstream()))
  const ports = await freePorts(count)
  const slots = upstreams.map((upstream, i): Slot => ({ api: `s${i}`, port: ports[i] ?? 0, upstream }))
  const config = loadConfigText(yamlOf(slots), { env: {}, file: 'postern.yaml' })
  if (!config.ok) throw new Error(config.error.map(formatConfigError).join('\n'))
  const { declaration } = config.value
  const { table, keys } = holdCredentials(1, 1, () => ({ apis: slots.map(({ api }) => api) }))
  const recorder = new UsageRecorder({
    node: 'fuzz',
    countryOf: () => 'ZZ',
    queueMax: () => 1,
    refusalsPerSecond: () => 1,
  })
  const faults: string[] = []
  const dataPlane = createDataPlane({
    declaration: () => declaration,
    table,
    limiter: new Limiter(table),
    freshness: { isFresh: () => true, catchUp: () => null },
    tokens: tokenParts(table),
    recorder,
    clock: systemClock,
    onExposed: () => undefined,
  })
  const gateway = createGateway({
    // Nobody flushes here, so nothing is counted.
    dataPlane: { ...dataPlane, meter: () => undefined },
    clock: systemClock,
    ids: createIds(systemClock, systemRandom),
    limits: { lingerMs: 20, sweepMs: 5 },
    reportFault: (event, _fields, error) => void faults.push(`${event}: ${String(error)}`),
  })
  const listening = await gateway.listen(ports.map((port) => ({ host: '127.0.0.1', port })))
  if (!listening.ok) throw new Error(`ports are taken: ${JSON.stringify(listening.error)}`)
  return {
    slots,
    key: keys[0] ?? '',
    identity: ({ api }) =>
      new Map([
        ['x-postern-credential', table.size === 0 ? '' : credentialOf(keys[0] ?? '')],
        ['x-postern-kind', 'secret'],
        ['x-postern-account', 'acc_0'],
        ['x-postern-project', 'prj_0'],
        ['x-postern-environment', 'live'],
        ['x-postern-api', api],
        ['x-postern-scopes', 'orders.read'],
        ['x-postern-subject', ''],
        ['x-postern-grant', ''],
        ['x-forwarded-for', '127.0.0.1'],
        ['x-forwarded-proto', 'http'],
      ]),
    faults,
    close: async () => {
      await gateway.close(0)
      await Promise.all(slots.map(({ upstream }) => upstream.close()))
    },
  }
}

/** `acme_sk_live_` and the twelve characters of the public id, which the id of a credential repeats. */
function credentialOf(key: string): string {
  return `cred_${key.slice('acme_sk_live_'.length, 'acme_sk_live_'.length + 12)}`
}

function yamlOf(slots: readonly Slot[]): string {
  const apis = slots.map(
    ({ api, port, upstream }, i) => `
  ${api}:
    address: ":${port}"
    upstream: http://127.0.0.1:${upstream.port}
    credentials: [{in: bearer}, {in: header, name: X-Api-Key}, {in: query, name: api_key}]
    scopes: {orders.read: Read orders}
    timeouts: {first_byte: 1s, idle: 1s}
    ${i % 2 === 0 ? 'unmatched: forward' : 'routes: [{id: all, path: "/**", raw_path: true}]'}`,
  )
  return `
version: 1
brand: acme
public_url: http://localhost:8081
failures: {attempts: 1000000000, window: 1m}
apis:${apis.join('')}
plans:
  pro: {apis: [${slots.map(({ api }) => api).join(', ')}], kinds: [secret]}
`
}
