import type { UpstreamFault } from './fault.ts'
import type { ResponseHead } from './response-head.ts'

/** A connection as the request that it carries may use it. */
export interface RequestConnection {
  /** Something has been written of the request. */
  readonly written: boolean
  /** Something has come of its answer. */
  readonly heard: boolean
  /** It has carried another request before. */
  readonly reused: boolean
  /** One character a byte. False: what is written now is only held in memory, until `drained`. */
  writeText(text: string): boolean
  write(bytes: Buffer): boolean
  /** What is written until `uncork` leaves as one. */
  cork(): void
  uncork(): void
  /** The request has been written to its end. */
  requestSent(): void
  /** The answer goes on after `answerData` said false. */
  resume(): void
  /** Ends it at once. Whoever calls knows why, and hears nothing more. */
  destroy(): void
  /** After 101: who is at the other end of the tunnel from here on. */
  tunnelTo(end: TunnelEnd): void
  /** Nothing more will be written, which the upstream is told behind what was. */
  endTunnel(): void
  /** Ends it once all that was written has left. */
  destroySoon(): void
}

/** One request on its way through a connection, as far as the connection has to tell it something. */
export interface Attempt {
  readonly method: string
  /** It asks for another protocol, so that 101 is an answer to it. */
  readonly upgrades: boolean
  /** From here until the answer has ended the connection is its own. */
  connected(connection: RequestConnection): void
  /** An answer before the answer (RFC 9110, section 15.2): 100, 103 and others, but never 101. */
  interim(head: ResponseHead): void
  /** The whole answer at once. `body`: one character a byte. */
  answered(head: ResponseHead, body: string): void
  answerStart(head: ResponseHead): void
  /** False: no more until the connection is told to `resume`. The chunk is the receiver's to keep. */
  answerData(chunk: Buffer): boolean
  /** `trailers`: name, value, … */
  answerEnd(trailers: readonly string[]): void
  /** 101. The connection is the caller's for good; `first` came behind the head. */
  switched(head: ResponseHead, first: Buffer): void
  /** What was written has left: there is room for more. */
  drained(): void
  /** There will be no answer, or no more of it. Nothing is told after this. */
  failed(fault: UpstreamFault): void
}

/** What speaks another protocol over a connection that was switched. */
export interface TunnelEnd {
  /** False: no more until the connection is told to `resume`. */
  data(chunk: Buffer): boolean
  drained(): void
  /** The other end has said all that it will, and may still listen. */
  ended(): void
  closed(): void
}
