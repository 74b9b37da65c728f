import type { PresetEndpoint } from './api-oauth.ts'
import { standardDialect } from './standard-dialect.ts'

/** Endpoints in the form of the RFCs, where an API has them at paths of its own. */
export function standardEndpoints(paths: StandardPaths): readonly PresetEndpoint[] {
  const { token, introspect, revoke } = paths
  return [
    ...(token === undefined
      ? []
      : [{ id: tokenId, path: token, endpoint: 'token', dialect: standardDialect } as const]),
    ...(introspect === undefined
      ? []
      : [{ id: introspectId, path: introspect, endpoint: 'introspection', dialect: standardDialect } as const]),
    ...(revoke === undefined
      ? []
      : [{ id: revokeId, path: revoke, endpoint: 'revocation', dialect: standardDialect } as const]),
  ]
}

export interface StandardPaths {
  readonly token?: string
  readonly introspect?: string
  readonly revoke?: string
}

export const standardPaths = {
  token: '/oauth/token',
  introspect: '/oauth/introspect',
  revoke: '/oauth/revoke',
} as const

/** Names of their routes, under an API as on the console. */
export const tokenId = 'oauth.token'
export const introspectId = 'oauth.introspect'
export const revokeId = 'oauth.revoke'
