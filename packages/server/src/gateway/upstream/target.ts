import type { Upstream } from '../../core/apis/api.ts'

/** One place that requests are sent to. */
export interface Target {
  /** Connections are shared by targets of the same identity: scheme, host, port, and what TLS is made with. */
  readonly identity: string
  readonly host: string
  readonly port: number
  /** For the Host header: host and, where it is not the scheme's own, port. */
  readonly authority: string
  /** Prepended to the path that is sent; '' or '/base' without a trailing slash. */
  readonly basePath: string
  /** Null: plain TCP. */
  readonly tls: TargetTls | null
}

/** PEM texts. What is null is Node's own: its certificate authorities, the host as the name in the certificate. */
interface TargetTls {
  readonly ca: string | null
  readonly cert: string | null
  readonly key: string | null
  readonly serverName: string | null
}

/**
 * How an attempt ended. `answered`: with a whole answer. `unreachable`: no connection. `broken`: closed, or not to be
 * read as HTTP. `timed_out`: too slow. `abandoned`: the client left, or its request was bad; says nothing of the target.
 */
export type AttemptOutcome = 'answered' | 'unreachable' | 'broken' | 'timed_out' | 'abandoned'

/** Chooses among the targets of an upstream, and is told how each choice went. */
export interface Targets {
  /**
   * The first target, or after a failed attempt that may be made again (nothing was sent, or nothing that matters if
   * it is done twice, and no byte of an answer has come) another one. Null: none, and the request fails.
   */
  pick(upstream: Upstream, failed: Target | null, attempts: number): Target | null
  /** Once for each target that was picked. `status` is 0 where there was no answer. */
  report(target: Target, outcome: AttemptOutcome, status: number): void
}

/** Upstreams of one target, of which nothing is remembered. */
export function singleTargets(): Targets {
  const known = new WeakMap<Upstream, Target>()
  return {
    pick: (upstream, failed) => {
      if (failed !== null) return null
      const found = known.get(upstream)
      if (found !== undefined) return found
      const made = targetOf(upstream)
      known.set(upstream, made)
      return made
    },
    report: () => {},
  }
}

function targetOf({ origin, basePath }: Upstream): Target {
  const { protocol, hostname, port, host } = new URL(origin)
  const secure = protocol === 'https:'
  return {
    identity: origin,
    host: hostname.startsWith('[') ? hostname.slice(1, -1) : hostname,
    port: port === '' ? (secure ? 443 : 80) : Number(port),
    authority: host,
    basePath,
    tls: secure ? { ca: null, cert: null, key: null, serverName: null } : null,
  }
}
