import type { Server } from 'node:http'

import type { Clock } from '../base/clock.ts'
import type { Ids } from '../base/ids.ts'
import type { DataPlane, MeterEntry } from '../core/runtime.ts'
import { createDeadlines, type Deadlines } from './deadlines.ts'
import { createHeaderRules, type HeaderRules } from './headers.ts'
import { singleTargets, type Targets } from './upstream/target.ts'
import { createUpstreams, type Upstreams } from './upstream/upstreams.ts'

export interface GatewayParts {
  readonly dataPlane: DataPlane
  readonly clock: Clock
  readonly ids: Ids
  readonly limits?: Partial<WireLimits>
  /** Which target of an upstream a request goes to; without it, to the only one. */
  readonly targets?: Targets
  /** A broken promise of our own, with the request it happened to. The client hears nothing of it. */
  readonly reportFault: (event: string, fields: Readonly<Record<string, unknown>>, error: unknown) => void
  /** For metrics: told as it happens. */
  readonly observer?: GatewayObserver
  /** Without it every listener speaks plain HTTP. */
  readonly tls?: GatewayTls
}

/** TLS on the gateway's listeners. */
interface GatewayTls {
  /** Whether new connections have to be TLS. */
  on(): boolean
  /** Strict-Transport-Security as name and value; empty where it is not declared. */
  hsts(): readonly string[]
  /** Puts TLS between the server's connections and its HTTP parser; plain HTTP is let through, to be refused. */
  attach(server: Server): void
}

interface GatewayObserver {
  /** From the arrival of a head to its decision. */
  decided(ms: number): void
  ended(entry: MeterEntry): void
}

/** Bounds of every connection, whatever is declared for an API. */
export interface WireLimits {
  readonly headerLinesMax: number
  /** Request line and headers together. */
  readonly headBytesMax: number
  readonly targetBytesMax: number
  /** From the first byte of a connection or request until its head is whole. */
  readonly headTimeoutMs: number
  readonly keepAliveMs: number
  /** Body of a request answered early that is still read before its connection is closed. */
  readonly drainBytesMax: number
  /** And for how long. */
  readonly lingerMs: number
  readonly connectionsMax: number
  /** Requests of one connection that wait for the one before them. */
  readonly pipelinedMax: number
  readonly connectionsPerUpstream: number
  /** Requests that wait for one of them. */
  readonly waitingPerUpstream: number
  /** How often deadlines are looked at. */
  readonly sweepMs: number
}

const defaultLimits: WireLimits = {
  headerLinesMax: 100,
  headBytesMax: 16_384,
  targetBytesMax: 8_192,
  headTimeoutMs: 10_000,
  keepAliveMs: 65_000,
  drainBytesMax: 65_536,
  lingerMs: 2_000,
  connectionsMax: 20_000,
  pipelinedMax: 64,
  connectionsPerUpstream: 512,
  waitingPerUpstream: 1_024,
  sweepMs: 250,
}

export interface GatewayContext {
  readonly dataPlane: DataPlane
  readonly clock: Clock
  readonly ids: Ids
  readonly limits: WireLimits
  readonly deadlines: Deadlines
  readonly headerRules: HeaderRules
  readonly targets: Targets
  readonly upstreams: Upstreams
  readonly reportFault: GatewayParts['reportFault']
  readonly observer: GatewayObserver | null
  readonly tls: GatewayTls | null
  /** Set once the gateway closes: answers then end their connection. */
  closing: boolean
}

export function createContext(parts: GatewayParts): GatewayContext {
  const limits = { ...defaultLimits, ...parts.limits }
  return {
    dataPlane: parts.dataPlane,
    clock: parts.clock,
    ids: parts.ids,
    limits,
    deadlines: createDeadlines(parts.clock, limits.sweepMs),
    headerRules: createHeaderRules(),
    targets: parts.targets ?? singleTargets(),
    upstreams: createUpstreams(parts.clock, {
      connectionsMax: limits.connectionsPerUpstream,
      waitingMax: limits.waitingPerUpstream,
    }),
    reportFault: parts.reportFault,
    observer: parts.observer ?? null,
    tls: parts.tls ?? null,
    closing: false,
  }
}
