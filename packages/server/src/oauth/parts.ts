import type { Clock } from '../base/clock.ts'
import type { Ids } from '../base/ids.ts'
import type { Random } from '../base/random.ts'
import type { Declaration } from '../core/apis/api.ts'
import type { Clients } from '../core/decision/clients.ts'
import type { LiveTokens } from '../core/decision/live-tokens.ts'
import type { GrantStore } from '../core/grants/grant-store.ts'
import type { GrantRecord } from '../core/grants/grant.ts'
import type { SigningKeys } from '../core/oauth/signing-keys.ts'
import type { ApplyChanges } from '../core/runtime.ts'
import type { TokenStore } from '../core/tokens/token-store.ts'
import type { NewToken } from '../core/tokens/token.ts'

/** What the endpoints are given by the composition root. */
export interface OAuthParts {
  readonly declaration: () => Declaration
  readonly clients: Clients
  readonly liveTokens: LiveTokens
  readonly tokens: TokenStore
  readonly grants: GrantStore
  /** Withdrawn ones as well. Null: there is none. */
  readonly grantRecord: (input: { readonly id: string }) => Promise<GrantRecord | null>
  /** What people call a credential; null: there is none. */
  readonly nameOf: (input: { readonly id: string }) => Promise<string | null>
  readonly apply: ApplyChanges
  /** Tokens that were stored: this node takes them without asking the store. */
  readonly minted: (tokens: readonly NewToken[]) => void
  readonly signingKeys: SigningKeys
  readonly clock: Clock
  readonly random: Random
  readonly ids: Ids
}
