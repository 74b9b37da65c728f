import type { Account, Overrides, Project } from '../../core/accounts/account.ts'
import type { AuditEvent } from '../../core/audit/event.ts'
import type { Credential, LastUse, SecretInfo } from '../../core/credentials/credential.ts'
import type { AccountRecord, CredentialRecord, ProjectRecord } from '../../core/records/record.ts'
import type { NewCredential, NewProject, NewSecret } from '../../core/store.ts'
import type {
  AccountRow,
  CredentialRow,
  EventPersonalRow,
  EventRow,
  LastUseTableRow,
  ProjectRow,
  SecretRow,
} from '../schema.ts'

/** JSON that this program wrote itself, so its type is trusted. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller's field says what it is
export function parsed<Value>(text: string): Value {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by the functions beside this one
  return JSON.parse(text) as Value
}

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- as above
export const parsedOrNull = <Value>(text: string | null): Value | null => (text === null ? null : parsed<Value>(text))

/** Closed unions that migrations and writes of this program keep. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- as above
export function trusted<Union extends string>(text: string): Union {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only writes of this program fill the column
  return text as Union
}

/** Rows of before there were budgets name none. */
function toOverrides(text: string | null): Overrides | null {
  const overrides = parsedOrNull<Omit<Overrides, 'budgets'> & Partial<Pick<Overrides, 'budgets'>>>(text)
  return overrides === null ? null : { ...overrides, budgets: overrides.budgets ?? [] }
}

export function toAccount(row: AccountRow): Account {
  return {
    id: row.id,
    name: row.name,
    plan: row.plan,
    state: row.state,
    suspendedReason: row.suspended_reason,
    overrides: toOverrides(row.overrides),
    metadata: parsed(row.metadata),
    createdAt: row.created_at,
    version: row.version,
  }
}

export function toAccountRecord(row: AccountRow): AccountRecord {
  return {
    id: row.id,
    plan: row.plan,
    suspended: row.state === 'suspended',
    overrides: toOverrides(row.overrides),
    version: row.version,
  }
}

export function toProject(row: ProjectRow): Project {
  return {
    id: row.id,
    account: row.account,
    name: row.name,
    environment: trusted(row.environment),
    region: row.region,
    ipAllow: parsed(row.ip_allow),
    metadata: parsed(row.metadata),
    createdAt: row.created_at,
    version: row.version,
  }
}

export function toProjectRecord(row: ProjectRow): ProjectRecord {
  return {
    id: row.id,
    account: row.account,
    environment: trusted(row.environment),
    region: row.region,
    ipAllow: parsed(row.ip_allow),
    version: row.version,
  }
}

export function toProjectRow(project: NewProject, account: string, at: number): ProjectRow {
  return {
    id: project.id,
    account,
    name: project.name,
    environment: project.environment,
    region: project.region,
    ip_allow: JSON.stringify(project.ipAllow),
    metadata: JSON.stringify(project.metadata),
    created_at: at,
    version: 1,
  }
}

export function toCredential(row: CredentialRow): Credential {
  return {
    id: row.id,
    publicId: row.public_id,
    form: trusted(row.form),
    kind: trusted(row.kind),
    account: row.account,
    project: row.project,
    apis: parsed(row.apis),
    name: row.name,
    scopes: parsed(row.scopes),
    role: row.role,
    ipAllow: parsed(row.ip_allow),
    originAllow: parsedOrNull(row.origin_allow),
    limits: parsed(row.limits),
    llm: parsedOrNull(row.llm),
    oauth: parsedOrNull(row.oauth),
    notBefore: row.not_before,
    expiresAt: row.expires_at,
    state: trusted(row.state),
    stateReason: row.state_reason,
    stateAt: row.state_at,
    blockedUntil: row.blocked_until,
    primary: row.is_primary === 1,
    exposedAt: row.exposed_at,
    hidden: row.hidden === 1,
    metadata: parsed(row.metadata),
    createdBy: row.created_by,
    createdAt: row.created_at,
    version: row.version,
  }
}

export function toCredentialRecord(row: CredentialRow, secrets: readonly SecretRow[]): CredentialRecord {
  return {
    id: row.id,
    publicId: row.public_id,
    kind: trusted(row.kind),
    account: row.account,
    project: row.project,
    apis: parsed(row.apis),
    scopes: parsed(row.scopes),
    role: row.role,
    ipAllow: parsed(row.ip_allow),
    originAllow: parsedOrNull(row.origin_allow),
    limits: parsed(row.limits),
    llm: parsedOrNull(row.llm),
    oauth: parsedOrNull(row.oauth),
    notBefore: row.not_before,
    expiresAt: row.expires_at,
    state: trusted(row.state),
    stateAt: row.state_at,
    blockedUntil: row.blocked_until,
    createdAt: row.created_at,
    version: row.version,
    secrets: secrets.map((secret) => ({
      id: secret.id,
      digest: new Uint8Array(secret.digest),
      imported: secret.origin === 'imported',
      notAfter: secret.not_after,
    })),
  }
}

export function toCredentialRow(
  credential: NewCredential,
  place: { readonly account: string; readonly project: string; readonly createdBy: string; readonly at: number },
): CredentialRow {
  return {
    id: credential.id,
    public_id: credential.publicId,
    form: credential.form,
    kind: credential.kind,
    account: place.account,
    project: place.project,
    apis: JSON.stringify(credential.apis),
    name: credential.name,
    scopes: JSON.stringify(credential.scopes),
    role: credential.role,
    ip_allow: JSON.stringify(credential.ipAllow),
    origin_allow: credential.originAllow === null ? null : JSON.stringify(credential.originAllow),
    limits: JSON.stringify(credential.limits),
    llm: credential.llm === null ? null : JSON.stringify(credential.llm),
    oauth: credential.oauth === null ? null : JSON.stringify(credential.oauth),
    not_before: credential.notBefore,
    expires_at: credential.expiresAt,
    state: 'active',
    state_reason: null,
    state_at: null,
    blocked_until: null,
    is_primary: credential.primary ? 1 : 0,
    exposed_at: null,
    hidden: 0,
    metadata: JSON.stringify(credential.metadata),
    created_by: place.createdBy,
    created_at: place.at,
    version: 1,
  }
}

export function toSecretRow(secret: NewSecret, credential: string, at: number): SecretRow {
  return {
    credential,
    id: secret.id,
    // Drivers want a Buffer; this is a view of the same bytes.
    digest: Buffer.from(secret.digest),
    algorithm: 'sha256',
    hint: secret.hint,
    origin: secret.origin,
    visible_until: secret.sealed?.visibleUntil ?? null,
    not_after: null,
    created_at: at,
    exposed_at: null,
  }
}

/** The last uses live beside the usage: `lastUsesOf` adds them. */
export function toSecretInfo(row: SecretRow): SecretInfo {
  return {
    id: row.id,
    credential: row.credential,
    algorithm: 'sha256',
    hint: row.hint,
    origin: trusted(row.origin),
    visibleUntil: row.visible_until,
    notAfter: row.not_after,
    createdAt: row.created_at,
    exposedAt: row.exposed_at,
    lastAccepted: null,
    lastRefused: null,
  }
}

export function lastUsesOf(use: LastUseTableRow | undefined): Pick<SecretInfo, 'lastAccepted' | 'lastRefused'> {
  const refused = lastUse(use?.refused_at, use?.refused_ip, use?.refused_user_agent)
  return {
    lastAccepted: lastUse(use?.accepted_at, use?.accepted_ip, use?.accepted_user_agent),
    lastRefused: refused === null ? null : { ...refused, code: use?.refused_code ?? '' },
  }
}

function lastUse(
  at: number | null | undefined,
  ip: string | null | undefined,
  userAgent: string | null | undefined,
): LastUse | null {
  return at === null || at === undefined ? null : { at, ip: ip ?? '', userAgent: userAgent ?? null }
}

export type EventWithPersonal = EventRow &
  Pick<EventPersonalRow, 'ip' | 'user_agent'> & { readonly salt: Uint8Array | null }

export function toAuditEvent(row: EventWithPersonal): AuditEvent {
  return {
    sequence: row.sequence,
    at: row.at,
    actor: { kind: trusted(row.actor_kind), id: row.actor_id },
    action: row.action,
    targetKind: trusted(row.target_kind),
    targetId: row.target_id,
    account: row.account,
    project: row.project,
    before: parsedOrNull(row.before),
    after: parsedOrNull(row.after),
    requestId: row.request_id,
    personal:
      row.salt === null ? null : { ip: row.ip, userAgent: row.user_agent, salt: Buffer.from(row.salt).toString('hex') },
    commitment: row.commitment,
    previousHash: row.previous_hash,
    hash: row.hash,
  }
}
