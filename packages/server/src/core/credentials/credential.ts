import type { LimitRule } from '../limits/rules.ts'
import type { ModelTerms } from '../llm/terms.ts'
import type { Metadata, SecretOrigin } from '../vocabulary.ts'
import type { OAuthClient } from './oauth-client.ts'

export const credentialKinds = ['secret', 'publishable', 'integration', 'management', 'oauth_client'] as const
export type CredentialKind = (typeof credentialKinds)[number]

export const credentialStates = ['active', 'blocked', 'revoked', 'compromised'] as const
export type CredentialState = (typeof credentialStates)[number]

/** Identity, rights and statistics; never holds a secret. `revoked` and `compromised` are final. */
export interface Credential {
  /** `cred_{id12}` */
  readonly id: string
  /** id12 for keys and OAuth clients, the id half for pairs, null for imported keys that have none. */
  readonly publicId: string | null
  readonly form: 'key' | 'pair'
  readonly kind: CredentialKind
  readonly account: string
  readonly project: string
  readonly apis: readonly string[]
  readonly name: string
  /** Own scopes; "*" stands for all that the plan allows. */
  readonly scopes: readonly string[]
  readonly role: string | null
  /** Addresses and CIDR ranges; empty: everywhere. */
  readonly ipAllow: readonly string[]
  /** Null: origins are not checked. Empty: none is allowed. */
  readonly originAllow: readonly string[] | null
  readonly limits: readonly LimitRule[]
  /** What it may ask of language models; null: whatever its plan allows. */
  readonly llm: ModelTerms | null
  /** What makes it a client; null for every other kind. */
  readonly oauth: OAuthClient | null
  readonly notBefore: number | null
  readonly expiresAt: number | null
  readonly state: CredentialState
  readonly stateReason: string | null
  readonly stateAt: number | null
  /** End of a block; null: until unblocked. */
  readonly blockedUntil: number | null
  readonly primary: boolean
  /** When it was first seen over plain HTTP; null: never. */
  readonly exposedAt: number | null
  /** Deleted: revoked and no longer listed. */
  readonly hidden: boolean
  readonly metadata: Metadata
  /** Credential id of the creator, or `bootstrap`. */
  readonly createdBy: string
  readonly createdAt: number
  readonly version: number
}

/** The description of a secret; its digest leaves the store only for memory, its value never. */
export interface SecretInfo {
  readonly id: string
  readonly credential: string
  readonly algorithm: 'sha256'
  /** Last four characters, null for imported digests. */
  readonly hint: string | null
  readonly origin: SecretOrigin
  /** Until when it can be revealed: null never (or no longer), `always` as epoch 8.64e15. */
  readonly visibleUntil: number | null
  /** When it dies by rotation; null: lives as long as its credential. */
  readonly notAfter: number | null
  readonly createdAt: number
  /** When it last came over plain HTTP, as far as that was an event. */
  readonly exposedAt: number | null
  readonly lastAccepted: LastUse | null
  readonly lastRefused: (LastUse & { readonly code: string }) | null
}

export interface LastUse {
  readonly at: number
  readonly ip: string
  readonly userAgent: string | null
}

/** At most this many secrets of a credential live at once (design, section 2). */
export const liveSecretsMax = 3
