/**
 * Why an upstream gave no answer, or not all of one. `unreachable`: no connection, no trust in its certificate.
 * `no_room`: too many requests wait for a connection. `closed`: it ended the connection. `no_http`: what it sent could
 * be read in two ways, or is no HTTP. `internal`: our own fault.
 */
export class UpstreamFault extends Error {
  readonly reason: 'unreachable' | 'no_room' | 'closed' | 'no_http' | 'internal'

  constructor(reason: UpstreamFault['reason'], cause?: unknown) {
    super(sentences[reason], { cause })
    this.reason = reason
  }
}

const sentences: Readonly<Record<UpstreamFault['reason'], string>> = {
  unreachable: 'no connection to the upstream could be made',
  no_room: 'too many requests wait for a connection to the upstream',
  closed: 'the upstream closed the connection before its answer was whole',
  no_http: 'the upstream sent what is not HTTP/1.1, or can be read in two ways',
  internal: 'the answer could not be passed on',
}
