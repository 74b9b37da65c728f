import type { Server } from 'node:http'

import type { Clock } from '../base/clock.ts'
import type { Ids } from '../base/ids.ts'
import type { Evaluation } from '../core/decision/evaluation.ts'
import type { Endpoint } from '../core/oauth/endpoint.ts'
import type { LocalRoute } from '../core/oauth/local-route.ts'
import type { DataPlane, MeterEntry } from '../core/runtime.ts'
import { type Connected, createConnected, type UsableConnections } from './connected.ts'
import { createDeadlines, type Deadlines } from './deadlines.ts'
import { createHeaderRules, type HeaderRules } from './headers.ts'
import { HeldBodies } from './held-bodies.ts'
import { createLongRunning, type LongRunningExchanges } from './long-running.ts'
import type { TargetChange } from './upstream-targets/groups.ts'
import { createUpstreamTargets, type UpstreamTargets } from './upstream-targets/targets.ts'
import { createUpstreams, type Upstreams } from './upstream/upstreams.ts'
import { defaultLimits, type WireLimits } from './wire-limits.ts'

export interface GatewayParts {
  readonly dataPlane: DataPlane
  readonly clock: Clock
  readonly ids: Ids
  readonly limits?: Partial<WireLimits>
  /** For the log: the state of a target has changed. */
  readonly onTargetChange?: (change: TargetChange) => void
  /** Connections of the operator and of customers; without them no route finds one. */
  readonly connections?: UsableConnections
  /** A broken promise of our own, with the request it happened to. The client hears nothing of it. */
  readonly reportFault: (event: string, fields: Readonly<Record<string, unknown>>, error: unknown) => void
  /** For metrics: told as it happens. */
  readonly observer?: GatewayObserver
  /** What stands behind a route that is served here; without it there is no such route. */
  readonly endpointAt?: (local: LocalRoute) => Endpoint
  /** Without it every listener speaks plain HTTP. */
  readonly tls?: GatewayTls
}

/** TLS on the gateway's listeners. */
interface GatewayTls {
  /** Whether new connections have to be TLS. */
  on(): boolean
  /** Strict-Transport-Security as name and value; empty where it is not declared. */
  hsts(): readonly string[]
  /**
   * Puts TLS between the server's connections and its HTTP parser; plain HTTP is let through, to be refused.
   * `shaking`: connections whose handshake is under way.
   */
  attach(server: Server): { shaking(): number }
}

interface GatewayObserver {
  /** From the arrival of a head to its decision. */
  decided(evaluation: Evaluation, ms: number): void
  ended(entry: MeterEntry): void
}

export interface GatewayContext {
  readonly dataPlane: DataPlane
  readonly clock: Clock
  readonly ids: Ids
  readonly limits: WireLimits
  readonly deadlines: Deadlines
  readonly connected: Connected
  readonly headerRules: HeaderRules
  readonly longRunning: LongRunningExchanges
  readonly targets: UpstreamTargets
  readonly upstreams: Upstreams
  readonly reportFault: GatewayParts['reportFault']
  readonly observer: GatewayObserver | null
  readonly endpointAt: (local: LocalRoute) => Endpoint
  readonly tls: GatewayTls | null
  readonly held: HeldBodies
  /** Set once the gateway closes: answers then end their connection. */
  closing: boolean
}

export function createContext(parts: GatewayParts): GatewayContext {
  const limits = { ...defaultLimits, ...parts.limits }
  const connected = createConnected(parts.connections ?? null, parts.reportFault)
  return {
    dataPlane: parts.dataPlane,
    clock: parts.clock,
    ids: parts.ids,
    limits,
    deadlines: createDeadlines(parts.clock, limits.sweepMs),
    connected,
    headerRules: createHeaderRules(),
    longRunning: createLongRunning(parts.dataPlane, connected, parts.clock, (error) =>
      parts.reportFault('gateway.fault', {}, error),
    ),
    targets: createUpstreamTargets(parts.clock, parts.onTargetChange ?? (() => {})),
    upstreams: createUpstreams(parts.clock, {
      connectionsMax: limits.connectionsPerUpstream,
      waitingMax: limits.waitingPerUpstream,
    }),
    reportFault: parts.reportFault,
    observer: parts.observer ?? null,
    endpointAt: parts.endpointAt ?? noEndpoint,
    tls: parts.tls ?? null,
    held: new HeldBodies(limits.heldBytesMax),
    closing: false,
  }
}

function noEndpoint({ endpoint }: LocalRoute): never {
  throw new Error(`nothing serves the endpoint "${endpoint}"`)
}
