import { formatIp, parseIp } from '../../base/ip.ts'
import { type Result, fail, ok } from '../../base/result.ts'
import type { Address, AddressTable } from './api.ts'
import { canonicalPath } from './path.ts'

/** Two addresses that are one and the same. */
export interface AddressConflict {
  readonly first: Address
  readonly second: Address
}

/**
 * Finds the API that a request is addressed to. A listener of its own (":9001") serves only the addresses declared
 * for it; on the gateway's port the host decides, and then the longest prefix of whole segments.
 */
export function createAddressTable(
  addresses: readonly Address[],
  gatewayPort: number,
): Result<AddressTable, AddressConflict> {
  const byHost = new Map<string, Address[]>()
  const byPort = new Map<number, Address[]>()
  for (const address of addresses) {
    const group = address.host === null ? groupOf(byPort, address.port ?? gatewayPort) : groupOf(byHost, address.host)
    const same = group.find((other) => other.prefix === address.prefix)
    if (same !== undefined) return fail({ first: same, second: address })
    group.push(address)
    group.sort((a, b) => b.prefix.length - a.prefix.length)
  }
  return ok({
    all: addresses,
    find: (host, localPort, path) => {
      const ofPort = byPort.get(localPort)
      if (ofPort !== undefined && localPort !== gatewayPort) return longest(ofPort, path)
      const ofHost = byHost.get(host) ?? byHost.get(normalHost(host) ?? '')
      return longest(ofHost, path) ?? longest(ofPort, path)
    },
  })
}

function groupOf<Key>(groups: Map<Key, Address[]>, key: Key): Address[] {
  const known = groups.get(key)
  if (known !== undefined) return known
  const group: Address[] = []
  groups.set(key, group)
  return group
}

function longest(sorted: readonly Address[] | undefined, path: string): Address | null {
  for (const address of sorted ?? []) {
    const { prefix } = address
    if (path.startsWith(prefix) && (path.length === prefix.length || path.charCodeAt(prefix.length) === slash)) {
      return address
    }
  }
  return null
}

const slash = 0x2f

/**
 * The host of a Host header in the form that addresses have: lower case, no port, no final dot, IPv6 in brackets
 * and canonical. Null where there is none.
 */
export function normalHost(header: string): string | null {
  const parts = /^(\[[^\]]*\]|[^:[\]]*)(?::[0-9]*)?$/.exec(header)
  const name = parts?.[1]?.toLowerCase() ?? ''
  if (name.startsWith('[')) {
    const ip = parseIp(name.slice(1, -1))
    return ip === null ? null : typeof ip === 'bigint' ? `[${formatIp(ip)}]` : formatIp(ip)
  }
  const host = name.endsWith('.') ? name.slice(0, -1) : name
  return host === '' ? null : host
}

/** Where an API is reached, as declared: "shop.example.com", "shop.example.com/v2", ":9001" or ":9001/v2". */
export type AddressParts = Pick<Address, 'host' | 'port' | 'prefix'>

/** The error is a sentence. */
export function parseAddress(text: string): Result<AddressParts, string> {
  if (text.includes('://')) return fail('an address has no scheme: write the host, with a path prefix if need be')
  const mark = text.indexOf('/')
  const authority = mark === -1 ? text : text.slice(0, mark)
  const prefix = parsePrefix(mark === -1 ? '' : text.slice(mark))
  if (prefix === null) return fail('the prefix after the host is not a canonical path')
  if (authority.startsWith(':')) {
    const port = Number(authority.slice(1))
    if (!/^:[1-9][0-9]{0,4}$/.test(authority) || port > 65_535) return fail('the port is not a number from 1 to 65535')
    return ok({ host: null, port, prefix })
  }
  if (/^[^[]*:|\]:/.test(authority))
    return fail(
      'an address with a host has no port: the gateway\'s listener decides; write ":9001" for a listener of its own',
    )
  const host = normalHost(authority)
  if (host === null || !/^(\[[0-9a-f:]+\]|[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?)$/.test(host) || host.includes('..')) {
    return fail('this is not a host name')
  }
  return ok({ host, port: null, prefix })
}

function parsePrefix(text: string): string | null {
  const trimmed = text.endsWith('/') ? text.slice(0, -1) : text
  if (trimmed === '') return ''
  const canonical = canonicalPath(trimmed)
  return canonical.ok && canonical.query === '' ? canonical.path : null
}
