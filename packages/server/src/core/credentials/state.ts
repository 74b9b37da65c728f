import type { Credential } from './credential.ts'

export type CredentialStanding = Credential['state'] | 'expired' | 'not_yet_valid'

/** How the decision sees a credential at `now`: a block that has ended is over, and times count. */
export function standingOf(
  credential: Pick<Credential, 'state' | 'blockedUntil' | 'notBefore' | 'expiresAt'>,
  now: number,
): CredentialStanding {
  const { state, blockedUntil, notBefore, expiresAt } = credential
  const blockOver = state === 'blocked' && blockedUntil !== null && now >= blockedUntil
  if (state !== 'active' && !blockOver) return state
  if (expiresAt !== null && now >= expiresAt) return 'expired'
  return notBefore !== null && now < notBefore ? 'not_yet_valid' : 'active'
}
