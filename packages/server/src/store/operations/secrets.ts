import { ok } from '../../base/result.ts'
import { liveSecretsMax, type Credential, type SecretInfo } from '../../core/credentials/credential.ts'
import type { CredentialStore, Scope, SealedCopy } from '../../core/store.ts'
import type { CredentialRow, Db, SecretRow } from '../schema.ts'
import { notFound, refuse, type Drafted } from './commit.ts'
import { insertSecrets, secretEvent, visibleCredential } from './credential-rows.ts'
import { toCredential, toSecretInfo } from './rows.ts'

type Rotate = Parameters<CredentialStore['rotate']>[0]
type EndSecret = Parameters<CredentialStore['endSecret']>[0]
type Reveal = Parameters<CredentialStore['reveal']>[0]

export async function rotateSecret(
  tx: Db,
  { id, scope, secret, endOthersAt, by }: Rotate,
): Drafted<{ readonly credential: Credential; readonly secrets: readonly SecretInfo[] }> {
  const row = await touchLive(tx, id, scope, by.at)
  if (row === undefined) return refuseDead(tx, id, scope)
  if (toCredential(row).oauth?.type === 'public') return refuse('A public client has no secret to rotate.')
  await tx
    .updateTable('secrets')
    .set({ not_after: endOthersAt })
    .where('credential', '=', id)
    .where((eb) => eb.or([eb('not_after', 'is', null), eb('not_after', '>', endOthersAt)]))
    .execute()
  const others = await secretRows(tx, id)
  if (others.filter((other) => lives(other, by.at)).length >= liveSecretsMax) {
    return refuse(`The credential already has ${liveSecretsMax} live secrets; end one first.`)
  }
  await forgetEnded(tx, id, by.at)
  await insertSecrets(tx, [{ credential: id, secret }], by.at)
  const secrets = await secretRows(tx, id)
  const event = secretEvent('secret.rotated', secret.id, row, null, { origin: secret.origin, endOthersAt })
  return ok({
    value: { credential: toCredential(row), secrets: secrets.map((each) => toSecretInfo(each)) },
    events: [event],
  })
}

export async function endSecret(tx: Db, { id, secret, scope, at, by }: EndSecret): Drafted<SecretInfo> {
  const row = await touchLive(tx, id, scope, by.at)
  if (row === undefined) return refuseDead(tx, id, scope)
  const before = await tx
    .selectFrom('secrets')
    .selectAll()
    .where('credential', '=', id)
    .where('id', '=', secret)
    .executeTakeFirst()
  if (before === undefined) return notFound
  const ended = await tx
    .updateTable('secrets')
    .set({ not_after: at })
    .where('credential', '=', id)
    .where('id', '=', secret)
    .where((eb) => eb.or([eb('not_after', 'is', null), eb('not_after', '>', by.at)]))
    .returningAll()
    .executeTakeFirst()
  if (ended === undefined) return refuse('The secret has already ended; it is not revived.')
  await forgetEnded(tx, id, by.at)
  const event = secretEvent('secret.ended', secret, row, { notAfter: before.not_after }, { notAfter: at })
  const after = (await secretRows(tx, id)).find((each) => each.id === secret) ?? ended
  return ok({ value: toSecretInfo(after), events: [event] })
}

/**
 * Raises the version of what lives at `now`, in one conditional statement, and so locks it: what follows in the
 * transaction is alone with the credential's secrets.
 */
async function touchLive(tx: Db, id: string, scope: Scope, now: number): Promise<CredentialRow | undefined> {
  return tx
    .updateTable('credentials')
    .set((eb) => ({ version: eb('version', '+', 1) }))
    .where('id', '=', id)
    .where('hidden', '=', 0)
    .where('state', 'in', ['active', 'blocked'])
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', now)]))
    .$if(scope !== null, (query) => query.where('account', '=', scope ?? ''))
    .returningAll()
    .executeTakeFirst()
}

async function refuseDead(tx: Db, id: string, scope: Scope): Promise<typeof notFound> {
  const row = await visibleCredential(tx, id, scope)
  if (row === undefined) return notFound
  const state = row.state === 'revoked' || row.state === 'compromised' ? row.state : 'expired'
  return refuse(`The credential is ${state}; it is not revived.`)
}

/** The sealed copies of secrets that have ended go with them. */
async function forgetEnded(tx: Db, credential: string, now: number): Promise<void> {
  const ended = await tx
    .updateTable('secrets')
    .set({ visible_until: null })
    .where('credential', '=', credential)
    .where('not_after', '<=', now)
    .where('visible_until', 'is not', null)
    .returning('id')
    .execute()
  if (ended.length === 0) return
  await tx
    .deleteFrom('sealed_copies')
    .where(
      'secret',
      'in',
      ended.map((each) => each.id),
    )
    .execute()
}

const lives = (secret: SecretRow, now: number): boolean => secret.not_after === null || secret.not_after > now

async function secretRows(db: Db, credential: string): Promise<readonly SecretRow[]> {
  return db.selectFrom('secrets').selectAll().where('credential', '=', credential).orderBy('id').execute()
}

/** Without last uses, which live beside the usage. */
export async function listSecrets(
  db: Db,
  { id, scope }: { readonly id: string; readonly scope: Scope },
): Promise<readonly SecretInfo[]> {
  if ((await visibleCredential(db, id, scope)) === undefined) return []
  const rows = await secretRows(db, id)
  return rows.map((row) => toSecretInfo(row))
}

export async function revealSecret(tx: Db, { id, secret, scope, by }: Reveal): Drafted<SealedCopy | null> {
  const row = await visibleCredential(tx, id, scope)
  if (row === undefined) return notFound
  const known = await tx
    .selectFrom('secrets')
    .leftJoin('sealed_copies', 'sealed_copies.secret', 'secrets.id')
    .select(['sealed_copies.bytes', 'sealed_copies.key', 'sealed_copies.visible_until as visibleUntil'])
    .where('secrets.credential', '=', id)
    .where('secrets.id', '=', secret)
    .executeTakeFirst()
  if (known === undefined) return notFound
  const { bytes, key, visibleUntil } = known
  if (bytes === null || key === null || visibleUntil === null || visibleUntil <= by.at) {
    return ok({ value: null, events: [] })
  }
  return ok({
    value: { bytes: new Uint8Array(bytes), key, visibleUntil },
    events: [secretEvent('secret.revealed', secret, row, null, { visibleUntil })],
  })
}

/** Deletes what may no longer be shown; the store then truncates its log, so that no copy is left in it. */
export async function closeWindows(tx: Db, { now }: { readonly now: number }): Promise<number> {
  const closed = await tx.deleteFrom('sealed_copies').where('visible_until', '<=', now).returning('secret').execute()
  await tx.updateTable('secrets').set({ visible_until: null }).where('visible_until', '<=', now).execute()
  return closed.length
}
