import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

import { parseIp, type Ip } from '../base/ip.ts'
import { Seen } from '../core/decision/seen.ts'

/** One client connection. Its requests are served one after the other, in the order in which they came. */
export class Connection<Request> {
  readonly socket: Socket
  readonly peer: Ip
  readonly localPort: number
  readonly encrypted: boolean
  /** In clear, although its listener speaks TLS. */
  readonly plainOnTls: boolean
  readonly seen = new Seen()
  current: Request | null = null
  readonly waiting: Request[] = []
  /** A request came on it. */
  used = false
  /** For how long it has waited for its next request, when it was last looked at. */
  idleMs = 0
  /** Nothing more that arrives on it is read as a request. */
  broken = false

  constructor(socket: Socket, peer: Ip, localPort: number, tlsWanted: boolean) {
    this.socket = socket
    this.peer = peer
    this.localPort = localPort
    this.encrypted = socket instanceof TLSSocket
    this.plainOnTls = tlsWanted && !this.encrypted
  }

  /** Ends once its running request has, or now. */
  finish(): void {
    if (this.current === null) this.socket.destroy()
    else this.broken = true
  }

  /** Ends it so that what was sent so far does not look whole: in clear only a reset tells that from an end. */
  cut(): void {
    if (this.encrypted) this.socket.destroy()
    else this.socket.resetAndDestroy()
  }
}

/** Null where the other end has already left. */
export function connectionOf<Request>(
  socket: Socket,
  localPort: number,
  tlsWanted: boolean,
): Connection<Request> | null {
  const peer = parseIp(withoutZone(socket.remoteAddress ?? ''))
  return peer === null ? null : new Connection(socket, peer, localPort, tlsWanted)
}

/** Link-local addresses carry their interface: fe80::1%eth0. */
function withoutZone(address: string): string {
  const percent = address.indexOf('%')
  return percent === -1 ? address : address.slice(0, percent)
}
