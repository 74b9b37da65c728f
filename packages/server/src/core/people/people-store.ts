import type { Provenance } from '../audit/event.ts'
import type { Page, PageRequest, Scope, Write } from '../store-words.ts'
import type { Invitation, Member, MemberRole } from './member.ts'
import type { SealedTotp, Session, User, UserProofs } from './user.ts'

/** People, their places in accounts, and their sessions. Sessions are no events of the feed but for what ends them. */
export interface PeopleStore {
  /** Takes the place of an open invitation of the same address. Refuses with `conflict` who is a member already. */
  invite(input: {
    readonly invitation: Pick<Invitation, 'id' | 'account' | 'email' | 'role' | 'expiresAt'>
    readonly digest: Uint8Array
    readonly by: Provenance
  }): Write<Invitation>
  revokeInvitation(input: { readonly id: string; readonly scope: Scope; readonly by: Provenance }): Write<Invitation>
  /** Null: unknown, accepted, revoked or expired at `now`. */
  findInvitation(input: { readonly digest: Uint8Array; readonly now: number }): Promise<Invitation | null>
  listInvitations(
    input: PageRequest & {
      readonly scope: Scope
      readonly account: string | null
      /** To this address alone. */
      readonly email?: string
      readonly openAt: number | null
    },
  ): Promise<Page<Invitation>>
  /**
   * Spends the invitation and makes the member; and the user, where nobody has that address yet. Where somebody has,
   * `newUser` is null and `user` is who signed in. Refuses with `not_found` an invitation that is not open, with
   * `conflict` where the addresses differ or somebody has that address already. Who was removed from the account
   * before has their old member id again.
   */
  acceptInvitation(input: {
    readonly digest: Uint8Array
    readonly member: string
    readonly user: string
    readonly newUser: { readonly name: string; readonly passwordHash: string } | null
    readonly by: Provenance
  }): Write<Member>

  /** Refuses with `conflict` to leave an account without an owner. */
  setRole(input: {
    readonly member: string
    readonly scope: Scope
    readonly version: number
    readonly role: MemberRole
    readonly by: Provenance
  }): Write<Member>
  /** Their grants in this account end with it. Refuses with `conflict` the last owner of an account. */
  removeMember(input: {
    readonly member: string
    readonly scope: Scope
    /** Where an old backup was restored: a removed owner stays removed, though nobody is left. */
    readonly evenLastOwner?: boolean
    readonly by: Provenance
  }): Write<Member>
  findMember(input: { readonly id: string; readonly scope: Scope }): Promise<Member | null>
  listMembers(
    input: PageRequest & { readonly scope: Scope; readonly account: string | null; readonly user: string | null },
  ): Promise<Page<Member>>
  /** Active memberships of a user in accounts that are active, oldest first. */
  membershipsOf(input: { readonly user: string }): Promise<readonly Member[]>

  /**
   * Name, address, what proves the person, sessions and links are deleted, and of events where the person came from.
   * Memberships and grants end. The row keeps its id, for those that refer to it. Refuses with `conflict` the last
   * owner of an account.
   */
  erase(input: {
    readonly user: string
    /** Where an old backup was restored: an erased owner stays erased, though nobody is left. */
    readonly evenLastOwner?: boolean
    readonly by: Provenance
  }): Write<User>

  findUser(input: { readonly id: string }): Promise<User | null>
  listUsers(input: PageRequest & { readonly search: string | null }): Promise<Page<User>>
  proofsOf(input: { readonly email: string } | { readonly id: string }): Promise<UserProofs | null>
  /**
   * Ends every other session, every refresh token and unspent code of the user's grants, and links to reset it.
   * Refuses with `conflict` who is disabled.
   */
  setPassword(input: {
    readonly user: string
    readonly passwordHash: string
    /** The session that goes on; null: none. */
    readonly keepSession: string | null
    readonly by: Provenance
  }): Write<User>
  /** Null takes the second factor away. Ends every other session. */
  setSecondFactor(input: {
    readonly user: string
    readonly factor: {
      readonly totp: SealedTotp
      readonly step: number
      readonly recoveryDigests: readonly Uint8Array[]
    } | null
    readonly keepSession: string | null
    readonly by: Provenance
  }): Write<User>
  /** True where this step is higher than every one that was accepted: one conditional statement, so that a code counts once. */
  spendTotpStep(input: { readonly user: string; readonly step: number }): Promise<boolean>
  /** True where the code was among those left; it is not any more. */
  spendRecoveryCode(input: {
    readonly user: string
    readonly digest: Uint8Array
    readonly by: Provenance
  }): Write<boolean>
  /** `disabled` ends every session, and no grant of theirs is good while it lasts. */
  setUserState(input: {
    readonly user: string
    readonly state: Exclude<User['state'], 'erased'>
    readonly by: Provenance
  }): Write<User>
  /** A link to set a new password; earlier ones are void. */
  offerReset(input: {
    readonly user: string
    readonly id: string
    readonly digest: Uint8Array
    readonly expiresAt: number
    readonly by: Provenance
  }): Write<User>
  /** Spends the link and sets the password, as `setPassword`. Refuses with `not_found` a dead one. */
  redeemReset(input: {
    readonly digest: Uint8Array
    readonly passwordHash: string
    readonly by: Provenance
  }): Write<User>
  findReset(input: { readonly digest: Uint8Array; readonly now: number }): Promise<User | null>

  /** An event about somebody who signs in; sessions themselves are none. `details` are ids and words of ours. Refuses with `not_found` nobody of ours. */
  note(input: {
    readonly user: string
    readonly action: 'user.signed_in' | 'user.sign_in_failed'
    readonly details: Readonly<Record<string, string | number>>
    readonly by: Provenance
  }): Write<null>

  /**
   * `userVersion`: of the user whose proofs were checked. False where password, second factor or state have changed
   * since: they have to be asked for again.
   */
  startSession(input: {
    readonly session: Omit<Session, 'endedAt'>
    readonly digest: Uint8Array
    readonly userVersion: number
  }): Promise<boolean>
  /** Null: unknown, ended, past its end, or of a user who is disabled. `idleMs`: longest time between two uses. */
  findSession(input: {
    readonly digest: Uint8Array
    readonly now: number
    readonly idleMs: number
  }): Promise<{ readonly session: Session; readonly user: User } | null>
  /** After another proof: a new secret for the cookie, and the old one is dead. False where the session has ended. */
  rotateSession(input: {
    readonly id: string
    readonly digest: Uint8Array
    readonly stage: Session['stage']
    readonly authenticatedAt: number
  }): Promise<boolean>
  touchSession(input: { readonly id: string; readonly at: number }): Promise<void>
  /** `user`: only where it is that person's. An event. Refuses with `not_found` what has ended. */
  endSession(input: { readonly id: string; readonly user: string | null; readonly by: Provenance }): Write<Session>
  endSessions(input: { readonly user: string; readonly by: Provenance }): Write<number>
  /** Newest first; only those that live at `now`. */
  listSessions(input: {
    readonly user: string
    readonly now: number
    readonly idleMs: number
  }): Promise<readonly Session[]>
  /**
   * Deletes some sessions, links and invitations that ended before `before`. Answers how many; none: it is done.
   */
  prune(input: { readonly before: number }): Promise<number>
}
