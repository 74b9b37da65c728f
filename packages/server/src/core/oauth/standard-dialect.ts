import { grantTypes } from '../credentials/oauth-client.ts'
import type { OAuthDialect } from './dialect.ts'

/** The form of the RFCs: 6749 (sections 5.1 and 5.2), 7009, 7662. */
export const standardDialect: OAuthDialect = {
  id: 'standard',
  pairHeaders: [],
  grantTypes,
  required: [],
  tokenParameter: 'token',
  issued: ({ accessToken, refreshToken, scopes, expiresInSeconds }) => ({
    access_token: accessToken,
    token_type: 'Bearer',
    expires_in: expiresInSeconds,
    ...(refreshToken !== null && { refresh_token: refreshToken }),
    ...scopeOf(scopes),
  }),
  introspected: (token) =>
    token === null
      ? { active: false }
      : {
          active: true,
          ...scopeOf(token.scopes),
          client_id: token.clientId,
          ...(token.kind === 'access' && { token_type: 'Bearer' }),
          exp: seconds(token.expiresAt),
          iat: seconds(token.issuedAt),
          sub: token.subject,
          aud: token.audience,
          iss: token.issuer,
          jti: token.id,
          ...(token.label !== null && { label: token.label }),
        },
  revoked: () => ({ status: 200, body: {} }),
  refused: ({ error, status, description, requestId }) => ({
    status,
    body: { error, error_description: description, request_id: requestId },
  }),
}

/** A scope has at least one name (RFC 6749, section 3.3): where an API declares none, there is none to be told. */
function scopeOf(scopes: readonly string[]): { readonly scope?: string } {
  return scopes.length === 0 ? {} : { scope: scopes.join(' ') }
}

function seconds(epochMs: number): number {
  return Math.floor(epochMs / 1000)
}
