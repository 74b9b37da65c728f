import { parseIp } from '../../base/ip.ts'
import { type Result, fail, ok } from '../../base/result.ts'

/** Compiled `origin_allow` of a credential. */
export interface OriginMatcher {
  /** `origin` is the header's value as received. An absent header is not asked for. */
  matches(origin: string): boolean
}

/**
 * Compiles entries that `validOriginEntry` accepts. What a browser sends is lower case, and is compared byte
 * for byte (RFC 6454, section 6.2); only a missing scheme means https and a scheme's default port is dropped.
 * `null` never matches. Throws a RangeError that names an entry which is not valid.
 */
export function compileOrigins(entries: readonly string[], wildcardOrigin: boolean): OriginMatcher {
  const exact = new Set<string>()
  const wildcards: Wildcard[] = []
  let any = false
  for (const entry of entries) {
    const valid = validOriginEntry(entry, wildcardOrigin)
    if (!valid.ok) throw new RangeError(`"${entry}": ${valid.error}`)
    if (valid.value === '*') any = true
    else if (valid.value.includes('*')) wildcards.push(compileWildcard(valid.value))
    else exact.add(valid.value)
  }
  return {
    matches: (origin) => {
      if (origin === 'null' || origin === '') return false
      if (any) return true
      const full = comparedOrigin(origin)
      return exact.has(full) || wildcards.some((wildcard) => matchesWildcard(full, wildcard))
    },
  }
}

/** The form in which a received origin is compared with entries: `https` where no scheme was sent, no default port. */
export function comparedOrigin(origin: string): string {
  return withoutDefaultPort(origin.includes('://') ? origin : `https://${origin}`)
}

/**
 * Checks one entry and brings it into the form that is compared: scheme and host in lower case, `https` where no
 * scheme is given, no default port. The error is a sentence that says what is wrong.
 */
export function validOriginEntry(text: string, wildcardOrigin: boolean): Result<string, string> {
  if (text === '*') {
    return wildcardOrigin ? ok('*') : fail('every origin ("*") is not allowed here; list the origins of your pages')
  }
  if (text === '') return fail('an origin cannot be empty')
  if (text === 'null') return fail('"null" is what pages without an origin send, so it identifies nobody')
  if (!/^[!-~]+$/.test(text))
    return fail('an origin is plain ASCII without spaces; write international names in punycode')
  const parts = /^(?:([A-Za-z][A-Za-z0-9+.-]*):\/\/)?(.*)$/.exec(text)
  const scheme = parts?.[1]?.toLowerCase() ?? 'https'
  const authority = parts?.[2] ?? ''
  return scheme === 'https' || scheme === 'http' ? webOrigin(scheme, authority) : appOrigin(scheme, authority)
}

function webOrigin(scheme: string, authority: string): Result<string, string> {
  if (authority.includes('@')) return fail('an origin has no user or password')
  if (/[/?#\\]/.test(authority))
    return fail('an origin is scheme, host and port only, without a path or trailing slash')
  const parts = /^(\[[^\]]*\]|[^:[\]]*)(?::(.*))?$/.exec(authority)
  const host = parts?.[1]?.toLowerCase()
  if (host === undefined) return fail('this is not a host name')
  const hostFault = faultOfHost(host)
  if (hostFault !== null) return fail(hostFault)
  const port = parts?.[2]
  if (port !== undefined && !isPort(port)) return fail('the port is not a number from 1 to 65535')
  return ok(withoutDefaultPort(`${scheme}://${host}${port === undefined ? '' : `:${port}`}`))
}

function faultOfHost(host: string): string | null {
  if (host === '') return 'the host is missing'
  if (host.startsWith('['))
    return host.includes(':') && parseIp(host.slice(1, -1)) !== null ? null : 'this is not an IPv6 address'
  const name = host.startsWith('*.') ? host.slice(2) : host
  if (name.includes('*')) return '"*" can only stand for whole leading labels, as in *.shop.example'
  if (name.endsWith('.')) return 'the host ends with a dot'
  if (name.length > 253 || !name.split('.').every(isLabel)) return 'this is not a host name'
  if (name === host) return null
  if (parseIp(name) !== null) return '"*." cannot stand before an IP address'
  return name.includes('.') || name === 'localhost' ? null : `"*.${name}" would cover a whole top-level domain`
}

/** Origins of apps, such as capacitor://localhost: compared exactly as they are written, scheme in lower case. */
function appOrigin(scheme: string, rest: string): Result<string, string> {
  if (opaqueSchemes.has(scheme)) return fail(`pages at ${scheme}: have no origin of their own`)
  if (!/^[A-Za-z0-9._-]+(?::[0-9]+)?$/.test(rest)) {
    return fail(`after ${scheme}:// only the app's name is expected, without "*", path or trailing slash`)
  }
  return ok(`${scheme}://${rest}`)
}

const opaqueSchemes = new Set(['data', 'file', 'blob', 'javascript', 'about'])

function isLabel(label: string): boolean {
  return /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label)
}

function isPort(text: string): boolean {
  return /^[1-9][0-9]{0,4}$/.test(text) && Number(text) <= 65_535
}

function withoutDefaultPort(origin: string): string {
  if (origin.startsWith('https://') && origin.endsWith(':443')) return origin.slice(0, -4)
  if (origin.startsWith('http://') && origin.endsWith(':80')) return origin.slice(0, -3)
  return origin
}

interface Wildcard {
  readonly prefix: string
  readonly suffix: string
}

function compileWildcard(entry: string): Wildcard {
  const star = entry.indexOf('*')
  return { prefix: entry.slice(0, star), suffix: entry.slice(star + 1) }
}

/** One or more whole labels stand where the star is. */
function matchesWildcard(origin: string, { prefix, suffix }: Wildcard): boolean {
  if (origin.length <= prefix.length + suffix.length) return false
  if (!origin.startsWith(prefix) || !origin.endsWith(suffix)) return false
  return origin
    .slice(prefix.length, origin.length - suffix.length)
    .split('.')
    .every(isLabel)
}
