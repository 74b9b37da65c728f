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
  /** Bodies that are held in memory to be looked at, of all requests together. */
  readonly heldBytesMax: number
  readonly connectionsMax: number
  /** Requests of one connection that wait for the one before them. */
  readonly pipelinedMax: number
  readonly connectionsPerUpstream: number
  /** Requests that wait for one of them. */
  readonly waitingPerUpstream: number
  /** How often deadlines are looked at. */
  readonly sweepMs: number
}

export const defaultLimits: WireLimits = {
  headerLinesMax: 100,
  headBytesMax: 16_384,
  targetBytesMax: 8_192,
  headTimeoutMs: 10_000,
  keepAliveMs: 65_000,
  drainBytesMax: 65_536,
  heldBytesMax: 512 * 1_024 ** 2,
  lingerMs: 2_000,
  connectionsMax: 20_000,
  pipelinedMax: 64,
  connectionsPerUpstream: 512,
  waitingPerUpstream: 1_024,
  sweepMs: 250,
}
