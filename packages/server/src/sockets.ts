import type { Config, Socket } from './config/config.ts'
import { socketsOf } from './config/listen.ts'
import type { PassedSockets } from './ops/passed-sockets.ts'
import { portOfDescriptor } from './ops/ports.ts'

type PassedSocket = Socket & { readonly fd?: number }

/** The socket that was passed for an address; null where it has to be bound. */
export function descriptorOf({ listen }: Config, passed: PassedSockets, socket: Socket): number | null {
  switch (socket) {
    case listen.gateway:
      return passed.gateway
    case listen.console:
      return passed.console
    case listen.ops:
      return passed.ops
    case listen.forwardAuth:
      return passed.forwardAuth
    default:
      return passed.own.get(socket.port) ?? null
  }
}

export function withDescriptor(config: Config, passed: PassedSockets, socket: Socket): PassedSocket {
  const fd = descriptorOf(config, passed, socket)
  return fd === null ? socket : { ...socket, fd }
}

/** For Fastify, which listens on every address of `localhost`: a socket that was passed is one alone. */
export function onOneAddress(socket: PassedSocket): PassedSocket {
  return socket.fd === undefined ? { ...socket } : { ...socket, host: '127.0.0.1' }
}

/** A socket for another port than the one that is declared must not be served on: that port may be a public one. */
export function misfitOf(config: Config, passed: PassedSockets): string | null {
  for (const socket of socketsOf(config)) {
    const fd = descriptorOf(config, passed, socket)
    const port = fd === null ? null : portOfDescriptor(fd)
    if (port !== null && socket.port !== 0 && port !== socket.port) {
      return `the socket that was passed for ${hostText(socket)} listens on port ${port}`
    }
  }
  const unknown = [...passed.own.keys()].find((port) => !config.listen.own.some((socket) => socket.port === port))
  return unknown === undefined ? null : `a socket was passed for port ${unknown}, but no address is ":${unknown}"`
}

export function hostText({ host, port }: Socket): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}
