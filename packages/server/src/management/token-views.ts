import type { wire } from '@postern/contract'

import type { Grant } from '../core/grants/grant.ts'
import type { Token } from '../core/tokens/token.ts'
import { timestamp, timestampOrNull } from './times.ts'

/** How tokens and what they rest on look on the wire: never with a value or a digest. */
export function tokenView(token: Token, now: number): wire.Token {
  return {
    id: token.id,
    kind: token.kind,
    format: token.format,
    credential: token.credential,
    grant: token.grant,
    family: token.family,
    account: token.account,
    project: token.project,
    api: token.api,
    scopes: [...token.scopes],
    label: token.label,
    state: tokenState(token, now),
    created_at: timestamp(token.createdAt),
    expires_at: timestamp(token.expiresAt),
    spent_at: timestampOrNull(token.spentAt),
    revoked_at: timestampOrNull(token.revokedAt),
  }
}

/** A token that was revoked says so, whatever became of it before. */
function tokenState({ revokedAt, spentAt, expiresAt }: Token, now: number): wire.Token['state'] {
  if (revokedAt !== null) return 'revoked'
  if (spentAt !== null) return 'spent'
  return expiresAt <= now ? 'expired' : 'live'
}

export function grantView(grant: Grant): wire.Grant {
  return {
    id: grant.id,
    client: grant.client,
    user: grant.user,
    account: grant.account,
    project: grant.project,
    apis: [...grant.apis],
    scopes: [...grant.scopes],
    state: grant.state,
    created_at: timestamp(grant.createdAt),
    updated_at: timestamp(grant.updatedAt),
    withdrawn_at: timestampOrNull(grant.withdrawnAt),
    version: grant.version,
  }
}
