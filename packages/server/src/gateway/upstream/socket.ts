import { type Socket, connect as connectTcp, isIP } from 'node:net'
import {
  checkServerIdentity,
  connect as connectTls,
  createSecureContext,
  type PeerCertificate,
  type SecureContext,
} from 'node:tls'

import type { Target, TargetTls } from '../../core/apis/upstream.ts'

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
  const name = tls.serverName ?? host
  const options = {
    ...common,
    ALPNProtocols: ['http/1.1'],
    // Whatever the environment says (NODE_TLS_REJECT_UNAUTHORIZED).
    rejectUnauthorized: true,
    secureContext: contextOf(tls),
    // Compared with the certificate; as a name that the server is asked for it cannot be an address (RFC 6066).
    servername: isIP(name) === 0 ? name : '',
    checkServerIdentity: (_: string, certificate: PeerCertificate) => checkServerIdentity(name, certificate),
  } as const
  return connectTls(options, onOpen)
}

const contexts = new WeakMap<TargetTls, SecureContext>()

/** Certificates are parsed once, not for each connection. */
function contextOf(tls: TargetTls): SecureContext {
  const known = contexts.get(tls)
  if (known !== undefined) return known
  const { ca, client } = tls
  const made = createSecureContext({
    minVersion: 'TLSv1.2',
    ...(ca !== null && { ca }),
    ...(client !== null && { cert: client.cert, key: client.key.reveal() }),
  })
  contexts.set(tls, made)
  return made
}

const keepAliveInitialDelay = 60_000

const readBytesMax = 65_536

/**
 * One buffer for all connections: on Linux and macOS the system's read and the call of `read` are one step. On Windows
 * a read is handed to the system before there is something to be read, so each connection has its own.
 */
const shared = process.platform === 'win32' ? null : Buffer.allocUnsafeSlow(readBytesMax)
const readBuffer = (): Buffer => shared ?? Buffer.allocUnsafeSlow(readBytesMax)
