/** A person who can sign in. What proves it (password, second factor) never leaves the store but to be checked. */
export interface User {
  readonly id: string
  /** In the form in which addresses are compared: trimmed, lower case, NFC. */
  readonly email: string
  readonly name: string
  /** `erased` is final: what is left is an id that others refer to. */
  readonly state: 'active' | 'disabled' | 'erased'
  /** Whether a second factor is asked for. */
  readonly secondFactor: boolean
  readonly createdAt: number
  readonly version: number
}

/** What sign-in compares with. */
export interface UserProofs {
  readonly user: User
  /** Argon2id in PHC form. */
  readonly passwordHash: string
  /** The sealed TOTP secret; null: there is no second factor. */
  readonly totp: SealedTotp | null
  /** Highest time step that was accepted: each code counts once (RFC 6238, section 5.2). */
  readonly totpStep: number
  /** SHA-256 of the recovery codes that are left. */
  readonly recoveryDigests: readonly Uint8Array[]
}

/** AES-256-GCM under `keys/standing/people.key`, bound to its user. */
export interface SealedTotp {
  readonly bytes: Uint8Array
  readonly key: string
}

/** Longest time between two uses of a session. */
export const sessionIdleMs = 30 * 60_000

/** One browser that a person signed in with. Its cookie's secret is known by its digest alone. */
export interface Session {
  readonly id: string
  readonly user: string
  /** `password`: the second factor has not been given yet, and nothing else is open to it. */
  readonly stage: 'password' | 'signed_in'
  readonly createdAt: number
  readonly lastSeenAt: number
  /** Absolute end. It ends earlier where it is idle. */
  readonly expiresAt: number
  /** When password and second factor were last given. */
  readonly authenticatedAt: number
  readonly ip: string
  readonly userAgent: string | null
  readonly endedAt: number | null
}
