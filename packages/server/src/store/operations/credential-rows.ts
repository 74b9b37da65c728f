import type { Provenance } from '../../core/audit/event.ts'
import type { Credential } from '../../core/credentials/credential.ts'
import type { NewCredential, NewSecret, Scope } from '../../core/store.ts'
import type { CredentialRow, Db } from '../schema.ts'
import { batches, type DraftEvent } from './commit.ts'
import { toCredential, toCredentialRow, toSecretRow } from './rows.ts'

interface Place {
  readonly account: string
  readonly project: string
  readonly by: Provenance
}

/** Inserts credentials, each with its first secret if it has one; in the order in which they came. */
export async function insertCredentials(
  tx: Db,
  credentials: readonly NewCredential[],
  { account, project, by }: Place,
): Promise<readonly Credential[]> {
  const rows: CredentialRow[] = credentials.map((credential) =>
    toCredentialRow(credential, { account, project, createdBy: by.actor.id, at: by.at }),
  )
  for (const batch of batches(rows)) await tx.insertInto('credentials').values(batch).execute()
  await insertSecrets(
    tx,
    credentials.flatMap(({ id, secret }) => (secret === null ? [] : [{ credential: id, secret }])),
    by.at,
  )
  return rows.map(toCredential)
}

export async function insertSecrets(
  tx: Db,
  secrets: readonly { readonly credential: string; readonly secret: NewSecret }[],
  at: number,
): Promise<void> {
  const rows = secrets.map(({ credential, secret }) => toSecretRow(secret, credential, at))
  for (const batch of batches(rows)) await tx.insertInto('secrets').values(batch).execute()
  const sealed = secrets.flatMap(({ credential, secret }) =>
    secret.sealed === null
      ? []
      : [
          {
            secret: secret.id,
            credential,
            bytes: Buffer.from(secret.sealed.bytes),
            key: secret.sealed.key,
            visible_until: secret.sealed.visibleUntil,
          },
        ],
  )
  for (const batch of batches(sealed)) await tx.insertInto('sealed_copies').values(batch).execute()
}

/** The row as far as this scope may see it; deleted ones are as absent. */
export async function visibleCredential(db: Db, id: string, scope: Scope): Promise<CredentialRow | undefined> {
  return db
    .selectFrom('credentials')
    .selectAll()
    .where('id', '=', id)
    .where('hidden', '=', 0)
    .$if(scope !== null, (query) => query.where('account', '=', scope ?? ''))
    .executeTakeFirst()
}

export const credentialCreated = (credential: Credential): DraftEvent =>
  credentialEvent('credential.created', credential, null, describeCredential(credential))

export function credentialEvent(
  action: string,
  { id, account, project }: { readonly id: string; readonly account: string; readonly project: string },
  before: DraftEvent['before'],
  after: DraftEvent['after'],
): DraftEvent {
  return { action, targetKind: 'credential', targetId: id, account, project, credential: id, before, after }
}

export function secretEvent(
  action: string,
  secret: string,
  credential: { readonly id: string; readonly account: string; readonly project: string },
  before: DraftEvent['before'],
  after: Readonly<Record<string, unknown>>,
): DraftEvent {
  return {
    ...credentialEvent(action, credential, before, { credential: credential.id, ...after }),
    targetKind: 'secret',
    targetId: secret,
  }
}

export function describeCredential(credential: Credential): Readonly<Record<string, unknown>> {
  const { publicId, form, kind, apis, name, scopes, role, ipAllow, originAllow, limits, llm, oauth } = credential
  const { notBefore, expiresAt, primary, metadata } = credential
  const rights = {
    apis,
    scopes,
    role,
    ipAllow,
    originAllow,
    limits,
    ...(llm !== null && { llm }),
    ...(oauth !== null && { oauth }),
    notBefore,
    expiresAt,
  }
  return { name, kind, form, publicId, primary, ...rights, metadata }
}
