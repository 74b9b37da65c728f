import type { Server } from 'node:net'

import type { Clock } from '../base/clock.ts'
import type { Ids } from '../base/ids.ts'
import type { ConnectionTable } from '../core/connections/table.ts'
import type { Evaluation } from '../core/decision/evaluation.ts'
import type { DataPlane, MeterEntry } from '../core/runtime.ts'
import { type CallerFields, createCallerFields } from './caller-fields.ts'
import { type Connected, createConnected } from './connected.ts'
import { createDeadlines, type Deadlines } from './deadlines.ts'
import { createHeaderRules, type HeaderRules } from './headers.ts'
import { createHttpDate } from './http-date.ts'
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
  readonly connections?: Pick<ConnectionTable, 'find'>
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
  readonly callerFields: CallerFields
  readonly connected: Connected
  readonly headerRules: HeaderRules
  readonly httpDate: () => string
  readonly longRunning: LongRunningExchanges
  readonly targets: UpstreamTargets
  readonly upstreams: Upstreams
  readonly reportFault: GatewayParts['reportFault']
  readonly observer: GatewayObserver | null
  readonly tls: GatewayTls | null
  /** Of bodies that are looked at, held now. */
  readonly held: { bytes: number }
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
    callerFields: createCallerFields(parts.dataPlane),
    connected: createConnected(parts.connections ?? null, parts.reportFault),
    headerRules: createHeaderRules(),
    httpDate: createHttpDate(parts.clock),
    longRunning: createLongRunning(parts.dataPlane, parts.clock, (error) =>
      parts.reportFault('gateway.fault', {}, error),
    ),
    targets: createUpstreamTargets(parts.clock, parts.onTargetChange ?? (() => {})),
    upstreams: createUpstreams(parts.clock, {
      connectionsMax: limits.connectionsPerUpstream,
      waitingMax: limits.waitingPerUpstream,
    }),
    reportFault: parts.reportFault,
    observer: parts.observer ?? null,
    tls: parts.tls ?? null,
    held: { bytes: 0 },
    closing: false,
  }
}
