import type { CredentialRecord } from '../records/record.ts'
import type { RecordTable } from '../records/table.ts'
import type { GrantRecord } from './grant.ts'

/**
 * The grants that tokens in memory were minted under. Each stands in the record table as well, beside the credentials:
 * its limits, quotas and usage are counted there, and it leaves memory as they do.
 */
export class GrantTable {
  readonly #table: RecordTable
  readonly #byId = new Map<string, GrantRecord>()

  constructor(table: RecordTable) {
    this.#table = table
    table.onFreed((row) => this.#byId.delete(table.credentialId(row)))
  }

  get size(): number {
    return this.#byId.size
  }

  find(id: string): GrantRecord | null {
    return this.#byId.get(id) ?? null
  }

  /** As it was just read; an older image never replaces a newer one. */
  put(grant: GrantRecord): void {
    if ((this.#byId.get(grant.id)?.version ?? 0) > grant.version) return
    this.#byId.set(grant.id, grant)
    this.#table.put(recordOf(grant))
  }

  /** A change of the grant, of its member or its user. Those that are not held are read when they are needed. */
  apply(grants: readonly GrantRecord[]): void {
    for (const grant of grants) if (this.#byId.has(grant.id)) this.put(grant)
  }
}

/** What is asked of whom a token is for; whoever presents it is asked for the rest. */
function recordOf(grant: GrantRecord): CredentialRecord {
  return {
    id: grant.id,
    publicId: grant.id.slice('grt_'.length),
    kind: 'oauth_client',
    account: grant.account,
    project: grant.project,
    apis: grant.apis,
    scopes: grant.scopes,
    role: null,
    ipAllow: [],
    originAllow: null,
    limits: [],
    llm: null,
    oauth: null,
    notBefore: null,
    expiresAt: null,
    state: grant.active ? 'active' : 'revoked',
    stateAt: grant.stateAt,
    blockedUntil: null,
    createdAt: grant.createdAt,
    version: grant.version,
    secrets: [],
  }
}
