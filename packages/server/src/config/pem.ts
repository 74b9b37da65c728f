import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'

const pemCharsMax = 262_144

/** The first certificate of a PEM text; null where there is none that can be read. */
export function parseCertificate(pem: string): X509Certificate | null {
  if (pem.length > pemCharsMax) return null
  return attempt(() => new X509Certificate(pem))
}

/** Null where there is no private key, or one that is locked by a passphrase. */
export function parseKey(pem: string): KeyObject | null {
  if (pem.length > pemCharsMax) return null
  return attempt(() => createPrivateKey(pem))
}

function attempt<Value>(parse: () => Value): Value | null {
  try {
    return parse()
  } catch {
    return null
  }
}

/** Why OpenSSL would not use a certificate with its key, such as "ee key too small"; null: it would. */
export function refusalOf(cert: string, key: string): string | null {
  try {
    createSecureContext({ cert, key })
    return null
  } catch (cause) {
    return cause instanceof Error ? (cause.message.split('::').at(-1) ?? '') : 'unknown reason'
  }
}

/** Every certificate of a PEM text, as PEM each; null where one of them cannot be read, or there is none. */
export function parseAuthorities(pem: string): readonly X509Certificate[] | null {
  if (pem.length > pemCharsMax) return null
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  const certificates = blocks.map(parseCertificate)
  return certificates.length === 0 || certificates.includes(null)
    ? null
    : certificates.filter((certificate) => certificate !== null)
}
