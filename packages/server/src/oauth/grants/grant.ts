import type { Result } from '../../base/result.ts'
import type { GrantType } from '../../core/credentials/oauth-client.ts'
import type { Client } from '../../core/decision/clients.ts'
import type { IssuedTokens } from '../../core/oauth/dialect.ts'
import type { Call } from '../call.ts'
import type { Parameters } from '../parameters.ts'
import type { OAuthParts } from '../parts.ts'
import type { OAuthRefusal } from '../refusal.ts'

/** One way to a token: what it needs beside a client that is known, and what it issues. */
export interface Grant {
  readonly type: GrantType
  issue(
    parts: OAuthParts,
    call: Call,
    client: Client,
    parameters: Parameters,
  ): Promise<Result<IssuedTokens, OAuthRefusal>>
}
