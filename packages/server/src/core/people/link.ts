import { randomBase62 } from '../../base/base62.ts'
import { sha256 } from '../../base/digest.ts'
import type { Random } from '../../base/random.ts'
import { Secret } from '../../base/secret.ts'

/** How long an invitation can be accepted, where nobody says otherwise. */
export const invitationMs = 7 * 86_400_000
export const invitationMsMax = 30 * 86_400_000
/** A link that sets a password is for somebody who waits for it. */
export const resetMs = 60 * 60_000

/** The secret at the end of a link for one person; 256 random bits, so that its digest needs no slow hash. */
export interface LinkSecret {
  readonly secret: Secret
  /** SHA-256: all that the store keeps. */
  readonly digest: Uint8Array
}

export function newLinkSecret(random: Random): LinkSecret {
  const text = randomBase62(linkLength, random)
  return { secret: new Secret(text), digest: sha256(text) }
}

/** Null: no link that was ever given out ends so, and nothing needs to be looked up. */
export function linkDigestOf(text: string): Uint8Array | null {
  return linkShape.test(text) ? sha256(text) : null
}

const linkLength = 43
const linkShape = /^[0-9A-Za-z]{43}$/

/** Under the issuer, byte for byte: never made from what a client calls the console. */
export function invitationLink(publicUrl: string, { secret }: LinkSecret): Secret {
  return new Secret(`${publicUrl.replace(/\/$/, '')}/invitation/${secret.reveal()}`)
}

export function resetLink(publicUrl: string, { secret }: LinkSecret): Secret {
  return new Secret(`${publicUrl.replace(/\/$/, '')}/reset/${secret.reveal()}`)
}
