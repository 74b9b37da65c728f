import { ipInRanges, parseIp, type Ip } from '../../base/ip.ts'
import type { TransportRules } from '../apis/api.ts'
import type { RequestFacts } from './facts.ts'
import { headerValues } from './headers.ts'

/** Who sent the request and whether it came over TLS, as far as trusted proxies may say so. */
export interface Client {
  readonly ip: Ip
  readonly secure: boolean
}

/**
 * Without trusted proxies, and for peers that are none, only the socket counts. Otherwise X-Forwarded-For is walked
 * from the right over trusted addresses; the first other one is the client, and an entry that is no address stops
 * the walk at the last good one. X-Forwarded-Proto is believed from a trusted peer only, its rightmost value.
 */
export function clientOf(facts: RequestFacts, rules: TransportRules): Client {
  if (!ipInRanges(facts.peer, rules.trustedProxies)) return { ip: facts.peer, secure: facts.encrypted }
  const proto = entries(facts, 'x-forwarded-proto').at(-1)
  return {
    ip: forwardedFor(facts, rules),
    secure: proto === undefined ? facts.encrypted : proto.toLowerCase() === 'https',
  }
}

function forwardedFor(facts: RequestFacts, rules: TransportRules): Ip {
  let client = facts.peer
  for (const entry of entries(facts, 'x-forwarded-for').toReversed()) {
    const ip = parseIp(entry)
    if (ip === null) return client
    client = ip
    if (!ipInRanges(ip, rules.trustedProxies)) return client
  }
  return client
}

function entries(facts: RequestFacts, name: string): string[] {
  return headerValues(facts.headers, name).flatMap((value) => value.split(',').map((entry) => entry.trim()))
}
