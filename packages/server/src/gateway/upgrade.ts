import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'

import { headerValues } from '../core/decision/headers.ts'

/**
 * WebSocket, asked for as RFC 6455, section 4.1 has it, is the one other protocol that is passed on. What else can
 * stand in `Upgrade` is ignored, as RFC 9110, section 7.8 allows: `h2c` would carry requests past every check.
 */
export function asksForWebSocket({ method, httpVersionMinor, rawHeaders }: IncomingMessage): boolean {
  return (
    method === 'GET' &&
    httpVersionMinor === 1 &&
    isWebSocket(rawHeaders) &&
    headerValues(rawHeaders, 'content-length').every((length) => length === '0') &&
    headerValues(rawHeaders, 'transfer-encoding').length === 0
  )
}

/** Whether these header lines, of a request or of an answer, name WebSocket and nothing else. */
export function isWebSocket(lines: readonly string[]): boolean {
  const [protocol, ...others] = headerValues(lines, 'upgrade')
  return others.length === 0 && protocol?.toLowerCase() === 'websocket'
}

const earlyBytesMax = 65_536

/** The client's end of an upgrade. What it says before it is answered is kept, within bounds. */
export class UpgradingClient {
  readonly socket: Socket
  readonly #early: Buffer[] = []
  #earlyBytes = 0

  /** `first`: what came behind the head. */
  constructor(socket: Socket, first: Buffer) {
    this.socket = socket
    socket
      .on('error', () => undefined)
      .on('data', this.#keep)
      // Whoever says nothing more does not wait for an answer either, as with any other request.
      .on('end', this.#leave)
    if (first.length > 0) this.#keep(first)
  }

  /** The upgrade was granted: all that came so far, and no more is kept. */
  early(): readonly Buffer[] {
    this.socket.off('data', this.#keep).off('end', this.#leave)
    return this.#early
  }

  readonly #keep = (chunk: Buffer): void => {
    this.#early.push(chunk)
    this.#earlyBytes += chunk.length
    if (this.#earlyBytes > earlyBytesMax) this.socket.pause()
  }

  readonly #leave = (): void => {
    this.socket.destroy()
  }
}
