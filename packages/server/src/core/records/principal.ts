import type { Environment } from '../apis/api.ts'
import type { CredentialKind } from '../credentials/credential.ts'

/** Who a request is, as the upstream, the log and the counters are told. Made once a request is decided. */
export interface Principal {
  /** Row of the record table, for counters; valid while `generation` is that of the row. */
  readonly row: number
  readonly secretRow: number
  readonly generation: number
  readonly credential: string
  readonly secret: string
  readonly publicId: string | null
  readonly kind: CredentialKind
  readonly account: string
  readonly project: string
  readonly environment: Environment
  /** Of the project; null where it has none. Chooses the upstream. */
  readonly region: string | null
  /** Effective scopes: own and role's, within the plan. "*" where the credential carries all. */
  readonly scopes: readonly string[]
}
