import { ok } from '../../base/result.ts'
import type { SystemStore } from '../../core/store.ts'
import type { Db } from '../schema.ts'
import type { Drafted } from './commit.ts'

type InUse = Awaited<ReturnType<SystemStore['inUse']>>
type Counts = Awaited<ReturnType<SystemStore['counts']>>

/** Accounts per plan, live credentials per API and per scope; sums over the few combinations that occur. */
export async function inUse(db: Db): Promise<InUse> {
  const plans = await db
    .selectFrom('accounts')
    .select((eb) => ['plan', eb.fn.countAll<number>().as('count')])
    .groupBy('plan')
    .execute()
  const rights = await db
    .selectFrom('credentials')
    .select((eb) => ['apis', 'scopes', eb.fn.countAll<number>().as('count')])
    .where('state', 'in', ['active', 'blocked'])
    .groupBy(['apis', 'scopes'])
    .execute()
  const apis: Record<string, number> = {}
  const scopes: Record<string, number> = {}
  for (const row of rights) {
    for (const api of listOf(row.apis)) apis[api] = (apis[api] ?? 0) + row.count
    for (const scope of listOf(row.scopes)) scopes[scope] = (scopes[scope] ?? 0) + row.count
  }
  return {
    plans: Object.fromEntries(plans.map(({ plan, count }) => [plan, count])),
    apis,
    scopes,
    places: await placesInUse(db),
  }
}

async function placesInUse(db: Db): Promise<InUse['places']> {
  const rows = await db
    .selectFrom('credentials')
    .innerJoin('projects', 'projects.id', 'credentials.project')
    .select((eb) => ['apis', 'environment', 'region', eb.fn.countAll<number>().as('credentials')])
    .where('state', 'in', ['active', 'blocked'])
    .groupBy(['apis', 'environment', 'region'])
    .execute()
  const places = new Map<string, InUse['places'][number]>()
  for (const { apis, environment, region, credentials } of rows) {
    for (const api of listOf(apis)) {
      const key = JSON.stringify([api, environment, region])
      const before = places.get(key)?.credentials ?? 0
      places.set(key, {
        api,
        environment: environment === 'live' ? 'live' : 'sandbox',
        region,
        credentials: before + credentials,
      })
    }
  }
  return [...places.values()]
}

function listOf(json: string): readonly string[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by this program
  return JSON.parse(json) as string[]
}

export async function counts(db: Db): Promise<Counts> {
  const { accounts } = await db
    .selectFrom('accounts')
    .select((eb) => eb.fn.countAll<number>().as('accounts'))
    .executeTakeFirstOrThrow()
  const { projects } = await db
    .selectFrom('projects')
    .select((eb) => eb.fn.countAll<number>().as('projects'))
    .executeTakeFirstOrThrow()
  const { credentials } = await db
    .selectFrom('credentials')
    .select((eb) => eb.fn.countAll<number>().as('credentials'))
    .executeTakeFirstOrThrow()
  const { events } = await db.selectFrom('event_head').select('sequence as events').executeTakeFirstOrThrow()
  return { accounts, projects, credentials, events }
}

/** What is done outside the database (to key files) stands in the audit log all the same. */
export async function noteSystem(_tx: Db, { event }: Parameters<SystemStore['note']>[0]): Drafted<null> {
  const nothing = { account: null, project: null, credential: null, before: null, after: null }
  return ok({ value: null, events: [{ ...event, ...nothing }] })
}

export async function ping(db: Db): Promise<void> {
  await db.selectFrom('event_head').select('id').execute()
}
