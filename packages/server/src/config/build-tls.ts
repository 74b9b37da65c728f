import type { X509Certificate } from 'node:crypto'

import type { ConfigFile } from '@postern/contract'

import { Secret } from '../base/secret.ts'
import { durationMs } from '../base/units.ts'
import type { Certificate, TlsSettings } from '../core/tls/certificate.ts'
import type { Context } from './context.ts'
import type { Path } from './issue.ts'
import { parseCertificate, parseKey, refusalOf } from './pem.ts'

type Written = NonNullable<NonNullable<ConfigFile['listen']>['tls']>
type WrittenPair = Written['certificates'][number]

const dayMs = 86_400_000
const soonDays = 14
const servedKeys: ReadonlySet<string> = new Set(['rsa', 'rsa-pss', 'ec', 'ed25519'])
const at: Path = ['listen', 'tls']

/** Reads every certificate and key. `now`: whether they are valid is judged by it; null: it is not judged. */
export function buildTls(written: Written | undefined, context: Context, now: number | null): TlsSettings | null {
  if (written === undefined) return null
  const certificates = written.certificates.map((pair, index) =>
    buildCertificate(pair, [...at, 'certificates', index], context, now),
  )
  if (written.hsts_subdomains === true && written.hsts === undefined) {
    context.report.error([...at, 'hsts_subdomains'], 'needs hsts, which says for how long')
  }
  const minVersion = String(written.min_version ?? '1.2') === '1.3' ? 'TLSv1.3' : 'TLSv1.2'
  return {
    listeners: written.listeners ?? ['gateway', 'console'],
    certificates: certificates.filter((certificate) => certificate !== null),
    minVersion,
    hsts: written.hsts === undefined ? null : hstsValue(durationMs(written.hsts), written.hsts_subdomains === true),
  }
}

/** RFC 6797, section 6.1. */
function hstsValue(maxAgeMs: number, subdomains: boolean): string {
  return `max-age=${Math.floor(maxAgeMs / 1_000)}${subdomains ? '; includeSubDomains' : ''}`
}

function buildCertificate(pair: WrittenPair, path: Path, context: Context, now: number | null): Certificate | null {
  const { files, report } = context
  const [certAt, keyAt] = [
    [...path, 'cert'],
    [...path, 'key'],
  ]
  const chain = files.read(pair.cert)
  const secret = files.readPrivate(pair.key)
  if (!chain.ok) report.error(certAt, chain.error)
  if (!secret.ok) report.error(keyAt, secret.error)
  if (!chain.ok || !secret.ok) return null
  const certificate = parseCertificate(chain.value)
  const key = parseKey(secret.value)
  if (certificate === null) report.error(certAt, 'holds no certificate in PEM form ("BEGIN CERTIFICATE")')
  if (key === null) report.error(keyAt, 'holds no private key in PEM form, or one that is locked by a passphrase')
  if (certificate === null || key === null) return null
  const { asymmetricKeyType: type = 'unknown' } = certificate.publicKey
  if (!servedKeys.has(type)) {
    report.error(certAt, `has a key of type ${type}; ${[...servedKeys].join(', ')} can be served`)
    return null
  }
  if (!certificate.checkPrivateKey(key)) {
    report.error(keyAt, `is not the key of ${pair.cert}, whose first certificate must be the server's own`)
    return null
  }
  const refused = refusalOf(chain.value, secret.value)
  if (refused !== null) {
    report.error(certAt, `cannot be used by a server: ${refused}`)
    return null
  }
  const names = namesOf(certificate)
  if (names.length === 0) report.note(certAt, 'names no host (subjectAltName): no client will accept it')
  const expiresAt = certificate.validToDate.getTime()
  if (now !== null) judgeValidity(certificate, certAt, context, now)
  return { file: files.resolve(pair.cert), names, chain: chain.value, key: new Secret(secret.value), expiresAt }
}

function judgeValidity(
  { validFromDate, validToDate }: X509Certificate,
  path: Path,
  { report }: Context,
  now: number,
): void {
  const daysLeft = Math.floor((validToDate.getTime() - now) / dayMs)
  if (validToDate.getTime() <= now) report.error(path, `expired at ${validToDate.toISOString()}`)
  else if (validFromDate.getTime() > now) report.error(path, `is not valid before ${validFromDate.toISOString()}`)
  else if (daysLeft < soonDays) report.note(path, `expires at ${validToDate.toISOString()}, in ${daysLeft} days`)
}

/** `DNS:shop.example, DNS:*.shop.example, IP Address:192.0.2.1`; a quoted name holds what no host's name does. */
function namesOf({ subjectAltName = '' }: X509Certificate): readonly string[] {
  return [...subjectAltName.matchAll(/(?:^|, )(?:DNS|IP Address):([^",\s]+)/g)].map(([, name = '']) =>
    name.toLowerCase(),
  )
}
