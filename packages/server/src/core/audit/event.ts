/** Who did something, as the audit log tells it. */
export interface Actor {
  readonly kind: 'credential' | 'user' | 'bootstrap' | 'system'
  /** Credential id, user id, `POSTERN_MANAGEMENT_KEY`, or the name of the part of Postern. */
  readonly id: string
}

/** What stands beside every change: who, when, from where. */
export interface Provenance {
  readonly actor: Actor
  readonly at: number
  readonly ip: string | null
  readonly userAgent: string | null
  readonly requestId: string | null
}

type TargetKind =
  | 'account'
  | 'project'
  | 'credential'
  | 'secret'
  | 'connection'
  | 'token'
  | 'grant'
  | 'user'
  | 'member'
  | 'invitation'
  | 'session'
  | 'signing_key'
  | 'system'

/** About a person; kept beside the chain, so that they can be erased. */
interface PersonalFields {
  readonly ip: string | null
  readonly userAgent: string | null
  /** Hex; with it the commitment can be recomputed. */
  readonly salt: string
}

/** One entry of the audit log and of the change feed. `before` and `after` never hold a secret or a digest. */
export interface AuditEvent {
  readonly sequence: number
  readonly at: number
  readonly actor: Actor
  /** `resource.verb`, such as `credential.revoked`. */
  readonly action: string
  readonly targetKind: TargetKind
  readonly targetId: string
  readonly account: string | null
  readonly project: string | null
  readonly before: Readonly<Record<string, unknown>> | null
  readonly after: Readonly<Record<string, unknown>> | null
  readonly requestId: string | null
  /** Personal fields; null once erased. */
  readonly personal: PersonalFields | null
  /** Salted commitment to the personal fields, hex; it stays when they are erased. */
  readonly commitment: string
  readonly previousHash: string
  readonly hash: string
}

export type NewEvent = Pick<
  AuditEvent,
  'action' | 'targetKind' | 'targetId' | 'account' | 'project' | 'before' | 'after'
>
