import { sha256Hex } from '../../base/digest.ts'
import type { Secret } from '../../base/secret.ts'

/** Where an API's requests are sent: one target, or several that stand for each other. */
export interface Upstream {
  /** `shop`, `shop/live` or `shop/live/eu`, as declared: its name in logs and metrics, also after a reload. */
  readonly name: string
  readonly targets: readonly Target[]
  /** How many other targets a request may be sent to where that is safe and the one before failed. */
  readonly retries: number
  /** Null: what a target does to requests says nothing about it. */
  readonly passive: PassiveRule | null
  /** Null: targets are asked nothing. */
  readonly health: HealthRule | null
}

/** One place that requests are sent to. */
export interface Target {
  /** As shown: scheme, host, port and base path. */
  readonly url: string
  /** Connections are shared by targets of the same identity: where they lead, what TLS is made with, their bounds. */
  readonly identity: string
  /** Without brackets. */
  readonly host: string
  readonly port: number
  /** For the Host header: host and, where it is not the scheme's own, port. */
  readonly authority: string
  /** Prepended to the path that is sent; '' or '/base' without a trailing slash. */
  readonly basePath: string
  /** Its share of requests is its weight among all; 0: none. */
  readonly weight: number
  /** Null: plain TCP. */
  readonly tls: TargetTls | null
  /** Null: the gateway's own bounds. */
  readonly connectionsMax: number | null
  /** For how long an unused connection is kept; null: less than servers commonly keep it. */
  readonly idleMs: number | null
}

/** What is null is Node's own: its certificate authorities, the host as the name in the certificate. */
export interface TargetTls {
  /** PEM. These authorities are trusted, and no others. */
  readonly ca: string | null
  /** What the gateway shows of itself, PEM. */
  readonly client: { readonly cert: string; readonly key: Secret } | null
  readonly serverName: string | null
}

/**
 * Targets that fail are left out for a while: `failures` of them in a row, the first no longer than `windowMs` before
 * the last. Afterwards one more failure leaves it out again, one answer makes it whole.
 */
export interface PassiveRule {
  readonly failures: number
  readonly windowMs: number
  readonly ejectMs: number
  /** Answers that count as failures, beside connections that fail, break or are too slow. */
  readonly statuses: StatusRanges
}

/** Each target is asked by itself. */
export interface HealthRule {
  /** Path and query, of the target's host: its base path is not put before it. */
  readonly path: string
  readonly intervalMs: number
  readonly timeoutMs: number
  readonly expect: StatusRanges
  /** Checks that fail in a row until a target is left out, and that succeed until it is used again. */
  readonly unhealthyAfter: number
  readonly healthyAfter: number
}

/** Inclusive. */
export type StatusRanges = readonly (readonly [from: number, to: number])[]

export function inStatusRanges(ranges: StatusRanges, status: number): boolean {
  return ranges.some(([from, to]) => status >= from && status <= to)
}

/** What `passive` means where nothing is said. */
export const defaultPassive: PassiveRule = { failures: 5, windowMs: 30_000, ejectMs: 30_000, statuses: [] }

/** A target at the URL, which has no user, query or fragment. */
export function targetAt(
  url: URL,
  bounds: Partial<Pick<Target, 'weight' | 'tls' | 'connectionsMax' | 'idleMs'>>,
): Target {
  const { protocol, hostname, port, host, origin } = url
  const secure = protocol === 'https:'
  const { weight = 1, connectionsMax = null, idleMs = null } = bounds
  const tls = secure ? (bounds.tls ?? { ca: null, client: null, serverName: null }) : null
  const basePath = url.pathname.replace(/\/$/, '')
  return {
    url: origin + basePath,
    identity: [origin, connectionsMax, idleMs, tls === null ? null : digestOf(tls)].join(' '),
    host: hostname.startsWith('[') ? hostname.slice(1, -1) : hostname,
    port: port === '' ? (secure ? 443 : 80) : Number(port),
    authority: host,
    basePath,
    weight,
    tls,
    connectionsMax,
    idleMs,
  }
}

function digestOf({ ca, client, serverName }: TargetTls): string {
  return sha256Hex(JSON.stringify([ca, client?.cert, client?.key.reveal(), serverName]))
}

/** An upstream of one target, of which nothing more was declared. */
export function singleUpstream(name: string, url: URL): Upstream {
  return { name, targets: [targetAt(url, {})], retries: 0, passive: null, health: null }
}
