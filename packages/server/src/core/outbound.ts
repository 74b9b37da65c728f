import type { IpRanges } from '../base/ip.ts'

/** One call out of Postern, to a URL that the operator or an owner of data wrote: never one that a request names. */
export interface OutboundRequest {
  readonly method: 'GET' | 'POST'
  readonly url: URL
  /** Name, value, … */
  readonly headers: readonly string[]
  readonly body: string | null
  /** Addresses that are not public and that it may reach all the same. */
  readonly allowedPrivate: IpRanges
  /** From the name's look-up to the last byte. */
  readonly timeoutMs: number
  /** How much of the answer is read. */
  readonly bodyBytesMax: number
}

export type OutboundAnswer =
  | {
      readonly kind: 'answered'
      readonly status: number
      /** Value of a header by its lower-case name; null where it is absent. */
      header(name: string): string | null
      readonly body: string
      /** The body is only the beginning of what was sent. */
      readonly cut: boolean
    }
  | {
      readonly kind: 'failed'
      readonly reason: 'timeout' | 'host_unknown' | 'address_forbidden' | 'unreachable' | 'tls_failed'
    }

/** Calls out of Postern: no redirect is followed, and addresses that are not public are refused. */
export interface Outbound {
  send(request: OutboundRequest): Promise<OutboundAnswer>
}
