/**
 * A redirect URI as a source of the Content-Security-Policy: its origin, or its scheme where it has no origin that the
 * grammar of sources can say (custom schemes; IPv6 literals). CSP level 3, section 2.3.1.
 */
export function clientSource(redirectUri: string): string {
  const { protocol, origin } = new URL(redirectUri)
  return /^https?:\/\/[A-Za-z0-9.-]+(:[0-9]+)?$/.test(origin) ? origin : protocol
}
