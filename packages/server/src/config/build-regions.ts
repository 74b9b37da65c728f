import type { ConfigFile } from '@postern/contract'

import type { Context } from './context.ts'
import type { Path } from './issue.ts'
import { checkUnique } from './names.ts'
import type { Placed } from './placed.ts'
import { didYouMean } from './shape.ts'
import { writtenAddresses, writtenUpstreams } from './written.ts'

/**
 * The regions that a project may be in: those that are listed, and without a list those that addresses and upstreams
 * name. With a list they may be given to projects before an API is divided among them.
 */
export function buildRegions(written: ConfigFile, context: Context): ReadonlySet<string> {
  const named = Object.entries(written.apis ?? {}).flatMap(([id, api]) => [
    ...regionsOf(writtenAddresses(api, ['apis', id])),
    ...regionsOf(writtenUpstreams(api, ['apis', id])),
  ])
  const listed = written.regions ?? null
  for (const { region, path } of named) checkRegion(region, path, listed, context)
  checkUnique(listed ?? [], (index) => ['regions', index], 'a region', context)
  return new Set(listed ?? named.map(({ region }) => region))
}

function regionsOf(placed: readonly Placed<unknown>[]): readonly { readonly region: string; readonly path: Path }[] {
  return placed.flatMap(({ region, path }) => (region === null ? [] : [{ region, path }]))
}

function checkRegion(region: string, path: Path, listed: readonly string[] | null, { report }: Context): void {
  if (listed !== null && !listed.includes(region)) {
    report.error(path, `"${region}" is not one of "regions"${didYouMean(region, listed)}`, 'key')
  } else if (!/^[a-z][a-z0-9-]{0,31}$/.test(region)) {
    report.error(path, `"${region}" must be lower-case letters, digits and "-", a letter first, 32 at most`, 'key')
  }
}
