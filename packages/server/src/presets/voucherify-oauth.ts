import { codeRow } from '@postern/contract'

import type { PresetOAuth } from '../core/oauth/api-oauth.ts'
import type { DialectBody, IntrospectedToken, OAuthDialect, RefusedRequest } from '../core/oauth/dialect.ts'
import { introspectId, revokeId, tokenId } from '../core/oauth/standard-endpoints.ts'
import { voucherifyError } from './voucherify-errors.ts'

/** Tokens from a pair, which its two headers prove (VCH-7): parameters, answers and errors of their own. */
const v1: OAuthDialect = {
  id: 'voucherify.v1',
  pairHeaders: [
    { id: 'x-app-id', secret: 'x-app-token' },
    { id: 'x-client-application-id', secret: 'x-client-token' },
  ],
  grantTypes: ['client_credentials'],
  required: ['scope'],
  tokenParameter: 'access_token',
  issued: ({ accessToken, clientId, scopes, expiresAt, expiresInSeconds }) => ({
    access_token: accessToken,
    client_id: clientId,
    expires_at: seconds(expiresAt),
    expires_in: expiresInSeconds,
    scope: scopes.join(' '),
    token_type: 'Bearer',
  }),
  introspected,
  revoked: (found) => ({ status: found ? 204 : 404, body: null }),
  refused,
}

/** The same from a service key: Basic, and the project has to be named. */
const v2: OAuthDialect = { ...v1, id: 'voucherify.v2', pairHeaders: [], required: ['scope', 'project_id'] }

export const voucherifyOAuth: PresetOAuth = {
  endpoints: [
    { id: tokenId, path: '/v1/oauth/token', endpoint: 'token', dialect: v1 },
    { id: introspectId, path: '/v1/oauth/introspect', endpoint: 'introspection', dialect: v1 },
    { id: revokeId, path: '/v1/oauth/token/revoke', endpoint: 'revocation', dialect: v1 },
    { id: `${tokenId}.v2`, path: '/v2/oauth/token', endpoint: 'token', dialect: v2 },
  ],
  fromKeys: true,
}

function introspected(token: IntrospectedToken | null): DialectBody {
  if (token === null) return { active: false }
  return {
    access_token: token.token,
    client_id: token.clientId,
    expires_at: seconds(token.expiresAt),
    expires_in: Math.round((token.expiresAt - token.issuedAt) / 1000),
    scope: token.scopes.join(' '),
    token_type: 'Bearer',
    active: true,
  }
}

function refused(error: RefusedRequest): ReturnType<OAuthDialect['refused']> {
  const { status } = error
  const said = wordsOf(error)
  if (said !== null) return { status, body: { code: status, ...said } }
  const { code, description: detail, requestId } = error
  const { title } = codeRow(code)
  return {
    status,
    body: voucherifyError({ code, status, title, detail, requestId, missingScopes: [], allowMethods: [] }),
  }
}

/** What the reference spells out. */
function wordsOf({ code, missing, badScopes }: RefusedRequest): { key: string; message: string } | null {
  if (code === 'scope_invalid') return { key: 'invalid_scope', message: `Invalid scope: ${badScopes.join(',')}` }
  if (code === 'grant_type_unsupported' || code === 'grant_type_not_allowed' || missing === 'grant_type')
    return { key: 'invalid_grant_type', message: 'Invalid grant_type' }
  return missing === null ? null : { key: 'missing_parameters', message: 'Missing parameters' }
}

function seconds(epochMs: number): number {
  return Math.floor(epochMs / 1000)
}
