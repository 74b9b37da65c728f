import type { ConfigFile } from '@postern/contract'

import { type IpRanges, compileIpRanges, parseCidr } from '../base/ip.ts'
import { sizeBytes } from '../base/units.ts'
import type { Listen, Socket } from './config.ts'
import type { Context } from './context.ts'
import type { Path } from './issue.ts'

type Written = NonNullable<ConfigFile['listen']>

const faces = ['gateway', 'console', 'ops', 'forward_auth'] as const
const defaults = { gateway: '127.0.0.1:8080', console: '127.0.0.1:8081', ops: '127.0.0.1:8082' } as const

export function buildListen(written: Written, { report }: Context): Omit<Listen, 'own' | 'tls'> {
  const sockets = {
    gateway: parseSocket(written.gateway ?? defaults.gateway),
    console: parseSocket(written.console ?? defaults.console),
    ops: parseSocket(written.ops ?? defaults.ops),
    forward_auth: written.forward_auth === undefined ? null : parseSocket(written.forward_auth),
  }
  for (const [index, face] of faces.entries()) {
    const path = ['listen', face]
    const socket = sockets[face]
    if (socket === null) continue
    if (socket.port > 65_535) report.error(path, 'the port is not a number from 0 to 65535')
    const taken = faces.slice(0, index).find((other) => collides(sockets[other], socket))
    if (taken !== undefined) report.error(path, `uses the same port as ${taken}`)
  }
  if (sockets.forward_auth !== null && (written.trusted_proxies ?? []).length === 0)
    report.note(
      ['listen', 'forward_auth'],
      'listen.forward_auth refuses everyone: list the proxies that may ask in listen.trusted_proxies',
    )
  return {
    gateway: sockets.gateway,
    console: sockets.console,
    ops: sockets.ops,
    forwardAuth: sockets.forward_auth,
    maxHeaderLines: written.max_header_lines ?? 100,
    maxHeaderBytes: sizeBytes(written.max_header_bytes ?? '16KiB'),
    maxTargetBytes: sizeBytes(written.max_target_bytes ?? '8KiB'),
    maxBodyBytes: sizeBytes(written.max_body ?? '10MiB'),
    maxConnections: written.max_connections ?? 10_000,
  }
}

function parseSocket(text: string): Socket {
  const colon = text.lastIndexOf(':')
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) }
}

/** Whether two listeners would want the same port of the same interface. Port 0 takes any that is free. */
export function collides(a: Socket | null, b: Socket): boolean {
  if (a === null || a.port !== b.port || a.port === 0) return false
  return a.host === b.host || isEveryInterface(a.host) || isEveryInterface(b.host)
}

function isEveryInterface(host: string): boolean {
  return host === '0.0.0.0' || host === '::'
}

const groups: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1'],
  private: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16', 'fc00::/7', 'fe80::/10'],
}

/** Addresses and ranges, with `loopback` and `private` as names for theirs. */
export function buildPeers(written: readonly string[], path: Path, { report }: Context): IpRanges {
  const good = written.filter((entry, index) => {
    const known = Object.hasOwn(groups, entry) || parseCidr(entry) !== null
    if (!known) report.error([...path, index], `"${entry}" must be an IP address, a CIDR range, loopback or private`)
    return known
  })
  return compileIpRanges(good.flatMap((entry) => groups[entry] ?? [entry]))
}
