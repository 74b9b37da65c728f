import type { Invitation } from '../core/people/member.ts'
import type { PeopleStore } from '../core/people/people-store.ts'
import type { Session } from '../core/people/user.ts'
import type { Store } from '../core/store.ts'
import { actedByUser, by, must, nextHex, someBytes } from './conformance-data.ts'

type SecondFactor = NonNullable<Parameters<PeopleStore['setSecondFactor']>[0]['factor']>
type NewInvitation = Parameters<PeopleStore['invite']>[0]['invitation']

export const anInvitation = (account: string, over: Partial<Invitation> = {}): NewInvitation => ({
  id: `inv_${nextHex()}`,
  account,
  email: `${nextHex()}@people.example`,
  role: 'developer',
  expiresAt: 100_000,
  ...over,
})

/** An open invitation. */
export async function anOpen(
  store: Store,
  account: string,
  over: Partial<Invitation> = {},
): Promise<Invitation & { readonly digest: Uint8Array }> {
  const invitation = anInvitation(account, over)
  const digest = someBytes()
  const made = must(await store.people.invite({ invitation, digest, by }))
  return { ...made.value, digest }
}

/** Somebody new who accepts. */
export function aNewcomer(digest: Uint8Array, time = 2_000): Parameters<PeopleStore['acceptInvitation']>[0] {
  const user = `usr_${nextHex()}`
  return {
    digest,
    member: `mem_${nextHex()}`,
    user,
    newUser: { name: 'Ada', passwordHash: '$argon2id$1' },
    by: { ...actedByUser(user), at: time },
  }
}

/** Somebody signed in. */
export const aSession = (user: string, over: Partial<Session> = {}): Omit<Session, 'endedAt'> => ({
  id: `ses_${nextHex()}`,
  user,
  stage: 'signed_in',
  createdAt: 1_000,
  lastSeenAt: 1_000,
  expiresAt: 100_000,
  authenticatedAt: 1_000,
  ip: '192.0.2.7',
  userAgent: 'browser',
  ...over,
})

/** A second factor whose steps up to this one are spent. */
export const aFactor = (step: number, recoveryDigests: readonly Uint8Array[] = []): SecondFactor => ({
  totp: { bytes: someBytes(40), key: 'standing/people' },
  step,
  recoveryDigests,
})
