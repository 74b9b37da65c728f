import type { Environment } from '../apis/api.ts'
import type { CredentialKind } from '../credentials/credential.ts'

/** Who a request is, as the upstream, the log and the counters are told. Made once a request is decided. */
export interface Principal {
  /** Row of the record table, for counters; valid while `generation` is that of the row. */
  readonly row: number
  readonly generation: number
  /** Of who presents it: the same, but for a token under a grant. */
  readonly holder: number
  readonly holderGeneration: number
  /** -1 where a token was presented. */
  readonly secretRow: number
  readonly bearer: Standing | null
  /** Of a token under a grant, the client. */
  readonly credential: string
  /** Null where a token was presented. */
  readonly secret: string | null
  readonly publicId: string | null
  readonly kind: CredentialKind
  /** Of the grant's project, where there is a grant. */
  readonly account: string
  readonly project: string
  readonly environment: Environment
  /** Of the project; null where it has none. Chooses the upstream. */
  readonly region: string | null
  /** Effective scopes: own and role's, within the plan, and of a token what it carries of them. "*": all that there are. */
  readonly scopes: readonly string[]
  /** Null where no token of ours was presented. */
  readonly token: string | null
  readonly grant: string | null
  /** Who the token is about: the user who consented, or another issuer's subject. */
  readonly subject: string | null
  /** What a broker called whom it minted the token for. */
  readonly label: string | null
}

/** Of a token in memory: neither of the two is taken back. */
export interface Standing {
  readonly revoked: boolean
  /** It left memory: whoever goes on with it has to ask again. */
  readonly forgotten: boolean
}
