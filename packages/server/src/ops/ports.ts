import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { createServer } from 'node:net'

export interface PortAddress {
  readonly host: string
  readonly port: number
}

/** An address that cannot be listened on, and who holds it as far as the system tells. */
export interface BusyPort extends PortAddress {
  /** `EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL` … */
  readonly reason: string
  readonly owner: { readonly pid: number; readonly command: string } | null
}

/** Tries every address by listening on it for a moment; answers those that cannot be had, with their owners. */
export async function busyPorts(addresses: readonly PortAddress[]): Promise<readonly BusyPort[]> {
  const tried = await Promise.all(addresses.map(async (address) => ({ address, reason: await tryPort(address) })))
  return tried.flatMap(({ address, reason }) =>
    reason === null ? [] : [{ ...address, reason, owner: reason === 'EADDRINUSE' ? ownerOf(address.port) : null }],
  )
}

function tryPort({ host, port }: PortAddress): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)))
  })
}

/** Port of a listening TCP socket of this process; null where the system does not show it. */
export function portOfDescriptor(fd: number): number | null {
  const inode = readable(() => readlinkSync(`/proc/self/fd/${fd}`), '')
  const found = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap(listeningSockets).find((each) => each.inode === inode)
  return found?.port ?? null
}

/** The process that listens on the port, by the socket's inode (proc(5)); null where that is not to be seen. */
function ownerOf(port: number): BusyPort['owner'] {
  const inodes = new Set(
    ['/proc/net/tcp', '/proc/net/tcp6']
      .flatMap(listeningSockets)
      .flatMap((each) => (each.port === port ? [each.inode] : [])),
  )
  if (inodes.size === 0) return null
  for (const pid of readable(() => readdirSync('/proc'), []).filter((name) => /^[0-9]+$/.test(name))) {
    const links = readable(() => readdirSync(`/proc/${pid}/fd`), [])
    const holds = links.some((fd) => inodes.has(readable(() => readlinkSync(`/proc/${pid}/fd/${fd}`), '')))
    if (holds) return { pid: Number(pid), command: commandOf(pid) }
  }
  return null
}

/** Columns of /proc/net/tcp: local address as hex `host:port`, state (0A listens), … , inode. */
function listeningSockets(path: string): readonly { readonly port: number; readonly inode: string }[] {
  const lines = readable(() => readFileSync(path, 'utf8').split('\n').slice(1), [])
  return lines
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns[3] === '0A')
    .map((columns) => ({
      port: Number.parseInt(columns[1]?.split(':')[1] ?? '', 16),
      inode: `socket:[${columns[9] ?? ''}]`,
    }))
}

function commandOf(pid: string): string {
  return readable(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean).join(' '), '').slice(
    0,
    200,
  )
}

function readable<Value>(read: () => Value, otherwise: Value): Value {
  try {
    return read()
  } catch {
    return otherwise
  }
}
