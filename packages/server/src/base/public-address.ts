import { compileIpRanges, ipInRanges, type Ip } from './ip.ts'

/** Not on the internet: the special-purpose registries of IANA (RFC 6890), and what carries an IPv4 address inside. */
const special = compileIpRanges([
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
])
/** All that is routed of IPv6 (RFC 4291, section 2.4; RFC 3587). */
const globalUnicast = compileIpRanges(['2000::/3'])

/** Whether an address may belong to a host on the internet, so that a call to it reaches nothing of our own network. */
export function isPublicAddress(ip: Ip): boolean {
  return !ipInRanges(ip, special) && (typeof ip === 'number' || ipInRanges(ip, globalUnicast))
}
