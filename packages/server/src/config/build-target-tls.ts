import type { ConfigUpstream } from '@postern/contract'

import { Secret } from '../base/secret.ts'
import type { TargetTls } from '../core/apis/upstream.ts'
import type { Context } from './context.ts'
import type { Path } from './issue.ts'
import { parseAuthorities, parseCertificate, parseKey, refusalOf } from './pem.ts'

/** Whom the gateway trusts as its upstream, and what it shows of itself. Every file is read and tried here. */
export function buildTargetTls(written: ConfigUpstream['tls'], path: Path, context: Context): TargetTls | null {
  if (written === undefined) return null
  return {
    ca: written.ca === undefined ? null : buildAuthorities(written.ca, [...path, 'ca'], context),
    client: buildClient(written, path, context),
    serverName: written.server_name ?? null,
  }
}

function buildAuthorities(file: string, path: Path, { files, report }: Context): string | null {
  const read = files.read(file)
  if (!read.ok) report.error(path, read.error)
  else if (parseAuthorities(read.value) === null) {
    report.error(path, 'must hold nothing but certificates in PEM form ("BEGIN CERTIFICATE")')
  } else return read.value
  return null
}

function buildClient(
  { cert, key }: NonNullable<ConfigUpstream['tls']>,
  path: Path,
  { files, report }: Context,
): TargetTls['client'] {
  const [certAt, keyAt] = [
    [...path, 'cert'],
    [...path, 'key'],
  ]
  if (cert === undefined || key === undefined) {
    if (cert !== undefined) report.error(certAt, 'needs "key", the private key of the certificate')
    if (key !== undefined) report.error(keyAt, 'needs "cert", the certificate of the key')
    return null
  }
  const chain = files.read(cert)
  const secret = files.readPrivate(key)
  if (!chain.ok) report.error(certAt, chain.error)
  if (!secret.ok) report.error(keyAt, secret.error)
  if (!chain.ok || !secret.ok) return null
  const certificate = parseCertificate(chain.value)
  const parsed = parseKey(secret.value)
  if (certificate === null) report.error(certAt, 'holds no certificate in PEM form ("BEGIN CERTIFICATE")')
  if (parsed === null) report.error(keyAt, 'holds no private key in PEM form, or one that is locked by a passphrase')
  if (certificate === null || parsed === null) return null
  if (!certificate.checkPrivateKey(parsed)) {
    report.error(keyAt, `is not the key of ${cert}, whose first certificate must be the gateway's own`)
    return null
  }
  const refused = refusalOf(chain.value, secret.value)
  if (refused !== null) report.error(certAt, `cannot be used: ${refused}`)
  return { cert: chain.value, key: new Secret(secret.value) }
}
