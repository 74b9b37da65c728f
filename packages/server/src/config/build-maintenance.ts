import type { ConfigApi } from '@postern/contract'

import type { Maintenance } from '../core/apis/api.ts'
import { positiveMs } from './build-plans.ts'
import type { Context } from './context.ts'
import type { Path } from './issue.ts'

/** `base` is what the API says; a route's own word goes before it, `false` too. */
export function buildMaintenance(
  written: ConfigApi['maintenance'],
  base: Maintenance | null,
  path: Path,
  context: Context,
): Maintenance | null {
  if (written === undefined) return base
  if (written === false) return null
  const { retry_after: retryAfter, message = null } = written === true ? {} : written
  return { retryAfterMs: positiveMs(retryAfter ?? '5m', [...path, 'retry_after'], context), message }
}
