import type { Authorization } from '../core/oauth/authorization.ts'
import type { Endpoint } from '../core/oauth/endpoint.ts'
import type { LocalRoute } from '../core/oauth/local-route.ts'
import { standardDialect } from '../core/oauth/standard-dialect.ts'
import { standardPaths } from '../core/oauth/standard-endpoints.ts'
import { createAuthorization } from './authorization.ts'
import { jwksEndpoint, metadataEndpoint } from './documents.ts'
import { introspectionEndpoint } from './introspection.ts'
import { issuerPath, jwksPath, metadataPaths } from './metadata.ts'
import type { OAuthParts } from './parts.ts'
import { revocationEndpoint } from './revocation.ts'
import { tokenEndpoint } from './token.ts'

/** The authorization server: one engine for the console and for every API's own address. */
export interface OAuth {
  /** What stands behind a route that Postern serves itself. */
  at(local: LocalRoute): Endpoint
  /** What the authorization endpoint has to know of the protocol. */
  readonly authorization: Authorization
  /** What the console serves at a path; null: nothing of this. */
  onConsole(path: string): Endpoint | null
}

export function createOAuth(parts: OAuthParts): OAuth {
  const made = new WeakMap<LocalRoute, Endpoint>()
  const make = (local: LocalRoute): Endpoint => {
    switch (local.endpoint) {
      case 'token':
        return tokenEndpoint(parts, local.dialect)
      case 'introspection':
        return introspectionEndpoint(parts, local.dialect)
      case 'revocation':
        return revocationEndpoint(parts, local.dialect)
      case 'page':
        throw new Error('pages stand on the console alone')
    }
  }
  const at = (local: LocalRoute): Endpoint => {
    const endpoint = made.get(local) ?? make(local)
    made.set(local, endpoint)
    return endpoint
  }
  const dialect = standardDialect
  const fixed = new Map<string, Endpoint>([
    [standardPaths.token, at({ endpoint: 'token', dialect })],
    [standardPaths.introspect, at({ endpoint: 'introspection', dialect })],
    [standardPaths.revoke, at({ endpoint: 'revocation', dialect })],
    [jwksPath, jwksEndpoint(parts)],
  ])
  const discovered = metadataEndpoint(parts)
  return {
    at,
    authorization: createAuthorization(parts),
    onConsole: (path) => {
      const declaration = parts.declaration()
      if (path.includes('/.well-known/')) return metadataPaths(declaration).includes(path) ? discovered : null
      if (!path.includes('/oauth/')) return null
      const base = issuerPath(declaration)
      return fixed.get(path) ?? (path.startsWith(base) ? fixed.get(path.slice(base.length)) : null) ?? null
    },
  }
}
