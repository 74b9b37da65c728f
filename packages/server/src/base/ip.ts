import { isIP } from 'node:net'

/** An IPv4 address as a number below 2^32, an IPv6 address as a bigint. IPv4 mapped into IPv6 is IPv4. */
export type Ip = number | bigint

/** Parses the strict textual forms only (RFC 6943, section 3.1.1): no octal, short, zoned or bracketed ones. */
export function parseIp(text: string): Ip | null {
  const version = isIP(text)
  if (version === 4) return parseIpv4(text)
  if (version !== 6 || text.includes('%')) return null
  const value = parseIpv6(text)
  return value >> 32n === 0xffffn ? Number(value & 0xffff_ffffn) : value
}

function parseIpv4(text: string): number {
  return text.split('.').reduce((value, part) => value * 256 + Number(part), 0)
}

function parseIpv6(text: string): bigint {
  const lastColon = text.lastIndexOf(':')
  const embedded = text.includes('.') ? parseIpv4(text.slice(lastColon + 1)) : null
  const plain =
    embedded === null
      ? text
      : `${text.slice(0, lastColon + 1)}${(embedded >>> 16).toString(16)}:${(embedded & 0xffff).toString(16)}`
  const [head = '', tail] = plain.split('::')
  const left = groupsOf(head)
  const right = groupsOf(tail ?? '')
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0')
  return [...left, ...zeros, ...right].reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n)
}

function groupsOf(part: string): string[] {
  return part === '' ? [] : part.split(':')
}

export function formatIp(ip: Ip): string {
  if (typeof ip === 'number') return formatV4(ip)
  const groups = Array.from({ length: 8 }, (_, i) => Number((ip >> BigInt(112 - 16 * i)) & 0xffffn))
  const run = longestZeroRun(groups)
  return run === null
    ? hexOf(groups)
    : `${hexOf(groups.slice(0, run.start))}::${hexOf(groups.slice(run.start + run.length))}`
}

/** Whoever sends one request sends more, and each has to be told of: those of late are kept, by their last bits. */
const keptMax = 1024
const keptIps = new Float64Array(keptMax).fill(-1)
const keptTexts = Array.from({ length: keptMax }, () => '')

function formatV4(ip: number): string {
  const place = ip & (keptMax - 1)
  if (keptIps[place] === ip) return keptTexts[place] ?? ''
  const text = `${ip >>> 24}.${(ip >>> 16) & 255}.${(ip >>> 8) & 255}.${ip & 255}`
  keptIps[place] = ip
  keptTexts[place] = text
  return text
}

function hexOf(groups: readonly number[]): string {
  return groups.map((group) => group.toString(16)).join(':')
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } | null {
  let best: { start: number; length: number } | null = null
  for (let start = 0; start < groups.length; start++) {
    let length = 0
    while (groups[start + length] === 0) length++
    if (length > 1 && length > (best?.length ?? 0)) best = { start, length }
  }
  return best
}

/** What failures and anonymous limits are counted by: an IPv4 address, or the /64 of an IPv6 one. */
export function ipBucket(ip: Ip): Ip {
  return typeof ip === 'number' ? ip : (ip >> 64n) << 64n
}

/** Sorted, merged ranges of addresses; membership by binary search. */
export interface IpRanges {
  readonly v4: readonly number[]
  readonly v6: readonly bigint[]
}

/** No address at all. */
export const noIpRanges: IpRanges = { v4: [], v6: [] }

/** Null where the text is not an address or CIDR range in strict form. Host bits may be set: 10.1.2.3/8 is 10/8. */
export function parseCidr(text: string): { first: Ip; last: Ip } | null {
  const slash = text.indexOf('/')
  const ip = parseIp(slash === -1 ? text : text.slice(0, slash))
  if (ip === null) return null
  if (slash === -1) return { first: ip, last: ip }
  const lengthText = text.slice(slash + 1)
  if (!/^(0|[1-9][0-9]{0,2})$/.test(lengthText)) return null
  const mapped = typeof ip === 'number' && text.includes(':')
  const length = Number(lengthText) - (mapped ? 96 : 0)
  if (typeof ip === 'number') {
    if (length < 0 || length > 32) return null
    const size = 2 ** (32 - length)
    const first = Math.floor(ip / size) * size
    return { first, last: first + size - 1 }
  }
  if (length > 128) return null
  const size = 1n << BigInt(128 - length)
  const first = (ip / size) * size
  return { first, last: first + size - 1n }
}

/** Throws a RangeError that names the entry which is not an address or CIDR range. */
export function compileIpRanges(entries: readonly string[]): IpRanges {
  const v4: { first: number; last: number }[] = []
  const v6: { first: bigint; last: bigint }[] = []
  for (const entry of entries) {
    const range = parseCidr(entry)
    if (range === null) throw new RangeError(`"${entry}" is not an IP address or CIDR range`)
    if (typeof range.first === 'number') v4.push({ first: range.first, last: Number(range.last) })
    else v6.push({ first: range.first, last: BigInt(range.last) })
  }
  return { v4: merge(v4, (ip) => ip + 1), v6: merge(v6, (ip) => ip + 1n) }
}

function merge<N extends Ip>(ranges: { first: N; last: N }[], next: (ip: N) => N): N[] {
  const flat: N[] = []
  for (const range of ranges.toSorted((a, b) => (a.first < b.first ? -1 : 1))) {
    const previous = flat.at(-1)
    if (previous !== undefined && range.first <= next(previous)) {
      if (range.last > previous) flat[flat.length - 1] = range.last
    } else flat.push(range.first, range.last)
  }
  return flat
}

export function ipInRanges(ip: Ip, ranges: IpRanges): boolean {
  return typeof ip === 'number' ? v4InFlat(ip, ranges.v4) : v6InFlat(ip, ranges.v6)
}

/** Flat holds first, last, first, last, …: finds the first range that does not end before the address. */
function v4InFlat(value: number, flat: readonly number[]): boolean {
  let low = 0
  let high = flat.length >> 1
  while (low < high) {
    const middle = (low + high) >> 1
    if ((flat[2 * middle + 1] ?? 0) < value) low = middle + 1
    else high = middle
  }
  return (flat[2 * low] ?? Infinity) <= value
}

/** The same over bigints: a function of its own, so that the other one stays at machine numbers. */
function v6InFlat(value: bigint, flat: readonly bigint[]): boolean {
  let low = 0
  let high = flat.length >> 1
  while (low < high) {
    const middle = (low + high) >> 1
    if ((flat[2 * middle + 1] ?? 0n) < value) low = middle + 1
    else high = middle
  }
  const first = flat[2 * low]
  return first !== undefined && first <= value
}
