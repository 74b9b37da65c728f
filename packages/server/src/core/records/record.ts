import type { Overrides } from '../accounts/account.ts'
import type { Environment } from '../apis/api.ts'
import type { ConnectionRecord } from '../connections/connection.ts'
import type { CredentialKind, CredentialState } from '../credentials/credential.ts'
import type { OAuthClient } from '../credentials/oauth-client.ts'
import type { GrantRecord } from '../grants/grant.ts'
import type { LimitRule } from '../limits/rules.ts'
import type { ModelTerms } from '../llm/terms.ts'
import type { TokenRevocation } from '../tokens/token.ts'

/**
 * Just what `decide` needs of a credential, as it travels one by one (a load, an after-image). In memory it
 * lives in the columns of `RecordTable`; many at once travel as a `RecordChunk`.
 */
export interface CredentialRecord {
  readonly id: string
  readonly publicId: string | null
  readonly kind: CredentialKind
  readonly account: string
  readonly project: string
  readonly apis: readonly string[]
  readonly scopes: readonly string[]
  readonly role: string | null
  readonly ipAllow: readonly string[]
  readonly originAllow: readonly string[] | null
  readonly limits: readonly LimitRule[]
  readonly llm: ModelTerms | null
  readonly oauth: OAuthClient | null
  readonly notBefore: number | null
  readonly expiresAt: number | null
  readonly state: CredentialState
  readonly stateAt: number | null
  readonly blockedUntil: number | null
  readonly createdAt: number
  readonly version: number
  readonly secrets: readonly SecretRecord[]
}

export interface SecretRecord {
  readonly id: string
  /** SHA-256 of the presented secret, 32 bytes. */
  readonly digest: Uint8Array
  readonly imported: boolean
  readonly notAfter: number | null
}

export interface AccountRecord {
  readonly id: string
  readonly plan: string
  readonly suspended: boolean
  readonly overrides: Overrides | null
  /** Rises with every change: an older image never replaces a newer one. */
  readonly version: number
}

export interface ProjectRecord {
  readonly id: string
  readonly account: string
  readonly environment: Environment
  readonly region: string | null
  readonly ipAllow: readonly string[]
  readonly version: number
}

/** After-images of what a commit changed; secrets changed means version raised, too. */
export interface RecordChanges {
  readonly accounts: readonly AccountRecord[]
  readonly projects: readonly ProjectRecord[]
  readonly credentials: readonly CredentialRecord[]
  readonly connections: readonly ConnectionRecord[]
  /** Those that a change of grant, member or user concerns. */
  readonly grants: readonly GrantRecord[]
  readonly tokens: readonly TokenRevocation[]
}

export const noChanges: RecordChanges = {
  accounts: [],
  projects: [],
  credentials: [],
  connections: [],
  grants: [],
  tokens: [],
}

/**
 * Many records in packed columns, made in the store's worker and transferred without copying.
 * Row i of the secret columns belongs to row `secretOwner[i]` of the credential columns.
 * Texts that repeat are interned: a column holds the index into the chunk's own list.
 * Times are epoch ms, NaN for null.
 */
export interface RecordChunk {
  readonly credentialCount: number
  readonly secretCount: number
  /** 12 ASCII bytes each: the id after `cred_`. */
  readonly credentialIds: Uint8Array
  readonly kind: Uint8Array
  readonly state: Uint8Array
  readonly account: Uint32Array
  readonly project: Uint32Array
  readonly profile: Uint32Array
  readonly notBefore: Float64Array
  readonly expiresAt: Float64Array
  readonly createdAt: Float64Array
  readonly stateAt: Float64Array
  readonly blockedUntil: Float64Array
  readonly version: Uint32Array
  readonly secretOwner: Uint32Array
  /** 32 bytes each. */
  readonly digests: Uint8Array
  /** 16 bytes each: the hex digits of the id after `sec_`. */
  readonly secretIds: Uint8Array
  readonly imported: Uint8Array
  readonly notAfter: Float64Array
  readonly accounts: readonly string[]
  readonly projects: readonly string[]
  /** JSON of `[apis, scopes, role]`, as `profileKey` makes it. */
  readonly profiles: readonly string[]
  /** OAuth clients, and rows with a public id unlike their id, or lists or limits of their own: the exceptions, as objects. */
  readonly own: readonly OwnFields[]
}

export interface OwnFields {
  readonly row: number
  readonly publicId: string | null
  readonly ipAllow: readonly string[]
  readonly originAllow: readonly string[] | null
  readonly limits: readonly LimitRule[]
  readonly llm: ModelTerms | null
  readonly oauth: OAuthClient | null
}

/** The interning key of what many credentials share. */
export function profileKey(apis: readonly string[], scopes: readonly string[], role: string | null): string {
  return JSON.stringify([apis, scopes, role])
}
