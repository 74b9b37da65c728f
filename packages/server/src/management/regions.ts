import { nearest } from '../core/credentials/nearest.ts'
import type { ManagementParts } from './parts.ts'
import { Refused } from './problems.ts'

/** A project in a region that nothing serves could be used nowhere. */
export function refuseUnknownRegion(parts: ManagementParts, region: string | null): void {
  const regions = [...parts.dataPlane.declaration().regions]
  if (region === null || regions.includes(region)) return
  const near = nearest(region, regions)
  const message =
    regions.length === 0
      ? 'is not a region: postern.yaml declares none'
      : `is not a region that postern.yaml declares${near === null ? '' : `; did you mean "${near}"?`}`
  throw new Refused('not_acceptable_value', { errors: [{ path: '/region', message }] })
}
