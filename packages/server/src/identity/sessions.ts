import { sha256 } from '../base/digest.ts'
import { sessionIdleMs, type Session, type User } from '../core/people/user.ts'
import type { Cookies } from './cookies.ts'
import type { IdentityParts } from './parts.ts'
import { provenance } from './provenance.ts'
import { ipText, type PageRequest } from './request.ts'

/** Longest time between two uses, and the end of a session whatever happens (statement 73). */
export const idleMs = sessionIdleMs
const absoluteMs = 12 * 3_600_000
/** Between the password and the second factor. */
const halfwayMs = 10 * 60_000
/** What changes how somebody signs in asks for it anew after this (statement 74). */
const recentMs = 5 * 60_000
/** Last use is written no oftener. */
const touchMs = 60_000

export interface Presence {
  readonly session: Session
  readonly user: User
}

/** Header lines of an answer. */
type Lines = readonly string[]

/** Who has signed in with which browser. The cookie's 256 random bits are known by their digest alone. */
export interface Sessions {
  /** Null: nobody, or somebody whose second factor is still to come. */
  signedIn(request: PageRequest): Promise<Presence | null>
  /** Whoever has given the password and not yet the second factor. */
  halfway(request: PageRequest): Promise<Presence | null>
  isRecent(presence: Presence): boolean
  /**
   * A new session with a new secret, whatever cookie came (fixation); what that one named has ended. `user` as it was
   * when the proofs were checked. Null: they have changed since, or the person is disabled.
   */
  start(request: PageRequest, user: User, stage: Session['stage']): Promise<Lines | null>
  /** The second factor was given: another secret for the cookie. Null: the session has ended meanwhile. */
  complete(presence: Presence): Promise<Lines | null>
  /** After a change of what proves the person, likewise. */
  renew(presence: Presence): Promise<Lines | null>
  end(request: PageRequest, presence: Presence): Promise<Lines>
}

type SessionParts = Pick<IdentityParts, 'store' | 'apply' | 'clock' | 'ids' | 'random' | 'reportFault'>

export function createSessions(parts: SessionParts, cookies: Cookies): Sessions {
  const { people } = parts.store
  const find = async (request: PageRequest): Promise<Presence | null> => {
    const secret = cookies.read(request, 'session')
    if (secret === null || !/^[A-Za-z0-9_-]{43}$/.test(secret)) return null
    return await people.findSession({ digest: sha256(secret), now: parts.clock.now(), idleMs })
  }
  const touch = async ({ session: { id, lastSeenAt } }: Presence): Promise<void> => {
    const at = parts.clock.now()
    if (at - lastSeenAt < touchMs) return
    // A page is shown even where that cannot be written.
    await people.touchSession({ id, at }).catch((error: unknown) => parts.reportFault('session.touch', { id }, error))
  }
  const newSecret = (): string => Buffer.from(parts.random.bytes(32)).toString('base64url')
  const end = async (request: PageRequest, { session, user }: Presence): Promise<void> => {
    const ended = await people.endSession({ id: session.id, user: user.id, by: provenance(request, user.id) })
    if (ended.ok) parts.apply(ended.value.changes, ended.value.sequence)
  }
  const rotate = async (id: string, authenticatedAt: number): Promise<Lines | null> => {
    const secret = newSecret()
    const rotated = await people.rotateSession({ id, digest: sha256(secret), stage: 'signed_in', authenticatedAt })
    return rotated ? cookies.set('session', secret, null) : null
  }
  return {
    signedIn: async (request) => {
      const found = await find(request)
      if (found === null || found.session.stage !== 'signed_in') return null
      await touch(found)
      return found
    },
    halfway: async (request) => {
      const found = await find(request)
      if (found === null || found.session.stage !== 'password') return null
      return parts.clock.now() - found.session.authenticatedAt < halfwayMs ? found : null
    },
    isRecent: ({ session }) => parts.clock.now() - session.authenticatedAt < recentMs,
    start: async (request, user, stage) => {
      const before = await find(request)
      const now = parts.clock.now()
      const secret = newSecret()
      const started = await people.startSession({
        session: {
          id: parts.ids.next('ses'),
          user: user.id,
          stage,
          createdAt: now,
          lastSeenAt: now,
          expiresAt: now + absoluteMs,
          authenticatedAt: now,
          ip: ipText(request),
          userAgent: request.userAgent,
        },
        digest: sha256(secret),
        userVersion: user.version,
      })
      if (!started) return null
      if (before !== null) await end(request, before)
      return cookies.set('session', secret, null)
    },
    complete: async ({ session }) => await rotate(session.id, parts.clock.now()),
    renew: async ({ session }) => await rotate(session.id, session.authenticatedAt),
    end: async (request, presence) => {
      await end(request, presence)
      return cookies.clear('session')
    },
  }
}
