import type { Client } from '../../core/decision/clients.ts'
import type { IssuedTokens } from '../../core/oauth/dialect.ts'
import type { Minted } from '../mint.ts'

export function issuedTokens({ clientId }: Client, access: Minted, refresh: Minted | null): IssuedTokens {
  const { scopes, expiresAt, createdAt } = access.token
  return {
    accessToken: access.text,
    refreshToken: refresh?.text ?? null,
    clientId,
    scopes,
    expiresAt,
    expiresInSeconds: Math.floor((expiresAt - createdAt) / 1000),
  }
}
