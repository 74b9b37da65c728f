import type { Grant, GrantRecord } from '../../core/grants/grant.ts'
import type { MemberRole } from '../../core/people/member.ts'
import type { Db, GrantRow } from '../schema.ts'
import { parsed, trusted } from './rows.ts'

export function toGrant(row: GrantRow): Grant {
  return {
    id: row.id,
    client: row.client,
    user: row.user_id,
    account: row.account,
    project: row.project,
    apis: parsed(row.apis),
    scopes: parsed(row.scopes),
    state: trusted(row.state),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    withdrawnAt: row.withdrawn_at,
    version: row.version,
  }
}

/** Grants by their own ids, and the active ones of members and users: what changes with those. */
export interface GrantsWanted {
  readonly ids: readonly string[]
  readonly members?: readonly string[]
  readonly users?: readonly string[]
}

const idsPerStatement = 1000

/** In the order of their ids; withdrawn ones as well, where they are asked for by their own. */
export async function grantRecords(
  db: Db,
  { ids, members = [], users = [] }: GrantsWanted,
): Promise<readonly GrantRecord[]> {
  const records = new Map<string, GrantRecord>()
  const add = (rows: readonly PersonalGrantRow[]) => {
    for (const row of rows) records.set(row.id, toGrantRecord(row))
  }
  for (const some of inParts(ids)) add(await personalGrants(db).where('grants.id', 'in', some).execute())
  for (const some of inParts(members)) {
    add(await personalGrants(db).where('members.id', 'in', some).where('grants.state', '=', 'active').execute())
  }
  for (const some of inParts(users)) {
    add(await personalGrants(db).where('grants.user_id', 'in', some).where('grants.state', '=', 'active').execute())
  }
  return [...records.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1))
}

function* inParts(ids: readonly string[]): Generator<readonly string[]> {
  for (let start = 0; start < ids.length; start += idsPerStatement) yield ids.slice(start, start + idsPerStatement)
}

interface PersonalGrantRow extends GrantRow {
  role: string | null
  member_state: string | null
  member_version: number | null
  user_state: string | null
  user_version: number | null
}

// oxlint-disable-next-line typescript/explicit-function-return-type -- the builder's type is its definition
function personalGrants(db: Db) {
  return db
    .selectFrom('grants')
    .leftJoin('members', (join) =>
      join.onRef('members.account', '=', 'grants.account').onRef('members.user_id', '=', 'grants.user_id'),
    )
    .leftJoin('users', 'users.id', 'grants.user_id')
    .selectAll('grants')
    .select([
      'members.role',
      'members.state as member_state',
      'members.version as member_version',
      'users.state as user_state',
      'users.version as user_version',
    ])
}

function toGrantRecord(row: PersonalGrantRow): GrantRecord {
  const mayAct = row.member_state === 'active' && row.user_state === 'active'
  return {
    id: row.id,
    client: row.client,
    user: row.user_id,
    account: row.account,
    project: row.project,
    apis: parsed(row.apis),
    scopes: parsed(row.scopes),
    active: row.state === 'active',
    stateAt: row.withdrawn_at,
    role: mayAct && row.role !== null ? trusted<MemberRole>(row.role) : null,
    version: row.version + (row.member_version ?? 0) + (row.user_version ?? 0),
    createdAt: row.created_at,
  }
}
