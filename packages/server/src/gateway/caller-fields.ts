import type { Principal } from '../core/records/principal.ts'
import type { DataPlane } from '../core/runtime.ts'
import { ownFields } from './upstream/request-head.ts'

/** Who calls, as fields of the head for the upstream. `api` is the id of the API. */
export type CallerFields = (principal: Principal | null, api: string) => string

interface Kept {
  readonly principal: Principal
  readonly api: string
  readonly fields: string
}

const keptMax = 4096

/**
 * Keeps the fields of those who called lately: nine lines, each to be looked at, which are the same for every request
 * of a caller. A principal that has changed in anything is another object, so that nothing old is ever told.
 */
export function createCallerFields(dataPlane: DataPlane): CallerFields {
  const kept: (Kept | undefined)[] = Array.from({ length: keptMax })
  return (principal, api) => {
    if (principal === null) return ownFields(dataPlane.callerHeaders(null, api))
    const place = principal.secretRow % keptMax
    const known = kept[place]
    if (known?.principal === principal && known.api === api) return known.fields
    const fields = ownFields(dataPlane.callerHeaders(principal, api))
    kept[place] = { principal, api, fields }
    return fields
  }
}
