import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { fixedClock, type FixedClock } from '../../packages/server/src/base/clock.ts'
import { createIds } from '../../packages/server/src/base/ids.ts'
import { noIpRanges } from '../../packages/server/src/base/ip.ts'
import { systemRandom } from '../../packages/server/src/base/random.ts'
import { Secret } from '../../packages/server/src/base/secret.ts'
import { loadConfigText } from '../../packages/server/src/config/load.ts'
import { operatorAccountId } from '../../packages/server/src/core/accounts/account.ts'
import { bootstrapRecord, ensureOperatorAccount } from '../../packages/server/src/core/accounts/bootstrap.ts'
import { withOperator } from '../../packages/server/src/core/accounts/operator.ts'
import { createRouteTable } from '../../packages/server/src/core/apis/route-table.ts'
import { createDataPlane } from '../../packages/server/src/core/data-plane.ts'
import { Feed } from '../../packages/server/src/core/feed/feed.ts'
import { GrantTable } from '../../packages/server/src/core/grants/grant-table.ts'
import { Limiter } from '../../packages/server/src/core/limits/limiter.ts'
import { RecordTable } from '../../packages/server/src/core/records/table.ts'
import type { DataPlane } from '../../packages/server/src/core/runtime.ts'
import type { Store } from '../../packages/server/src/core/store.ts'
import { noJwts } from '../../packages/server/src/core/tokens/no-jwts.ts'
import { TokenCache } from '../../packages/server/src/core/tokens/token-cache.ts'
import { UsageRecorder } from '../../packages/server/src/core/usage/recorder.ts'
import { createManagement } from '../../packages/server/src/management/app.ts'
import type { ManagementParts } from '../../packages/server/src/management/parts.ts'
import { generic } from '../../packages/server/src/presets/generic.ts'
import { createKeyFiles, openStore } from '../../packages/server/src/store/index.ts'

export const managementKey = 'operators-own-management-key-0123456789'

const declared = `
version: 1
brand: acme
public_url: http://localhost:8081
apis:
  shop:
    address: shop.example.com
    upstream: http://127.0.0.1:3000
    scopes: {orders.read: Read orders, orders.write: Change orders, stock.read: Read stock}
    routes:
      - {id: getOrder, methods: [GET], path: "/v1/orders/{id}", scopes: {any: [orders.read]}}
      - {id: putOrder, methods: [PUT], path: "/v1/orders/{id}", scopes: {any: [orders.write]}}
  vch:
    address: vch.example.com
    upstream: http://127.0.0.1:3001
    preset: voucherify
plans:
  pro:
    apis: [shop, postern]
    kinds: [secret, publishable, management, oauth_client]
    limits: [{name: default, per: credential, requests: 1000, window: 1m}]
    max_key_age: 90d
  slow:
    apis: [shop]
    limits: [{name: default, per: credential, requests: 3, window: 1m}]
  narrow:
    apis: [shop]
    kinds: [secret]
    scopes: [orders.read]
    max_keys: 2
  pairs:
    apis: [vch]
    kinds: [secret]
  tight:
    apis: [vch]
    kinds: [secret, publishable]
    max_keys: 1
  everything:
    apis: [shop, vch]
    kinds: [secret, publishable, integration, oauth_client]
`

export interface Answer<Body> {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: Body
  readonly text: string
}

type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS'

export interface Running {
  readonly app: Awaited<ReturnType<typeof createManagement>>
  readonly store: Store
  /** Where all its files are. */
  readonly folder: string
  readonly clock: FixedClock
  readonly dataPlane: DataPlane
  readonly recorder: UsageRecorder
  readonly faults: readonly string[]
  /** One call of the API; `key` null sends no credential. */
  call<Body = Record<string, never>>(
    method: Method,
    path: string,
    options?: {
      readonly body?: unknown
      readonly key?: string | null
      readonly headers?: Readonly<Record<string, string>>
    },
  ): Promise<Answer<Body>>
  stop(): Promise<void>
}

/** The real store, decision and management API, on a clock that moves only when told. */
export async function startManagement(
  change: (parts: ManagementParts) => Partial<ManagementParts> = () => ({}),
): Promise<Running> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-management-'))
  const clock = fixedClock(Date.UTC(2026, 2, 1))
  const ids = createIds(clock, systemRandom)
  const config = loadConfigText(declared, { env: {}, file: join(folder, 'postern.yaml') })
  const noRoutes = createRouteTable([], { caseInsensitive: false })
  if (!config.ok || !noRoutes.ok) throw new Error(JSON.stringify(config))
  const declaration = withOperator(config.value.declaration, generic, noRoutes.value)
  const store = await openStore({
    url: 'sqlite',
    dataFolder: join(folder, 'data'),
    checkpointsFolder: join(folder, 'data'),
    clock,
  })
  await ensureOperatorAccount({ store, clock, ids, random: systemRandom, brand: 'acme', keep: () => {} })
  const table = new RecordTable()
  const tokens = { cache: new TokenCache(), grants: new GrantTable(table) }
  const feed = new Feed({
    records: store.records,
    table,
    tokens: { ...tokens, store: store.tokens },
    clock,
    alone: true,
    staleAfterMs: () => 30_000,
    credentialsMax: 10_000,
    onError: () => {},
  })
  await feed.start()
  const [project] = (await store.projects.list({ account: operatorAccountId, scope: null, limit: 1, after: null }))
    .items
  table.apply(bootstrapRecord(new Secret(managementKey), project?.id ?? '', clock.now()))
  const recorder = new UsageRecorder({
    node: 'test',
    countryOf: () => 'ZZ',
    queueMax: () => 1000,
    refusalsPerSecond: () => 1000,
  })
  const dataPlane = createDataPlane({
    declaration: () => declaration,
    table,
    limiter: new Limiter(table),
    freshness: feed,
    tokens: { ...tokens, loads: feed.tokens, jwts: noJwts },
    recorder,
    clock,
    onExposed: () => {},
  })
  const keyFiles = createKeyFiles(join(folder, 'keys'), systemRandom)
  const faults: string[] = []
  const parts: ManagementParts = {
    store,
    dataPlane,
    apply: (changes, sequence) => feed.applyOwn(changes, sequence),
    sealing: keyFiles,
    connections: keyFiles.connections,
    signingKeys: keyFiles.tokens,
    outbound: { send: async () => ({ kind: 'failed', reason: 'unreachable' }) },
    allowedPrivate: () => noIpRanges,
    random: systemRandom,
    ids,
    clock,
    effectiveEverywhereBy: (now) => now,
    feed: () => ({ position: feed.position, stale: false }),
    targets: () => [{ upstream: 'shop', target: 'http://127.0.0.1:3000', state: 'up' }],
    issuers: () => [],
    backupFolder: (name) => join(folder, 'backups', name),
    version: '0.0.0',
    node: 'test',
    startedAt: clock.now(),
    verifyAudit: async () => ({ result: 'intact', events: 0, head: 0, proven: false, provenThrough: 0 }),
    reportFault: (event, fields, error) => void faults.push(`${event} ${JSON.stringify(fields)} ${String(error)}`),
  }
  const app = await createManagement({ ...parts, ...change(parts) })
  return {
    app,
    store,
    folder,
    clock,
    dataPlane,
    recorder,
    faults,
    call: async (method, path, { body: sent, key = managementKey, headers = {} } = {}) => {
      const answer = await app.inject({
        method,
        url: path.startsWith('/api/') || path.startsWith('/docs/') ? path : `/api/v1${path}`,
        headers: { ...(key === null ? {} : { authorization: `Bearer ${key}` }), ...headers },
        ...(sent === undefined ? {} : { payload: sent as object }),
      })
      const type = String(answer.headers['content-type'])
      const body: unknown = answer.body !== '' && /^application\/(problem\+)?json/.test(type) ? answer.json() : null
      return { status: answer.statusCode, headers: answer.headers, body: body as never, text: answer.body }
    },
    stop: async () => {
      feed.stop()
      await app.close()
      await store.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
