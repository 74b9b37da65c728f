import type { IpRanges } from '../base/ip.ts'
import type { Secret } from '../base/secret.ts'
import type { Declaration, ExposurePolicy } from '../core/apis/api.ts'
import type { TlsSettings } from '../core/tls/certificate.ts'
import type { ConfigNote } from './issue.ts'

/** `postern.yaml` and the environment as one frozen value. A reload makes a new one. */
export interface Config {
  /** Absolute path of the file. */
  readonly file: string
  /** What requests are decided by. */
  readonly declaration: Declaration
  readonly listen: Listen
  /** Absolute path of the data folder. */
  readonly data: string
  /** Absolute path of the folder of key files. */
  readonly keys: string
  readonly store: StoreConfig
  /** Absolute path of the operator's country database; null: every country is ZZ. */
  readonly geoip: string | null
  readonly maxCredentials: number
  readonly staleAfterMs: number
  readonly retention: Retention
  readonly requestLog: RequestLogConfig
  /** One JSON line for each request; null: none is written. */
  readonly accessLog: AccessLogConfig | null
  /** From POSTERN_MANAGEMENT_KEY; null: one is made at first start. */
  readonly managementKey: Secret | null
  /** What becomes of a credential that came over plain HTTP, where its plan does not say. */
  readonly onExposed: ExposurePolicy
  /** Addresses that are not public and that checks of the operator's own connections may call. */
  readonly allowedPrivate: IpRanges
  readonly shutdown: Shutdown
  /** Scopes that are declared with `retired: true`. */
  readonly retiredScopes: readonly string[]
  readonly notes: readonly ConfigNote[]
  /** Changes whenever any text that was read changed. */
  readonly fingerprint: string
  /** Absolute paths of the files that it was read from. */
  readonly filesRead: readonly string[]
  /** The next dense numbers; they are never used twice in a process. */
  readonly nextIndex: { readonly api: number; readonly route: number }
}

export interface Listen {
  readonly gateway: Socket
  readonly console: Socket
  readonly ops: Socket
  /** Of forward-auth alone, for proxies elsewhere; null: only ops offers it. */
  readonly forwardAuth: Socket | null
  /** Listeners of the gateway for addresses such as ":9001". */
  readonly own: readonly Socket[]
  /** Null: every listener speaks plain HTTP. */
  readonly tls: TlsSettings | null
  readonly maxHeaderLines: number
  readonly maxHeaderBytes: number
  readonly maxTargetBytes: number
  readonly maxBodyBytes: number
  readonly maxConnections: number
}

export interface Socket {
  /** Without brackets. */
  readonly host: string
  /** 0: any free one. */
  readonly port: number
}

export type StoreConfig = { readonly kind: 'sqlite' } | { readonly kind: 'postgres'; readonly url: Secret }

/** How long rows are kept, in milliseconds. */
export interface Retention {
  readonly requestsMs: number
  readonly minutesMs: number
  readonly hoursMs: number
  readonly daysMs: number
  /** Null: for good. */
  readonly eventsMs: number | null
}

/** How a server stops when it is told to. */
interface Shutdown {
  /** From saying that it is not ready until it stops accepting: for proxies to notice. */
  readonly delayMs: number
  /** Then, for what is running to end by itself. */
  readonly graceMs: number
}

export interface AccessLogConfig {
  /** Absolute path; null: standard output. */
  readonly file: string | null
  /** Of requests that went well one in so many is written. */
  readonly oneIn: number
}

export interface RequestLogConfig {
  readonly refusalsPerSecondPerIp: number
  /** Rows that may wait to be written; above it they are dropped and counted. */
  readonly queue: number
}
