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

  /** The sentence with what the system said, for a line in the log. */
  get why(): string {
    const said = systemMessage(this.cause)
    return said === '' ? this.message : `${this.message}: ${said}`
  }
}

/** Of several addresses that were tried, what happened with the first. */
function systemMessage(cause: unknown): string {
  if (cause instanceof AggregateError) return systemMessage(cause.errors[0])
  return cause instanceof Error ? cause.message : ''
}

const sentences: Readonly<Record<UpstreamFault['reason'], string>> = {
  unreachable: 'no connection to the upstream could be made',
  no_room: 'too many requests wait for a connection to the upstream',
  closed: 'the upstream closed the connection before its answer was whole',
  no_http: 'the upstream sent what is not HTTP/1.1, or can be read in two ways',
  internal: 'the answer could not be passed on',
}
