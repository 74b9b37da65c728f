import type { Account, Overrides, Metadata, Project } from './accounts/account.ts'
import type { Environment, SecretOrigin } from './apis/api.ts'
import type { AuditEvent, NewEvent, Provenance } from './audit/event.ts'
import type {
  CheckResult,
  Connection,
  ConnectionRecord,
  ConnectionState,
  SealedConnection,
  SealedField,
  Settings,
} from './connections/connection.ts'
import type { Credential, CredentialKind, SecretInfo } from './credentials/credential.ts'
import type { OAuthClient } from './credentials/oauth-client.ts'
import type { GrantStore } from './grants/grant-store.ts'
import type { GrantRecord } from './grants/grant.ts'
import type { LimitRule } from './limits/rules.ts'
import type { ModelTerms } from './llm/terms.ts'
import type { PeopleStore } from './people/people-store.ts'
import type { AccountRecord, CredentialRecord, ProjectRecord, RecordChanges, RecordChunk } from './records/record.ts'
import type { Page, PageRequest, Scope, Write } from './store-words.ts'
import type { TokenStore } from './tokens/token-store.ts'
import type {
  ModelPoint,
  ModelQuery,
  RequestFilter,
  RequestRow,
  UsageFlush,
  UsagePoint,
  UsageQuery,
} from './usage/usage.ts'

export type { Committed, Page, PageRequest, Scope, Write, WriteRefusal } from './store-words.ts'

/**
 * The store as the rest of the product sees it: small async interfaces, implemented by `store/sqlite` and
 * `store/postgres`, tested by one conformance suite. Every method is one transaction; every write appends its
 * events in that transaction and answers with the after-images for memory.
 */
export interface Store {
  readonly kind: 'sqlite' | 'postgres'
  readonly accounts: AccountStore
  readonly projects: ProjectStore
  readonly credentials: CredentialStore
  readonly connections: ConnectionStore
  readonly tokens: TokenStore
  readonly grants: GrantStore
  readonly people: PeopleStore
  readonly events: EventStore
  readonly records: RecordStore
  readonly usage: UsageStore
  readonly quotas: QuotaStore
  readonly idempotency: IdempotencyStore
  readonly system: SystemStore
  /** Calls `onHint` when another node committed; only a hint, may be lost. */
  listen(onHint: () => void): void
  close(): Promise<void>
}

/** Thrown by every method where the database does not answer; the caller says 503. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable'
}

/** Thrown where a cursor is not one that this list gave out; the caller says 400. */
export class BadCursor extends Error {
  override readonly name = 'BadCursor'
}

/** Thrown by writes that cannot answer a refusal (usage, quotas, idempotency); the caller says 507 or drops. */
export class StorageFull extends Error {
  override readonly name = 'StorageFull'
}

// ---- accounts, projects --------------------------------------------------------------------------------

export interface NewProject {
  readonly id: string
  readonly name: string
  readonly environment: Environment
  readonly region: string | null
  readonly ipAllow: readonly string[]
  readonly metadata: Metadata
  /** Default pairs of the preset, made with it. */
  readonly credentials: readonly NewCredential[]
}

export interface AccountStore {
  create(input: {
    readonly account: {
      readonly id: string
      readonly name: string
      readonly plan: string
      readonly overrides: Overrides | null
      readonly metadata: Metadata
    }
    readonly project: NewProject
    readonly by: Provenance
  }): Write<{ readonly account: Account; readonly project: Project; readonly credentials: readonly Credential[] }>
  update(input: {
    readonly id: string
    readonly version: number
    readonly set: Partial<Pick<Account, 'name' | 'plan' | 'overrides' | 'metadata'>>
    readonly by: Provenance
  }): Write<Account>
  /** `suspended` ends everything of the account at once; `active` brings it back. Releases the ballast. */
  setState(input: {
    readonly id: string
    readonly state: Account['state']
    readonly reason: string | null
    readonly by: Provenance
  }): Write<Account>
  find(input: { readonly id: string }): Promise<Account | null>
  list(input: PageRequest & { readonly scope: Scope }): Promise<Page<Account>>
}

export interface ProjectStore {
  /** `maxKeys` as in `CredentialStore.create`, for the pairs that come with it. */
  create(input: {
    readonly account: string
    readonly project: NewProject
    readonly maxKeys: number | null
    readonly by: Provenance
  }): Write<{ readonly project: Project; readonly credentials: readonly Credential[] }>
  /** A region may be given to a project that has none; `conflict` where it has one, and credentials. */
  update(input: {
    readonly id: string
    readonly scope: Scope
    readonly version: number
    readonly set: Partial<Pick<Project, 'name' | 'region' | 'ipAllow' | 'metadata'>>
    readonly by: Provenance
  }): Write<Project>
  find(input: { readonly id: string; readonly scope: Scope }): Promise<Project | null>
  list(input: PageRequest & { readonly account: string | null; readonly scope: Scope }): Promise<Page<Project>>
}

// ---- credentials ---------------------------------------------------------------------------------------

export interface NewCredential {
  readonly id: string
  readonly publicId: string | null
  readonly form: 'key' | 'pair'
  readonly kind: CredentialKind
  readonly apis: readonly string[]
  readonly name: string
  readonly scopes: readonly string[]
  readonly role: string | null
  readonly ipAllow: readonly string[]
  readonly originAllow: readonly string[] | null
  readonly limits: readonly LimitRule[]
  readonly llm: ModelTerms | null
  readonly oauth: OAuthClient | null
  readonly notBefore: number | null
  readonly expiresAt: number | null
  readonly primary: boolean
  readonly metadata: Metadata
  /** Null: a public client has none. */
  readonly secret: NewSecret | null
}

/** Known by the digest of its secret, which it therefore has. */
export interface ImportedCredential extends NewCredential {
  readonly secret: NewSecret
}

export interface NewSecret {
  readonly id: string
  readonly digest: Uint8Array
  readonly hint: string | null
  readonly origin: SecretOrigin
  /** The sealed copy for the visibility window; null: shown once. */
  readonly sealed: SealedCopy | null
}

/** AES-256-GCM of the secret under the key of its expiry bucket; `bytes` is nonce, ciphertext and tag. */
export interface SealedCopy {
  readonly bytes: Uint8Array
  /** Name of the key file that opens it. */
  readonly key: string
  /** Epoch ms; 8.64e15 for `always`. */
  readonly visibleUntil: number
}

export interface CredentialFilter {
  readonly account: string | null
  readonly project: string | null
  readonly kind: CredentialKind | null
  readonly state: string | null
  readonly api: string | null
  /** Part of the name, or a public id in full. */
  readonly search: string | null
}

export type StateChange =
  | { readonly to: 'blocked'; readonly reason: string; readonly until: number | null }
  | { readonly to: 'active' }
  | { readonly to: 'revoked'; readonly reason: string | null; readonly hide: boolean }
  | { readonly to: 'compromised'; readonly reason: string | null; readonly since: number | null }

export interface CredentialStore {
  /** `maxKeys`: refuses with `conflict` where the account already has that many live credentials (same statement). */
  create(input: {
    readonly account: string
    readonly project: string
    readonly credential: NewCredential
    readonly maxKeys: number | null
    readonly by: Provenance
  }): Write<Credential>
  update(input: {
    readonly id: string
    readonly scope: Scope
    readonly version: number
    readonly set: Partial<
      Pick<
        Credential,
        | 'name'
        | 'scopes'
        | 'role'
        | 'ipAllow'
        | 'originAllow'
        | 'limits'
        | 'llm'
        | 'oauth'
        | 'notBefore'
        | 'expiresAt'
        | 'metadata'
        | 'apis'
      >
    >
    readonly by: Provenance
  }): Write<Credential>
  /**
   * Adds a secret and ends the others at `endOthersAt` (never later than they already end). Refuses with
   * `conflict` what is not live at `by.at` (an expired or revoked credential is not revived), a fourth live secret, and
   * a public client, which has none.
   */
  rotate(input: {
    readonly id: string
    readonly scope: Scope
    readonly secret: NewSecret
    readonly endOthersAt: number
    readonly by: Provenance
  }): Write<{ readonly credential: Credential; readonly secrets: readonly SecretInfo[] }>
  /** Ends one secret at `at`, now or sooner than planned; also extends an overlap that has not ended. */
  endSecret(input: {
    readonly id: string
    readonly secret: string
    readonly scope: Scope
    readonly at: number
    readonly by: Provenance
  }): Write<SecretInfo>
  /** One conditional statement: revoked and compromised are final. Revoke and block release the ballast. */
  setState(input: {
    readonly id: string
    readonly scope: Scope
    readonly change: StateChange
    readonly by: Provenance
  }): Write<Credential>
  /**
   * A secret that lives came over plain HTTP: an event, unless the last one is younger than `againMs`. The credential
   * keeps when that was first, the secret when it was last.
   */
  markExposed(input: {
    readonly id: string
    readonly secret: string
    readonly againMs: number
    readonly by: Provenance
  }): Write<Credential>
  /**
   * A token of the credential came over plain HTTP: an event that names it. `token` is null where another issuer made
   * it. No event where the credential is dead, or the token is not live at `by.at`.
   */
  markTokenExposed(input: {
    readonly id: string
    readonly token: string | null
    readonly by: Provenance
  }): Write<Credential>
  /** All or, with `partial`, the good ones; `refused` tells the index and why (duplicate digest, duplicate public id). Same `digest` already stored for the same account and name counts as `skipped`. */
  import(input: {
    readonly account: string
    readonly project: string
    readonly credentials: readonly ImportedCredential[]
    readonly maxKeys: number | null
    readonly partial: boolean
    readonly dryRun: boolean
    readonly by: Provenance
  }): Write<{
    readonly imported: readonly string[]
    readonly skipped: readonly number[]
    readonly refused: readonly { readonly index: number; readonly reason: string }[]
  }>
  find(input: { readonly id: string; readonly scope: Scope }): Promise<Credential | null>
  list(input: PageRequest & CredentialFilter & { readonly scope: Scope }): Promise<Page<Credential>>
  secrets(input: { readonly id: string; readonly scope: Scope }): Promise<readonly SecretInfo[]>
  /** Answers the sealed copy and appends the event `secret.revealed`; `window_closed` is `value: null`. */
  reveal(input: {
    readonly id: string
    readonly secret: string
    readonly scope: Scope
    readonly by: Provenance
  }): Write<SealedCopy | null>
  /** Deletes the sealed copies whose window is over, with secure_delete and a truncated WAL. Answers how many. */
  closeWindows(input: { readonly now: number }): Promise<number>
}

// ---- connections ---------------------------------------------------------------------------------------

export interface NewConnection {
  readonly id: string
  readonly account: string
  readonly project: string | null
  readonly platform: string
  readonly name: string
  readonly settings: Settings
  /** Sealed to secret version 1. */
  readonly sealed: readonly SealedField[]
}

export interface ConnectionFilter {
  readonly account: string | null
  readonly project: string | null
  readonly platform: string | null
  readonly state: ConnectionState | null
  readonly name: string | null
}

export interface ConnectionStore {
  /** Refuses with `conflict` a name that is taken, and beyond `max` connections of the account (same statement). */
  create(input: {
    readonly connection: NewConnection
    readonly max: number
    readonly by: Provenance
  }): Write<Connection>
  /** Settings say where the secrets go, so they change with the secrets alone. */
  update(input: {
    readonly id: string
    readonly scope: Scope
    readonly version: number
    readonly set: { readonly name: string }
    readonly by: Provenance
  }): Write<Connection>
  /** Replaces settings and secrets at once; `sealed` is sealed to `secretVersion + 1`, and refused after another. */
  rotate(input: {
    readonly id: string
    readonly scope: Scope
    readonly secretVersion: number
    readonly settings: Settings
    readonly sealed: readonly SealedField[]
    readonly by: Provenance
  }): Write<Connection>
  setState(input: {
    readonly id: string
    readonly scope: Scope
    readonly state: ConnectionState
    readonly reason: string | null
    readonly by: Provenance
  }): Write<Connection>
  /** The sealed secrets leave the row; the row stays, hidden. */
  delete(input: { readonly id: string; readonly scope: Scope; readonly by: Provenance }): Write<Connection>
  /** Answers the sealed secrets and appends the event `connection.read`. Refuses with `conflict` a disabled one. */
  read(input: { readonly id: string; readonly scope: Scope; readonly by: Provenance }): Write<SealedConnection>
  /** Refuses with `conflict` where the secrets were replaced since. */
  recordCheck(input: {
    readonly id: string
    readonly scope: Scope
    readonly secretVersion: number
    readonly result: CheckResult
    readonly by: Provenance
  }): Write<Connection>
  find(input: { readonly id: string; readonly scope: Scope }): Promise<Connection | null>
  /** With its sealed secrets, for a check. Nobody is answered with them. */
  findSealed(input: { readonly id: string; readonly scope: Scope }): Promise<SealedConnection | null>
  list(input: PageRequest & ConnectionFilter & { readonly scope: Scope }): Promise<Page<Connection>>
  /** Last uses, epoch ms; an earlier one never replaces a later one. */
  noteUses(input: { readonly uses: readonly { readonly id: string; readonly at: number }[] }): Promise<void>
}

// ---- events, records -----------------------------------------------------------------------------------

interface EventFilter {
  readonly account: string | null
  readonly credential: string | null
  readonly action: string | null
  /** Each names ids of people or of what belongs to them, one of which acted or was acted on. */
  readonly about?: readonly (readonly string[])[]
  readonly from: number | null
  readonly to: number | null
}

export interface EventStore {
  /** Newest first. */
  list(input: PageRequest & EventFilter & { readonly scope: Scope }): Promise<Page<AuditEvent>>
  /** Oldest first, sequence > after. */
  range(input: { readonly after: number; readonly limit: number }): Promise<readonly AuditEvent[]>
  head(): Promise<{ readonly sequence: number; readonly hash: string }>
}

export interface RecordStore {
  /** Accounts, projects and the feed position from which `chunks` must be caught up. */
  snapshot(): Promise<{
    readonly position: number
    readonly accounts: readonly AccountRecord[]
    readonly projects: readonly ProjectRecord[]
    readonly connections: readonly ConnectionRecord[]
    readonly credentialCount: number
  }>
  /** Records in chunks: live ones, and those dead since `deadSince` (epoch ms) at most. */
  chunks(input: { readonly deadSince: number; readonly max: number }): AsyncIterable<RecordChunk>
  /** Null: no secret has this digest. */
  byDigest(input: { readonly digest: Uint8Array }): Promise<CredentialRecord | null>
  /** Of a credential that memory does not hold, hidden and dead ones as well. Null: there is none. */
  byId(input: { readonly id: string }): Promise<CredentialRecord | null>
  /** Withdrawn ones as well. Null: there is none. */
  grant(input: { readonly id: string }): Promise<GrantRecord | null>
  /** After-images of everything that events after `after` touched, and the head they bring us to. */
  since(input: {
    readonly after: number
    readonly limit: number
  }): Promise<{ readonly position: number; readonly more: boolean; readonly changes: RecordChanges }>
}

// ---- usage, quotas -------------------------------------------------------------------------------------

export interface UsageStore {
  flush(input: UsageFlush): Promise<void>
  query(input: UsageQuery): Promise<readonly UsagePoint[]>
  models(query: ModelQuery): Promise<readonly ModelPoint[]>
  latency(input: {
    readonly credential: string | null
    readonly route: string | null
    readonly from: number
    readonly to: number
  }): Promise<readonly number[]>
  /** Newest first. */
  requests(input: PageRequest & RequestFilter): Promise<Page<RequestRow>>
  request(input: { readonly id: string }): Promise<RequestRow | null>
  /** The oldest flush of a node that is alive: up to there "not used" is known. Null: no node has flushed. */
  observedThrough(input: { readonly now: number }): Promise<number | null>
  dropped(input: { readonly from: number; readonly to: number }): Promise<number>
  /** Rolls minutes up into hours and days and deletes what is past its retention. */
  maintain(input: { readonly now: number; readonly retention: Retention }): Promise<void>
}

export interface Retention {
  readonly minutesMs: number
  readonly hoursMs: number
  readonly daysMs: number
  readonly requestsMs: number
}

/** `key` names quota and subject, `period` the start of the period in epoch ms. */
export interface QuotaStore {
  /** Adds each delta and answers the totals after it, of all nodes. */
  add(input: {
    readonly deltas: readonly { readonly key: string; readonly period: number; readonly delta: number }[]
  }): Promise<readonly number[]>
  load(input: {
    readonly periods: readonly number[]
  }): Promise<readonly { readonly key: string; readonly period: number; readonly used: number }[]>
  prune(input: { readonly before: number }): Promise<void>
}

// ---- idempotency, system -------------------------------------------------------------------------------

export type IdempotencyStart =
  | { readonly state: 'started' }
  | { readonly state: 'running' }
  | { readonly state: 'other_body' }
  | { readonly state: 'done'; readonly status: number; readonly body: string }

export interface IdempotencyStore {
  /** `key` is a digest over credential, path and Idempotency-Key; entries older than 24 h are as absent. */
  start(input: { readonly key: string; readonly bodyDigest: string; readonly now: number }): Promise<IdempotencyStart>
  /** `body` holds no secret. */
  finish(input: {
    readonly key: string
    readonly status: number
    readonly body: string
    readonly now: number
  }): Promise<void>
  abandon(input: { readonly key: string }): Promise<void>
}

export interface SystemStore {
  /** How many rows use each plan, API and scope: asked before a reload that would orphan them. */
  inUse(): Promise<{
    readonly plans: Readonly<Record<string, number>>
    readonly apis: Readonly<Record<string, number>>
    readonly scopes: Readonly<Record<string, number>>
    /** Live credentials of each API by environment and region of their projects. */
    readonly places: readonly {
      readonly api: string
      readonly environment: Environment
      readonly region: string | null
      readonly credentials: number
    }[]
  }>
  /** An event about what is done outside the database. */
  note(input: {
    readonly event: Pick<NewEvent, 'action' | 'targetKind' | 'targetId'>
    readonly by: Provenance
  }): Write<null>
  counts(): Promise<{
    readonly accounts: number
    readonly projects: number
    readonly credentials: number
    readonly events: number
  }>
  /** SQLite only: a consistent copy of both files while serving; progress as pages done of total. */
  backup(input: { readonly folder: string }): AsyncIterable<{ readonly done: number; readonly total: number }>
  /** Free space, ballast, file sizes; PostgreSQL answers what it can and null elsewhere. */
  space(): Promise<{
    readonly freeBytes: number | null
    readonly ballast: 'whole' | 'released' | null
    readonly full: boolean
    readonly databaseBytes: number
  }>
  /**
   * Deletes what an old copy of the data would bring back to life: tokens, sessions, links to set a password, and
   * open invitations.
   */
  dropLent(): Promise<void>
  ping(): Promise<void>
}
