import type { IncomingMessage, ServerResponse } from 'node:http'

import { createForwardAuthListener } from './forward-auth-listener.ts'
import type { Metrics } from './metrics.ts'
import { type NeighbourAddress, type NeighbourTls, closeServer, listenOn, neighbourServer } from './server.ts'

/** What neighbours ask: proxies, orchestrators, Prometheus. Meant for loopback or a network of its own. */
export interface Ops {
  listen(address: NeighbourAddress): Promise<NeighbourAddress>
  /** Serves forward-auth, and nothing else, at an address of its own; null: no longer. Throws where it cannot listen. */
  listenForwardAuth(address: NeighbourAddress | null): Promise<NeighbourAddress | null>
  close(): Promise<void>
}

export interface OpsParts {
  readonly metrics: Pick<Metrics, 'text' | 'contentType' | 'exemplars'>
  /** Why requests should go elsewhere for now, as sentences; empty where there is no reason. */
  readonly ready: () => readonly string[]
  /** Recognises and answers a proxy's question; it keeps its own rules of who may ask. */
  readonly forwardAuth: {
    readonly isQuestion: (url: string) => boolean
    readonly handle: (req: IncomingMessage, res: ServerResponse) => void
  }
  /** TLS on these listeners; without it, they speak plain HTTP. */
  readonly tls?: NeighbourTls
}

export function createOps({ metrics, ready, forwardAuth, tls }: OpsParts): Ops {
  const routes: readonly OpsRoute[] = [
    { path: '/healthz', answer: () => json(200, { status: 'ok' }) },
    { path: '/exemplars', answer: () => json(200, { routes: metrics.exemplars() }) },
    { path: '/readyz', answer: () => readiness(ready()) },
    {
      path: '/metrics',
      answer: async () => ({ status: 200, type: metrics.contentType, body: await metrics.text() }),
    },
  ]
  const { isQuestion, handle } = forwardAuth
  const server = neighbourServer(
    (req, res) => (isQuestion(req.url ?? '') ? handle(req, res) : answerRoute(routes, req, res)),
    tls,
  )
  const own = createForwardAuthListener(() =>
    neighbourServer(
      (req, res) => (isQuestion(req.url ?? '') ? handle(req, res) : send(res, json(404, { status: 'not_found' }))),
      tls,
    ),
  )
  return {
    listen: (address) => listenOn(server, address),
    listenForwardAuth: own.listen,
    close: async () => {
      await Promise.all([closeServer(server), own.close()])
    },
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

function answerRoute(routes: readonly OpsRoute[], req: IncomingMessage, res: ServerResponse): void {
  const [path] = (req.url ?? '').split('?', 1)
  const route = routes.find((known) => known.path === path)
  if (route === undefined) return send(res, json(404, { status: 'not_found' }))
  if (req.method !== 'GET' && req.method !== 'HEAD') {
    res.setHeader('Allow', 'GET, HEAD')
    return send(res, json(405, { status: 'method_not_allowed' }))
  }
  void respond(res, route)
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
