import { type Server, type ServerResponse, createServer } from 'node:http'
import { TLSSocket } from 'node:tls'

import { Registry } from 'prom-client'

import type { Clock } from '../base/clock.ts'
import type { Feed } from '../core/feed/feed.ts'
import type { RecordTable } from '../core/records/table.ts'
import type { Certificate } from '../core/tls/certificate.ts'
import type { UsageRecorder } from '../core/usage/recorder.ts'
import { type Metrics, defineMetrics } from './metrics.ts'

/** What neighbours ask: proxies, orchestrators, Prometheus. Meant for loopback or a network of its own. */
export interface Ops {
  /** For the gateway. */
  readonly metrics: Metrics
  listen(address: OpsAddress): Promise<OpsAddress>
  close(): Promise<void>
}

interface OpsAddress {
  readonly host: string
  readonly port: number
}

export interface OpsParts {
  readonly table: Pick<RecordTable, 'size'>
  readonly feed: Pick<Feed, 'position' | 'lagMs' | 'isFresh'>
  readonly recorder: Pick<UsageRecorder, 'droppedTotal' | 'foldedTotal'>
  readonly clock: Clock
  /** Why requests should go elsewhere for now, as sentences; empty where there is no reason. */
  readonly ready: () => readonly string[]
  /** TLS on this listener; without it, it speaks plain HTTP. */
  readonly tls?: OpsTls
  /** For the metric of their ends. */
  readonly certificates?: () => readonly Pick<Certificate, 'file' | 'expiresAt'>[]
}

interface OpsTls {
  /** Whether new connections have to be TLS. */
  on(): boolean
  /** Puts TLS between the server's connections and its HTTP parser; plain HTTP is let through, to be refused. */
  attach(server: Server): void
}

export function createOps(parts: OpsParts): Ops {
  const { table, feed, recorder, clock } = parts
  const registry = new Registry()
  const metrics = defineMetrics(registry, {
    recordsHeld: () => table.size,
    feedPosition: () => feed.position,
    feedLagMs: () => feed.lagMs(),
    stale: () => !feed.isFresh(clock.now(), clock.monotonic()),
    requestRowsDropped: () => recorder.droppedTotal,
    usageFolded: () => recorder.foldedTotal,
    certificates: () =>
      (parts.certificates?.() ?? []).map(({ file, expiresAt }) => ({
        file,
        seconds: (expiresAt - clock.now()) / 1_000,
      })),
  })
  // Forward-auth is one more entry of this list when it comes.
  const routes: readonly OpsRoute[] = [
    { path: '/healthz', answer: () => json(200, { status: 'ok' }) },
    { path: '/readyz', answer: () => readiness(parts.ready()) },
    {
      path: '/metrics',
      answer: async () => ({ status: 200, type: registry.contentType, body: await metrics.text() }),
    },
  ]
  const server = createOpsServer(routes, parts.tls ?? null)
  return {
    metrics,
    listen: (address) => listen(server, address),
    close: () => close(server),
  }
}

interface OpsRoute {
  readonly path: string
  readonly answer: () => OpsAnswer | Promise<OpsAnswer>
}

interface OpsAnswer {
  readonly status: number
  readonly type: string
  readonly body: string
}

function readiness(reasons: readonly string[]): OpsAnswer {
  return reasons.length === 0 ? json(200, { status: 'ready' }) : json(503, { status: 'not_ready', reasons })
}

function json(status: number, value: Readonly<Record<string, unknown>>): OpsAnswer {
  return { status, type: 'application/json', body: JSON.stringify(value) }
}

function createOpsServer(routes: readonly OpsRoute[], tls: OpsTls | null): Server {
  const server = createServer(
    { headersTimeout: 5_000, requestTimeout: 10_000, keepAliveTimeout: 65_000 },
    (req, res) => {
      if (tls?.on() === true && !(req.socket instanceof TLSSocket))
        return send(res, json(400, { status: 'https_only' }))
      const [path] = (req.url ?? '').split('?', 1)
      const route = routes.find((known) => known.path === path)
      if (route === undefined) return send(res, json(404, { status: 'not_found' }))
      if (req.method !== 'GET' && req.method !== 'HEAD') {
        res.setHeader('Allow', 'GET, HEAD')
        return send(res, json(405, { status: 'method_not_allowed' }))
      }
      void respond(res, route)
    },
  )
  server.maxConnections = 1_000
  tls?.attach(server)
  return server
}

async function respond(res: ServerResponse, route: OpsRoute): Promise<void> {
  try {
    send(res, await route.answer())
  } catch {
    send(res, json(500, { status: 'failed' }))
  }
}

function send(res: ServerResponse, { status, type, body }: OpsAnswer): void {
  res.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
  })
  res.end(body)
}

function listen(server: Server, { host, port }: OpsAddress): Promise<OpsAddress> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => {
      server.off('error', reject)
      const bound = server.address()
      resolve(bound !== null && typeof bound === 'object' ? { host: bound.address, port: bound.port } : { host, port })
    })
  })
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
