import { sql } from 'kysely'

import { fail, ok } from '../../base/result.ts'
import type { Credential, CredentialState } from '../../core/credentials/credential.ts'
import type { CredentialStore, Page, Scope, StateChange } from '../../core/store.ts'
import type { CredentialRow, Db } from '../schema.ts'
import { lockAccount } from './account-lock.ts'
import { notFound, refuse, type Drafted } from './commit.ts'
import {
  credentialCreated,
  credentialEvent,
  describeCredential,
  insertCredentials,
  visibleCredential,
} from './credential-rows.ts'
import { countLive, tooManyKeys } from './max-keys.ts'
import { createdBefore, createdKey, escapeLike, toPage } from './page.ts'
import { findProject } from './projects.ts'
import { toCredential } from './rows.ts'

type Create = Parameters<CredentialStore['create']>[0]
type Update = Parameters<CredentialStore['update']>[0]
type SetState = Parameters<CredentialStore['setState']>[0]
type List = Parameters<CredentialStore['list']>[0]

export async function createCredential(
  tx: Db,
  { account, project, credential, maxKeys, by }: Create,
): Drafted<Credential> {
  if ((await findProject(tx, { id: project, scope: account })) === null) return notFound
  if (maxKeys !== null) {
    await lockAccount(tx, account)
    if ((await countLive(tx, account, by.at)) >= maxKeys) return refuse(tooManyKeys(maxKeys))
  }
  const created = await insertCredentials(tx, [credential], { account, project, by })
  const [only] = created
  if (only === undefined) throw new Error('an inserted credential is missing')
  return ok({ value: only, events: created.map(credentialCreated) })
}

export async function updateCredential(tx: Db, { id, scope, version, set }: Update): Drafted<Credential> {
  const before = await visibleCredential(tx, id, scope)
  if (before === undefined) return notFound
  // What was read is what is replaced: the version in the condition says so.
  const row = await tx
    .updateTable('credentials')
    .set({ ...columnsOf(set), version: version + 1 })
    .where('id', '=', id)
    .where('version', '=', version)
    .where('state', 'in', ['active', 'blocked'])
    .returningAll()
    .executeTakeFirst()
  if (row === undefined) {
    return before.version === version
      ? refuse(`The credential is ${before.state}; it can no longer be changed.`)
      : fail({ code: 'version_mismatch', current: before.version })
  }
  const updated = toCredential(row)
  const event = credentialEvent(
    'credential.updated',
    updated,
    describeCredential(toCredential(before)),
    describeCredential(updated),
  )
  return ok({ value: updated, events: [event] })
}

function columnsOf(set: Update['set']): Partial<CredentialRow> {
  return {
    ...(set.name !== undefined && { name: set.name }),
    ...(set.apis !== undefined && { apis: JSON.stringify(set.apis) }),
    ...(set.scopes !== undefined && { scopes: JSON.stringify(set.scopes) }),
    ...(set.role !== undefined && { role: set.role }),
    ...(set.ipAllow !== undefined && { ip_allow: JSON.stringify(set.ipAllow) }),
    ...(set.originAllow !== undefined && {
      origin_allow: set.originAllow === null ? null : JSON.stringify(set.originAllow),
    }),
    ...(set.limits !== undefined && { limits: JSON.stringify(set.limits) }),
    ...(set.llm !== undefined && { llm: set.llm === null ? null : JSON.stringify(set.llm) }),
    ...(set.oauth !== undefined && { oauth: set.oauth === null ? null : JSON.stringify(set.oauth) }),
    ...(set.notBefore !== undefined && { not_before: set.notBefore }),
    ...(set.expiresAt !== undefined && { expires_at: set.expiresAt }),
    ...(set.metadata !== undefined && { metadata: JSON.stringify(set.metadata) }),
  }
}

/** From where a change may come: the condition of its one statement. */
const statesBefore: Readonly<Record<StateChange['to'], readonly CredentialState[]>> = {
  blocked: ['active', 'blocked'],
  active: ['blocked'],
  revoked: ['active', 'blocked'],
  compromised: ['active', 'blocked'],
}

const actions: Readonly<Record<StateChange['to'], string>> = {
  blocked: 'credential.blocked',
  active: 'credential.unblocked',
  revoked: 'credential.revoked',
  compromised: 'credential.compromised',
}

export async function setCredentialState(tx: Db, { id, scope, change, by }: SetState): Drafted<Credential> {
  const before = await visibleCredential(tx, id, scope)
  if (before === undefined) return notFound
  const row = await tx
    .updateTable('credentials')
    .set((eb) => ({
      state: change.to,
      state_reason: 'reason' in change ? change.reason : null,
      state_at: by.at,
      blocked_until: change.to === 'blocked' ? change.until : null,
      version: eb('version', '+', 1),
      ...(change.to === 'revoked' && change.hide && { hidden: 1 }),
    }))
    .where('id', '=', id)
    .where('hidden', '=', 0)
    .where('state', 'in', statesBefore[change.to])
    .returningAll()
    .executeTakeFirst()
  if (row === undefined)
    return change.to === 'revoked' && change.hide ? hideDead(tx, id) : refuse(whyNot(before, change))
  if (change.to === 'revoked' || change.to === 'compromised') await forgetSealed(tx, id)
  const credential = toCredential(row)
  return ok({
    value: credential,
    events: [credentialEvent(actions[change.to], credential, { state: before.state }, describeChange(change))],
  })
}

/** Deleting what is already dead takes it from the lists and leaves its state as it is. */
async function hideDead(tx: Db, id: string): Drafted<Credential> {
  const row = await tx
    .updateTable('credentials')
    .set((eb) => ({ hidden: 1, version: eb('version', '+', 1) }))
    .where('id', '=', id)
    .where('hidden', '=', 0)
    .returningAll()
    .executeTakeFirst()
  if (row === undefined) return notFound
  const credential = toCredential(row)
  return ok({
    value: credential,
    events: [credentialEvent('credential.hidden', credential, { hidden: false }, { hidden: true })],
  })
}

/** A secret that nobody may use any more need not be shown either. */
async function forgetSealed(tx: Db, credential: string): Promise<void> {
  await tx.deleteFrom('sealed_copies').where('credential', '=', credential).execute()
  await tx
    .updateTable('secrets')
    .set({ visible_until: null })
    .where('credential', '=', credential)
    .where('visible_until', 'is not', null)
    .execute()
}

function whyNot(before: CredentialRow, change: StateChange): string {
  if (change.to === 'active' && before.state === 'active') return 'The credential is not blocked.'
  return `The credential is ${before.state}; that is final.`
}

function describeChange(change: StateChange): Readonly<Record<string, unknown>> {
  const { to, ...rest } = change
  return { state: to, ...rest }
}

export async function markExposed(
  tx: Db,
  { id, secret, againMs, by }: Parameters<CredentialStore['markExposed']>[0],
): Drafted<Credential> {
  const known = await tx.selectFrom('credentials').selectAll().where('id', '=', id).executeTakeFirst()
  if (known === undefined) return notFound
  const marked = await tx
    .updateTable('secrets')
    .set({ exposed_at: by.at })
    .where('credential', '=', id)
    .where('id', '=', secret)
    .where((eb) => eb.or([eb('not_after', 'is', null), eb('not_after', '>', by.at)]))
    .where((eb) => eb.or([eb('exposed_at', 'is', null), eb('exposed_at', '<=', by.at - againMs)]))
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom('credentials')
          .select('credentials.id')
          .where('credentials.id', '=', id)
          .where('credentials.state', 'in', ['active', 'blocked']),
      ),
    )
    .executeTakeFirst()
  if (marked.numUpdatedRows === 0n) return ok({ value: toCredential(known), events: [] })
  const row = await tx
    .updateTable('credentials')
    .set((eb) => ({ exposed_at: eb.fn.coalesce('exposed_at', eb.val(by.at)) }))
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()
  const credential = toCredential(row)
  return ok({
    value: credential,
    events: [credentialEvent('credential.exposed', credential, null, { secret, exposedAt: by.at })],
  })
}

export async function markTokenExposed(
  tx: Db,
  { id, token, by }: Parameters<CredentialStore['markTokenExposed']>[0],
): Drafted<Credential> {
  const known = await tx.selectFrom('credentials').selectAll().where('id', '=', id).executeTakeFirst()
  if (known === undefined) return notFound
  const row = await tx
    .updateTable('credentials')
    .set((eb) => ({ exposed_at: eb.fn.coalesce('exposed_at', eb.val(by.at)) }))
    .where('id', '=', id)
    .where('state', 'in', ['active', 'blocked'])
    .$if(token !== null, (query) =>
      query.where((eb) =>
        eb.exists(
          eb
            .selectFrom('tokens')
            .select('tokens.id')
            .where('tokens.id', '=', token ?? '')
            .where('tokens.credential', '=', id)
            .where('tokens.revoked_at', 'is', null)
            .where('tokens.expires_at', '>', by.at),
        ),
      ),
    )
    .returningAll()
    .executeTakeFirst()
  if (row === undefined) return ok({ value: toCredential(known), events: [] })
  const credential = toCredential(row)
  return ok({
    value: credential,
    events: [credentialEvent('credential.exposed', credential, null, { token, exposedAt: by.at })],
  })
}

export async function findCredential(
  db: Db,
  { id, scope }: { readonly id: string; readonly scope: Scope },
): Promise<Credential | null> {
  const row = await visibleCredential(db, id, scope)
  return row === undefined ? null : toCredential(row)
}

export async function listCredentials(db: Db, input: List): Promise<Page<Credential>> {
  const { account, project, kind, state, api, search, scope, after, limit } = input
  const rows = await db
    .selectFrom('credentials')
    .selectAll()
    .where('hidden', '=', 0)
    .$if(scope !== null, (query) => query.where('account', '=', scope ?? ''))
    .$if(account !== null, (query) => query.where('account', '=', account ?? ''))
    .$if(project !== null, (query) => query.where('project', '=', project ?? ''))
    .$if(kind !== null, (query) => query.where('kind', '=', kind ?? ''))
    .$if(state !== null, (query) => query.where('state', '=', state ?? ''))
    // The conditions of the partial indexes, word for word: no planner infers them from a parameter.
    .$if(kind !== null && kind !== 'secret', (query) => query.where(sql<boolean>`kind <> 'secret'`))
    .$if(state !== null && state !== 'active', (query) => query.where(sql<boolean>`state <> 'active'`))
    .$if(api !== null, (query) =>
      query.where(sql<boolean>`apis like ${`%${escapeLike(JSON.stringify(api))}%`} escape '!'`),
    )
    .$if(search !== null, (query) =>
      query.where((eb) =>
        eb.or([
          eb('public_id', '=', search),
          sql<boolean>`lower(name) like ${`%${escapeLike((search ?? '').toLowerCase())}%`} escape '!'`,
        ]),
      ),
    )
    .$if(after !== null, (query) => query.where(createdBefore('credentials', after ?? '')))
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute()
  return toPage<CredentialRow, Credential>(rows, limit, toCredential, createdKey)
}
