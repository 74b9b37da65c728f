import type { ConnectionRecord } from '../../core/connections/connection.ts'
import type { GrantRecord } from '../../core/grants/grant.ts'
import type { CredentialRecord, RecordChanges } from '../../core/records/record.ts'
import type { RecordStore } from '../../core/store.ts'
import type { TokenRevocation } from '../../core/tokens/token.ts'
import type { Db, SecretRow } from '../schema.ts'
import { toConnectionRecord } from './connection-rows.ts'
import { grantRecords } from './grant-rows.ts'
import { toAccountRecord, toCredentialRecord, toProjectRecord } from './rows.ts'

type Snapshot = Awaited<ReturnType<RecordStore['snapshot']>>
type Since = Awaited<ReturnType<RecordStore['since']>>

/** The position is read first: what commits while the rest is read is caught up from it. */
export async function snapshot(db: Db): Promise<Snapshot> {
  const { sequence } = await db.selectFrom('event_head').select('sequence').executeTakeFirstOrThrow()
  const accounts = await db.selectFrom('accounts').selectAll().execute()
  const projects = await db.selectFrom('projects').selectAll().execute()
  const connections = await db.selectFrom('connections').selectAll().where('state', '<>', 'deleted').execute()
  const { count } = await db
    .selectFrom('credentials')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return {
    position: sequence,
    accounts: accounts.map(toAccountRecord),
    projects: projects.map(toProjectRecord),
    connections: connections.map(toConnectionRecord),
    credentialCount: count,
  }
}

export async function byDigest(db: Db, input: { readonly digest: Uint8Array }): Promise<CredentialRecord | null> {
  const secret = await db
    .selectFrom('secrets')
    .select('credential')
    .where('digest', '=', Buffer.from(input.digest))
    .executeTakeFirst()
  if (secret === undefined) return null
  const [record] = await credentialRecords(db, [secret.credential])
  return record ?? null
}

export async function byId(db: Db, { id }: { readonly id: string }): Promise<CredentialRecord | null> {
  const [record] = await credentialRecords(db, [id])
  return record ?? null
}

export async function grantById(db: Db, { id }: { readonly id: string }): Promise<GrantRecord | null> {
  const [record] = await grantRecords(db, { ids: [id] })
  return record ?? null
}

/** After-images of what the events touched; the state may be newer than the position, never older. */
export async function since(db: Db, input: { readonly after: number; readonly limit: number }): Promise<Since> {
  const events = await db
    .selectFrom('events')
    .select(['sequence', 'target_kind', 'target_id', 'credential'])
    .where('sequence', '>', input.after)
    .orderBy('sequence')
    .limit(input.limit + 1)
    .execute()
  const read = events.slice(0, input.limit)
  const touched = touchedBy(
    read.map((event) => ({ kind: event.target_kind, id: event.target_id, credential: event.credential })),
  )
  return {
    position: read.at(-1)?.sequence ?? input.after,
    more: events.length > input.limit,
    changes: await imagesOf(db, touched),
  }
}

/** Ids of what events touched. */
export interface Touched {
  readonly accounts: ReadonlySet<string>
  readonly projects: ReadonlySet<string>
  readonly credentials: ReadonlySet<string>
  readonly connections: ReadonlySet<string>
  readonly tokens: ReadonlySet<string>
  readonly grants: ReadonlySet<string>
  readonly members: ReadonlySet<string>
  readonly users: ReadonlySet<string>
}

/** Of tokens and grants the credential is told for those who look for it; nothing of its own has changed. */
const leavesCredential: ReadonlySet<string> = new Set(['token', 'grant'])

export function touchedBy(
  targets: readonly { readonly kind: string; readonly id: string; readonly credential: string | null }[],
): Touched {
  const ofKind = (kind: string) => new Set(targets.filter((target) => target.kind === kind).map(({ id }) => id))
  return {
    accounts: ofKind('account'),
    projects: ofKind('project'),
    credentials: new Set(
      targets.flatMap(({ kind, credential }) =>
        credential === null || leavesCredential.has(kind) ? [] : [credential],
      ),
    ),
    connections: ofKind('connection'),
    tokens: ofKind('token'),
    grants: ofKind('grant'),
    members: ofKind('member'),
    users: ofKind('user'),
  }
}

export async function imagesOf(db: Db, touched: Touched): Promise<RecordChanges> {
  const accounts =
    touched.accounts.size === 0
      ? []
      : await db
          .selectFrom('accounts')
          .selectAll()
          .where('id', 'in', [...touched.accounts])
          .execute()
  const projects =
    touched.projects.size === 0
      ? []
      : await db
          .selectFrom('projects')
          .selectAll()
          .where('id', 'in', [...touched.projects])
          .execute()
  return {
    accounts: accounts.map(toAccountRecord),
    projects: projects.map(toProjectRecord),
    credentials: await credentialRecords(db, [...touched.credentials]),
    connections: await connectionRecords(db, [...touched.connections]),
    grants: await grantRecords(db, {
      ids: [...touched.grants],
      members: [...touched.members],
      users: [...touched.users],
    }),
    tokens: await tokenRevocations(db, [...touched.tokens]),
  }
}

/** An access token stands for itself, all others for their family. What was deleted meanwhile nobody can hold any more. */
async function tokenRevocations(db: Db, ids: readonly string[]): Promise<readonly TokenRevocation[]> {
  if (ids.length === 0) return []
  const rows = await db
    .selectFrom('tokens')
    .select(['id', 'digest', 'kind', 'family'])
    .where('id', 'in', ids)
    .orderBy('id')
    .execute()
  const families = new Set<string>()
  const revocations: TokenRevocation[] = []
  for (const { id, digest, kind, family } of rows) {
    if (kind === 'access') revocations.push({ of: 'token', digest: new Uint8Array(digest) })
    else families.add(family ?? id)
  }
  return [...revocations, ...[...families].map((family) => ({ of: 'family', family }) as const)]
}

/** Deleted ones as well, without their secrets: whoever holds one has to let it go. */
async function connectionRecords(db: Db, ids: readonly string[]): Promise<readonly ConnectionRecord[]> {
  if (ids.length === 0) return []
  const rows = await db.selectFrom('connections').selectAll().where('id', 'in', ids).orderBy('id').execute()
  return rows.map(toConnectionRecord)
}

/** In the order of their ids; hidden and dead ones as well. */
async function credentialRecords(db: Db, ids: readonly string[]): Promise<readonly CredentialRecord[]> {
  const records: CredentialRecord[] = []
  for (let start = 0; start < ids.length; start += 1000) {
    const some = ids.slice(start, start + 1000)
    const rows = await db.selectFrom('credentials').selectAll().where('id', 'in', some).orderBy('id').execute()
    const secrets = await db.selectFrom('secrets').selectAll().where('credential', 'in', some).orderBy('id').execute()
    const byCredential = new Map<string, SecretRow[]>()
    for (const secret of secrets) {
      const list = byCredential.get(secret.credential)
      if (list === undefined) byCredential.set(secret.credential, [secret])
      else list.push(secret)
    }
    for (const row of rows) records.push(toCredentialRecord(row, byCredential.get(row.id) ?? []))
  }
  return records
}
