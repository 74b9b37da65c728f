import { hash, verify } from '@node-rs/argon2'

import type { Random } from '../base/random.ts'
import { fail, ok, type Result } from '../base/result.ts'
import type { Secret } from '../base/secret.ts'
import { createTurns } from './turns.ts'

/**
 * Argon2id with 19 MiB, two passes and one lane: the parameters that OWASP's Password Storage Cheat Sheet names for
 * it, with 128 bits of salt and 256 of tag (RFC 9106, section 4). About 25 ms of one core, on a thread of its own.
 */
const parameters = { memoryCost: 19 * 1024, timeCost: 2, parallelism: 1, outputLen: 32 } as const
const saltBytes = 16

/** At once: signing in must not take the cores from deciding. */
const runningMax = 2
const waitingMax = 40

/** Too many passwords are being hashed; the answer is 503 and means nothing about the password. */
type Busy = 'busy'

export interface Passwords {
  /** In PHC form. */
  hash(password: Secret): Promise<Result<string, Busy>>
  /**
   * `stored` null: nobody has that address. It is never right and takes as long as if it were wrong.
   * `first`: before those that wait and are not.
   */
  verify(password: Secret, stored: string | null, first: boolean): Promise<Result<boolean, Busy>>
}

export function createPasswords(random: Random): Passwords {
  const turns = createTurns({ runningMax, waitingMax })
  const hashed = (password: string | Uint8Array) => hash(password, { ...parameters, salt: random.bytes(saltBytes) })
  let nobodys: Promise<string> | null = null
  return {
    hash: async (password) => await turns.take(() => hashed(normalized(password)), true),
    verify: async (password, stored, first) => {
      nobodys ??= hashed(random.bytes(32))
      const against = stored ?? (await nobodys)
      const taken = await turns.take(() => verify(against, normalized(password)), first)
      return taken.ok ? ok(taken.value && stored !== null) : fail(taken.error)
    },
  }
}

/** The same password from every keyboard: RFC 8265, section 4.2 (OpaqueString). */
function normalized(password: Secret): string {
  return password
    .reveal()
    .replaceAll(/\p{Zs}/gu, ' ')
    .normalize('NFC')
}
