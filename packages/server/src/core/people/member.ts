/** Of members of an account, the most powerful first. The operator's own people are members of account `postern`. */
export const memberRoles = ['owner', 'admin', 'developer', 'viewer'] as const
export type MemberRole = (typeof memberRoles)[number]

/** Of APIs that say nothing else: who may only look may let nobody else do more. */
export const defaultMemberScopes: Readonly<Record<MemberRole, readonly string[]>> = {
  owner: ['*'],
  admin: ['*'],
  developer: ['*'],
  viewer: [],
}

/** A person's place in an account. A removed one is kept, so that its version never falls. */
export interface Member {
  readonly id: string
  readonly account: string
  readonly user: string
  readonly email: string
  readonly name: string
  readonly role: MemberRole
  readonly state: 'active' | 'removed'
  readonly createdAt: number
  readonly version: number
}

/** An open invitation to an account. The link's secret is known by its digest alone. */
export interface Invitation {
  readonly id: string
  readonly account: string
  readonly email: string
  readonly role: MemberRole
  readonly createdBy: string
  readonly createdAt: number
  readonly expiresAt: number
  readonly acceptedAt: number | null
  readonly revokedAt: number | null
}
