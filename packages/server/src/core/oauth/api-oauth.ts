import type { TokenFormat } from '../tokens/token.ts'
import type { LocalRoute } from './local-route.ts'

/** Tokens for one API, as they are declared. */
export interface ApiOAuth {
  readonly accessToken: TokenFormat
  /** Lifetime of its access tokens. */
  readonly ttlMs: number
  readonly refresh: {
    /** A refresh token that is not used for so long ends. */
    readonly idleMs: number
    /** And so does what came of one consent, however often it was refreshed. */
    readonly absoluteMs: number
  }
  /** What clients call it in `resource` (RFC 8707). The first is its audience; there is always one. */
  readonly resources: readonly string[]
  /** Whether its keys and pairs mint tokens for themselves, as OAuth clients do (VCH-7). */
  readonly fromKeys: boolean
}

/** What a vendor says about tokens. */
export interface PresetOAuth {
  /** Endpoints under the API's own address. */
  readonly endpoints: readonly PresetEndpoint[]
  readonly fromKeys: boolean
}

export interface PresetEndpoint extends LocalRoute {
  /** Of the route that it becomes. */
  readonly id: string
  readonly path: string
}
