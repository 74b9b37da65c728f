import type { Socket } from 'node:net'

import type { RequestConnection, TunnelEnd } from './upstream/attempt.ts'

/** Who follows what passes through a tunnel. */
export interface TunnelWatch {
  /** Bytes that went on to the upstream, or to the client. */
  passed(toUpstream: number, toClient: number): void
  upstreamClosed(): void
}

/** Ties a client's socket and an upstream's connection: bytes both ways, with back-pressure and half-close. */
export class Tunnel implements TunnelEnd {
  readonly #client: Socket
  readonly #upstream: RequestConnection
  readonly #watch: TunnelWatch

  constructor(client: Socket, upstream: RequestConnection, watch: TunnelWatch) {
    this.#client = client
    this.#upstream = upstream
    this.#watch = watch
  }

  /** With what each side has said already. */
  start(ofClient: readonly Buffer[], ofUpstream: Buffer): void {
    this.#upstream.tunnelTo(this)
    for (const chunk of ofClient) this.#fromClient(chunk)
    if (ofUpstream.length > 0) this.data(ofUpstream)
    this.#client
      .on('data', this.#fromClient)
      .on('end', () => this.#upstream.endTunnel())
      .on('drain', () => this.#upstream.resume())
      .resume()
  }

  data(chunk: Buffer): boolean {
    this.#watch.passed(0, chunk.length)
    return this.#client.write(chunk)
  }

  drained(): void {
    this.#client.resume()
  }

  ended(): void {
    this.#client.end()
  }

  closed(): void {
    this.#client.destroySoon()
    this.#watch.upstreamClosed()
  }

  readonly #fromClient = (chunk: Buffer): void => {
    this.#watch.passed(chunk.length, 0)
    if (!this.#upstream.write(chunk)) this.#client.pause()
  }
}
