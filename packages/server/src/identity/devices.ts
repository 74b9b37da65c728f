import { Secret } from '../base/secret.ts'
import type { Cookies } from './cookies.ts'
import type { IdentityParts } from './parts.ts'
import type { PageRequest } from './request.ts'

const lifeMs = 180 * 86_400_000
const purpose = 'device'

/**
 * Browsers that a person has signed in with before: what strangers do to that person's address does not concern them.
 * It proves nobody: the password and the second factor are asked for as ever, and counted by its own id.
 */
export interface Devices {
  /** Its id; null: nobody with this address has signed in with it. */
  knownFor(request: PageRequest, email: string): string | null
  /** Header lines for a browser in which somebody has just signed in. */
  remember(email: string): readonly string[]
}

export function createDevices(parts: Pick<IdentityParts, 'sealing' | 'random' | 'clock'>, cookies: Cookies): Devices {
  return {
    knownFor: (request, email) => {
      const sealed = cookies.read(request, 'device')
      const text = sealed === null ? null : parts.sealing.openText(sealed, purpose)
      if (text === null) return null
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what opens was written by `remember`
      const known = JSON.parse(text.reveal()) as { readonly id: string; readonly email: string; readonly until: number }
      return known.email === email && parts.clock.now() < known.until ? known.id : null
    },
    remember: (email) => {
      const now = parts.clock.now()
      const id = Buffer.from(parts.random.bytes(16)).toString('base64url')
      const text = new Secret(JSON.stringify({ id, email, until: now + lifeMs }))
      return cookies.set('device', parts.sealing.sealText(text, purpose, now), lifeMs)
    },
  }
}
