import type { Clock } from '../base/clock.ts'
import type { Ids } from '../base/ids.ts'
import type { Random } from '../base/random.ts'
import type { Declaration } from '../core/apis/api.ts'
import type { Authorization } from '../core/oauth/authorization.ts'
import type { PeopleSealing } from '../core/people/sealing.ts'
import type { ApplyChanges } from '../core/runtime.ts'
import type { Store } from '../core/store.ts'

/** What people's pages are given by the composition root. */
export interface IdentityParts {
  readonly store: Pick<Store, 'accounts' | 'projects' | 'credentials' | 'people' | 'grants'>
  readonly authorization: Authorization
  readonly sealing: PeopleSealing
  readonly apply: ApplyChanges
  declaration(): Declaration
  readonly clock: Clock
  readonly ids: Ids
  readonly random: Random
  /** Faults only: an event name, fields without secrets, and the error itself. */
  reportFault(event: string, fields: Readonly<Record<string, unknown>>, error: unknown): void
}
