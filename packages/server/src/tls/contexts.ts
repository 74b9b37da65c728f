import { constants } from 'node:crypto'
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls'

import { type Certificate, createNameTable, type TlsSettings } from '../core/tls/certificate.ts'

/** What handshakes are made with: one context for each certificate. */
export interface Contexts {
  /** For clients that name no host. */
  readonly standard: SecureContextOptions
  /** The one for the host that a client names (RFC 6066, section 3); the standard one where none names it. */
  find(name: string): SecureContext
}

export function createContexts({ certificates, minVersion }: TlsSettings): Contexts {
  const made = certificates.map((certificate) => {
    const options = optionsOf(certificate, minVersion)
    return { names: certificate.names, options, context: createSecureContext(options) }
  })
  const [first] = made
  if (first === undefined) throw new Error('TLS is declared with at least one certificate')
  const find = createNameTable(made.map(({ names, context }) => [names, context]))
  return { standard: first.options, find: (name) => find(name) ?? first.context }
}

/**
 * TLS 1.2 and 1.3, and of their suites those with forward secrecy and authenticated encryption (RFC 9325, sections
 * 3.1.1 and 4.2). A client may not renegotiate: TLS 1.2 lets it ask for that work again and again.
 */
function optionsOf({ chain, key }: Certificate, minVersion: TlsSettings['minVersion']): SecureContextOptions {
  return {
    cert: chain,
    key: key.reveal(),
    minVersion,
    maxVersion: 'TLSv1.3',
    ciphers: suites.join(':'),
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  }
}

const suites = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
]
