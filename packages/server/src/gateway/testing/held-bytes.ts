import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { Socket } from 'node:net'

import { onTestFinished } from 'vitest'

/** The two sockets of a gateway between which one exchange passes, seen from inside its process. */
export interface Between {
  readonly client: Socket
  readonly upstream: Socket
}

/**
 * Finds them from here on: what this process holds of a body is what it has read and not yet given to the system.
 * What the buffers of the system hold, the system alone sizes, and no count of bytes at the two ends tells it apart.
 */
export function watchSockets(): (gatewayPort: number, upstreamPort: number) => Between | null {
  const made: Socket[] = []
  const note = (message: unknown): void => {
    const socket = typeof message === 'object' && message !== null && 'socket' in message ? message.socket : null
    if (socket instanceof Socket) made.push(socket)
  }
  const channels = ['net.server.socket', 'net.client.socket']
  for (const channel of channels) subscribe(channel, note)
  onTestFinished(() => {
    for (const channel of channels) unsubscribe(channel, note)
  })
  return (gatewayPort, upstreamPort) => {
    const client = made.find(({ localPort }) => localPort === gatewayPort)
    const upstream = made.find(({ remotePort }) => remotePort === upstreamPort)
    return client === undefined || upstream === undefined ? null : { client, upstream }
  }
}

/** Bytes that were read from the one and have not left for the other. */
export function heldBytes(from: Socket, to: Socket): number {
  return from.bytesRead - (to.bytesWritten - to.writableLength)
}
