import type { ExpressionBuilder } from 'kysely'

import { fail, ok } from '../../base/result.ts'
import type { Project } from '../../core/accounts/account.ts'
import type { Provenance } from '../../core/audit/event.ts'
import type { Credential } from '../../core/credentials/credential.ts'
import type { NewProject, Page, ProjectStore, Scope } from '../../core/store.ts'
import type { Db, ProjectRow, Tables } from '../schema.ts'
import { lockAccount } from './account-lock.ts'
import { notFound, refuse, type DraftEvent, type Drafted } from './commit.ts'
import { credentialCreated, insertCredentials } from './credential-rows.ts'
import { countLive, tooManyKeys } from './max-keys.ts'
import { createdBefore, createdKey, toPage } from './page.ts'
import { toProject, toProjectRow } from './rows.ts'

type Create = Parameters<ProjectStore['create']>[0]
type Update = Parameters<ProjectStore['update']>[0]
type List = Parameters<ProjectStore['list']>[0]

export async function createProject(
  tx: Db,
  { account, project, maxKeys, by }: Create,
): Drafted<{ readonly project: Project; readonly credentials: readonly Credential[] }> {
  const owner = await tx.selectFrom('accounts').select('id').where('id', '=', account).executeTakeFirst()
  if (owner === undefined) return notFound
  if (maxKeys !== null && project.credentials.length > 0) {
    await lockAccount(tx, account)
    const live = await countLive(tx, account, by.at)
    if (live + project.credentials.length > maxKeys) return refuse(tooManyKeys(maxKeys))
  }
  const made = await insertProject(tx, account, project, by)
  return ok({ value: { project: made.project, credentials: made.credentials }, events: made.events })
}

/** The project with its default pairs, and what is to be told of it. */
export async function insertProject(
  tx: Db,
  account: string,
  project: NewProject,
  by: Provenance,
): Promise<{
  readonly project: Project
  readonly credentials: readonly Credential[]
  readonly events: readonly DraftEvent[]
}> {
  const row = await tx
    .insertInto('projects')
    .values(toProjectRow(project, account, by.at))
    .returningAll()
    .executeTakeFirstOrThrow()
  const created = toProject(row)
  const credentials = await insertCredentials(tx, project.credentials, { account, project: project.id, by })
  return {
    project: created,
    credentials,
    events: [projectEvent('project.created', created, null, describe(created)), ...credentials.map(credentialCreated)],
  }
}

export async function updateProject(tx: Db, { id, scope, version, set }: Update): Drafted<Project> {
  const before = await findProject(tx, { id, scope })
  if (before === null) return notFound
  const row = await tx
    .updateTable('projects')
    .set({
      ...(set.name !== undefined && { name: set.name }),
      ...(set.region !== undefined && { region: set.region }),
      ...(set.ipAllow !== undefined && { ip_allow: JSON.stringify(set.ipAllow) }),
      ...(set.metadata !== undefined && { metadata: JSON.stringify(set.metadata) }),
      version: version + 1,
    })
    .where('id', '=', id)
    .where('version', '=', version)
    .$if(set.region !== undefined, (query) => query.where(mayMoveTo(set.region ?? null)))
    .returningAll()
    .executeTakeFirst()
  if (row === undefined) {
    return before.version === version
      ? refuse('The project has credentials, so it stays in its region. Make another project for the other region.')
      : fail({ code: 'version_mismatch', current: before.version })
  }
  const updated = toProject(row)
  return ok({ value: updated, events: [projectEvent('project.updated', updated, describe(before), describe(updated))] })
}

/** Whoever holds a credential of the project knows where it works: it is moved only while there is none. */
function mayMoveTo(region: string | null) {
  return (eb: ExpressionBuilder<Tables, 'projects'>) =>
    eb.or([
      eb('region', 'is', null),
      eb('region', '=', region),
      eb.not(
        eb.exists(
          eb.selectFrom('credentials').select('credentials.id').whereRef('credentials.project', '=', 'projects.id'),
        ),
      ),
    ])
}

export async function findProject(
  db: Db,
  { id, scope }: { readonly id: string; readonly scope: Scope },
): Promise<Project | null> {
  const row = await db
    .selectFrom('projects')
    .selectAll()
    .where('id', '=', id)
    .$if(scope !== null, (query) => query.where('account', '=', scope ?? ''))
    .executeTakeFirst()
  return row === undefined ? null : toProject(row)
}

export async function listProjects(db: Db, { limit, after, account, scope }: List): Promise<Page<Project>> {
  const rows = await db
    .selectFrom('projects')
    .selectAll()
    .$if(scope !== null, (query) => query.where('account', '=', scope ?? ''))
    .$if(account !== null, (query) => query.where('account', '=', account ?? ''))
    .$if(after !== null, (query) => query.where(createdBefore('projects', after ?? '')))
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute()
  return toPage<ProjectRow, Project>(rows, limit, toProject, createdKey)
}

function projectEvent(
  action: string,
  project: Project,
  before: DraftEvent['before'],
  after: DraftEvent['after'],
): DraftEvent {
  const { id, account } = project
  return { action, targetKind: 'project', targetId: id, account, project: id, credential: null, before, after }
}

function describe({ name, environment, region, ipAllow, metadata }: Project): Readonly<Record<string, unknown>> {
  return { name, environment, region, ipAllow, metadata }
}
