import type { Secret } from '../../base/secret.ts'

/**
 * The credential of a third party's API that is held for an account: the operator's own (account `postern`), or a
 * customer's, for the whole account or for one project. Its secrets are sealed; this is what may be told of it.
 */
export interface Connection {
  readonly id: string
  readonly account: string
  readonly project: string | null
  /** Id of a platform module. */
  readonly platform: string
  /** Unique within account and project. */
  readonly name: string
  /** Fields of the platform that are not secret: account name, region, base URL. */
  readonly settings: Settings
  readonly secrets: readonly SecretField[]
  /** Rises when the secrets are replaced; they are sealed to it. */
  readonly secretVersion: number
  readonly state: ConnectionState
  readonly stateReason: string | null
  readonly lastCheck: CheckResult | null
  readonly lastUsedAt: number | null
  readonly createdBy: string
  readonly createdAt: number
  readonly updatedAt: number
  /** When its secrets were last replaced. */
  readonly rotatedAt: number | null
  readonly version: number
}

export type ConnectionState = 'active' | 'disabled'
export type Settings = Readonly<Record<string, string>>

/** What people may see of a secret. */
interface SecretField {
  readonly field: string
  /** The last four characters; null where four are too much of a short secret. */
  readonly hint: string | null
  /** Keyed digest, 16 hex digits: equal secrets of one account have equal ones, and it says no more. */
  readonly fingerprint: string
}

/** AES-256-GCM of a secret; `bytes` is nonce, ciphertext and tag, `key` the name of the key file. */
export interface SealedField extends SecretField {
  readonly bytes: Uint8Array
  readonly key: string
}

export interface SealedConnection extends Connection {
  readonly sealed: readonly SealedField[]
}

/** What a sealed field is bound to: anywhere else it does not open. */
export interface FieldPlace {
  readonly connection: string
  readonly account: string
  readonly project: string | null
  readonly field: string
  readonly secretVersion: number
}

/** Seals the secrets of third parties under a key file of their own (`keys/standing/connections.key`). */
export interface FieldSealing {
  /** The key file is durable when this answers, so that the commit that needs it may follow. */
  seal(secret: Secret, place: FieldPlace): SealedField
  /** Throws `SealBroken` where the field was altered, belongs elsewhere, or its key is not here. */
  open(sealed: SealedField, place: FieldPlace): Secret
  /** Compares secrets of one account without telling them. */
  fingerprint(secret: Secret, account: string): string
}

/** Why a check of a connection failed, or `ok`. */
export type CheckReason = (typeof checkReasons)[number]

export const checkReasons = [
  'ok',
  'credential_refused',
  'unexpected_answer',
  'platform_busy',
  'platform_failed',
  'timeout',
  'host_unknown',
  'address_forbidden',
  'unreachable',
  'tls_failed',
  'seal_broken',
] as const

export interface CheckResult {
  readonly at: number
  readonly reason: CheckReason
  /** HTTP status of the platform; null where there was no answer. */
  readonly status: number | null
}

/** A connection as the gateway holds it in memory, sealed until a request needs it. */
export interface ConnectionRecord {
  readonly id: string
  readonly account: string
  readonly project: string | null
  readonly platform: string
  readonly name: string
  readonly settings: Settings
  readonly secretVersion: number
  readonly state: ConnectionState | 'deleted'
  /** Empty once deleted. */
  readonly sealed: readonly SealedField[]
  /** Rises with every change: an older image never replaces a newer one. */
  readonly version: number
}

/** Four characters are told only of secrets that keep at least twelve to themselves. */
export function hintOf(secret: Secret): string | null {
  return secret.reveal().length < 16 ? null : secret.hint()
}
