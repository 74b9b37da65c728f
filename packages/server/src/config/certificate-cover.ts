import type { Address } from '../core/apis/api.ts'
import { createNameTable, type TlsSettings } from '../core/tls/certificate.ts'
import type { Context } from './context.ts'
import type { Path } from './issue.ts'

/** Tells where clients will be shown a certificate that does not name the host they asked for. */
export function noteUncovered(
  tls: TlsSettings,
  addresses: ReadonlyMap<Address, Path>,
  publicUrl: string,
  { report }: Context,
): void {
  const find = createNameTable(tls.certificates.map(({ names, file }) => [names, file]))
  if (tls.listeners.includes('gateway')) {
    for (const [{ host }, path] of addresses) {
      if (host !== null && find(host) === null) report.note(path, `no certificate of listen.tls names ${host}`)
    }
  }
  const url = URL.parse(publicUrl)
  if (url === null || !tls.listeners.includes('console')) return
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (url.protocol === 'http:') report.note(['public_url'], 'begins with http://, but the console speaks TLS')
  else if (find(host) === null) report.note(['public_url'], `no certificate of listen.tls names ${host}`)
}
