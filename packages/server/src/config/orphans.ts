import type { Api, Environment } from '../core/apis/api.ts'
import { isServed } from '../core/apis/regions.ts'
import type { Config } from './config.ts'

/** How many rows use each name: accounts a plan, live credentials an API or a scope. */
export interface InUse {
  readonly plans: Readonly<Record<string, number>>
  readonly apis: Readonly<Record<string, number>>
  readonly scopes: Readonly<Record<string, number>>
  /** Live credentials of each API by environment and region of their projects. */
  readonly places: readonly PlaceInUse[]
}

interface PlaceInUse {
  readonly api: string
  readonly environment: Environment
  readonly region: string | null
  readonly credentials: number
}

/**
 * Sentences about everything that rows still use, that was declared and that the next configuration no longer
 * declares. Whoever wants to take something away marks it `retired: true` first, and takes it away later.
 */
export function orphans(previous: Config, next: Config, inUse: InUse): readonly string[] {
  const before = previous.declaration
  const after = next.declaration
  const retired = new Set(previous.retiredScopes)
  const scopesAfter = scopesOf(after.apis.values())
  return [
    ...[...before.plans.values()]
      .filter(({ id, retired: gone }) => !gone && !after.plans.has(id))
      .flatMap(({ id }) => sentence('plan', id, inUse.plans, 'account')),
    ...[...before.apis.values()]
      .filter(({ id, retired: gone }) => !gone && !after.apis.has(id))
      .flatMap(({ id }) => sentence('API', id, inUse.apis, 'live credential')),
    ...[...scopesOf(before.apis.values())]
      .filter((scope) => !retired.has(scope) && !scopesAfter.has(scope))
      .flatMap((scope) => sentence('scope', scope, inUse.scopes, 'live credential')),
    ...inUse.places
      .filter(({ api }) => before.apis.get(api)?.retired === false && after.apis.has(api))
      .filter((place) => isServed(before, place) && !isServed(after, place))
      .map(unserved),
  ]
}

function unserved({ api, environment, region, credentials }: PlaceInUse): string {
  const [whose, advice] =
    region === null
      ? ['projects without a region', 'give these projects a region first']
      : [`projects in the region "${region}"`, 'keep its address and upstream until there is none']
  const holders = `${counted(credentials, 'live credential')} of such`
  return `the API "${api}" no longer serves ${environment} ${whose}, but there ${credentials === 1 ? 'is' : 'are'} ${holders}; ${advice}`
}

/** Of retired APIs none: they may leave with them. */
function scopesOf(apis: Iterable<Api>): ReadonlySet<string> {
  return new Set([...apis].filter(({ retired }) => !retired).flatMap(({ scopes }) => [...scopes.keys()]))
}

function sentence(what: string, id: string, counts: Readonly<Record<string, number>>, user: string): readonly string[] {
  const count = counts[id] ?? 0
  if (count === 0) return []
  const users = `${counted(count, user)} ${count === 1 ? 'uses' : 'use'} it`
  return [`the ${what} "${id}" is gone, but ${users}; keep it with "retired: true" until nothing does`]
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}
