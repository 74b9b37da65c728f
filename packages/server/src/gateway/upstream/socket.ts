import { type Socket, connect as connectTcp, isIP } from 'node:net'
import { connect as connectTls } from 'node:tls'

import type { Target } from './target.ts'

/** Opens a connection. `read` gets the bytes where they lie until it returns; `false` stops reading until `resume`. */
export function openSocket(
  target: Target,
  read: (length: number, bytes: Buffer) => boolean,
  onOpen: () => void,
): Socket {
  const { host, port, tls } = target
  const buffer = readBuffer()
  const onread = { buffer, callback: (length: number) => read(length, buffer) }
  const common = { host, port, allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay, onread }
  if (tls === null) return connectTcp(common, onOpen)
  const { ca, cert, key, serverName } = tls
  const name = serverName ?? host
  const options = {
    ...common,
    ALPNProtocols: ['http/1.1'],
    minVersion: 'TLSv1.2',
    // Whatever the environment says (NODE_TLS_REJECT_UNAUTHORIZED).
    rejectUnauthorized: true,
    ...(isIP(name) === 0 && { servername: name }),
    ...(ca !== null && { ca }),
    ...(cert !== null && { cert }),
    ...(key !== null && { key }),
  } as const
  return connectTls(options, onOpen)
}

const keepAliveInitialDelay = 60_000

const readBytesMax = 65_536

/**
 * One buffer for all connections: on Linux and macOS the system's read and the call of `read` are one step. On Windows
 * a read is handed to the system before there is something to be read, so each connection has its own.
 */
const shared = process.platform === 'win32' ? null : Buffer.allocUnsafeSlow(readBytesMax)
const readBuffer = (): Buffer => shared ?? Buffer.allocUnsafeSlow(readBytesMax)
