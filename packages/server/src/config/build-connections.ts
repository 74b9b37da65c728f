import type { ConfigRoute } from '@postern/contract'

import type { Route } from '../core/apis/api.ts'
import { isInjectable } from '../core/connections/platform.ts'
import { platformOf, platforms } from '../core/connections/platforms/index.ts'
import type { Context } from './context.ts'
import type { Path } from './issue.ts'
import { didYouMean } from './shape.ts'

type Written = ConfigRoute['connection']

/** Connections are data: whether one of that name exists is seen when a request needs it. */
export function buildConnection(
  written: Written,
  base: Route['connection'],
  path: Path,
  context: Context,
): Route['connection'] {
  if (written === undefined) return base
  if (typeof written === 'string') return { live: { name: written }, sandbox: { name: written } }
  const { platform, live, sandbox } = written
  if (platform === undefined) {
    return {
      live: live === undefined ? null : { name: live },
      sandbox: sandbox === undefined ? null : { name: sandbox },
    }
  }
  if (live !== undefined || sandbox !== undefined) {
    context.report.error(path, 'is either {platform: ID} or names for live and sandbox, not both')
  }
  checkPlatform(platform, [...path, 'platform'], context)
  return { live: { platform }, sandbox: { platform } }
}

function checkPlatform(id: string, path: Path, { report }: Context): void {
  const platform = platformOf(id)
  const ids = platforms.map((each) => each.id)
  if (platform === null) report.error(path, `no platform "${id}"; there are ${ids.join(', ')}${didYouMean(id, ids)}`)
  else if (!isInjectable(platform))
    report.error(path, `${platform.name} takes its credential in the body, which the gateway does not rewrite`)
}
