/**
 * Where an answer may be sent that asks to go to `sent`: to a registered URI, byte for byte (RFC 9700, section 2.1), or
 * to a registered loopback address with the port that the client listens at (RFC 8252, section 7.3). Null: nowhere.
 */
export function registeredRedirect(registered: readonly string[], sent: string): string | null {
  if (registered.includes(sent)) return sent
  const asked = loopbackOf(sent)
  if (asked === null) return null
  const known = registered.some((uri) => {
    const loopback = loopbackOf(uri)
    return loopback !== null && loopback.host === asked.host && loopback.rest === asked.rest
  })
  return known ? sent : null
}

/** An address, not the name `localhost`, which need not lead to this machine (RFC 8252, section 8.3). */
function loopbackOf(uri: string): { readonly host: string; readonly rest: string } | null {
  const parts = /^http:\/\/(127\.0\.0\.1|\[::1\])(?::([1-9][0-9]{0,4}))?((?:[/?][!-~]*)?)$/.exec(uri)
  if (parts === null || Number(parts[2] ?? 1) > 65_535 || uri.includes('#')) return null
  return { host: parts[1] ?? '', rest: parts[3] ?? '' }
}
