import type { Secret } from '../../base/secret.ts'

export type TlsListener = 'gateway' | 'console' | 'ops'

/** How listeners speak TLS, as declared. */
export interface TlsSettings {
  /** `gateway` stands for all of the gateway's listeners. */
  readonly listeners: readonly TlsListener[]
  /** In order; the first serves clients that ask for a name that none covers, or for no name. */
  readonly certificates: readonly Certificate[]
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3'
  /** Value of Strict-Transport-Security (RFC 6797, section 6.1); null: it is not sent. */
  readonly hsts: string | null
}

/** A server's certificate with its chain, and its private key. */
export interface Certificate {
  /** Absolute path of the certificate's file: what logs and metrics call it. */
  readonly file: string
  /** DNS names and IP addresses of its subjectAltName, lower case. */
  readonly names: readonly string[]
  /** PEM, the server's own first. */
  readonly chain: string
  /** PEM. */
  readonly key: Secret
  /** Epoch ms. */
  readonly expiresAt: number
}

/**
 * Finds what belongs to a name: the exact one before a wildcard, which stands for one whole label, the first
 * (RFC 9525, section 6.3). Where several say the same name the first counts.
 */
export function createNameTable<Value>(
  entries: readonly (readonly [names: readonly string[], value: Value])[],
): (name: string) => Value | null {
  const exact = new Map<string, Value>()
  const wildcards = new Map<string, Value>()
  for (const [names, value] of entries) {
    for (const name of names) {
      const table = name.startsWith('*.') ? wildcards : exact
      const key = name.startsWith('*.') ? name.slice(1) : name
      if (!table.has(key)) table.set(key, value)
    }
  }
  return (name) => {
    const asked = name.toLowerCase()
    const dot = asked.indexOf('.')
    return exact.get(asked) ?? (dot < 1 ? null : (wildcards.get(asked.slice(dot)) ?? null))
  }
}
