import { Secret as TotpSecret, TOTP } from 'otpauth'

import type { Random } from '../base/random.ts'
import { Secret } from '../base/secret.ts'

/** RFC 6238 as every authenticator app has it: SHA-1, six digits, 30 s, and one step of drift either way. */
const parameters = { algorithm: 'SHA1', digits: 6, period: 30 } as const
const stepMs = parameters.period * 1000
const window = 1

/** 160 bits (RFC 4226, section 4, R6), in base 32 as people type it. */
export function newTotpSecret(random: Random): Secret {
  return new Secret(new TotpSecret({ buffer: new Uint8Array(random.bytes(20)).buffer }).base32)
}

/** The time step that the code belongs to: to be spent, so that it counts once. Null: it is wrong. */
export function totpStepOf(secret: Secret, code: string, now: number): number | null {
  const digits = code.replaceAll(' ', '')
  if (!/^[0-9]{6}$/.test(digits)) return null
  const totp = new TOTP({ ...parameters, secret: TotpSecret.fromBase32(secret.reveal()) })
  // Compares in constant time.
  const drift = totp.validate({ token: digits, timestamp: now, window })
  return drift === null ? null : Math.floor(now / stepMs) + drift
}

/** The link that authenticator apps read. It holds the secret. */
export function otpauthLink(secret: Secret, issuer: string, label: string): Secret {
  const totp = new TOTP({ ...parameters, secret: TotpSecret.fromBase32(secret.reveal()), issuer, label })
  return new Secret(totp.toString())
}

/** In groups of four, for people who type it. */
export function grouped(secret: Secret): string {
  return secret.reveal().replaceAll(/(.{4})(?=.)/g, '$1 ')
}
