import { sha256 } from '../base/digest.ts'
import type { Random } from '../base/random.ts'
import { Secret } from '../base/secret.ts'

const count = 10
const length = 16
/** Crockford's base 32: what looks alike is one sign. */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'

/** For a person whose second factor is lost: each works once. 80 random bits, so that a digest needs no slow hash. */
export interface RecoveryCodes {
  readonly codes: readonly Secret[]
  readonly digests: readonly Uint8Array[]
}

export function newRecoveryCodes(random: Random): RecoveryCodes {
  const codes = Array.from({ length: count }, () => {
    const signs = Array.from(random.bytes(length), (byte) => alphabet[byte & 31] ?? '').join('')
    return new Secret(signs.replaceAll(/(.{4})(?=.)/g, '$1-'))
  })
  return { codes, digests: codes.map((code) => digestOf(code.reveal())) }
}

/** Of what somebody typed, in whatever case and with or without hyphens. Null: it cannot be a code. */
export function recoveryDigestOf(typed: string): Uint8Array | null {
  return typed.length <= 4 * length && signsOf(typed).length === length ? digestOf(typed) : null
}

const digestOf = (code: string): Uint8Array => sha256(signsOf(code))

function signsOf(code: string): string {
  return code
    .toLowerCase()
    .replaceAll('o', '0')
    .replaceAll(/[il]/g, '1')
    .replaceAll(/[^0-9a-z]/g, '')
}
