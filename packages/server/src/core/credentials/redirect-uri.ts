import { parseIp } from '../../base/ip.ts'
import type { OAuthClient } from './oauth-client.ts'

const lengthMax = 2000

/**
 * Why a redirect URI cannot be registered; null where it can. Answers are sent to it byte for byte as it stands here,
 * so it has to mean the same to every reader: absolute, in the one form in which a browser would write it, without a
 * fragment (RFC 6749, section 3.1.2), user or wildcard.
 *
 * Plain HTTP is for loopback addresses alone (RFC 8252, section 7.3). `localhost` is taken too, although section 8.3
 * advises the address itself: what listens there need not be this machine's own program. A scheme of an app's own
 * (section 7.1) is for public clients: nobody can keep another app from claiming it, so no secret may rely on it.
 */
export function redirectUriFault(uri: string, type: OAuthClient['type']): string | null {
  if (uri.length > lengthMax) return `is longer than ${lengthMax} characters`
  if (!/^[!-~]+$/.test(uri)) return 'has characters that are not printable ASCII; write them percent-encoded'
  if (uri.includes('#')) return 'has a fragment, which the answer would end up in'
  if (uri.includes('*')) return 'has a wildcard; each redirect URI is compared as it stands'
  if (/["<>\\^`{|}]/.test(uri)) return 'has characters that stand percent-encoded in a URI'
  const parts = /^([a-z][a-z0-9+.-]*):(?:\/\/([^/?]*))?([^?]*)/.exec(uri)
  if (parts === null) return 'is not absolute; begin with https://'
  const [, scheme = '', authority, path = ''] = parts
  if (authority?.includes('@') === true) return 'has a user or password before its host'
  if (/(?:^|\/)(?:\.|%2e){1,2}(?:\/|$)/i.test(path)) return 'has a dot segment in its path, which browsers resolve'
  if (scheme === 'https')
    return authority !== undefined && isHost(authority)
      ? null
      : 'has no host that is a name or an address in lower case'
  if (scheme === 'http')
    return isLoopback(authority) ? null : 'uses plain HTTP, which only 127.0.0.1, [::1] and localhost may'
  return ownSchemeFault(scheme, authority, path, type)
}

function isLoopback(authority: string | undefined): boolean {
  const { host, port } = split(authority ?? '')
  return (host === '127.0.0.1' || host === '[::1]' || host === 'localhost') && isPort(port)
}

function isHost(authority: string): boolean {
  const { host, port } = split(authority)
  if (!isPort(port)) return false
  if (host.startsWith('['))
    return host.endsWith(']') && host.includes(':') && parseIp(host.slice(1, -1)) !== null && isCanonical(host)
  return host.length <= 253 && host.split('.').every(isLabel) && isCanonical(host)
}

/** A browser reads `127.1` or `0x7f.1` as an address, and would go somewhere else than is written here. */
function isCanonical(host: string): boolean {
  return URL.canParse(`https://${host}/`) && new URL(`https://${host}/`).hostname === host
}

function isLabel(label: string): boolean {
  return /^[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?$/.test(label)
}

function split(authority: string): { readonly host: string; readonly port: string | null } {
  const parts = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(authority)
  return { host: parts?.[1] ?? '', port: parts?.[2] ?? null }
}

function isPort(port: string | null): boolean {
  return port === null || (/^[1-9][0-9]{0,4}$/.test(port) && Number(port) <= 65_535)
}

/** A reversed domain name: schemes that run code or read files (`javascript`, `data`, `file`) have no dot. */
function ownSchemeFault(
  scheme: string,
  authority: string | undefined,
  path: string,
  type: OAuthClient['type'],
): string | null {
  const known =
    'is neither https nor a scheme of an app, which is a domain name backwards, such as com.example.app:/callback'
  if (!scheme.includes('.') || !scheme.split('.').every(isLabel)) return known
  if (type === 'confidential') return 'uses a scheme of an app, which only public clients may'
  return (authority ?? '') === '' && path === '' ? 'has nothing behind its scheme' : null
}
