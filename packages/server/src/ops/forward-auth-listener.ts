import type { Server } from 'node:http'

import { type NeighbourAddress, closeServer, listenOn } from './server.ts'

/** For proxies on other machines: metrics and health stay where only this machine reaches them. */
export interface ForwardAuthListener {
  /** Listens there, and no longer where it did before; null: nowhere. Throws, and changes nothing, where it cannot. */
  readonly listen: (address: NeighbourAddress | null) => Promise<NeighbourAddress | null>
  close(): Promise<void>
}

export function createForwardAuthListener(makeServer: () => Server): ForwardAuthListener {
  let open: { readonly server: Server; readonly asked: NeighbourAddress; readonly bound: NeighbourAddress } | null =
    null
  return {
    listen: async (asked) => {
      if (open !== null && asked !== null && open.asked.host === asked.host && open.asked.port === asked.port)
        return open.bound
      const before = open
      if (asked === null) open = null
      else {
        const server = makeServer()
        open = { server, asked, bound: await listenOn(server, asked) }
      }
      if (before !== null) await closeServer(before.server)
      return open?.bound ?? null
    },
    close: async () => {
      const last = open
      open = null
      if (last !== null) await closeServer(last.server)
    },
  }
}
