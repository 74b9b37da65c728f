import { ok } from '../../base/result.ts'
import type { CredentialStore, ImportedCredential } from '../../core/store.ts'
import type { Db } from '../schema.ts'
import { lockAccount } from './account-lock.ts'
import { batches, notFound, refuse, type Drafted } from './commit.ts'
import { credentialCreated, insertCredentials } from './credential-rows.ts'
import { countLive, tooManyKeys } from './max-keys.ts'
import { findProject } from './projects.ts'

type Import = Parameters<CredentialStore['import']>[0]

interface Outcome {
  readonly imported: readonly string[]
  readonly skipped: readonly number[]
  readonly refused: readonly { readonly index: number; readonly reason: string }[]
}

/**
 * Without `partial`, one refused credential keeps all out: the answer names each, and nothing is stored. What is
 * already there under the same account and name is skipped, so that an import can be run again.
 */
export async function importCredentials(tx: Db, input: Import): Drafted<Outcome> {
  const { account, project, credentials, maxKeys, partial, dryRun, by } = input
  if ((await findProject(tx, { id: project, scope: account })) === null) return notFound
  await lockAccount(tx, account)
  const { good, skipped, refused } = sort(credentials, account, await storedOf(tx, credentials))
  const room = maxKeys === null ? Infinity : Math.max(0, maxKeys - (await countLive(tx, account, by.at)))
  if (good.length > room && !partial && maxKeys !== null) return refuse(tooManyKeys(maxKeys))
  const fitting = good.slice(0, Math.min(good.length, room))
  for (const index of good.slice(fitting.length)) refused.push({ index, reason: tooManyKeys(maxKeys ?? 0) })
  const kept = refused.length > 0 && !partial ? [] : fitting.flatMap((index) => credentials[index] ?? [])
  const outcome = {
    imported: kept.map(({ id }) => id),
    skipped,
    refused: refused.toSorted((a, b) => a.index - b.index),
  }
  if (dryRun || kept.length === 0) return ok({ value: outcome, events: [] })
  const created = await insertCredentials(tx, kept, { account, project, by })
  return ok({
    value: outcome,
    events: created.map((credential) => ({ ...credentialCreated(credential), action: 'credential.imported' })),
  })
}

interface Stored {
  /** Digest in hex → whose it is. */
  readonly digests: ReadonlyMap<string, { readonly account: string; readonly name: string }>
  readonly publicIds: ReadonlySet<string>
}

async function storedOf(tx: Db, credentials: readonly ImportedCredential[]): Promise<Stored> {
  const digests = new Map<string, { readonly account: string; readonly name: string }>()
  const publicIds = new Set<string>()
  for (const batch of batches(credentials)) {
    const wanted = batch.map(({ secret }) => Buffer.from(secret.digest))
    const secrets = await tx
      .selectFrom('secrets')
      .innerJoin('credentials', 'credentials.id', 'secrets.credential')
      .select(['secrets.digest', 'credentials.account', 'credentials.name'])
      .where('secrets.digest', 'in', wanted)
      .execute()
    for (const { digest, account, name } of secrets) digests.set(hex(digest), { account, name })
    const ids = batch.flatMap(({ publicId }) => (publicId === null ? [] : [publicId]))
    if (ids.length === 0) continue
    const rows = await tx.selectFrom('credentials').select('public_id').where('public_id', 'in', ids).execute()
    for (const row of rows) if (row.public_id !== null) publicIds.add(row.public_id)
  }
  return { digests, publicIds }
}

interface Sorted {
  readonly good: readonly number[]
  readonly skipped: readonly number[]
  readonly refused: { index: number; reason: string }[]
}

function sort(credentials: readonly ImportedCredential[], account: string, stored: Stored): Sorted {
  const good: number[] = []
  const skipped: number[] = []
  const refused: { index: number; reason: string }[] = []
  const digests = new Set<string>()
  const publicIds = new Set(stored.publicIds)
  for (const [index, { name, publicId, secret }] of credentials.entries()) {
    const digest = hex(secret.digest)
    const owner = stored.digests.get(digest)
    if (owner?.account === account && owner.name === name) skipped.push(index)
    else if (owner !== undefined) refused.push({ index, reason: 'The digest is already stored.' })
    else if (digests.has(digest)) refused.push({ index, reason: 'The digest stands twice in this import.' })
    else if (publicId !== null && publicIds.has(publicId)) {
      refused.push({ index, reason: 'The public id is already taken.' })
    } else {
      good.push(index)
      digests.add(digest)
      if (publicId !== null) publicIds.add(publicId)
    }
  }
  return { good, skipped, refused }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
