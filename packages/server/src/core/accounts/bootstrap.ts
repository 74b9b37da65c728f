import type { Clock } from '../../base/clock.ts'
import { sha256 } from '../../base/digest.ts'
import type { Ids } from '../../base/ids.ts'
import type { Random } from '../../base/random.ts'
import type { Secret } from '../../base/secret.ts'
import type { Provenance } from '../audit/event.ts'
import { makeKey } from '../credentials/format.ts'
import { noChanges, type RecordChanges } from '../records/record.ts'
import type { NewCredential, Store } from '../store.ts'
import { managementApiId, operatorAccountId } from './account.ts'

/** Plan of the operator's own account; it may do everything. */
export const operatorPlanId = 'postern'
/** The id under which POSTERN_MANAGEMENT_KEY is known in memory; no stored credential can have it. */
export const bootstrapCredentialId = 'cred_000000000000'

export interface BootstrapParts {
  readonly store: Store
  readonly clock: Clock
  readonly ids: Ids
  readonly random: Random
  readonly brand: string
  /** Writes the new key where the operator finds it; durable when it returns, before the key is stored. */
  readonly keep: (key: Secret) => void
}

/** Makes the operator's account where there is none yet. */
export async function ensureOperatorAccount(parts: BootstrapParts): Promise<void> {
  const { store, ids } = parts
  if ((await store.accounts.find({ id: operatorAccountId })) !== null) return
  const made = await store.accounts.create({
    account: { id: operatorAccountId, name: 'Operator', plan: operatorPlanId, overrides: null, metadata: {} },
    project: {
      id: ids.next('prj'),
      name: 'default',
      environment: 'live',
      region: null,
      ipAllow: [],
      metadata: {},
      credentials: [],
    },
    by: provenance(parts),
  })
  // Another node that starts at the same time may have been first.
  if (!made.ok && made.error.code !== 'conflict')
    throw new Error(`the operator's account was not made: ${made.error.code}`)
}

/** Makes the first management key where no management credential of the operator lives; null where one does. */
export async function ensureManagementKey(parts: BootstrapParts): Promise<Secret | null> {
  const { store, ids, random, brand } = parts
  const project = (await store.projects.list({ account: operatorAccountId, scope: null, limit: 1, after: null }))
    .items[0]
  if (project === undefined) throw new Error('the operator has no project')
  const live = await store.credentials.list({
    account: operatorAccountId,
    project: null,
    kind: 'management',
    state: 'active',
    api: null,
    search: null,
    scope: null,
    limit: 1,
    after: null,
  })
  if (live.items.length > 0) return null
  const publicId = ids.credential()
  const key = makeKey({ brand, kind: 'management', environment: 'live', publicId, random })
  parts.keep(key)
  const made = await store.credentials.create({
    account: operatorAccountId,
    project: project.id,
    credential: managementCredential(publicId, key, ids),
    maxKeys: null,
    by: provenance(parts),
  })
  if (!made.ok) throw new Error(`the first management key was not stored: ${made.error.code}`)
  return key
}

function managementCredential(publicId: string, key: Secret, ids: Ids): NewCredential {
  return {
    id: `cred_${publicId}`,
    publicId,
    form: 'key',
    kind: 'management',
    apis: [managementApiId],
    name: 'First management key',
    scopes: ['*'],
    role: null,
    ipAllow: [],
    originAllow: null,
    limits: [],
    llm: null,
    oauth: null,
    notBefore: null,
    expiresAt: null,
    primary: false,
    metadata: {},
    secret: { id: ids.next('sec'), digest: sha256(key.reveal()), hint: key.hint(), origin: 'first', sealed: null },
  }
}

/**
 * POSTERN_MANAGEMENT_KEY as a record in memory: never stored, valid while set. It counts as imported, because it
 * may be guessable: it obeys the budget of failed attempts first.
 */
export function bootstrapRecord(key: Secret, project: string, now: number): RecordChanges {
  return {
    ...noChanges,
    credentials: [
      {
        id: bootstrapCredentialId,
        publicId: null,
        kind: 'management',
        account: operatorAccountId,
        project,
        apis: [managementApiId],
        scopes: ['*'],
        role: null,
        ipAllow: [],
        originAllow: null,
        limits: [],
        llm: null,
        oauth: null,
        notBefore: null,
        expiresAt: null,
        state: 'active',
        stateAt: null,
        blockedUntil: null,
        createdAt: now,
        version: 1,
        secrets: [{ id: `sec_${'0'.repeat(32)}`, digest: sha256(key.reveal()), imported: true, notAfter: null }],
      },
    ],
  }
}

function provenance(parts: BootstrapParts): Provenance {
  return {
    actor: { kind: 'system', id: 'bootstrap' },
    at: parts.clock.now(),
    ip: null,
    userAgent: null,
    requestId: null,
  }
}
