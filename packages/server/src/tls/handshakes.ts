import type { Server, Socket } from 'node:net'
import { createServer as createTlsServer, type TLSSocket } from 'node:tls'

import type { Clock } from '../base/clock.ts'
import type { Contexts } from './contexts.ts'

/** The stage between a connection and the HTTP parser of one server. */
export interface Handshakes {
  use(contexts: Contexts): void
  useTicketKeys(keys: Buffer): void
  /** Connections that are neither given back nor closed. */
  shaking(): number
}

export interface HandshakesOptions {
  readonly on: () => boolean
  readonly clock: Clock
  readonly handshakeMs: number
  readonly onFailure: (code: string) => void
}

/**
 * Takes each new connection before the server's own listeners see it. What begins with a letter is a request in clear:
 * it goes on as it is, for the listener to refuse, and to see whether a credential was exposed by it. All else has to
 * be a handshake.
 */
export function createHandshakes(server: Server, { on, clock, handshakeMs, onFailure }: HandshakesOptions): Handshakes {
  let contexts: Contexts | null = null
  const receivers = server.listeners('connection')
  let begun = 0
  let givenBack = 0
  const receive = (socket: Socket | TLSSocket): void => {
    for (const receiver of receivers) Reflect.apply(receiver, server, [socket])
  }
  // Never listens: it is given connections, and gives them back encrypted.
  const tls = createTlsServer({
    handshakeTimeout: handshakeMs,
    ALPNProtocols: ['http/1.1'],
    // An exception here would end the process (CVE-2026-21637); without a context the standard one is used.
    SNICallback: (name, done) => done(null, contextFor(contexts, name)),
  })
  const giveBack = (socket: Socket | TLSSocket): void => {
    givenBack++
    socket.once('close', () => givenBack--)
    receive(socket)
  }
  // Until the handshake is done, a client that ends its half has left; afterwards that is for HTTP to say.
  const shake = (socket: Socket): void => {
    socket.allowHalfOpen = false
    tls.emit('connection', socket)
  }
  tls.on('secureConnection', (socket) => {
    socket.allowHalfOpen = true
    giveBack(socket)
  })
  tls.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
    socket.destroy()
    onFailure(error.code ?? 'unknown')
  })
  const begin = (socket: Socket): void => {
    const silence = clock.after(handshakeMs, () => socket.destroy())
    begun++
    socket.once('close', () => {
      begun--
      silence.stop()
    })
    socket.on('error', () => socket.destroy())
    socket.once('readable', () => {
      silence.stop()
      const first: unknown = socket.read()
      if (!(first instanceof Buffer)) return void socket.destroy()
      socket.unshift(first)
      if (isLetter(first[0] ?? 0)) giveBack(socket)
      else shake(socket)
    })
  }
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => (on() ? begin(socket) : receive(socket)))
  return {
    use: (next) => {
      contexts = next
      tls.setSecureContext(next.standard)
    },
    shaking: () => begun - givenBack,
    useTicketKeys: (keys) => tls.setTicketKeys(keys),
  }
}

function contextFor(contexts: Contexts | null, name: string): ReturnType<Contexts['find']> | undefined {
  try {
    return contexts?.find(name)
  } catch {
    return undefined
  }
}

/** A method begins with one (RFC 9110, section 9.1); no record of TLS does (RFC 8446, section 5.1). */
function isLetter(byte: number): boolean {
  return (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a)
}
