import type { Socket } from 'node:net'

import type { Clock } from '../base/clock.ts'
import type { Connection } from './connection.ts'
import type { Exchange } from './exchange.ts'

/** The open connections of one listener, and how they come to their end. */
export interface Connections {
  readonly open: ReadonlyMap<Socket, Connection<Exchange>>
  /** Whether requests are to be the last of their connections. */
  readonly draining: () => boolean
  /** Whether connections that are established only now come too late. */
  over(): boolean
  add(socket: Socket, connection: Connection<Exchange>): void
  /** Ends the one that has been idle for longest; false where every one has a request that is running. */
  makeRoom(): boolean
  /** Ends what is idle, lets what is running end; resolves when the last connection has ended. */
  drain(): Promise<void>
  /** Ends all at once. */
  cut(): void
}

/** A connection on which nothing was asked yet has its first request on the way, mostly. */
const lastCallMs = 1_000

/** How often it is looked whether connections are idle for too long. */
const idleStepMs = 1_000

/** `shaking`: how many connections are within their TLS handshake, and so are none of these yet. */
export function createConnections(clock: Clock, keepAliveMs: number, shaking: () => number): Connections {
  const open = new Map<Socket, Connection<Exchange>>()
  const drained = Promise.withResolvers<void>()
  let draining = false
  let over = false
  // One look at all, and not a timer for each: a timer would be set anew twice for each request.
  const idle = clock.every(idleStepMs, () => {
    for (const connection of open.values()) {
      if (connection.current !== null) continue
      // The first request of a connection is waited for by Node's server.
      if (connection.used && connection.idleMs >= keepAliveMs) connection.finish()
      connection.idleMs += idleStepMs
    }
  })
  const settle = (): void => {
    if (!draining || open.size > 0 || (!over && shaking() > 0)) return
    idle.stop()
    drained.resolve()
  }
  const endAll = (): void => {
    over = true
    for (const connection of open.values()) connection.finish()
    settle()
  }
  return {
    open,
    draining: () => draining,
    over: () => over,
    add: (socket, connection) => {
      open.set(socket, connection)
      socket.once('close', () => {
        open.delete(socket)
        settle()
      })
    },
    makeRoom: () => {
      let idlest: Connection<Exchange> | null = null
      for (const connection of open.values()) {
        if (connection.current !== null || connection.socket.destroyed) continue
        if (idlest === null || connection.idleMs > idlest.idleMs) idlest = connection
      }
      idlest?.socket.destroy()
      return idlest !== null
    },
    drain: () => {
      draining = true
      const used = [...open.values()].filter((connection) => connection.used)
      for (const connection of used) connection.finish()
      if (used.length < open.size || shaking() > 0) clock.after(lastCallMs, endAll)
      else over = true
      settle()
      return drained.promise
    },
    cut: () => {
      over = true
      for (const socket of open.keys()) socket.destroy()
      settle()
    },
  }
}
