import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** A wire between a node and its database that can be held up and cut. */
export interface Wire {
  readonly port: number
  /** `open` passes everything, `held` nothing (connections stay), `cut` drops all and refuses new ones. */
  set(state: 'open' | 'held' | 'cut'): void
  /** Drops the connections that are open; new ones pass. */
  drop(): void
  close(): Promise<void>
}

/** `mute`: a connection on which the client sends this text is dropped, whatever the state. */
export async function startWire(
  target: { readonly host: string; readonly port: number },
  mute: string | null = null,
): Promise<Wire> {
  let state: 'open' | 'held' | 'cut' = 'open'
  const pairs = new Set<readonly [Socket, Socket]>()
  const drop = (): void => {
    for (const pair of pairs) for (const socket of pair) socket.destroy()
  }
  const server = createServer((client) => {
    if (state === 'cut') return void client.resetAndDestroy()
    const far = connect(target)
    const pair = [client, far] as const
    pairs.add(pair)
    for (const socket of pair) {
      socket.on('error', () => {})
      socket.on('close', () => {
        pairs.delete(pair)
        for (const each of pair) each.destroy()
      })
    }
    client.on('data', (chunk: Buffer) => (mute !== null && chunk.includes(mute) ? client.destroy() : far.write(chunk)))
    far.on('data', (chunk: Buffer) => client.write(chunk))
    if (state === 'held') for (const socket of pair) socket.pause()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    // A listening TCP server has an address with a port.
    port: (server.address() as AddressInfo).port,
    set: (next) => {
      state = next
      if (next === 'cut') return drop()
      for (const socket of [...pairs].flat()) {
        if (next === 'held') socket.pause()
        else socket.resume()
      }
    },
    drop,
    close: () => {
      drop()
      return new Promise((resolve) => void server.close(() => resolve()))
    },
  }
}
